//! Sharpness without a reference: the cumulative probability of blur detection (Narvekar and Karam, 2011).
//!
//! In each block with enough edges, every vertical edge pixel has a width (Marziliano: how far the luma keeps rising or
//! falling along the row). A width is seen as blur with probability `1 - exp(-(width / jnb)^3.6)`, where `jnb`, the just
//! noticeable width, is 5 pixels in blocks of a contrast up to 50 and 3 in others. The measure is the share of edge
//! pixels with a probability of at most 63%.
//!
//! Differs from the published code in two points. Blocks with edges are told by the Sobel operator in both directions,
//! not by Canny's. Areas too small for blocks of 64 pixels (a side below 128) get blocks of 32, and blocks are stretched
//! a little so that they cover the area without a rest; an area smaller than one block is one block.

use super::luma::Luma;

const BLOCK: usize = 64;
const SMALL_BLOCK: usize = 32;
/// An area with a shorter side than this gets small blocks.
const SMALL_AREA: usize = 2 * BLOCK;
/// A block counts when more than this share of its pixels are edges.
const EDGE_SHARE: f64 = 0.002;
/// An edge is where the squared gradient exceeds its mean by this factor.
const EDGE_CUTOFF: f64 = 4.0;
/// Longest search for an edge's end at each side, in pixels.
const LONGEST_SIDE: usize = 101;
const BETA: f64 = 3.6;
/// A probability up to this, in hundredths and rounded, is no blur.
const JUST_NOTICEABLE: f64 = 63.0;
/// The tangent of 22.5 degrees: gradients nearer to the horizontal belong to vertical edges.
const VERTICAL: f64 = 0.414_213_562;

/// The CPBD of a whole picture, 0 (blurred) to 1 (sharp); `None` when it holds no edge.
pub fn cpbd(picture: &Luma) -> Option<f64> {
    let (width, height) = (picture.width, picture.height);
    if width < 3 || height < 3 {
        return None;
    }
    let gradients = Gradients::of(picture);
    let size = if width.min(height) < SMALL_AREA { SMALL_BLOCK } else { BLOCK };
    let (columns, rows) = ((width / size).max(1), (height / size).max(1));
    let (mut sharp, mut edges) = (0_u64, 0_u64);
    for row in 0..rows {
        for column in 0..columns {
            let xs = column * width / columns..(column + 1) * width / columns;
            let ys = row * height / rows..(row + 1) * height / rows;
            let pixels = || ys.clone().flat_map(|y| xs.clone().map(move |x| (x, y)));
            let found = pixels().filter(|(x, y)| gradients.is_edge(*x, *y)).count();
            if found as f64 <= EDGE_SHARE * (xs.len() * ys.len()) as f64 {
                continue;
            }
            let lumas = pixels().map(|(x, y)| picture.values[y * width + x]);
            let (low, high) = lumas.fold((u8::MAX, 0), |(low, high), v| (low.min(v), high.max(v)));
            let noticeable = if high - low <= 50 { 5.0 } else { 3.0 };
            for (x, y) in pixels().filter(|(x, y)| gradients.is_vertical_edge(*x, *y)) {
                if let Some(edge) = edge_width(&picture.values[y * width..][..width], x, gradients.slope(picture, x, y))
                {
                    let blur = 1.0 - (-(edge as f64 / noticeable).powf(BETA)).exp();
                    edges += 1;
                    sharp += u64::from((blur * 100.0).round() <= JUST_NOTICEABLE);
                }
            }
        }
    }
    (edges > 0).then(|| sharp as f64 / edges as f64)
}

/// Squared Sobel gradients across and down.
struct Gradients {
    width: usize,
    across: Vec<i32>,
    down: Vec<i32>,
    across_cutoff: f64,
    cutoff: f64,
}

impl Gradients {
    fn of(picture: &Luma) -> Self {
        let (width, height) = (picture.width, picture.height);
        let (mut across, mut down) = (vec![0; width * height], vec![0; width * height]);
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let at = |dx: usize, dy: usize| i32::from(picture.values[(y + dy - 1) * width + x + dx - 1]);
                let gx = at(2, 0) - at(0, 0) + 2 * (at(2, 1) - at(0, 1)) + at(2, 2) - at(0, 2);
                let gy = at(0, 2) - at(0, 0) + 2 * (at(1, 2) - at(1, 0)) + at(2, 2) - at(2, 0);
                // At most (4 * 255)^2.
                (across[y * width + x], down[y * width + x]) = (gx * gx, gy * gy);
            }
        }
        let mean = |squares: &[i32]| squares.iter().map(|s| f64::from(*s)).sum::<f64>() / squares.len() as f64;
        let (across_mean, down_mean) = (mean(&across), mean(&down));
        let (across_cutoff, cutoff) = (EDGE_CUTOFF * across_mean, EDGE_CUTOFF * (across_mean + down_mean));
        Self { width, across, down, across_cutoff, cutoff }
    }

    /// A thinned edge of either direction.
    fn is_edge(&self, x: usize, y: usize) -> bool {
        let at = y * self.width + x;
        let (across, down) = (self.across[at], self.down[at]);
        if f64::from(across) + f64::from(down) <= self.cutoff {
            return false;
        }
        // Edges are never on the border, where gradients are 0, so neighbours exist.
        if across >= down {
            self.across[at - 1] <= across && across > self.across[at + 1]
        } else {
            self.down[at - self.width] <= down && down > self.down[at + self.width]
        }
    }

    /// A thinned edge across which the luma changes along the row.
    fn is_vertical_edge(&self, x: usize, y: usize) -> bool {
        let at = y * self.width + x;
        let here = self.across[at];
        f64::from(here) > self.across_cutoff && self.across[at - 1] <= here && here > self.across[at + 1]
    }

    /// Whether the luma rises to the right at an inner pixel; `None` where it changes rather along the column.
    fn slope(&self, picture: &Luma, x: usize, y: usize) -> Option<bool> {
        let at = |x: usize, y: usize| f64::from(picture.values[y * self.width + x]);
        let (gx, gy) = (at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
        (gx != 0.0 && gy.abs() <= VERTICAL * gx.abs()).then_some(gx > 0.0)
    }
}

