//! What a file holds, told from its bytes; its name is not asked.

use std::{fs::File, io::Read, path::Path};

use image::ImageFormat;

/// How many bytes of a file are looked at to tell what it is.
const HEAD: usize = 512;

/// The picture format of a file that begins with `head`; only formats that can be read.
pub(super) fn format(head: &[u8]) -> Option<ImageFormat> {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(ImageFormat::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(ImageFormat::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// True when the file at `path` begins like a PNG, JPEG or WebP picture, whatever its name.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn is_picture(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(format(&head).is_some())
}

/// In words, what a file that is none of the readable formats seems to be.
pub(super) fn describe(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(HEAD)];
    let brand = head.get(4..12).unwrap_or_default();
    match head {
        [] => "is empty",
        [b'G', b'I', b'F', b'8', ..] => "is a GIF",
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => "is a BMP picture",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "is a TIFF or camera raw picture",
        [b'%', b'P', b'D', b'F', ..] => "is a PDF document",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "is a WebM or Matroska video",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "is a WAV recording",
        _ if brand.starts_with(b"ftypavi") => "is an AVIF picture",
        _ if [b"ftyphei".as_slice(), b"ftyphev", b"ftypmif"].iter().any(|b| brand.starts_with(b)) => {
            "is a HEIF picture"
        }
        _ if brand.starts_with(b"ftyp") => "is an MP4 video or recording",
        _ if is_text(head) => "holds text",
        _ => "is of an unknown kind",
    }
}

fn is_text(head: &[u8]) -> bool {
    // A multi-byte character may be cut at the end of the head.
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && head.iter().all(|&byte| byte >= 0x20 || matches!(byte, b'\n' | b'\r' | b'\t' | 0x0C))
}

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
    fn other_files_are_named() {
        assert_eq!(describe(b""), "is empty");
        assert_eq!(describe("Grüße, this is no picture\n".as_bytes()), "holds text");
        assert_eq!(describe(b"GIF89a\0\0"), "is a GIF");
        assert_eq!(describe(b"\0\0\0\x18ftypheic\0\0"), "is a HEIF picture");
        assert_eq!(describe(b"\0\0\0\x18ftypisom\0\0"), "is an MP4 video or recording");
        assert_eq!(describe(&[7, 0, 1, 2, 3]), "is of an unknown kind");
        let cut = "é".repeat(400);
        assert_eq!(describe(&cut.as_bytes()[1..]), "is of an unknown kind");
        assert_eq!(describe(cut.as_bytes()), "holds text");
    }

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
