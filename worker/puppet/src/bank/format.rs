//! A bank as bytes, so that the mouths of a video are chosen once and used by every worker.
//!
//! ```text
//! "MOUTHBNK"  format u32  frames of the reference u32  its home frame u32  mouths u32
//! each mouth: contour (centre, half, 11 upper, 11 lower), turn (2), light (3), pose (6), all f32;
//!             width u32, height u32, planes Y, U, V
//! SHA-256 of all before
//! ```
//! All little-endian. Nothing is taken on trust: counts and sizes are bounded, numbers must be numbers.

use super::contour::{Contour, SAMPLES};
use super::entry::BankEntry;
use super::light::SkinLight;
use super::{Bank, MOST, MOST_BYTES};
use crate::clip::Affine;
use crate::source::Source;
use mouthpiece_frame::{I420, Rect};
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"MOUTHBNK";
/// Grows whenever the same video comes to another bank than before; it is part of the name that a bank is kept under.
pub(crate) const FORMAT: u32 = 2;
const DIGEST: usize = 32;
/// Longest side of a mouth in pixels.
const MAX_SIDE: u32 = 2048;

/// Which reference a bank belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BankOrigin {
    /// How many frames it has.
    pub(crate) frames: usize,
    /// Which of them is the home frame.
    pub(crate) home: usize,
}

/// Whether these are the whole bytes of a bank of a reference of so many frames, in this format.
pub(crate) fn is_whole(bytes: &[u8], frames: usize) -> bool {
    let told = |at: usize| bytes.get(at..at + 4).map(|b| b.iter().rev().fold(0_u32, |sum, b| sum << 8 | u32::from(*b)));
    let begins = bytes.starts_with(MAGIC) && told(8) == Some(FORMAT) && told(12) == u32::try_from(frames).ok();
    let split = bytes.len().checked_sub(DIGEST).map(|at| bytes.split_at(at));
    begins && bytes.len() <= MOST_BYTES && split.is_some_and(|(body, digest)| Sha256::digest(body)[..] == *digest)
}

impl Bank {
    /// The bytes that [`Bank::from_bytes`] reads.
    pub(crate) fn to_bytes(&self, origin: BankOrigin) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes() / 2 + 64);
        out.extend_from_slice(MAGIC);
        for head in [FORMAT, origin.frames as u32, origin.home as u32, self.entries.len() as u32] {
            out.extend_from_slice(&head.to_le_bytes());
        }
        for entry in &self.entries {
            numbers(entry).iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
            let (width, height) = (entry.cut.width, entry.cut.height);
            [width, height].iter().for_each(|side| out.extend_from_slice(&(*side as u32).to_le_bytes()));
            // A cut is made from a picture of its size.
            let Ok(mut picture) = I420::new(width, height) else { continue };
            entry.cut.copy_pixels(Rect { x0: 0, y0: 0, x1: width, y1: height }, &mut picture);
            [&picture.y, &picture.u, &picture.v].iter().for_each(|plane| out.extend_from_slice(plane));
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// The bank of a reference; `None` when these bytes are not that, of another format, or damaged.
    pub(crate) fn from_bytes(bytes: &[u8], origin: BankOrigin) -> Option<Self> {
        let (body, digest) = bytes.split_at(bytes.len().checked_sub(DIGEST)?);
        let mut from = Reader(body);
        let wanted = [FORMAT, u32::try_from(origin.frames).ok()?, u32::try_from(origin.home).ok()?];
        if from.take(MAGIC.len())? != MAGIC || wanted.iter().any(|w| from.u32() != Some(*w)) {
            return None;
        }
        let count = from.u32().filter(|n| *n as usize <= MOST)?;
        if bytes.len() > MOST_BYTES || Sha256::digest(body)[..] != *digest {
            return None;
        }
        let entries = (0..count).map(|_| from.entry()).collect::<Option<Vec<_>>>()?;
        from.0.is_empty().then_some(Self { entries })
    }
}

/// How many numbers a mouth has.
const NUMBERS: usize = 2 + 2 * SAMPLES + 2 + 3 + 6;

