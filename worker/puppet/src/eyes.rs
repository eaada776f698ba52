//! Blinking.
//!
//! A stretched lid looks wrong at once: brows smear, the outer lashes curl. So the closed lid is painted: skin whose
//! colour runs from just under the brow to just under the eye, rounded by a little shade, with the cheek's own grain,
//! and a lash line at its moving edge that thins out towards the corners. The crease and the brow are never touched.

use super::curves::{MonotoneCubic, Profile, smoothstep};
use super::frame::{EYES, EyePoints, FaceFrame};
use super::interior::decay;
use super::source::Source;
use mouthpiece_frame::Rect;

/// How far above the open lid's edge the painted lid begins, in D: the old lashes must vanish under it.
const COVER: f32 = 0.030;
/// Samples along a lid.
const SAMPLES: usize = 41;

/// One eye of a reference frame; lengths in D over X of the face frame.
#[derive(Debug, Clone)]
pub(super) struct Eye {
    frame: FaceFrame,
    /// Height of the open upper lid's edge.
    upper: Profile,
    /// Opening, 0 at and beyond the corners.
    opening: Profile,
    /// 1 along the eye, 0 a little beyond its corners.
    ends: Profile,
    /// Lash strength, weaker towards the corners.
    lashes: Profile,
    /// Skin `[Y, U, V]` at the top and at the bottom of the painted lid.
    top: [Profile; 3],
    bottom: [Profile; 3],
    /// Luma of the lash line.
    lash_luma: f32,
    /// Pixels that a blink can change, even.
    pub(super) area: Rect,
}

impl Eye {
    /// Both eyes of a face in face coordinates.
    pub(super) fn both(points: &[[f32; 3]], frame: FaceFrame, source: &Source) -> [Self; 2] {
        EYES.map(|ids| Self::measure(&ids, points, frame, source))
    }

    fn measure(ids: &EyePoints, points: &[[f32; 3]], frame: FaceFrame, source: &Source) -> Self {
        let line = |ids: &[usize]| {
            MonotoneCubic::through(&ids.iter().map(|&i| [points[i][0], points[i][1]]).collect::<Vec<_>>())
        };
        let (upper, lower) = (line(&ids.upper), line(&ids.lower));
        let (x0, x1) = (points[ids.upper[0]][0], points[ids.upper[8]][0]);
        let (centre, half) = ((x0 + x1) / 2.0, ((x1 - x0) / 2.0).max(0.03));
        let along = |f: &dyn Fn(f32) -> f32| Profile::sample(centre - 1.3 * half, centre + 1.3 * half, SAMPLES, f);
        let ends = |x: f32| 1.0 - smoothstep(0.98, 1.22, ((x - centre) / half).abs());
        let opening = along(&|x| (lower.at(x) - upper.at(x)).max(0.0));
        let ends = along(&ends);
        let upper_edge = along(&|x| upper.at(x));
        let brow = ids.brow[1..4].iter().map(|&i| upper.at(points[i][0]) - points[i][1]).fold(f32::MAX, f32::min);
        let brow = brow.clamp(0.05, 0.20);

        // Of a few heights the brightest may be a highlight, the darkest are the crease, lashes or the brow's shadow:
        // what lies between is skin.
        let colour = |x: f32, heights: [f32; 5]| -> [f32; 3] {
            let mut seen = heights.map(|y| source.yuv_at(frame.to_px([x, y])));
            seen.sort_by(|a, b| b[0].total_cmp(&a[0]));
            std::array::from_fn(|i| 0.2 * seen[0][i] + 0.4 * (seen[1][i] + seen[2][i]))
        };
        let skin = |heights: &dyn Fn(f32) -> [f32; 5]| -> [Profile; 3] {
            std::array::from_fn(|i| along(&|x| colour(x, heights(x))[i]).averaged(4))
        };
        let top = skin(&|x| [0.20, 0.32, 0.44, 0.56, 0.68].map(|k| upper.at(x) - k * brow));
        let bottom = skin(&|x| [0.030, 0.045, 0.060, 0.075, 0.09].map(|k| lower.at(x) + k));
        let mut darkest: Vec<f32> = (0..24)
            .map(|k| {
                let x = centre + half * (k as f32 / 23.0 * 1.4 - 0.7);
                [-0.012, -0.004, 0.004]
                    .map(|dy| source.luma_at(frame.to_px([x, upper.at(x) + dy])))
                    .into_iter()
                    .fold(f32::MAX, f32::min)
            })
            .collect();
        darkest.sort_by(f32::total_cmp);

        let (highest, _) = upper_edge.range();
        let lowest = (0..SAMPLES).map(|i| lower.at(upper_edge.place(i))).fold(f32::MIN, f32::max);
        let (across, down) = ([centre - 1.3 * half, centre + 1.3 * half], [highest - COVER - 0.02, lowest + 0.05]);
        Self {
            frame,
            lashes: along(&|x| {
                let t = ((x - centre) / half).abs().min(1.0);
                (1.0 - 0.6 * t * t * t * t) * ends.at(x)
            }),
            ends,
            upper: upper_edge,
            opening,
            top,
            bottom,
            lash_luma: darkest[3].clamp(20.0, 90.0),
            area: frame.pixels(across, down, source.width, source.height),
        }
    }

