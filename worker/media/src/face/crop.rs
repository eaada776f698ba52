//! Square crops of a picture, turned and scaled, for a network's input.
//!
//! A crop that shrinks the picture averages over each output pixel's whole area: first by taking from a copy that was
//! halved often enough, then by a 2x2 grid of bilinear samples. Skipping pixels instead makes landmarks jump about.

use image::RgbImage;

/// A square window on a picture: `side` picture pixels across, turned clockwise by `angle` radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// Centre `[x, y]` in pixels; the centre of the top-left pixel is (0, 0).
    pub centre: [f32; 2],
    /// Side length in picture pixels.
    pub side: f32,
    /// Clockwise turn in radians.
    pub angle: f32,
}

impl Window {
    /// Takes a point of a crop with `cells` cells a side (cell centres at whole numbers) to the picture.
    pub(super) fn to_picture(self, [x, y]: [f32; 2], cells: usize) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let scale = self.side / cells as f32;
        let half = (cells as f32 - 1.0) / 2.0;
        let (dx, dy) = ((x - half) * scale, (y - half) * scale);
        [self.centre[0] + cos * dx - sin * dy, self.centre[1] + sin * dx + cos * dy]
    }

    /// Takes a point of the picture to a crop with `cells` cells a side: the way back.
    pub(super) fn to_crop(self, [x, y]: [f32; 2], cells: usize) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let scale = cells as f32 / self.side;
        let half = (cells as f32 - 1.0) / 2.0;
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        [(cos * dx + sin * dy) * scale + half, (cos * dy - sin * dx) * scale + half]
    }

    /// A window beside this one: moved by a share of its side in its own directions, `times` as large, turned further.
    pub(super) fn beside(self, [right, down]: [f32; 2], times: f32, turn: f32) -> Self {
        let (sin, cos) = self.angle.sin_cos();
        let [x, y] = self.centre;
        Self {
            centre: [x + (cos * right - sin * down) * self.side, y + (sin * right + cos * down) * self.side],
            side: self.side * times,
            angle: self.angle + turn,
        }
    }
}

/// What lies outside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// Black.
    Black,
    /// The nearest pixel of the edge.
    Edge,
}

/// A picture and its halved copies, made when first needed.
pub(super) struct Pyramid<'a> {
    base: &'a RgbImage,
    halves: Vec<RgbImage>,
}

impl<'a> Pyramid<'a> {
    /// Around `base`, which must not be empty.
    pub(super) fn new(base: &'a RgbImage) -> Self {
        Self { base, halves: Vec::new() }
    }

    /// Width and height of the picture itself.
    pub(super) fn size(&self) -> [f32; 2] {
        [self.base.width() as f32, self.base.height() as f32]
    }

    /// Fills `out` with `cells` x `cells` RGB pixels of `window`, each value `v` (0..=255) as `v * gain + bias`.
    pub(super) fn crop(
        &mut self,
        window: Window,
        cells: usize,
        outside: Outside,
        [gain, bias]: [f32; 2],
        out: &mut Vec<f32>,
    ) {
        let scale = window.side / cells as f32;
        let level = scale.max(1.0).log2().floor() as usize;
        let (picture, level) = self.level(level);
        let shrink = (1_u32 << level) as f32;
        // 1 sample where the crop enlarges, 2x2 where it shrinks.
        let offsets: &[f32] = if scale > shrink * 1.01 { &[-0.25, 0.25] } else { &[0.0] };
        let weight = gain / (offsets.len() * offsets.len()) as f32;
        out.clear();
        out.reserve(cells * cells * 3);
        // From cell to cell it is always the same step.
        let at = |cell| window.to_picture(cell, cells).map(|v| (v + 0.5) / shrink - 0.5);
        let (origin, right, down) = (at([0.0; 2]), at([1.0, 0.0]), at([0.0, 1.0]));
        let [right, down] = [right, down].map(|to| [to[0] - origin[0], to[1] - origin[1]]);
        for row in 0..cells {
            for column in 0..cells {
                let mut sum = [0.0_f32; 3];
                for dy in offsets {
                    for dx in offsets {
                        let (c, r) = (column as f32 + dx, row as f32 + dy);
                        let at = [origin[0] + c * right[0] + r * down[0], origin[1] + c * right[1] + r * down[1]];
                        let sample = bilinear(picture, at, outside);
                        for (s, v) in sum.iter_mut().zip(sample) {
                            *s += v;
                        }
                    }
                }
                out.extend(sum.map(|v| v * weight + bias));
            }
        }
    }

