//! The reference picture, made ready to be sampled between its pixels.
//!
//! Luma is kept at twice the size, its in-between samples made with the six-tap half-sample filter of H.264 (ITU-T
//! H.264, 8.4.2.2.1). Bilinear sampling of that is nearly as sharp at half a pixel's offset as at none: a slowly moving
//! head does not pulse between sharp and soft. Samples at whole pixels stay exactly the picture's own.

use super::sample::{PADDING, Plane};
use mouthpiece_frame::{I420, Rect};

/// What brings a place of luma to chroma, whose samples lie in the middle of four: a factor, and what is added.
pub(super) const TO_CHROMA: (f32, f32) = (0.5, -0.25);

/// Sampling planes of one picture.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Picture width in pixels.
    pub(super) width: usize,
    /// Picture height in pixels.
    pub(super) height: usize,
    /// `2 width * 2 height` and padding; sample (2x, 2y) is pixel (x, y).
    pub(super) luma: Vec<u8>,
    /// Chroma planes as in the picture, and padding.
    pub(super) chroma: [Vec<u8>; 2],
}

impl Source {
    pub(super) fn new(picture: &I420) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let chroma = || vec![128; width / 2 * (height / 2) + PADDING];
        let luma = vec![0; 4 * width * height + PADDING];
        let mut source = Self { width, height, luma, chroma: [chroma(), chroma()] };
        source.replace(picture);
        source
    }

    /// Takes another picture of the same size without allocating.
    pub(super) fn replace(&mut self, picture: &I420) {
        assert_eq!(
            (self.width, self.height),
            (picture.width(), picture.height()),
            "frames of one avatar share their size"
        );
        for (to, from) in self.chroma.iter_mut().zip([&picture.u, &picture.v]) {
            to[..from.len()].copy_from_slice(from);
        }
        self.double(&picture.y);
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.luma.len() + self.chroma.iter().map(Vec::len).sum::<usize>()
    }

    fn double(&mut self, y: &[u8]) {
        let (w, h) = (self.width, self.height);
        let stride = 2 * w;
        // Even rows: pixels and horizontal half samples.
        for row in 0..h {
            let from = &y[row * w..(row + 1) * w];
            let to = &mut self.luma[2 * row * stride..(2 * row + 1) * stride];
            let at = |x: isize| from[x.clamp(0, w as isize - 1) as usize];
            for x in 0..w {
                to[2 * x] = from[x];
                to[2 * x + 1] = if x >= 2 && x + 3 < w {
                    let p = &from[x - 2..x + 4];
                    six_tap([p[0], p[1], p[2], p[3], p[4], p[5]])
                } else {
                    let x = x as isize;
                    six_tap([at(x - 2), at(x - 1), at(x), at(x + 1), at(x + 2), at(x + 3)])
                };
            }
        }
        // Odd rows: vertical half samples of the even ones.
        for row in 0..h {
            let (above, rest) = self.luma.split_at_mut((2 * row + 1) * stride);
            let (to, below) = rest.split_at_mut(stride);
            let line = |k: isize| {
                let r = (row as isize + k).clamp(0, h as isize - 1) as usize;
                if r <= row {
                    &above[2 * r * stride..][..stride]
                } else {
                    &below[(2 * (r - row - 1)) * stride..][..stride]
                }
            };
            let (a, b, c, d, e, f) = (line(-2), line(-1), line(0), line(1), line(2), line(3));
            for x in 0..stride {
                to[x] = six_tap([a[x], b[x], c[x], d[x], e[x], f[x]]);
            }
        }
    }

    /// Copies the pixels of `area` (even) into a frame of the same size.
    pub(super) fn copy_pixels(&self, area: Rect, frame: &mut I420) {
        for y in area.y0..area.y1 {
            let from = &self.luma[2 * y * 2 * self.width..];
            for x in area.x0..area.x1 {
                frame.y[y * self.width + x] = from[2 * x];
            }
        }
        for y in area.y0 / 2..area.y1 / 2 {
            let run = y * self.width / 2 + area.x0 / 2..y * self.width / 2 + area.x1 / 2;
            frame.u[run.clone()].copy_from_slice(&self.chroma[0][run.clone()]);
            frame.v[run.clone()].copy_from_slice(&self.chroma[1][run]);
        }
    }

    /// Luma at pixel coordinates, edges repeated.
    #[inline]
    pub(super) fn luma_at(&self, [x, y]: [f32; 2]) -> f32 {
        self.luma_plane().at(x * 2.0, y * 2.0)
    }

    /// `[Y, U, V]` at pixel coordinates, edges repeated.
    #[inline]
    pub(super) fn yuv_at(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let (cx, cy) = ((x - 0.5) * 0.5, (y - 0.5) * 0.5);
        [self.luma_at([x, y]), self.chroma_plane(0).at(cx, cy), self.chroma_plane(1).at(cx, cy)]
    }

    /// U (`which` 0) or V (1) at pixel coordinates, edges repeated.
    #[inline]
    pub(super) fn chroma_at(&self, which: usize, [x, y]: [f32; 2]) -> f32 {
        self.chroma_plane(which).at((x - 0.5) * 0.5, (y - 0.5) * 0.5)
    }

    /// Luma for a run of pixel coordinates.
    pub(super) fn luma_run(&self, xs: &[f32], ys: &[f32], out: &mut [u8]) {
        self.luma_plane().run(2.0, 0.0, xs, ys, out);
    }

    /// U and V for a run of luma pixel coordinates.
    pub(super) fn chroma_run(&self, xs: &[f32], ys: &[f32], outs: [&mut [u8]; 2]) {
        let (scale, shift) = TO_CHROMA;
        Plane::run_all([self.chroma_plane(0), self.chroma_plane(1)], scale, shift, xs, ys, outs);
    }

    fn luma_plane(&self) -> Plane<'_> {
        Plane::new(&self.luma, 2 * self.width, 2 * self.height)
    }

    /// U (0) or V (1).
    pub(super) fn chroma_plane(&self, which: usize) -> Plane<'_> {
        Plane::new(&self.chroma[which], self.width / 2, self.height / 2)
    }
}

