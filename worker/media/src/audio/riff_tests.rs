use super::*;
use crate::mux::fixtures::{file, wav};

fn of(bytes: &[u8]) -> Option<Parts> {
    let dir = tempfile::tempdir().unwrap();
    parts(&file(dir.path(), "a.wav", bytes)).unwrap()
}

/// A WAV file of 1000 samples whose header states these sizes.
fn stating(riff: u32, data: u32) -> Vec<u8> {
    let mut bytes = wav(16_000, 1, 1, &[0.25; 1000]);
    bytes[4..8].copy_from_slice(&riff.to_le_bytes());
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes
}

#[test]
fn numbers_that_count_nothing_are_told_from_counts() {
    let most = [0_u32, 0x7fff_ffff, 0xffff_ffff, 2_000_000_000, 0x4000_0000, 0x7fff_f000, 0x8000_0000, 0x2000_0000];
    for size in most {
        for header in [0, 8, 36, 44] {
            let (less, more) = (size.saturating_sub(header), size.saturating_add(header));
            for riff in [size, less, more] {
                let found = of(&stating(riff, size)).unwrap().list;
                assert_eq!(found, [Part { start: 0, end: 2044, stated: 1.0 }], "{riff} {size}");
            }
        }
    }
    // One of the two may count all the same.
    assert_eq!(of(&stating(4036, 0)).unwrap().list[0].stated, 2.0);
    assert_eq!(of(&stating(0xffff_ffff, 4000)).unwrap().list[0].stated, 2.0);
    assert_eq!(of(&stating(4036, 4000)).unwrap().list[0].stated, 2.0);
    // As long as an hour of stereo.
    assert!(of(&stating(635_040_036, 635_040_000)).unwrap().list[0].stated > 300_000.0);
}

#[test]
fn every_recording_of_a_file_is_found() {
    let (one, other) = (wav(16_000, 1, 1, &[0.25; 1000]), wav(24_000, 2, 3, &[0.5; 333]));
    let at = |start: usize, bytes: &[u8]| Part { start: start as u64, end: (start + bytes.len()) as u64, stated: 1.0 };
    for (first, what) in
        [(one.clone(), "counted"), (stating(0xffff_ffff, 0xffff_ffff), "not counted"), (stating(0, 0), "zero")]
    {
        let joined = [&first[..], &other, &one].concat();
        let expected = [at(0, &first), at(2044, &other), at(2044 + other.len(), &one)];
        assert_eq!(of(&joined).unwrap(), Parts { list: expected.into(), more: false }, "{what}");
    }
    // A recording within another's chunk before its sound is none of its own.
    let mut nested = one.clone();
    nested.splice(12..12, [&b"junk"[..], &(other.len() as u32).to_le_bytes(), &other].concat());
    let size = nested.len() as u32 - 8;
    nested[4..8].copy_from_slice(&size.to_le_bytes());
    assert_eq!(of(&nested).unwrap().list, [at(0, &nested)]);
    // A cut one in the midst.
    let joined = [&one[..1044], &one].concat();
    let list = of(&joined).unwrap().list;
    assert_eq!(list, [Part { start: 0, end: 1044, stated: 2.0 }, at(1044, &one)]);
}

#[test]
fn a_header_is_found_across_what_is_read_at_once() {
    let other = wav(24_000, 1, 1, &[0.5; 50]);
    for length in (1 << 20) - 20..(1 << 20) + 4 {
        let mut first = stating(0, 0);
        first.resize(length, 7);
        let list = of(&[&first[..], &other].concat()).unwrap().list;
        assert_eq!(list.iter().map(|part| part.start).collect::<Vec<_>>(), [0, length as u64]);
    }
}

#[test]
fn there_is_an_end_to_recordings() {
    let joined = wav(16_000, 1, 1, &[0.25; 2]).repeat(MOST_PARTS + 2);
    let found = of(&joined).unwrap();
    assert_eq!((found.list.len(), found.more), (MOST_PARTS, true));
    assert_eq!(of(b"RIFF\0\0\0\0AVI LIST...."), None);
    assert_eq!(of(b"RIFF"), None);
    assert_eq!(of(b""), None);
}