    /// The picture halved `level` times, or as often as it can be, and how often that was.
    fn level(&mut self, level: usize) -> (&RgbImage, usize) {
        while self.halves.len() < level {
            let last = self.halves.last().unwrap_or(self.base);
            if last.width().min(last.height()) < 2 {
                break;
            }
            let next = halve(last);
            self.halves.push(next);
        }
        let level = level.min(self.halves.len());
        (if level == 0 { self.base } else { &self.halves[level - 1] }, level)
    }
}

/// Half the size, rounded up; each pixel the mean of its 2x2 block.
fn halve(picture: &RgbImage) -> RgbImage {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let raw = picture.as_raw();
    let mut half = RgbImage::new(w.div_ceil(2) as u32, h.div_ceil(2) as u32);
    let stride = w.div_ceil(2) * 3;
    for (row, line) in half.chunks_exact_mut(stride).enumerate() {
        let (a, b) = (row * 2 * w * 3, (row * 2 + 1).min(h - 1) * w * 3);
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let (l, r) = (column * 6, (column * 2 + 1).min(w - 1) * 3);
            for (c, value) in pixel.iter_mut().enumerate() {
                let sum: u16 = [a + l, a + r, b + l, b + r].iter().map(|at| u16::from(raw[at + c])).sum();
                *value = ((sum + 2) / 4) as u8;
            }
        }
    }
    half
}

