//! How soft a face is: what is painted into it must be no sharper, and who gives a blurred picture is told.

use mouthpiece_frame::Rect;

/// Softness of a sharp photograph: standard deviation of the blur, in pixels.
const SHARP: f32 = 0.65;
/// And of the softest that is told apart.
const SOFTEST: f32 = 2.6;
/// Of so many rows one is looked at.
const ROWS: usize = 3;
/// Share of the places whose edges count.
const STEEPEST: usize = 100;
/// What a step that was blurred by so many pixels shows in one pixel of what it shows in four; and in two of eight.
const NEAR: [(f32, f32); 6] = [(0.56, 0.65), (0.48, 0.8), (0.41, 1.0), (0.35, 1.3), (0.32, 1.6), (0.31, 1.8)];
const WIDE: [(f32, f32); 5] = [(0.53, 1.3), (0.46, 1.6), (0.42, 1.8), (0.37, 2.2), (0.34, SOFTEST)];
/// Below this the steps of one pixel say little more.
const NEAR_ENDS: f32 = 0.37;

/// The blur of what lies in `area`, as the standard deviation of a Gaussian in pixels (0.65 to 2.6), from its steepest edges along
/// rows. `luma` looks a pixel up, column and row.
pub fn softness(area: Rect, luma: impl Fn(usize, usize) -> f32) -> f32 {
    let mut steps: [Vec<f32>; 4] = Default::default();
    for y in (area.y0..area.y1).step_by(ROWS) {
        for x in area.x0..area.x1.saturating_sub(8) {
            let at = |dx: usize| luma(x + dx, y);
            for (steps, wide) in steps.iter_mut().zip([1, 4, 2, 8]) {
                steps.push((at(wide) - at(0)).abs());
            }
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
    let [one, four, two, eight] = steps.map(steepest);
    if four < 1.0 {
        return SHARP;
    }
    if one / four > NEAR_ENDS { between(&NEAR, one / four) } else { between(&WIDE, two / eight) }
}

/// What a table of falling ratios says of one.
fn between(table: &[(f32, f32)], ratio: f32) -> f32 {
    let after = table.iter().position(|&(at, _)| at <= ratio).unwrap_or(table.len() - 1).max(1);
    let ((a, from), (b, to)) = (table[after - 1], table[after]);
    from + (to - from) * ((a - ratio) / (a - b)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes 16 pixels wide, each edge blurred by `sigma`.
    fn stripes(sigma: f32) -> f32 {
        softness(Rect { x0: 19, y0: 14, x1: 109, y1: 107 }, |x, _| {
            let from_edge = 8.0 - ((x % 32) as f32 + 0.5 - 16.0).abs();
            (40.0 + 160.0 / (1.0 + (-1.702 * from_edge / sigma).exp())).floor()
        })
    }

    #[test]
    fn blurred_edges_are_told_from_sharp_ones() {
        let soft = [0.3, 1.0, 1.6, 2.3].map(stripes);
        assert!(soft[0] < 0.8, "{soft:?}");
        for (soft, blur) in soft[1..].iter().zip([1.0, 1.6, 2.3]) {
            assert!((soft - blur).abs() < 0.25, "{soft} for {blur}");
        }
    }
}