fn numbers(entry: &BankEntry) -> [f32; NUMBERS] {
    let c = &entry.contour;
    let mut all = [c.centre, c.half]
        .into_iter()
        .chain(c.upper)
        .chain(c.lower)
        .chain(entry.turn)
        .chain(entry.light.0)
        .chain(entry.pose.coefficients());
    std::array::from_fn(|_| all.next().unwrap_or(0.0))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (now, later) = self.0.split_at_checked(count)?;
        self.0 = later;
        Some(now)
    }

    fn u32(&mut self) -> Option<u32> {
        let (now, later) = self.0.split_first_chunk()?;
        self.0 = later;
        Some(u32::from_le_bytes(*now))
    }

    fn floats<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = f32::from_bits(self.u32()?);
        }
        values.iter().all(|v| v.is_finite()).then_some(values)
    }

    fn entry(&mut self) -> Option<BankEntry> {
        let [centre, half] = self.floats()?;
        let contour = Contour { centre, half, upper: self.floats()?, lower: self.floats()? };
        let (turn, light) = (self.floats()?, SkinLight(self.floats()?));
        let pose = Affine::from_coefficients(self.floats()?);
        if !contour.is_sound() || pose.inverse().is_none() {
            return None;
        }
        let side = |v: u32| (4..=MAX_SIDE).contains(&v).then_some(v as usize);
        let (width, height) = (side(self.u32()?)?, side(self.u32()?)?);
        let planes = self.take(width * height * 3 / 2)?;
        let mut picture = I420::new(width, height).ok()?;
        let (y, chroma) = planes.split_at(width * height);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        picture.y.copy_from_slice(y);
        picture.u.copy_from_slice(u);
        picture.v.copy_from_slice(v);
        Some(BankEntry { contour, turn, light, pose, cut: Source::new(&picture) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::contour::tests::arc;
    use super::super::entry::tests::entry;
    use super::*;

    const ORIGIN: BankOrigin = BankOrigin { frames: 500, home: 17 };

    fn bank() -> Bank {
        Bank { entries: (1..4).map(|k| entry(arc(0.3, 0.02, 0.04 * k as f32))).collect() }
    }

    #[test]
    fn what_was_written_is_read() {
        let (bank, bytes) = (bank(), bank().to_bytes(ORIGIN));
        let read = Bank::from_bytes(&bytes, ORIGIN).unwrap();
        assert_eq!(read.len(), 3);
        for (a, b) in bank.entries.iter().zip(&read.entries) {
            assert_eq!((a.contour, a.turn, a.light, a.pose), (b.contour, b.turn, b.light, b.pose));
            assert_eq!((&a.cut.luma, &a.cut.chroma), (&b.cut.luma, &b.cut.chroma));
        }
        assert_eq!(read.to_bytes(ORIGIN), bytes);
        assert_eq!(Bank::from_bytes(&Bank::default().to_bytes(ORIGIN), ORIGIN).unwrap().len(), 0);
    }

    #[test]
    fn whatever_else_it_is_is_none() {
        let good = bank().to_bytes(ORIGIN);
        assert!(is_whole(&good, 500) && !is_whole(&good, 499));
        assert!(!is_whole(&good[..good.len() - 1], 500) && !is_whole(b"MOUTHBNK", 500) && !is_whole(b"", 0));
        for other in [BankOrigin { frames: 499, ..ORIGIN }, BankOrigin { home: 0, ..ORIGIN }] {
            assert!(Bank::from_bytes(&good, other).is_none());
        }
        for length in [0, 7, 24, DIGEST, 60, good.len() - 1] {
            assert!(Bank::from_bytes(&good[..length], ORIGIN).is_none(), "{length} bytes");
        }
        for at in (0..good.len()).step_by(997).chain([0, 9, 13, 17, 21]) {
            let mut changed = good.clone();
            changed[at] ^= 0x10;
            assert!(Bank::from_bytes(&changed, ORIGIN).is_none(), "byte {at}");
        }
        let mut nowhere = bank();
        nowhere.entries[1].light = SkinLight([f32::NAN; 3]);
        assert!(Bank::from_bytes(&nowhere.to_bytes(ORIGIN), ORIGIN).is_none(), "no number");
        nowhere = bank();
        nowhere.entries[1].contour.half = 0.0;
        assert!(Bank::from_bytes(&nowhere.to_bytes(ORIGIN), ORIGIN).is_none(), "no opening");
    }
}
