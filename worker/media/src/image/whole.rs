//! Whether a picture file is whole.

use image::ImageFormat;
use mouthpiece_domain::file_kind::FileKind;

use super::png_colours::header_chunks;

/// False when the file ends before its format says that it does. Decoders fill the missing part of a JPEG with grey.
pub(super) fn is_complete(format: ImageFormat, bytes: &[u8]) -> bool {
    match format {
        ImageFormat::Jpeg => jpeg_ends(bytes),
        ImageFormat::Png => png_ends(bytes),
        ImageFormat::WebP => bytes.get(4..8).and_then(|b| b.try_into().ok()).is_some_and(|length: [u8; 4]| {
            // The length counts from its own end; writers may leave out the final padding byte.
            u64::from(u32::from_le_bytes(length)) + 8 <= bytes.len() as u64 + 1
        }),
        _ => true,
    }
}

/// True when the file says that more pictures follow the first.
pub(super) fn is_animated(kind: FileKind, bytes: &[u8]) -> bool {
    /// The second bit of what an extended WebP says of itself.
    const ANIMATION: u8 = 2;
    match kind {
        FileKind::WebP => bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|b| b & ANIMATION != 0),
        FileKind::Png => header_chunks(bytes).any(|(kind, _)| kind == b"acTL"),
        FileKind::Avif => bytes.get(8..12) == Some(b"avis"),
        _ => false,
    }
}

/// Walks the chunks to the end mark.
fn png_ends(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if kind == b"IEND" {
            return true;
        }
        at = at.saturating_add(length).saturating_add(12);
        if at > bytes.len() {
            return false;
        }
    }
    false
}

/// Walks the segments, and the coded data after each start of scan, to the end mark.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Between segments, and within coded data, everything up to the next marker is passed over.
        let Some(offset) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0xFF)) else {
            return false;
        };
        at += offset + 1;
        match bytes.get(at) {
            None => return false,
            Some(0xD9) => return true,
            // Fill bytes, stuffed zeros, restart marks and stand-alone marks carry no length.
            Some(0xFF) => {}
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 1,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else { return false };
                at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_mark_inside_a_jpeg_segment_is_not_the_end() {
        let thumbnail = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 1, 1];
        assert!(!jpeg_ends(&thumbnail));
        let whole = [&thumbnail[..], &[0xFF, 0xDA, 0, 2, 9, 9, 0xFF, 0x00, 0xFF, 0xD0, 5, 0xFF, 0xD9]].concat();
        assert!(jpeg_ends(&whole));
        for end in 0..whole.len() {
            assert!(!jpeg_ends(&whole[..end]), "cut at {end}");
        }
    }

    #[test]
    fn absurd_lengths_do_not_overflow() {
        assert!(!png_ends(b"\x89PNG\r\n\x1a\n\xFF\xFF\xFF\xFFIDATxxxx"));
        assert!(!png_ends(b""));
        assert!(!jpeg_ends(&[0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF]));
    }
}