    /// Paints the lid, closed by `blink` (0..=1), over `open` (the picture as it is) into `out`.
    pub(super) fn paint(&self, blink: f32, open: &Source, out: &mut Source) {
        let a = self.area;
        for y in 2 * a.y0..2 * a.y1 {
            for x in 2 * a.x0..2 * a.x1 {
                let p = [x as f32 * 0.5, y as f32 * 0.5];
                let at = y * 2 * open.width + x;
                let own = f32::from(open.luma[at]);
                if let Some(lid) = self.lid(p, blink) {
                    let grain = self.grain(p, open);
                    out.luma[at] = lid.over(0, own, grain);
                } else {
                    out.luma[at] = open.luma[at];
                }
            }
        }
        let half = open.width / 2;
        for y in a.y0 / 2..a.y1 / 2 {
            for x in a.x0 / 2..a.x1 / 2 {
                let at = y * half + x;
                let lid = self.lid([2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5], blink);
                for plane in 0..2 {
                    let own = open.chroma[plane][at];
                    out.chroma[plane][at] = match &lid {
                        Some(lid) => lid.over(plane + 1, f32::from(own), 0.0),
                        None => own,
                    };
                }
            }
        }
    }

    /// Puts the open eye back.
    pub(super) fn restore(&self, open: &Source, out: &mut Source) {
        let a = self.area;
        for y in 2 * a.y0..2 * a.y1 {
            let row = y * 2 * open.width;
            out.luma[row + 2 * a.x0..row + 2 * a.x1].copy_from_slice(&open.luma[row + 2 * a.x0..row + 2 * a.x1]);
        }
        let half = open.width / 2;
        for y in a.y0 / 2..a.y1 / 2 {
            let run = y * half + a.x0 / 2..y * half + a.x1 / 2;
            for plane in 0..2 {
                out.chroma[plane][run.clone()].copy_from_slice(&open.chroma[plane][run.clone()]);
            }
        }
    }

    /// What the lid does at a pixel; `None` where it does nothing.
    #[inline]
    fn lid(&self, p: [f32; 2], blink: f32) -> Option<Lid> {
        let [x, y] = self.frame.to_face(p);
        let (opening, ends) = (self.opening.at(x), self.ends.at(x));
        if ends <= 0.0 {
            return None;
        }
        let upper = self.upper.at(x);
        let edge = upper + 0.96 * opening * blink;
        let appear = smoothstep(0.0, 0.22, blink);
        let begin = upper - COVER;
        if y < begin - 0.016 || y > edge + 0.05 {
            return None;
        }
        let px = self.frame.unit;
        let cover =
            smoothstep(begin - 0.016, begin + 0.022, y) * ((edge - y) * px * 0.9 + 0.5).clamp(0.0, 1.0) * appear * ends;
        let t = ((y - begin) / (edge - begin).max(0.01)).clamp(0.0, 1.0);
        let shade = 0.965 + 0.05 * (4.0 * t * (1.0 - t)) - 0.12 * t * t * t;
        let off = (y - edge) / if y < edge { 0.013 } else { 0.008 };
        let lash = 0.80 * self.lashes.at(x) * (-off * off).exp() * appear;
        let shadow = if y > edge { 0.30 * appear * decay((y - edge) / 0.018) } else { 0.0 };
        let skin = std::array::from_fn(|i| {
            let (top, bottom) = (self.top[i].at(x), self.bottom[i].at(x));
            top + (bottom - top) * 0.65 * t
        });
        Some(Lid { skin, shade, cover, lash, lash_luma: self.lash_luma, shadow })
    }

    /// The cheek's grain, so that the painted lid is no smoother than the rest of the skin.
    fn grain(&self, p: [f32; 2], open: &Source) -> f32 {
        let down = self.frame.vector_to_px([0.0, 0.30]);
        let q = [p[0] + down[0], p[1] + down[1]];
        let r = 0.022 * self.frame.unit;
        let around = [[r, 0.0], [-r, 0.0], [0.0, r], [0.0, -r]]
            .map(|d| open.luma_at([q[0] + d[0], q[1] + d[1]]))
            .iter()
            .sum::<f32>();
        (0.8 * (open.luma_at(q) - around / 4.0)).clamp(-7.0, 7.0)
    }
}

/// The painted lid at one place.
struct Lid {
    skin: [f32; 3],
    shade: f32,
    cover: f32,
    lash: f32,
    lash_luma: f32,
    shadow: f32,
}

impl Lid {
    /// Channel `i` (0: luma, 1: U, 2: V) over the picture's own value.
    #[inline]
    fn over(&self, i: usize, own: f32, grain: f32) -> u8 {
        let v = if i == 0 {
            let own = 16.0 + (own - 16.0) * (1.0 - self.shadow);
            let skin = 16.0 + (self.skin[0] - 16.0) * self.shade + grain;
            let v = own + (skin - own) * self.cover;
            v + (self.lash_luma.min(v) - v) * self.lash
        } else {
            let v = own + (self.skin[i] - own) * self.cover;
            v + (128.0 - v) * 0.2 * self.lash
        };
        (v + 0.5).clamp(0.0, 255.0) as u8
    }
}
