//! How one frame's face lies to that of another: an affine map between their pixels.

use crate::frame::pixels_around;
use crate::grid::Grid;
use mouthpiece_frame::Rect;

/// `[x, y] -> m [x, y, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine([[f32; 3]; 2]);

impl Affine {
    pub(crate) const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    /// Below this share of its size a map has no inverse.
    const FLAT: f32 = 0.02;

    /// Its coefficients, row by row.
    pub(crate) fn coefficients(&self) -> [f32; 6] {
        let [[a, b, c], [d, e, f]] = self.0;
        [a, b, c, d, e, f]
    }

    /// The map with these coefficients.
    pub(crate) fn from_coefficients([a, b, c, d, e, f]: [f32; 6]) -> Self {
        Self([[a, b, c], [d, e, f]])
    }

    /// Where a place goes.
    #[inline]
    pub(crate) fn at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [a, b] = &self.0;
        [a[0] * x + a[1] * y + a[2], b[0] * x + b[1] * y + b[2]]
    }

    /// Moves a run of places.
    pub(crate) fn run(&self, xs: &mut [f32], ys: &mut [f32]) {
        for (x, y) in xs.iter_mut().zip(ys) {
            [*x, *y] = self.at([*x, *y]);
        }
    }

    /// The way back; `None` of a map that is flat.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.0;
        let det = a * e - b * d;
        let size = a * a + b * b + d * d + e * e;
        if !det.is_finite() || det.abs() < Self::FLAT * size {
            return None;
        }
        let k = 1.0 / det;
        let (ia, ib, id, ie) = (e * k, -b * k, -d * k, a * k);
        Some(Self([[ia, ib, -(ia * c + ib * f)], [id, ie, -(id * c + ie * f)]]))
    }

    /// `first`, and then this.
    pub(super) fn after(&self, first: &Self) -> Self {
        let ([a, b], [f, g]) = (self.0, first.0);
        let row =
            |r: [f32; 3]| [r[0] * f[0] + r[1] * g[0], r[0] * f[1] + r[1] * g[1], r[0] * f[2] + r[1] * g[2] + r[2]];
        Self([row(a), row(b)])
    }

    /// The turn and growth nearest to it that takes `centre` to the same place.
    pub(super) fn turn_about(&self, centre: [f32; 2]) -> Self {
        let [[a, b, _], [d, e, _]] = self.0;
        let (p, q) = (0.5 * (a + e), 0.5 * (d - b));
        let [x, y] = self.at(centre);
        Self([[p, -q, x - p * centre[0] + q * centre[1]], [q, p, y - q * centre[0] - p * centre[1]]])
    }

    /// How many times as large things become.
    pub(super) fn size(&self) -> f32 {
        let [[a, b, _], [d, e, _]] = self.0;
        (a * e - b * d).abs().sqrt()
    }

    /// The same behind a shift of where it leads to.
    pub(crate) fn shifted(&self, [dx, dy]: [f32; 2]) -> Self {
        let [a, b] = self.0;
        Self([[a[0], a[1], a[2] + dx], [b[0], b[1], b[2] + dy]])
    }

    /// The pixels of a `width` x `height` picture that `area` comes to lie over; even.
    pub(crate) fn area(&self, area: Rect, width: usize, height: usize) -> Rect {
        let corners = [(area.x0, area.y0), (area.x1, area.y0), (area.x0, area.y1), (area.x1, area.y1)];
        self.around(corners.map(|(x, y)| [x as f32, y as f32]), width, height)
    }

    /// The pixels of a `width` x `height` picture that a grid comes to lie over; even.
    pub(crate) fn bounds(&self, grid: &Grid, width: usize, height: usize) -> Rect {
        let (c, r) = (grid.cols - 1, grid.rows - 1);
        self.around([(0, 0), (c, 0), (0, r), (c, r)].map(|(c, r)| grid.place(c, r)), width, height)
    }

    fn around(&self, corners: [[f32; 2]; 4], width: usize, height: usize) -> Rect {
        pixels_around(corners.map(|p| self.at(p)), width, height)
    }

    /// The map that brings `from` nearest to `to` in the sense of least squares; needs three places that are not in line.
    pub(crate) fn fit(from: &[[f32; 2]], to: &[[f32; 2]]) -> Option<Self> {
        let rows: Vec<[f64; 3]> = from.iter().map(|p| [p[0].into(), p[1].into(), 1.0]).collect();
        let one = |axis: usize| {
            let values: Vec<f64> = to.iter().map(|p| p[axis].into()).collect();
            least_squares(&rows, &values, &[0.0; 3])
        };
        let map = Self([one(0)?, one(1)?].map(|row| row.map(|v| v as f32)));
        map.inverse().map(|_| map)
    }
}

