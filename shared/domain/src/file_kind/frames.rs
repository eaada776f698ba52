//! Kinds without a signature: a row of frames, each of which says how long it is.
//!
//! A recording may begin with a tag, with zeros, or in the midst of a frame (a piece of a stream). One header can be
//! chance; a row of them that fit to one another is not.

use super::FileKind::{self, *};
use super::signature::is_wide_text;

/// Frames in a row that are no chance: together they say some fifty bits.
const ROW: usize = 3;

/// Where a file begins with a tag (ID3), the kind of what follows it, as far as that can be seen.
pub(super) fn tagged(head: &[u8]) -> Option<FileKind> {
    let mut rest = head;
    while let [b'I', b'D', b'3', 0..=0xfe, 0..=0xfe, flags, a, b, c, d, ..] = *rest {
        let size = [a, b, c, d].iter().fold(0, |size, &seven| size << 7 | usize::from(seven & 0x7f));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        rest = rest.get(10 + size + footer..).unwrap_or_default();
    }
    if rest.len() == head.len() {
        return None;
    }
    Some(if rest.starts_with(b"fLaC") { Flac } else { row(rest).unwrap_or(Mp3) })
}

/// The kind of the first row of frames in `head`.
pub(super) fn find(head: &[u8]) -> Option<FileKind> {
    if is_wide_text(head) {
        return None;
    }
    if transport_stream(head) { Some(MpegTs) } else { row(head) }
}

/// Packets of 188 bytes, in a camera's files with four more in front of each.
fn transport_stream(head: &[u8]) -> bool {
    let packets = |first: usize, step: usize| (0..ROW).all(|n| head.get(first + n * step) == Some(&0x47));
    packets(0, 188) || packets(4, 192)
}

fn row(bytes: &[u8]) -> Option<FileKind> {
    let start = bytes.iter().position(|&byte| byte != 0)?;
    (start..bytes.len()).find_map(|at| {
        let first = Header::read(&bytes[at..])?;
        let (mut next, mut count) = (at + first.length, 1);
        while count < ROW && Header::read(bytes.get(next..).unwrap_or_default()).is_some_and(|h| h.fits(&first)) {
            next += Header::read(&bytes[next..])?.length;
            count += 1;
        }
        // A short file may end before there is a row, but then it ends with its frames.
        let short = at == start && next >= bytes.len();
        (count == ROW || short).then_some(first.kind)
    })
}

/// A frame's header.
struct Header {
    kind: FileKind,
    /// Bytes from here to the next.
    length: usize,
    /// What all frames of a recording have in common.
    common: [u8; 3],
}

impl Header {
    fn fits(&self, first: &Self) -> bool {
        self.common == first.common
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0xff, b, c, ..] = bytes else { return None };
        match b & 0xe0 {
            0xe0 if b & 0x06 == 0 => adts(b, c, bytes),
            0xe0 => mpeg(b, c),
            _ => None,
        }
    }
}

/// AAC: a byte of sync, half of the next, a layer of zero.
fn adts(b: u8, c: u8, bytes: &[u8]) -> Option<Header> {
    let &[d, e, f] = bytes.get(3..6)? else { return None };
    let length = usize::from(d & 0x03) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
    let rate = c >> 2 & 0x0f;
    (b & 0xf0 == 0xf0 && rate <= 12 && length > 7).then_some(Header { kind: Aac, length, common: [b, c, d & 0xc0] })
}

/// Kilobits a second by [`mpeg`]'s two last choices; index 0 ("free") says no length, 15 is reserved.
const BIT_RATES: [[usize; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// MPEG audio (ISO 11172-3, 13818-3): eleven bits of sync, version, layer, bit rate, sampling rate, padding.
fn mpeg(b: u8, c: u8) -> Option<Header> {
    let (version, layer) = (b >> 3 & 0x03, 4 - (b >> 1 & 0x03));
    let (first, padding) = (version == 3, usize::from(c >> 1 & 0x01));
    let halved = match version {
        3 => 1,
        2 => 2,
        0 => 4,
        _ => return None,
    };
    let rate = *[44_100, 48_000, 32_000].get(usize::from(c >> 2 & 0x03))? / halved;
    let rates = match (first, layer) {
        (true, 1) => 0,
        (true, 2) => 1,
        (true, _) => 2,
        (false, 1) => 3,
        (false, _) => 4,
    };
    let bits = 1000 * BIT_RATES[rates].get(usize::from(c >> 4)).filter(|kilobits| **kilobits > 0)?;
    let length = match layer {
        1 => (12 * bits / rate + padding) * 4,
        3 if !first => 72 * bits / rate + padding,
        _ => 144 * bits / rate + padding,
    };
    let kind = if layer == 3 { Mp3 } else { Mp2 };
    // The last bit of `b` is each frame's own, as are bit rate and padding.
    Some(Header { kind, length, common: [b & 0xfe, c & 0x0c, 0] })
}
