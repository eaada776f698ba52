//! Files of boxes (ISO 14496-12 and QuickTime): MP4 and what was built upon it.

use super::FileKind::{self, *};
use super::SIGNATURE;

/// Boxes that a QuickTime film, or a piece of a streamed one, may begin with instead of its brand.
const BEGINNINGS: [&[u8; 4]; 9] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx"];

/// What the brands of a file of boxes say.
pub(super) fn find(head: &[u8]) -> Option<FileKind> {
    let [a, b, c, d, name @ ..] = head.get(..8)? else { return None };
    let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    if name == b"ftyp" {
        return Some(branded(head, size));
    }
    // Sizes 0 and 1 say that the box goes on to the end, or that its size comes later.
    let plausible = size <= 1 || size >= 8;
    (plausible && BEGINNINGS.iter().any(|first| name == *first)).then_some(Mov)
}

fn branded(head: &[u8], size: usize) -> FileKind {
    let brand = head.get(8..12).unwrap_or_default();
    match brand {
        b"avif" | b"avis" => Avif,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => Heic,
        // A picture of any codec: which one, its further brands say.
        b"mif1" | b"mif2" | b"msf1" | b"miaf" => {
            let end = size.min(SIGNATURE).min(head.len());
            let mut further = head.get(16..end).unwrap_or_default().chunks_exact(4);
            if further.any(|brand| brand == b"avif" || brand == b"avis") { Avif } else { Heic }
        }
        b"crx " => RawPhoto,
        b"M4A " | b"M4B " | b"M4P " | b"F4A " | b"F4B " => M4a,
        b"qt  " => Mov,
        _ => Mp4,
    }
}
