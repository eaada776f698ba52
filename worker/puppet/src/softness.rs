//! How soft the portrait is: what is painted between the lips must be no sharper.

use super::frame::FaceFrame;
use super::source::Source;

/// Softness of a sharp photograph: standard deviation of the blur, in pixels.
pub(super) const SHARP: f32 = 0.65;
/// And of the softest that is told apart.
const SOFTEST: f32 = 1.8;
/// Of so many rows one is looked at.
const ROWS: usize = 3;
/// Share of the places whose edges count.
const STEEPEST: usize = 100;

/// The blur of the face, as the standard deviation of a Gaussian in pixels.
///
/// Along rows the steepest edges are looked at: of a step that was blurred by s pixels, a pixel shows 68% of the height
/// that four pixels show at s = .5, 40% at 1 and 32% at 1.5.
pub(super) fn softness(frame: FaceFrame, source: &Source) -> f32 {
    let area = frame.pixels([-0.75, 0.75], [-1.1, 0.45], source.width, source.height);
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for y in (area.y0..area.y1).step_by(ROWS) {
        for x in area.x0..area.x1.saturating_sub(4) {
            let at = |dx: usize| source.luma_at([(x + dx) as f32, y as f32]);
            near.push((at(1) - at(0)).abs());
            far.push((at(4) - at(0)).abs());
        }
    }
    let steepest = |mut steps: Vec<f32>| {
        let few = steps.len() / STEEPEST;
        if few == 0 {
            return 0.0;
        }
        let (steep, _, _) = steps.select_nth_unstable_by(few, |a, b| b.total_cmp(a));
        steep.iter().sum::<f32>() / few as f32
    };
    let (near, far) = (steepest(near), steepest(far));
    if far < 1.0 {
        return SHARP;
    }
    let ratio = near / far;
    let soft = if ratio > 0.4 { 1.0 - 2.25 * (ratio - 0.4) } else { 1.0 + 6.25 * (0.4 - ratio) };
    soft.clamp(SHARP, SOFTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::I420;

    /// Stripes 16 pixels wide, each edge blurred by `sigma`.
    fn stripes(sigma: f32) -> f32 {
        let mut picture = I420::new(128, 128).unwrap();
        for (i, v) in picture.y.iter_mut().enumerate() {
            let from_edge = 8.0 - ((i % 32) as f32 + 0.5 - 16.0).abs();
            *v = (40.0 + 160.0 / (1.0 + (-1.702 * from_edge / sigma).exp())) as u8;
        }
        let frame = FaceFrame { origin: [64.0, 80.0], ex: [1.0, 0.0], unit: 60.0 };
        softness(frame, &Source::new(&picture))
    }

    #[test]
    fn blurred_edges_are_told_from_sharp_ones() {
        let soft = [0.3, 1.0, 1.6].map(stripes);
        assert!(soft[0] < 0.8 && soft[1] > soft[0] + 0.1 && soft[2] > soft[1] + 0.2, "{soft:?}");
    }
}
