//! Whether the picture jumps where the encoder starts afresh.

use super::{FaceSpans, luma::Luma, series::percentile};
use crate::face::Mesh;

/// Of so many rows and columns one is looked at.
const STRIDE: usize = 2;

/// Compares each frame with the one before, outside the face. Keeps one frame.
#[derive(Debug, Default)]
pub struct KeyFrames {
    before: Option<(Luma, FaceSpans)>,
    at_keys: Vec<f64>,
    between: Vec<f64>,
}

impl KeyFrames {
    /// Takes the next frame; `key`: whether it was coded without the ones before.
    pub fn push(&mut self, frame: &Luma, face: &Mesh, key: bool) {
        let spans = FaceSpans::of(face, frame.width, frame.height);
        if let Some((before, face)) = &self.before
            && (before.width, before.height) == (frame.width, frame.height)
            && let Some(change) = change(before, frame, &face.joined(&spans))
        {
            if key { &mut self.at_keys } else { &mut self.between }.push(change);
        }
        self.before = Some((frame.clone(), spans));
    }

    /// By how many levels of luma (mean over the pixels outside the face) the picture changes more at its worst key frame
    /// than it usually does from frame to frame; `None` without a key frame but the first.
    pub fn finish(&self) -> Option<f64> {
        let worst = self.at_keys.iter().copied().max_by(f64::total_cmp)?;
        Some((worst - percentile(&self.between, 0.5)?).max(0.0))
    }
}

fn change(a: &Luma, b: &Luma, face: &FaceSpans) -> Option<f64> {
    let (mut sum, mut count) = (0_u64, 0_u64);
    for y in (0..a.height).step_by(STRIDE) {
        let [from, to] = face.row(y);
        for part in [0..from, to..a.width] {
            let run = y * a.width + part.start..y * a.width + part.end.max(part.start);
            for (a, b) in a.values[run.clone()].iter().zip(&b.values[run]).step_by(STRIDE) {
                sum += u64::from(a.abs_diff(*b));
                count += 1;
            }
        }
    }
    (count > 0).then(|| sum as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    #[test]
    fn a_jump_at_a_key_frame_is_told_from_motion() {
        let face = Mesh { points: vec![[16.0, 16.0, 0.0]; POINTS], presence: 1.0 };
        let frame = |level: u8| Luma { width: 32, height: 32, values: vec![level; 32 * 32] };
        let mut keys = KeyFrames::default();
        for n in 0..40_u8 {
            // One level a frame, three more at every tenth.
            keys.push(&frame(10 + n + 3 * (n / 10)), &face, n % 10 == 0);
        }
        assert_eq!(keys.finish(), Some(3.0));
        assert_eq!(KeyFrames::default().finish(), None);
    }
}
