use super::*;
use FileUse::{Picture, Portrait, Speech, Video};
use proptest::prelude::*;

/// `count` frames of MPEG audio or AAC of the given header and length.
fn frames(header: &[u8], length: usize, count: usize) -> Vec<u8> {
    let mut frame = header.to_vec();
    frame.resize(length, 0x55);
    frame.repeat(count)
}

/// 128 kbit/s at 44.1 kHz.
fn mp3(count: usize) -> Vec<u8> {
    frames(b"\xff\xfb\x90\x64", 417, count)
}

/// 23 ms at 44.1 kHz: a length of 300 bytes.
fn aac(count: usize) -> Vec<u8> {
    frames(b"\xff\xf1\x50\x80\x25\x80\xfc", 300, count)
}

/// A tag of so many bytes beside its own ten.
fn id3(size: usize) -> Vec<u8> {
    let seven = |shift: usize| (size >> shift & 0x7f) as u8;
    let mut tag = vec![b'I', b'D', b'3', 4, 0, 0, seven(21), seven(14), seven(7), seven(0)];
    tag.resize(10 + size, 0xff);
    tag
}

/// What `head` is taken as: a portrait, speech.
fn both(kind: FileKind) -> (Option<&'static str>, Option<&'static str>) {
    (kind.taken_as(Portrait).ok(), kind.taken_as(Speech).ok())
}

#[test]
fn files_are_told_by_their_first_bytes() {
    for (head, portrait, speech) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some("image/png"), None),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01", Some("image/jpeg"), None),
        (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp"), None),
        (b"GIF89a\x10\0\x10\0", Some("image/gif"), None),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0", Some("image/bmp"), None),
        (b"II*\0\x08\0\0\0", Some("image/tiff"), None),
        (b"\0\0\0\x18ftypheic\0\0\0\0", Some("image/heic"), None),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", Some("image/avif"), None),
        (b"RIFF\0\0\0\0WAVEfmt ", None, Some("audio/wav")),
        (b"RIFX\0\0\0\0WAVEfmt ", None, Some("audio/wav")),
        (b"RF64\xff\xff\xff\xffWAVEds64", None, Some("audio/wav")),
        (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", None, Some("audio/x-w64")),
        (b"FORM\0\0\0\x10AIFFCOMM", None, Some("audio/aiff")),
        (b"FORM\0\0\0\x10AIFCFVER", None, Some("audio/aiff")),
        (b"FORM\0\0\0\x10ILBMBMHD", None, None),
        (b"caff\0\x01\0\0desc\0\0\0\0", None, Some("audio/x-caf")),
        (b".snd\0\0\0\x18\0\0\0\0\0\0\0\x03", None, Some("audio/basic")),
        (b"#!AMR\n\x3c\0\0\0\0\0\0\0\0\0", None, Some("audio/amr")),
        (b"RIFF\0\0\0\0AVI LIST", Some("video/x-msvideo"), Some("video/x-msvideo")),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87", Some("video/webm"), Some("audio/webm")),
        (b"\x1a\x45\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska", Some("video/x-matroska"), Some("audio/x-matroska")),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", Some("video/mp4"), Some("audio/mp4")),
        (b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ", Some("video/quicktime"), Some("video/quicktime")),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", Some("video/quicktime"), Some("video/quicktime")),
        (b"\0\0\0\x20ftypM4A \0\0\x02\0", None, Some("audio/mp4")),
        (b"ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0", None, Some("audio/mpeg")),
        (b"\xff\xfb\x90\x64\0\0\0\0\0\0\0\0\0\0\0\0", None, Some("audio/mpeg")),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1eOpusHead", None, Some("audio/ogg")),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora", Some("video/ogg"), Some("video/ogg")),
        (b"fLaC\0\0\0\x22\0\0\0\0\0\0\0\0", None, Some("audio/flac")),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", None, None),
    ] {
        let named = String::from_utf8_lossy(head);
        assert_eq!(both(FileKind::of(head)), (portrait, speech), "{named}");
        // Where only a picture or only a video is asked for, the other is not taken.
        let picture = portrait.filter(|media_type| media_type.starts_with("image/"));
        assert_eq!(FileKind::of(head).taken_as(Picture).ok(), picture, "{named}");
        let video = portrait.filter(|media_type| media_type.starts_with("video/"));
        assert_eq!(FileKind::of(head).taken_as(Video).ok(), video, "{named}");
    }
}

