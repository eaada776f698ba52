//! The opening between two lips as a shape, and how unlike two of them are.

use crate::curves::MonotoneCubic;

/// Samples of each line, corner to corner.
pub(crate) const SAMPLES: usize = 11;

/// An opening: where both lips' inner edges run, in the face frame (D).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contour {
    /// X of its middle.
    pub(crate) centre: f32,
    /// Half its width.
    pub(crate) half: f32,
    /// Y of the upper lip's edge at even places from the left corner to the right one.
    pub(crate) upper: [f32; SAMPLES],
    /// Of the lower lip's edge, nowhere above the upper one.
    pub(crate) lower: [f32; SAMPLES],
}

/// Narrowest opening, in D.
const NARROWEST: f32 = 0.04;
/// What a difference of width counts against one of height: teeth stand still when corners move.
const WIDTH: f32 = 0.20;
/// What it counts that an upper lip was higher up than wanted: it shows more than is needed.
const SHOWS_MORE: f32 = 0.35;
/// And that the lower lip stood elsewhere: what lies on the jaw moves with it.
const LOWER: f32 = 0.55;

impl Contour {
    /// The opening between two lines of points, each from the left corner to the right.
    pub(crate) fn between(upper: &[[f32; 2]], lower: &[[f32; 2]]) -> Self {
        let ends = |line: &[[f32; 2]]| {
            line.iter().fold((f32::MAX, f32::MIN), |(low, high), p| (low.min(p[0]), high.max(p[0])))
        };
        let ((a, b), (c, d)) = (ends(upper), ends(lower));
        let (left, right) = ((a + c) / 2.0, (b + d) / 2.0);
        let (centre, half) = ((left + right) / 2.0, ((right - left) / 2.0).max(NARROWEST));
        let (upper, lower) = (MonotoneCubic::through(upper), MonotoneCubic::through(lower));
        let mut contour = Self { centre, half, upper: [0.0; SAMPLES], lower: [0.0; SAMPLES] };
        for k in 0..SAMPLES {
            let x = contour.place(k);
            contour.upper[k] = upper.at(x);
            contour.lower[k] = lower.at(x).max(contour.upper[k]);
        }
        contour
    }

    /// The same of points that lie evenly but for what the corners' sides moved, without allocating: `lines[k]` are the
    /// upper and the lower point of sample `k`.
    pub(crate) fn resampled(lines: &[[[f32; 2]; 2]; SAMPLES]) -> Self {
        let x = |k: usize| 0.5 * (lines[k][0][0] + lines[k][1][0]);
        let (left, right) = (x(0).min(x(SAMPLES - 1)), x(0).max(x(SAMPLES - 1)));
        let (centre, half) = ((left + right) / 2.0, ((right - left) / 2.0).max(NARROWEST));
        let mut contour = Self { centre, half, upper: [0.0; SAMPLES], lower: [0.0; SAMPLES] };
        for k in 0..SAMPLES {
            let x = contour.place(k);
            let at = |side: usize| {
                let after = (1..SAMPLES - 1).find(|&i| lines[i][side][0] >= x).unwrap_or(SAMPLES - 1);
                let ([x0, y0], [x1, y1]) = (lines[after - 1][side], lines[after][side]);
                y0 + (y1 - y0) * ((x - x0) / (x1 - x0).max(1e-4)).clamp(0.0, 1.0)
            };
            contour.upper[k] = at(0);
            contour.lower[k] = at(1).max(contour.upper[k]);
        }
        contour
    }

    /// X of sample `k`.
    fn place(&self, k: usize) -> f32 {
        self.centre + self.half * (2.0 * k as f32 / (SAMPLES - 1) as f32 - 1.0)
    }

    /// Y of both edges at `x`; beyond the corners as at them.
    #[inline]
    pub(crate) fn at(&self, x: f32) -> (f32, f32) {
        let last = (SAMPLES - 1) as f32;
        let t = (((x - self.centre) / self.half + 1.0) * 0.5 * last).clamp(0.0, last);
        let k = (t as usize).min(SAMPLES - 2);
        let f = t - k as f32;
        let mix = |line: &[f32; SAMPLES]| line[k] + (line[k + 1] - line[k]) * f;
        (mix(&self.upper), mix(&self.lower))
    }

