//! Kinds that say in a fixed place what they are, and what is left when nothing says anything.

use super::FileKind::{self, *};
use super::{boxes, frames};

/// Bytes at the start.
const STARTS: [(&[u8], FileKind); 24] = [
    (b"\x89PNG\r\n\x1a\n", Png),
    (b"\xff\xd8\xff", Jpeg),
    (b"GIF8", Gif),
    (b"II*\0", Tiff),
    (b"MM\0*", Tiff),
    (b"II+\0", Tiff),
    (b"MM\0+", Tiff),
    (b"\xff\x0a", JpegXl),
    (b"\0\0\0\x0cJXL ", JpegXl),
    (b"\0\0\0\x0cjP  ", Jpeg2000),
    (b"8BPS", Photoshop),
    (b"FLV\x01", Flv),
    (b"\0\0\x01\xba", MpegPs),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", WindowsMedia),
    (b"fLaC", Flac),
    (b"caff", Caf),
    (b".snd", Au),
    (b"dns.", Au),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", W64),
    (b"#!AMR", Amr),
    (b"MThd", Midi),
    (b"%PDF", Pdf),
    (b"PK\x03\x04", Zip),
    (b"PK\x05\x06", Zip),
];

/// Files of chunks: how they start, and the form that is named at byte 8.
const FORMS: [(&[u8; 4], &[u8; 4], FileKind); 8] = [
    (b"RIFF", b"WEBP", WebP),
    (b"RIFF", b"WAVE", Wav),
    (b"RIFX", b"WAVE", Wav),
    (b"RIFF", b"AVI ", Avi),
    (b"RF64", b"WAVE", Rf64),
    (b"BW64", b"WAVE", Rf64),
    (b"FORM", b"AIFF", Aiff),
    (b"FORM", b"AIFC", Aiff),
];

/// The kind that a signature within the first bytes names. What follows those bytes makes no difference to whether it is
/// taken.
pub(super) fn find(head: &[u8]) -> Option<FileKind> {
    let form = |(start, name, kind): &(&[u8; 4], &[u8; 4], FileKind)| {
        (head.starts_with(*start) && head.get(8..12) == Some(&name[..])).then_some(*kind)
    };
    let start = |(start, kind): &(&[u8], FileKind)| head.starts_with(start).then_some(*kind);
    STARTS
        .iter()
        .find_map(start)
        .or_else(|| FORMS.iter().find_map(form))
        .or_else(|| boxes::find(head))
        .or_else(|| matroska(head))
        .or_else(|| ogg(head))
        .or_else(|| bitmap(head))
        .or_else(|| frames::tagged(head))
}

/// The document type stands within the first few elements.
fn matroska(head: &[u8]) -> Option<FileKind> {
    let rest = head.strip_prefix(b"\x1a\x45\xdf\xa3")?;
    let webm = rest.get(..40).unwrap_or(rest).windows(4).any(|word| word == b"webm");
    Some(if webm { WebM } else { Matroska })
}

/// The first page holds the first packet of the first stream.
fn ogg(head: &[u8]) -> Option<FileKind> {
    let page = head.strip_prefix(b"OggS")?;
    Some(if page.get(24..31) == Some(b"\x80theora") { Ogv } else { Ogg })
}

fn bitmap(head: &[u8]) -> Option<FileKind> {
    matches!(head, [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..]).then_some(Bmp)
}

/// What a file is in which nothing was found.
pub(super) fn without_one(head: &[u8]) -> FileKind {
    // Words tell, not what follows them: a page may hold anything.
    const WORDS: usize = 512;
    let words = &head[..head.len().min(WORDS)];
    if head.is_empty() {
        Empty
    } else if words.starts_with(b"\xff\xfe") || words.starts_with(b"\xfe\xff") {
        if is_wide_text(words) { Text } else { Unknown }
    } else if is_text(words) {
        let start = String::from_utf8_lossy(words).to_ascii_lowercase();
        let start = start.trim_start_matches('\u{feff}').trim_start();
        match start {
            _ if start.starts_with("<!doctype html") || start.starts_with("<html") => WebPage,
            _ if start.starts_with('<') && start.contains("<svg") => Svg,
            _ => Text,
        }
    } else {
        Unknown
    }
}

fn is_text(words: &[u8]) -> bool {
    // A multi-byte character may be cut at the end.
    let valid = match std::str::from_utf8(words) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && words.iter().all(|&byte| byte >= 0x20 || matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c))
}

/// Text of two bytes a character, as Windows writes it: one of them mostly zero.
pub(super) fn is_wide_text(words: &[u8]) -> bool {
    let marked = words.starts_with(b"\xff\xfe") || words.starts_with(b"\xfe\xff");
    marked && words.iter().filter(|&&byte| byte == 0).count() * 4 > words.len() - 2
}