#[test]
fn frames_are_found_behind_tags_zeros_and_pieces_of_frames() {
    let after = |before: &[u8], frames: Vec<u8>| FileKind::of(&[before, &frames].concat());
    for (frames, kind) in [
        (mp3(4), FileKind::Mp3),
        (frames(b"\xff\xf3\x40\xc4", 104, 4), FileKind::Mp3),
        (frames(b"\xff\xfd\x84\x04", 384, 4), FileKind::Mp2),
        (aac(4), FileKind::Aac),
    ] {
        for before in [vec![], vec![0; 20], vec![0; 30_000], id3(400), [id3(400), id3(3)].concat(), id3(60_000)] {
            assert_eq!(after(&before, frames.clone()), kind, "{} bytes before", before.len());
        }
        // A stream that was cut anywhere; a header by chance in what is left of its frame.
        let piece = [&[0x12, 0xff, 0xfb, 0x90, 0x64, 0x99][..], &[0x55; 250]].concat();
        assert_eq!(after(&piece, frames), kind);
    }
    assert_eq!(after(&id3(1000), b"fLaC\0\0\0\x22".to_vec()), FileKind::Flac);
    // A tag that is larger than what is looked at, with a picture in it.
    assert_eq!(after(&id3(2_000_000), mp3(4)), FileKind::Mp3);
    let mut packet = vec![0x47];
    packet.resize(188, 0xff);
    assert_eq!(FileKind::of(&packet.repeat(5)), FileKind::MpegTs);
    // A single frame between other bytes is chance.
    assert_eq!(after(b"\x07\x08", mp3(1)), FileKind::Unknown);
    assert_eq!(FileKind::of(&[mp3(1), vec![7; 1000]].concat()), FileKind::Unknown);
}

#[test]
fn what_is_not_taken_says_what_it_is_and_what_to_do() {
    let said = |head: &[u8], given_as| FileKind::of(head).taken_as(given_as).unwrap_err().to_string();
    let pictures = format!("give {}", Portrait.taken());
    let speech = format!("give {}", Speech.taken());
    for (head, given_as, words) in [
        (&b"\xff\x0a\0\0"[..], Portrait, "is a JPEG XL picture: save it as PNG or JPEG"),
        (
            b"\0\0\x01\xba\x44\0",
            Portrait,
            "is an MPEG program stream (a DVD's): convert it to MP4, or its sound to WAV",
        ),
        (b"\0\0\0\x18ftypheic\0\0\0\0", Speech, &format!("is a HEIC picture (an iPhone's): {speech}")),
        (b"RIFF\0\0\0\0WAVEfmt ", Portrait, &format!("is a WAV recording: {pictures}")),
        (
            b"\0\0\0\x20ftypisom\0\0\x02\0",
            Picture,
            "is an MP4 video or recording: give a picture (PNG, JPEG, WebP, GIF, HEIC, AVIF, BMP, TIFF)",
        ),
        (b"\x89PNG\r\n\x1a\n", Video, &format!("is a PNG picture: give {}", Video.taken())),
        (b"", Speech, &format!("is empty: {speech}")),
        ("Grüße, this is no picture\n".as_bytes(), Portrait, &format!("holds text: {pictures}")),
        (b"\xff\xfeh\0e\0l\0l\0o\0", Speech, &format!("holds text: {speech}")),
        (b"  <!DOCTYPE html>\n<html>", Speech, &format!("is a web page: {speech}")),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"http", Portrait, &format!("is an SVG drawing: {pictures}")),
        (b"PK\x03\x04\x14\0", Portrait, &format!("is a ZIP archive: {pictures}")),
        (&[7, 0, 1, 2, 3], Portrait, &format!("is of an unknown kind: {pictures}")),
    ] {
        assert_eq!(said(head, given_as), words);
    }
    assert!(
        pictures
            .starts_with("give a picture (PNG, JPEG, WebP, GIF, HEIC, AVIF, BMP, TIFF) or a video (MP4, WebM, MOV, "),
        "{pictures}"
    );
    assert!(speech.starts_with("give a recording (WAV, MP3, OGG, FLAC, M4A, AAC, AIFF, "), "{speech}");
    assert!(speech.contains(") or a video with sound (MP4, WebM, MOV, "), "{speech}");
}

#[test]
fn a_character_that_is_cut_at_the_end_is_text_all_the_same() {
    let long = "é".repeat(400);
    assert_eq!(FileKind::of(long.as_bytes()), FileKind::Text);
    assert_eq!(FileKind::of(&long.as_bytes()[1..]), FileKind::Unknown);
}

proptest! {
    #[test]
    fn any_head_is_answered(head in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = both(FileKind::of(&head));
    }

    /// What is refused early would have been refused late, and the other way round.
    #[test]
    fn what_is_told_early_holds(
        start in prop_oneof![
            Just(b"ID3\x04\0\0\0\0\x01\0".to_vec()), Just(b"\0\0\0\x40ftypmif1".to_vec()),
            Just(b"\x1a\x45\xdf\xa3".to_vec()), Just(b"OggS".to_vec()), Just(b"RIFF\0\0\0\0".to_vec()),
            Just(b"GIF89a".to_vec()), Just(Vec::new()),
        ],
        rest in proptest::collection::vec(any::<u8>(), 64..400),
        cut in 0_usize..400,
    ) {
        let whole = [start, rest].concat();
        if let Some(kind) = FileKind::early(&whole[..cut.min(whole.len())]) {
            prop_assert_eq!(both(kind).0.is_some(), both(FileKind::of(&whole)).0.is_some());
            prop_assert_eq!(both(kind).1.is_some(), both(FileKind::of(&whole)).1.is_some());
        }
    }
}