    /// Mean height of the opening over its middle three fifths.
    pub(crate) fn opening(&self) -> f32 {
        let middle = SAMPLES / 5..SAMPLES - SAMPLES / 5;
        let count = middle.len() as f32;
        middle.map(|k| self.lower[k] - self.upper[k]).sum::<f32>() / count
    }

    /// Y of the upper edge in the middle.
    pub(crate) fn lift(&self) -> f32 {
        self.upper[SAMPLES / 2]
    }

    /// How ill `self` serves where `wanted` is to be seen, in D: the root of the mean square distance of their edges, places
    /// compared from corner to corner. What `self` would have to show and never did counts for more than what it hides.
    pub(crate) fn unlike(&self, wanted: &Self) -> f32 {
        let mut sum = 0.0;
        for k in 1..SAMPLES - 1 {
            let (up, down) = (self.upper[k] - wanted.upper[k], self.lower[k] - wanted.lower[k]);
            let taller = (self.lower[k] - self.upper[k]) - (wanted.lower[k] - wanted.upper[k]);
            let up = up * if up < 0.0 { SHOWS_MORE } else { 1.0 };
            sum += up * up + LOWER * down * down + taller * taller * if taller < 0.0 { 1.0 } else { 0.6 };
        }
        let wide = self.half - wanted.half;
        (sum / (SAMPLES - 2) as f32 + WIDTH * wide * wide).sqrt()
    }

    /// Whether all of it are numbers, and it is an opening.
    pub(crate) fn is_sound(&self) -> bool {
        let lines = self.upper.iter().zip(&self.lower);
        self.centre.is_finite()
            && (NARROWEST..4.0).contains(&self.half)
            && lines.into_iter().all(|(u, l)| u <= l && u.abs() < 4.0 && l.abs() < 4.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An opening whose edges are arcs, from `top` above to `bottom` below the line of the corners.
    pub(crate) fn arc(half: f32, top: f32, bottom: f32) -> Contour {
        let line = |height: f32| -> Vec<[f32; 2]> {
            (-10..=10).map(|k| k as f32 / 10.0).map(|u| [u * half, height * (1.0 - u * u)]).collect()
        };
        Contour::between(&line(-top), &line(bottom))
    }

    #[test]
    fn an_arc_is_as_high_as_it_is() {
        let c = arc(0.3, 0.05, 0.1);
        assert!((c.half - 0.3).abs() < 1e-5 && c.centre.abs() < 1e-5 && (c.lift() + 0.05).abs() < 1e-4);
        let (u, l) = c.at(0.0);
        assert!((l - u - 0.15).abs() < 1e-4);
        assert_eq!(c.at(0.3), c.at(9.0));
        assert!(c.opening() > 0.11 && c.opening() < 0.15 && c.is_sound());
    }

    #[test]
    fn what_was_never_seen_is_worse_than_what_must_be_hidden() {
        let wanted = arc(0.3, 0.04, 0.08);
        assert_eq!(wanted.unlike(&wanted), 0.0);
        assert!(arc(0.3, 0.02, 0.08).unlike(&wanted) > arc(0.3, 0.06, 0.08).unlike(&wanted));
        assert!(arc(0.3, 0.04, 0.04).unlike(&wanted) > arc(0.28, 0.04, 0.08).unlike(&wanted));
    }

    proptest! {
        #[test]
        fn lines_that_moved_a_little_are_resampled_where_they_are(
            top in 0.0_f32..0.08, bottom in 0.0_f32..0.2, wide in -0.05_f32..0.05
        ) {
            let half = 0.3;
            let lines = std::array::from_fn(|k| {
                let u = 2.0 * k as f32 / (SAMPLES - 1) as f32 - 1.0;
                let x = u * (half + wide * u.abs());
                [[x, -top * (1.0 - u * u)], [x, bottom * (1.0 - u * u)]]
            });
            let got = Contour::resampled(&lines);
            prop_assert!(got.is_sound());
            prop_assert!((got.half - (half + wide)).abs() < 1e-5);
            let (u, l) = got.at(0.0);
            prop_assert!((u + top).abs() < 1e-4 && (l - bottom).abs() < 1e-4);
            prop_assert!(got.lower.iter().zip(&got.upper).all(|(l, u)| l >= u));
        }
    }
}
