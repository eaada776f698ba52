//! The guided filter (He, Sun and Tang, "Guided Image Filtering", 2013): a coarse map takes over a picture's edges.

/// `coarse` smoothed within windows of `2 * radius + 1` so that it follows the edges of `guide`; both `[width, height]`
/// large, values 0..=1. Where the guide varies less than `epsilon` (a variance) the result is a plain mean.
pub(super) fn guided(guide: &[f32], coarse: &[f32], size: [usize; 2], radius: usize, epsilon: f32) -> Vec<f32> {
    let mean = |values: &[f32]| box_mean(values, size, radius);
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<f32>>();
    let (mean_guide, mean_coarse) = (mean(guide), mean(coarse));
    let (both, square) = (mean(&product(guide, coarse)), mean(&product(guide, guide)));
    let slope: Vec<f32> = (0..guide.len())
        .map(|i| {
            let (g, c) = (mean_guide[i], mean_coarse[i]);
            (both[i] - g * c) / ((square[i] - g * g).max(0.0) + epsilon)
        })
        .collect();
    let offset: Vec<f32> = (0..guide.len()).map(|i| mean_coarse[i] - slope[i] * mean_guide[i]).collect();
    let (slope, offset) = (mean(&slope), mean(&offset));
    (0..guide.len()).map(|i| slope[i] * guide[i] + offset[i]).collect()
}

/// Means over windows of `2 * radius + 1` each way; at the border over what is there.
fn box_mean(values: &[f32], [width, height]: [usize; 2], radius: usize) -> Vec<f32> {
    let mut across = vec![0.0; values.len()];
    for y in 0..height {
        let row = &values[y * width..(y + 1) * width];
        let mut sum: f64 = row[..radius.min(width)].iter().map(|v| f64::from(*v)).sum();
        for x in 0..width {
            if x + radius < width {
                sum += f64::from(row[x + radius]);
            }
            if x > radius {
                sum -= f64::from(row[x - radius - 1]);
            }
            let count = (x + radius + 1).min(width) - x.saturating_sub(radius);
            across[y * width + x] = (sum / count as f64) as f32;
        }
    }
    let mut out = vec![0.0; values.len()];
    let mut sums = vec![0.0_f64; width];
    let add = |sums: &mut [f64], y: usize, sign: f64| {
        sums.iter_mut().zip(&across[y * width..]).for_each(|(sum, v)| *sum += sign * f64::from(*v));
    };
    (0..radius.min(height)).for_each(|y| add(&mut sums, y, 1.0));
    for y in 0..height {
        if y + radius < height {
            add(&mut sums, y + radius, 1.0);
        }
        if y > radius {
            add(&mut sums, y - radius - 1, -1.0);
        }
        let count = ((y + radius + 1).min(height) - y.saturating_sub(radius)) as f64;
        out[y * width..(y + 1) * width].iter_mut().zip(&sums).for_each(|(out, sum)| *out = (sum / count) as f32);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_window() {
        let values: Vec<f32> = (0..35).map(|i| (i * i % 11) as f32).collect();
        let means = box_mean(&values, [7, 5], 2);
        for y in 0..5_usize {
            for x in 0..7_usize {
                let (rows, columns) = (y.saturating_sub(2)..(y + 3).min(5), x.saturating_sub(2)..(x + 3).min(7));
                let window: Vec<f32> =
                    rows.flat_map(|y| columns.clone().map(move |x| (x, y))).map(|(x, y)| values[y * 7 + x]).collect();
                let want = window.iter().sum::<f32>() / window.len() as f32;
                assert!((means[y * 7 + x] - want).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn a_coarse_edge_takes_the_place_of_the_pictures_own() {
        let size = [40, 40];
        let guide: Vec<f32> = (0..1600).map(|i| if i % 40 < 23 { 0.2 } else { 0.8 }).collect();
        let coarse: Vec<f32> = (0..1600).map(|i| ((i % 40) as f32 - 14.0).clamp(0.0, 14.0) / 14.0).collect();
        let fine = guided(&guide, &coarse, size, 6, 1e-4);
        let step = fine[20 * 40 + 24] - fine[20 * 40 + 21];
        assert!(step > 0.35, "{step}");
    }
}
