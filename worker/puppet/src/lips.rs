//! The zone around the lips, where both sheets and the inside of the mouth meet in one pixel.

use super::curves::smoothstep;
use super::interior::decay;
use super::rig::Rig;
use super::shape::MouthShape;
use super::source::Source;
use mouthpiece_frame::{I420, Rect, rgb_to_yuv, yuv_to_rgb};

/// Within this height of a lip's edge (D) a pixel may need more than one sheet.
pub(super) const NEAR: f32 = 0.05;

/// Where one pixel of the zone comes from, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// Through the upper sheet.
    pub(super) upper: [f32; 2],
    /// Through the lower sheet.
    pub(super) lower: [f32; 2],
    /// Through the head's motion alone.
    pub(super) head: [f32; 2],
}

/// One pixel of the zone: the lips, and what shows between them.
#[derive(Debug, Clone, Copy, Default)]
struct Layered {
    lips: [f32; 3],
    inside: [f32; 3],
    /// Coverage by the lips, 0..=1; 1 where no inside was worked out.
    cover: f32,
}

/// Working memory of the zone.
#[derive(Debug, Default)]
pub(super) struct LipZone {
    area: Rect,
    pixels: Vec<Layered>,
}

impl LipZone {
    /// Starts a frame's zone. `area` must be even.
    pub(super) fn begin(&mut self, area: Rect) {
        self.area = area;
        self.pixels.clear();
        self.pixels.resize(area.width() * area.height(), Layered::default());
    }

    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// Works out one pixel.
    #[inline]
    pub(super) fn shade(&mut self, x: usize, y: usize, from: Origin, rig: &Rig, source: &Source, shape: &MouthShape) {
        let at = (y - self.area.y0) * self.area.width() + x - self.area.x0;
        self.pixels[at] = layered(from, rig, source, shape);
    }

    /// Softens the inside a little, puts the lips over it and writes the zone into the frame.
    pub(super) fn finish(&self, frame: &mut I420) {
        let (w, h) = (self.area.width(), self.area.height());
        let stride = frame.width();
        for by in 0..h / 2 {
            for bx in 0..w / 2 {
                let mut chroma = [0.0_f32; 2];
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (x, y) = (2 * bx + dx, 2 * by + dy);
                    let [l, u, v] = self.blended(x, y);
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

    /// One pixel, its inside blurred by a 3x3 kernel (sigma 0.55 pixel): no sharper than a photograph.
    fn blended(&self, x: usize, y: usize) -> [f32; 3] {
        let (w, h) = (self.area.width(), self.area.height());
        let p = &self.pixels[y * w + x];
        if p.cover >= 1.0 {
            return p.lips;
        }
        let mut sum = [0.0_f32; 3];
        let mut weight = 0.0_f32;
        for (ny, wy) in [(y.wrapping_sub(1), 0.19), (y, 0.62), (y + 1, 0.19)] {
            for (nx, wx) in [(x.wrapping_sub(1), 0.19), (x, 0.62), (x + 1, 0.19)] {
                if nx < w && ny < h {
                    let q = &self.pixels[ny * w + nx];
                    if q.cover < 1.0 {
                        let k = wx * wy;
                        weight += k;
                        for (s, c) in sum.iter_mut().zip(q.inside) {
                            *s += k * c;
                        }
                    }
                }
            }
        }
        std::array::from_fn(|i| {
            let inside = sum[i] / weight;
            inside + (p.lips[i] - inside) * p.cover
        })
    }
}

/// One pixel of the zone, before the inside is softened.
fn layered(from: Origin, rig: &Rig, source: &Source, shape: &MouthShape) -> Layered {
    let (frame, mouth) = (rig.frame, &rig.mouth);
    let (upper, lower) = (frame.to_face(from.upper), frame.to_face(from.lower));
    let (su, sl) = (mouth.above(upper), mouth.below(lower));
    let whole = |lips: [f32; 3]| Layered { lips, inside: [0.0; 3], cover: 1.0 };

    // Between a closed portrait's lips runs a dark line. Once they part, each lip's edge is taken from just past it.
    let parting = if mouth.open { 0.0 } else { (-(su + sl) / 0.03).clamp(0.0, 1.0) };
    let past = |p: [f32; 2], by: f32| {
        let d = frame.vector_to_px([0.0, by]);
        [p[0] + d[0], p[1] + d[1]]
    };
    let upper_lip = || {
        let by = if parting > 0.0 { -0.006 * parting * decay(su.max(0.0) / 0.012) } else { 0.0 };
        source.yuv_at(past(from.upper, by))
    };
    let lower_lip = || {
        let by = if parting > 0.0 { 0.014 * parting * decay(sl.max(0.0) / 0.018) } else { 0.0 };
        source.yuv_at(past(from.lower, by))
    };
    if su > NEAR && sl < 0.0 {
        return whole(upper_lip());
    }
    if sl > NEAR && su < 0.0 {
        return whole(lower_lip());
    }

    let (cu, cl) = (upper_lip(), lower_lip());
    let deeper_is_lower = ((sl - su) * frame.unit * 0.5 + 0.5).clamp(0.0, 1.0);
    let mut met: [f32; 3] = std::array::from_fn(|i| cu[i] + (cl[i] - cu[i]) * deeper_is_lower);
    if mouth.open {
        // The closed lips of a smiling portrait have no line of their own: draw it.
        let off = (su - sl) / 0.016;
        let seam = 0.42 * decay(off * off) * (1.0 + (su + sl) / 0.02).clamp(0.0, 1.0) * mouth.within_corners(upper[0]);
        met[0] = 16.0 + (met[0] - 16.0) * (1.0 - 0.94 * seam);
        met[1] = 128.0 + (met[1] - 128.0) * (1.0 - 0.7 * seam);
        met[2] = 128.0 + (met[2] - 128.0) * (1.0 - 0.7 * seam);
    }
    let head = frame.to_face(from.head);
    let hole = su < 0.01 && sl < 0.01 && head[0].abs() < 1.5 * mouth.half_width;
    if (su > 0.0 && sl > 0.0) || !hole {
        return whole(met);
    }

    let own_teeth = mouth.open.then(|| {
        let (gu, gl) = (mouth.above(head), mouth.below(head));
        let cover = smoothstep(-0.004, 0.008, -gu) * smoothstep(-0.002, 0.016, -gl);
        (yuv_to_rgb(source.yuv_at(from.head)), cover)
    });
    let inside = rgb_to_yuv(rig.interior.at(head, (-su).max(0.0), (-sl).max(0.0), shape, own_teeth));
    let edge = |s: f32| (s * frame.unit * 0.9 + 0.5).clamp(0.0, 1.0);
    let (au, al) = (edge(su), edge(sl));
    let lips = std::array::from_fn(|i| (cu[i] * au + cl[i] * al) / (au + al).max(1e-3));
    Layered { lips, inside, cover: (au + al).min(0.999) }
}
