//! The pixels around the lips: what is painted between them is softened as the portrait is, then the lips are put over it.

use mouthpiece_frame::{I420, Rect};

/// One pixel of the zone: the lips, and what shows between them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layered {
    pub(super) lips: [f32; 3],
    /// What is painted between them.
    pub(super) inside: [f32; 3],
    /// What was filmed there, and how far it replaces what is painted, 0..=1.
    pub(super) filmed: [f32; 3],
    pub(super) share: f32,
    /// Coverage by the lips, 0..=1; 1 where no inside was worked out.
    pub(super) cover: f32,
}

/// Working memory of the zone.
#[derive(Debug, Default)]
pub(super) struct LipZone {
    area: Rect,
    pixels: Vec<Layered>,
    /// For each pixel the weighted sum of what is painted beside it, and the sum of the weights.
    sums: Vec<[f32; 4]>,
}

impl LipZone {
    /// Starts a frame's zone. `area` must be even; none will have more than `most` pixels, for which room is made once.
    pub(super) fn begin(&mut self, area: Rect, most: usize) {
        self.area = area;
        self.pixels.clear();
        self.pixels.reserve(most);
        self.pixels.resize(area.width() * area.height(), Layered::default());
        self.sums.reserve(most.saturating_sub(self.sums.len()));
        self.sums.resize(area.width() * area.height(), [0.0; 4]);
    }

    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// Keeps what was worked out for one pixel.
    #[inline]
    pub(super) fn put(&mut self, x: usize, y: usize, layered: Layered) {
        let at = (y - self.area.y0) * self.area.width() + x - self.area.x0;
        self.pixels[at] = layered;
    }

    /// Softens the inside as the portrait is (`soft`: standard deviation in pixels), puts the lips over it and writes the zone
    /// into the frame.
    pub(super) fn finish(&mut self, soft: f32, frame: &mut I420) {
        let blur = Blur::of(soft);
        self.soften(&blur);
        let (w, h) = (self.area.width(), self.area.height());
        let stride = frame.width();
        for by in 0..h / 2 {
            for bx in 0..w / 2 {
                let mut chroma = [0.0_f32; 2];
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (x, y) = (2 * bx + dx, 2 * by + dy);
                    let [l, u, v] = self.blended(x, y, &blur);
                    frame.y[(self.area.y0 + y) * stride + self.area.x0 + x] = (l + 0.5).clamp(0.0, 255.0) as u8;
                    chroma[0] += u;
                    chroma[1] += v;
                }
                let at = (self.area.y0 / 2 + by) * (stride / 2) + self.area.x0 / 2 + bx;
                frame.u[at] = (chroma[0] * 0.25 + 0.5).clamp(0.0, 255.0) as u8;
                frame.v[at] = (chroma[1] * 0.25 + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }

    /// Sums up along rows what is painted between the lips.
    fn soften(&mut self, blur: &Blur) {
        let w = self.area.width();
        for (pixels, sums) in self.pixels.chunks_exact(w.max(1)).zip(self.sums.chunks_exact_mut(w.max(1))) {
            sums.fill([0.0; 4]);
            let open = |p: &Layered| p.cover < 1.0;
            let Some(first) = pixels.iter().position(open) else { continue };
            let last = pixels.iter().rposition(open).unwrap_or(first);
            let reached = first.saturating_sub(blur.reach)..(last + blur.reach + 1).min(w);
            for (x, sum) in sums.iter_mut().enumerate().take(reached.end).skip(reached.start) {
                let near = x.saturating_sub(blur.reach)..(x + blur.reach + 1).min(w);
                for (nx, p) in pixels.iter().enumerate().take(near.end).skip(near.start) {
                    if open(p) {
                        let k = blur.taps[nx.abs_diff(x)];
                        *sum =
                            [sum[0] + k * p.inside[0], sum[1] + k * p.inside[1], sum[2] + k * p.inside[2], sum[3] + k];
                    }
                }
            }
        }
    }

    /// One pixel, its inside blurred: no sharper than the portrait.
    fn blended(&self, x: usize, y: usize, blur: &Blur) -> [f32; 3] {
        let (w, h) = (self.area.width(), self.area.height());
        let p = &self.pixels[y * w + x];
        if p.cover >= 1.0 {
            return p.lips;
        }
        // What was filmed is as soft as it is.
        if p.share >= 1.0 {
            return std::array::from_fn(|i| p.filmed[i] + (p.lips[i] - p.filmed[i]) * p.cover);
        }
        let mut sum = [0.0_f32; 4];
        for ny in y.saturating_sub(blur.reach)..(y + blur.reach + 1).min(h) {
            let k = blur.taps[ny.abs_diff(y)];
            for (sum, row) in sum.iter_mut().zip(self.sums[ny * w + x]) {
                *sum += k * row;
            }
        }
        std::array::from_fn(|i| {
            let painted = sum[i] / sum[3];
            let inside = painted + (p.filmed[i] - painted) * p.share;
            inside + (p.lips[i] - inside) * p.cover
        })
    }
}

/// The furthest that anything is softened over, in pixels.
const FURTHEST: usize = 5;

/// A Gaussian: its weights by distance.
struct Blur {
    taps: [f32; FURTHEST + 1],
    reach: usize,
}

impl Blur {
    fn of(soft: f32) -> Self {
        let tap = |x: usize| (-0.5 * (x as f32 / soft) * (x as f32 / soft)).exp();
        Self { taps: std::array::from_fn(tap), reach: ((2.0 * soft).ceil() as usize).clamp(1, FURTHEST) }
    }
}