fn bilinear(picture: &RgbImage, [x, y]: [f32; 2], outside: Outside) -> [f32; 3] {
    let (w, h) = (picture.width() as i64, picture.height() as i64);
    let raw = picture.as_raw();
    let mix = |[a, b, c, d]: [[f32; 3]; 4], fx: f32, fy: f32| {
        let one = |i: usize| {
            let top = a[i] + (b[i] - a[i]) * fx;
            let bottom = c[i] + (d[i] - c[i]) * fx;
            top + (bottom - top) * fy
        };
        [one(0), one(1), one(2)]
    };
    // Well inside nothing has to be asked; and there whole numbers are got by cutting off.
    if x >= 0.0 && y >= 0.0 && x < (w - 1) as f32 && y < (h - 1) as f32 {
        let (x0, y0) = (x as usize, y as usize);
        let stride = w as usize * 3;
        let (above, below) = (y0 * stride + x0 * 3, (y0 + 1) * stride + x0 * 3);
        let (above, below) = (&raw[above..above + 6], &raw[below..below + 6]);
        let three = |p: &[u8]| [f32::from(p[0]), f32::from(p[1]), f32::from(p[2])];
        let corners = [three(above), three(&above[3..]), three(below), three(&below[3..])];
        return mix(corners, x - x0 as f32, y - y0 as f32);
    }
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (x0, y0) = (x0 as i64, y0 as i64);
    let at = |x: i64, y: i64| -> [f32; 3] {
        if outside == Outside::Black && (x < 0 || y < 0 || x >= w || y >= h) {
            return [0.0; 3];
        }
        let at = ((y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) * 3) as usize;
        [f32::from(raw[at]), f32::from(raw[at + 1]), f32::from(raw[at + 2])]
    };
    mix([at(x0, y0), at(x0 + 1, y0), at(x0, y0 + 1), at(x0 + 1, y0 + 1)], fx, fy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(w: u32, h: u32) -> RgbImage {
        RgbImage::from_fn(w, h, |x, y| image::Rgb([(x * 255 / w) as u8, (y * 255 / h) as u8, 7]))
    }

    #[test]
    fn a_window_of_the_whole_picture_reproduces_it() {
        let picture = ramp(32, 32);
        let mut out = Vec::new();
        let window = Window { centre: [15.5, 15.5], side: 32.0, angle: 0.0 };
        Pyramid::new(&picture).crop(window, 32, Outside::Edge, [1.0, 0.0], &mut out);
        let want: Vec<f32> = picture.as_raw().iter().map(|&v| f32::from(v)).collect();
        assert!(out.iter().zip(&want).all(|(a, b)| (a - b).abs() < 0.01));
    }

    #[test]
    fn shrinking_averages_over_the_area() {
        // A one-pixel checkerboard shrunk by any factor is grey; point sampling would give black, white or stripes.
        let picture = RgbImage::from_fn(512, 512, |x, y| image::Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3]));
        for side in [128.0, 200.0, 350.0, 500.0] {
            let mut out = Vec::new();
            let window = Window { centre: [255.5, 255.5], side, angle: 0.3 };
            Pyramid::new(&picture).crop(window, 64, Outside::Edge, [1.0, 0.0], &mut out);
            let spread = out.iter().fold(0.0_f32, |worst, v| worst.max((v - 127.5).abs()));
            assert!(spread < 66.0, "side {side}: {spread}");
            if side >= 128.0 * 2.0 {
                assert!(spread < 1.0, "side {side}: {spread}");
            }
        }
    }

    #[test]
    fn a_quarter_turn_reads_columns() {
        let picture = ramp(64, 64);
        let mut out = Vec::new();
        let window = Window { centre: [31.5, 31.5], side: 64.0, angle: std::f32::consts::FRAC_PI_2 };
        Pyramid::new(&picture).crop(window, 64, Outside::Edge, [1.0, 0.0], &mut out);
        // Going right in the crop goes down in the picture.
        let at = |x: usize, y: usize| out[(y * 64 + x) * 3 + 1];
        assert!((at(10, 5) - f32::from(picture.get_pixel(58, 10).0[1])).abs() < 0.1);
    }

    #[test]
    fn outside_is_black_or_the_edge() {
        let picture = RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
        let window = Window { centre: [3.5, 3.5], side: 16.0, angle: 0.0 };
        let mut out = Vec::new();
        Pyramid::new(&picture).crop(window, 16, Outside::Black, [1.0, 0.0], &mut out);
        assert_eq!(&out[..3], [0.0; 3]);
        Pyramid::new(&picture).crop(window, 16, Outside::Edge, [2.0, 1.0], &mut out);
        assert_eq!(&out[..3], [401.0, 201.0, 101.0]);
    }

    #[test]
    fn there_and_back() {
        let window = Window { centre: [40.0, 70.0], side: 96.0, angle: 0.4 }.beside([0.1, -0.2], 1.5, 0.2);
        let [x, y] = window.to_crop(window.to_picture([17.0, 150.0], 192), 192);
        assert!((x - 17.0).abs() < 1e-3 && (y - 150.0).abs() < 1e-3, "{x} {y}");
        assert!((window.side - 144.0).abs() < 1e-3 && (window.angle - 0.6).abs() < 1e-6);
        let level = Window { centre: [40.0, 70.0], side: 100.0, angle: 0.0 }.beside([0.1, -0.2], 1.0, 0.0);
        assert_eq!(level.centre, [50.0, 50.0]);
    }

    #[test]
    fn a_single_pixel_is_a_picture_too() {
        let picture = RgbImage::from_pixel(1, 1, image::Rgb([9, 9, 9]));
        let mut out = Vec::new();
        let window = Window { centre: [0.0, 0.0], side: 900.0, angle: 0.0 };
        Pyramid::new(&picture).crop(window, 8, Outside::Edge, [1.0, 0.0], &mut out);
        assert!(out.iter().all(|&v| v == 9.0));
    }
}
