//! Latents as bytes, so that a face is looked at once and shown by every worker.
//!
//! ```text
//! "MOUTHLAT"  format u32  frames u32  values a frame u32, then the values (f32), then SHA-256 of all before
//! ```
//! All little-endian. What made them (the network, the box around the face) is in the name that they are kept under.

use crate::networks::LATENTS;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"MOUTHLAT";
const FORMAT: u32 = 1;
const HEAD: usize = MAGIC.len() + 3 * 4;
const DIGEST: usize = 32;

/// The bytes of each frame's [`LATENTS`] values.
pub fn to_bytes<'a>(frames: impl ExactSizeIterator<Item = &'a [f32]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + frames.len() * LATENTS * 4 + DIGEST);
    out.extend_from_slice(MAGIC);
    for head in [FORMAT, frames.len() as u32, LATENTS as u32] {
        out.extend_from_slice(&head.to_le_bytes());
    }
    frames.flatten().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    out
}

/// The latents of `frames` frames; `None` when these bytes are not that, or damaged.
pub fn from_bytes(bytes: &[u8], frames: usize) -> Option<Vec<Vec<f32>>> {
    let body = bytes.len().checked_sub(DIGEST)?;
    let (body, digest) = bytes.split_at(body);
    let (head, values) = body.split_at_checked(HEAD)?;
    let wanted = [FORMAT, u32::try_from(frames).ok()?, LATENTS as u32];
    let told = head.strip_prefix(MAGIC)?.chunks_exact(4).map(number);
    let fits = told.eq(wanted) && values.len() == frames.checked_mul(LATENTS * 4)?;
    if !fits || Sha256::digest(body)[..] != *digest {
        return None;
    }
    let floats = |frame: &[u8]| frame.chunks_exact(4).map(|b| f32::from_bits(number(b))).collect::<Vec<f32>>();
    let frames: Vec<_> = values.chunks_exact(LATENTS * 4).map(floats).collect();
    frames.iter().flatten().all(|value| value.is_finite()).then_some(frames)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Vec<f32>> {
        (0..3).map(|n| (0..LATENTS).map(|i| (i as f32 * 0.1 + n as f32).sin()).collect()).collect()
    }

    fn bytes() -> Vec<u8> {
        to_bytes(frames().iter().map(Vec::as_slice))
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(from_bytes(&bytes(), 3), Some(frames()));
        assert_eq!(from_bytes(&bytes(), 2), None, "of another reference");
        assert_eq!(from_bytes(&to_bytes(std::iter::empty()), 0), Some(Vec::new()));
    }

    #[test]
    fn whatever_else_it_is_is_none() {
        let good = bytes();
        for length in [0, 7, HEAD, DIGEST, HEAD + DIGEST, good.len() - 1] {
            assert_eq!(from_bytes(&good[..length], 3), None, "{length} bytes");
        }
        for at in (0..good.len()).step_by(997).chain([0, 9, 13, 17]) {
            let mut changed = good.clone();
            changed[at] ^= 0x10;
            assert_eq!(from_bytes(&changed, 3), None, "byte {at}");
        }
        let nowhere = vec![f32::NAN; LATENTS];
        assert_eq!(from_bytes(&to_bytes([nowhere.as_slice()].into_iter()), 1), None, "no number");
    }
}