#[inline]
fn six_tap([a, b, c, d, e, f]: [u8; 6]) -> u8 {
    let [a, b, c] = [i32::from(a), i32::from(b), i32::from(c)];
    let [d, e, f] = [i32::from(d), i32::from(e), i32::from(f)];
    ((a + f - 5 * (b + e) + 20 * (c + d) + 16) >> 5).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> I420 {
        let mut f = I420::new(16, 12).unwrap();
        for y in 0..12 {
            for x in 0..16 {
                f.y[y * 16 + x] = (20 + 7 * x + 5 * y) as u8;
            }
        }
        for (i, (u, v)) in f.u.iter_mut().zip(&mut f.v).enumerate() {
            (*u, *v) = (100 + (i % 8) as u8 * 4, 140 - (i / 8) as u8 * 3);
        }
        f
    }

    #[test]
    fn whole_pixels_are_the_pictures_own() {
        let f = ramp();
        let s = Source::new(&f);
        let xs: Vec<f32> = (0..16).map(|x| x as f32).collect();
        for y in 0..12 {
            let mut row = [0; 16];
            s.luma_run(&xs, &[y as f32; 16], &mut row);
            assert_eq!(row, f.y[y * 16..y * 16 + 16]);
        }
        let centres: Vec<f32> = (0..8).map(|c| 2.0 * c as f32 + 0.5).collect();
        for c in 0..6 {
            let (mut us, mut vs) = ([0; 8], [0; 8]);
            s.chroma_run(&centres, &[2.0 * c as f32 + 0.5; 8], [&mut us, &mut vs]);
            assert_eq!((&us[..], &vs[..]), (&f.u[c * 8..c * 8 + 8], &f.v[c * 8..c * 8 + 8]));
        }
    }

    #[test]
    fn in_between_samples_follow_a_ramp() {
        let s = Source::new(&ramp());
        let got = s.luma_at([7.25, 5.5]);
        assert!((got - (20.0 + 7.0 * 7.25 + 5.0 * 5.5)).abs() <= 1.0, "{got}");
    }

    #[test]
    fn coordinates_outside_repeat_the_edge() {
        let f = ramp();
        let s = Source::new(&f);
        let mut out = [0; 2];
        s.luma_run(&[-40.0, 900.0], &[-3.0, 900.0], &mut out);
        // The last half sample lies just beyond the last pixel: one level of overshoot.
        assert!(out[0] == f.y[0] && out[1].abs_diff(f.y[16 * 12 - 1]) <= 1, "{out:?}");
    }
}