/// Marziliano's width in pixels of the edge at `x`: the way to the extremum at each side, which lies at least one away.
fn edge_width(row: &[u8], x: usize, rises: Option<bool>) -> Option<usize> {
    let rises = rises?;
    // From the inner neighbour outwards as long as the luma goes on as at the edge.
    let side = |outward: &mut dyn Iterator<Item = u8>, rises: bool| {
        let mut inner = outward.next().unwrap_or(0);
        let mut width = 1;
        for outer in outward.take(LONGEST_SIDE - 1) {
            if (rises && outer <= inner) || (!rises && outer >= inner) {
                break;
            }
            (inner, width) = (outer, width + 1);
        }
        width
    };
    let left = side(&mut row[..x].iter().rev().copied(), !rises);
    let right = side(&mut row[x + 1..].iter().copied(), rises);
    Some(left + right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::series::gaussian;
    use proptest::prelude::*;

    /// Rectangles of different greys, some with a low contrast.
    fn pattern(width: usize, height: usize) -> Luma {
        let grey = |x: usize, y: usize| ((x / 17) * 73 + (y / 23) * 151) % 200 + 20;
        let values = (0..width * height).map(|i| grey(i % width, i / width) as u8).collect();
        Luma { width, height, values }
    }

    fn blurred(picture: &Luma, sigma: f64) -> Luma {
        let smooth = |lines: Vec<Vec<f64>>| lines.into_iter().map(|l| gaussian(&l, sigma)).collect::<Vec<_>>();
        let rows = picture.values.chunks(picture.width).map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect();
        let rows = smooth(rows);
        let columns = smooth((0..picture.width).map(|x| rows.iter().map(|r| r[x]).collect()).collect());
        let value = |i: usize| columns[i % picture.width][i / picture.width].round() as u8;
        Luma { values: (0..picture.values.len()).map(value).collect(), ..*picture }
    }

    #[test]
    fn crisp_is_near_one_and_blur_lowers_it() {
        let crisp = pattern(256, 192);
        let values: Vec<f64> = [0.0, 0.5, 0.8, 1.2, 2.0].map(|s| cpbd(&blurred(&crisp, s)).unwrap()).to_vec();
        assert!(values[0] > 0.97, "{values:?}");
        assert!(values.windows(2).all(|w| w[1] <= w[0]), "{values:?}");
        assert!(values[3] < 0.5 && values[4] < 0.05, "{values:?}");
    }

    #[test]
    fn small_areas_are_measured_too() {
        for (width, height) in [(110, 60), (40, 30), (25, 20)] {
            let crisp = pattern(width, height);
            let (a, b) = (cpbd(&crisp).unwrap(), cpbd(&blurred(&crisp, 1.5)).unwrap());
            assert!(a > 0.9 && b < 0.5 * a, "{width}x{height}: {a} {b}");
        }
    }

    #[test]
    fn an_edge_has_its_known_width() {
        let row = [10, 10, 10, 20, 60, 100, 110, 110, 90];
        assert_eq!(edge_width(&row, 4, Some(true)), Some(4));
        let falling: Vec<u8> = row.iter().rev().copied().collect();
        assert_eq!(edge_width(&falling, 4, Some(false)), Some(4));
        assert_eq!(edge_width(&[0, 0, 9, 9], 1, Some(true)), Some(2));
        assert_eq!(edge_width(&row, 4, None), None);
    }

    #[test]
    fn nothing_to_see_is_no_number() {
        let flat = Luma { width: 128, height: 128, values: vec![90; 128 * 128] };
        assert_eq!(cpbd(&flat), None);
        assert_eq!(cpbd(&Luma::default()), None);
        assert_eq!(cpbd(&Luma { width: 2, height: 2, values: vec![0, 255, 0, 255] }), None);
    }

    proptest! {
        #[test]
        fn any_picture_gives_a_share(width in 1_usize..140, height in 1_usize..140, seed in any::<u32>()) {
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 17) as u8;
            let picture = Luma { width, height, values: (0..width * height).map(value).collect() };
            prop_assert!(cpbd(&picture).is_none_or(|v| (0.0..=1.0).contains(&v)));
        }
    }
}