/// The `x` for which `rows * x` comes nearest to `values`, with `ridge` added to the normal equations' diagonal. `None` when
/// it is not determined.
pub(super) fn least_squares<const N: usize>(rows: &[[f64; N]], values: &[f64], ridge: &[f64; N]) -> Option<[f64; N]> {
    let mut m = [[0.0; N]; N];
    let mut v = [0.0; N];
    for (row, value) in rows.iter().zip(values) {
        for i in 0..N {
            v[i] += row[i] * value;
            for j in 0..N {
                m[i][j] += row[i] * row[j];
            }
        }
    }
    for i in 0..N {
        m[i][i] += ridge[i];
    }
    // Gauss with pivots: N is 3 or 4.
    for c in 0..N {
        let best = (c..N).max_by(|a, b| m[*a][c].abs().total_cmp(&m[*b][c].abs()))?;
        m.swap(c, best);
        v.swap(c, best);
        if m[c][c].abs() < 1e-9 {
            return None;
        }
        let pivot = m[c];
        for r in c + 1..N {
            let k = m[r][c] / pivot[c];
            for (below, above) in m[r].iter_mut().zip(pivot).skip(c) {
                *below -= k * above;
            }
            v[r] -= k * v[c];
        }
    }
    let mut x = [0.0; N];
    for r in (0..N).rev() {
        let known: f64 = (r + 1..N).map(|j| m[r][j] * x[j]).sum();
        x[r] = (v[r] - known) / m[r][r];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_map_is_found_again_and_undone(
            m in prop::array::uniform4(-0.3_f32..0.3), shift in prop::array::uniform2(-200.0_f32..200.0)
        ) {
            let map = Affine([[1.0 + m[0], m[1], shift[0]], [m[2], 1.0 + m[3], shift[1]]]);
            let from: Vec<[f32; 2]> = (0..12).map(|i| [(i % 4) as f32 * 30.0 + 90.0, (i / 4) as f32 * 40.0 + 60.0]).collect();
            let to: Vec<[f32; 2]> = from.iter().map(|p| map.at(*p)).collect();
            let found = Affine::fit(&from, &to).unwrap();
            let back = found.inverse().unwrap();
            for (a, b) in from.iter().zip(&to) {
                let (there, here) = (found.at(*a), back.at(*b));
                prop_assert!((there[0] - b[0]).abs() < 0.02 && (there[1] - b[1]).abs() < 0.02);
                prop_assert!((here[0] - a[0]).abs() < 0.05 && (here[1] - a[1]).abs() < 0.05);
            }
        }
    }

    #[test]
    fn maps_follow_each_other() {
        let (a, b) = (Affine([[1.1, 0.2, 3.0], [-0.1, 0.9, 5.0]]), Affine([[0.8, -0.3, 7.0], [0.2, 1.2, -2.0]]));
        let (p, both) = ([11.0, 13.0], b.after(&a));
        let (got, want) = (both.at(p), b.at(a.at(p)));
        assert!((got[0] - want[0]).abs() < 1e-4 && (got[1] - want[1]).abs() < 1e-4);
        let turn = Affine([[0.9, -0.3, 4.0], [0.3, 0.9, 1.0]]);
        let same = turn.turn_about(p);
        assert!(same.0.iter().flatten().zip(turn.0.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-4));
        assert!((turn.size() - 0.9_f32.hypot(0.3)).abs() < 1e-5);
    }

    #[test]
    fn places_in_line_determine_nothing() {
        let line: Vec<[f32; 2]> = (0..5).map(|i| [i as f32, 2.0 * i as f32]).collect();
        assert_eq!(Affine::fit(&line, &line), None);
        assert_eq!(Affine([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]).inverse(), None);
        let twice = Affine([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0]]);
        assert_eq!(twice.shifted([1.0, 2.0]).at([1.0, 1.0]), [4.0, 5.0]);
    }
}
