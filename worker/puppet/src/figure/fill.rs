//! Filling what nobody has seen: pull and push over halved copies (Gortler and others, "The Lumigraph", 1996).

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pull {
    /// It is known, and kept.
    Keep,
    /// It is made up from those around.
    Fill,
}

/// A plane's values, each with the weight of what is known of it.
struct Level {
    width: usize,
    height: usize,
    values: Vec<[f32; 2]>,
}

/// The plane with every value that is not kept taken from the known ones around it: near ones in detail, far ones as a mean.
pub(super) fn filled(plane: &[u8], width: usize, height: usize, pull: impl Fn(usize) -> Pull) -> Vec<u8> {
    let known = |i: usize| if pull(i) == Pull::Keep { 1.0 } else { 0.0 };
    let values = plane.iter().enumerate().map(|(i, v)| [f32::from(*v) * known(i), known(i)]).collect();
    let mut levels = vec![Level { width, height, values }];
    while let Some(last) = levels.last().filter(|l| l.width > 1 || l.height > 1) {
        let half = halved(last);
        levels.push(half);
    }
    // Down again: what a level does not know comes from the coarser one.
    let mut coarse = levels.pop().map(resolved).unwrap_or_default();
    let mut size = [1, 1];
    for level in levels.into_iter().rev() {
        let fine = (0..level.values.len()).map(|i| {
            let [sum, weight] = level.values[i];
            let (x, y) = (i % level.width, i / level.width);
            let weight = weight.min(1.0);
            if weight >= 1.0 { sum } else { sum + (1.0 - weight) * between(&coarse, size, x, y) }
        });
        let fine = fine.collect();
        size = [level.width, level.height];
        coarse = fine;
    }
    coarse
        .iter()
        .enumerate()
        .map(|(i, v)| if pull(i) == Pull::Keep { plane[i] } else { (v + 0.5).clamp(0.0, 255.0) as u8 })
        .collect()
}

/// Means of 2x2 blocks of what is known; weights grow to 1 and no further.
fn halved(level: &Level) -> Level {
    let (width, height) = (level.width.div_ceil(2), level.height.div_ceil(2));
    let block = |i: usize| {
        let (x, y) = (i % width * 2, i / width * 2);
        let mut sum = [0.0_f32; 2];
        for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
            if x < level.width && y < level.height {
                let [v, w] = level.values[y * level.width + x];
                sum = [sum[0] + v, sum[1] + w];
            }
        }
        if sum[1] > 1.0 { [sum[0] / sum[1], 1.0] } else { sum }
    };
    Level { width, height, values: (0..width * height).map(block).collect() }
}

/// The coarsest level's values; middle grey where nothing at all is known.
fn resolved(level: Level) -> Vec<f32> {
    level.values.into_iter().map(|[sum, weight]| if weight > 0.0 { sum / weight } else { 128.0 }).collect()
}

/// A coarser level's value where fine value (x, y) stands, interpolated.
fn between(coarse: &[f32], [width, height]: [usize; 2], x: usize, y: usize) -> f32 {
    let place = |v: usize, most: usize| {
        let p = (v as f32 * 0.5 - 0.25).clamp(0.0, (most - 1) as f32);
        (p as usize, (p as usize + 1).min(most - 1), p.fract())
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (place(x, width), place(y, height));
    let row = |y: usize| coarse[y * width + x0] + (coarse[y * width + x1] - coarse[y * width + x0]) * fx;
    row(y0) + (row(y1) - row(y0)) * fy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_ramp_is_about_the_ramp_and_what_is_kept_stays() {
        let (w, h) = (40, 30);
        let plane: Vec<u8> = (0..w * h).map(|i| (50 + 3 * (i % w)) as u8).collect();
        let hole = |i: usize| (i % w).abs_diff(20) < 7 && (i / w).abs_diff(15) < 6;
        let out = filled(&plane, w, h, |i| if hole(i) { Pull::Fill } else { Pull::Keep });
        for i in 0..w * h {
            if hole(i) {
                assert!(out[i].abs_diff(plane[i]) < 22, "{} for {}", out[i], plane[i]);
            } else {
                assert_eq!(out[i], plane[i]);
            }
        }
    }

    #[test]
    fn nothing_known_is_grey() {
        assert_eq!(filled(&[7; 12], 4, 3, |_| Pull::Fill), [128; 12]);
    }
}
