//! Eyes: where they look ([`gaze`]), and blinking.
//!
//! A stretched lid looks wrong at once: brows smear, the outer lashes curl. So the closed lid is painted: skin whose colour
//! runs from just above the lashes over the lid's own to that under the eye, rounded by a little shade, with the cheek's
//! grain. It begins where the lashes end ([`lid`]), so that no outline of the open eye stays; the lashes themselves ride
//! on its moving edge and turn downwards. Brows, rims and hair above are never touched.

mod gaze;
mod lid;

use super::curves::{MonotoneCubic, Profile, smoothstep};
use super::frame::{EYES, EyePoints, FaceFrame};
use super::interior::decay;
use super::source::Source;
use gaze::EyeGaze;
use lid::{LidLines, LidSkin};
use mouthpiece_engine::{Expression, Gaze};
use mouthpiece_frame::{Iris, Rect};

/// Samples along a lid.
const SAMPLES: usize = 49;
/// How far beyond the corners a lid is measured, in half widths of the eye.
const BEYOND: f32 = 1.35;
/// How much of the opening the closed lid covers: the lower lid meets it.
const TRAVEL: f32 = 1.01;

/// How far the crease above the lashes gives way to the closed lid.
const CREASE: f32 = 0.75;
/// Lashes are no longer than this, in D: what is dark further up is a rim, or hair.
const LONGEST_LASH: f32 = 0.045;

/// Half the width of the line at the lid's edge, in D.
const LINE: f32 = 0.008;
/// An edge is as wide as the blur, so many times.
const EDGE: f32 = 2.2;
/// How dark the lashes of a closed lid are, in shares of the open one's.
const LASHES: f32 = 0.85;

/// What one eye shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct EyeState {
    blink: f32,
    gaze: Gaze,
}

impl EyeState {
    /// True when the eye is as in the picture.
    pub(super) fn is_rest(&self) -> bool {
        *self == Self::default()
    }
}

/// One eye of a reference frame; lengths in D over X of the face frame.
#[derive(Debug, Clone)]
pub(super) struct Eye {
    frame: FaceFrame,
    /// Height of the open upper lid's edge.
    upper: Profile,
    /// Opening, 0 at and beyond the corners.
    opening: Profile,
    /// How much of the lid is painted, and of its lashes drawn: 1 along the eye, 0 a little beyond its corners.
    ends: Profile,
    /// Strength of the line at the edge, weaker towards the corners.
    line: Profile,
    skin: LidSkin,
    /// Luma of the line at the edge.
    lash_luma: f32,
    /// How blurred the face is, in D.
    blur: f32,
    /// X of its corners.
    corners: (f32, f32),
    /// What slides when it looks elsewhere; none where its iris is not known.
    gaze: Option<EyeGaze>,
    /// Pixels that a blink can change, even.
    pub(super) area: Rect,
}

impl Eye {
    /// Both eyes of a face in face coordinates, which is blurred by `soft` (standard deviation in pixels).
    pub(super) fn both(
        points: &[[f32; 3]],
        irises: Option<[Iris; 2]>,
        frame: FaceFrame,
        source: &Source,
        soft: f32,
    ) -> [Self; 2] {
        let mut eyes = EYES.map(|ids| Self::measure(&ids, points, frame, source, soft));
        if let Some(irises) = irises {
            let gazes = [0, 1].map(|i| EyeGaze::measure(&eyes[i], irises[i], eyes[i].area, source));
            // Two eyes look together or not at all.
            if let [Some(left), Some(right)] = gazes {
                (eyes[0].gaze, eyes[1].gaze) = (Some(left), Some(right));
            }
        }
        eyes
    }

    /// Memory that it takes beside a few hundred bytes.
    pub(super) fn bytes(&self) -> usize {
        self.gaze.as_ref().map_or(0, EyeGaze::bytes)
    }

    /// What of an expression shows in this eye.
    pub(super) fn state(&self, e: &Expression) -> EyeState {
        let blink = if e.blink > 0.01 { e.blink.min(1.0) } else { 0.0 };
        EyeState { blink, gaze: if self.gaze.is_some() { e.gaze } else { Gaze::default() } }
    }

    /// Paints the eye in `state` over `open` (the picture as it is) into `out`.
    pub(super) fn paint(&self, state: EyeState, open: &Source, out: &mut Source) {
        self.restore(open, out);
        if let Some(gaze) = self.gaze.as_ref().filter(|_| state.gaze != Gaze::default()) {
            gaze.paint(state.gaze, open, out);
        }
        if state.blink > 0.0 {
            self.close(state.blink, open, out);
        }
    }

    fn measure(ids: &EyePoints, points: &[[f32; 3]], frame: FaceFrame, source: &Source, soft: f32) -> Self {
        let line = |ids: &[usize]| {
            MonotoneCubic::through(&ids.iter().map(|&i| [points[i][0], points[i][1]]).collect::<Vec<_>>())
        };
        let (upper, lower) = (line(&ids.upper), line(&ids.lower));
        let (x0, x1) = (points[ids.upper[0]][0], points[ids.upper[8]][0]);
        let (centre, half) = ((x0 + x1) / 2.0, ((x1 - x0) / 2.0).max(0.03));
        let along =
            |f: &dyn Fn(f32) -> f32| Profile::sample(centre - BEYOND * half, centre + BEYOND * half, SAMPLES, f);
        let out = |x: f32| ((x - centre) / half).abs();
        let edge = along(&|x| upper.at(x));
        let brow = ids.brow[1..4].iter().map(|&i| upper.at(points[i][0]) - points[i][1]).fold(f32::MAX, f32::min);
        let lines = LidLines { upper: &edge, lower: &along(&|x| lower.at(x)), brow: brow.clamp(0.05, 0.20) };
        let skin = LidSkin::measure(&lines, frame, source);

        let mut darkest: Vec<f32> = (0..24)
            .map(|k| centre + half * (k as f32 / 23.0 * 1.4 - 0.7))
            .map(|x| source.luma_at(frame.to_px([x, upper.at(x)])))
            .collect();
        darkest.sort_by(f32::total_cmp);

        let (highest, _) = edge.range();
        let (_, lowest) = lines.lower.range();
        let highest_painted = (0..SAMPLES).map(|i| skin.band.values()[i] + skin.rise.values()[i]).fold(0.0, f32::max);
        let across = [centre - BEYOND * half, centre + BEYOND * half];
        Self {
            frame,
            opening: along(&|x| (lower.at(x) - upper.at(x)).max(0.0)),
            ends: along(&|x| 1.0 - smoothstep(1.0, 1.3, out(x))),
            line: along(&|x| (1.0 - 0.6 * out(x).powi(4)).max(0.0) * (1.0 - smoothstep(1.0, 1.3, out(x)))),
            lash_luma: darkest[3],
            blur: soft / frame.unit,
            corners: (x0, x1),
            gaze: None,
            area: frame.pixels(across, [highest - highest_painted - 0.02, lowest + 0.07], source.width, source.height),
            upper: edge,
            skin,
        }
    }

    /// Paints the lid, closed by `blink` (0..=1), over the eye in `out`; `open` is the picture as it is.
    fn close(&self, blink: f32, open: &Source, out: &mut Source) {
        let a = self.area;
        for y in 2 * a.y0..2 * a.y1 {
            for x in 2 * a.x0..2 * a.x1 {
                let p = [x as f32 * 0.5, y as f32 * 0.5];
                let at = y * 2 * open.width + x;
                if let Some(lid) = self.lid(p, blink, open) {
                    out.luma[at] = lid.luma(out.luma[at], if lid.cover > 0.0 { self.grain(p, open) } else { 0.0 });
                }
            }
        }
        let half = open.width / 2;
        for y in a.y0 / 2..a.y1 / 2 {
            for x in a.x0 / 2..a.x1 / 2 {
                let at = y * half + x;
                let lid = self.lid([2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5], blink, open);
                for (plane, chroma) in out.chroma.iter_mut().enumerate() {
                    if let Some(lid) = &lid {
                        chroma[at] = lid.chroma(plane, chroma[at]);
                    }
                }
            }
        }
    }

    /// Puts the open eye back.
    fn restore(&self, open: &Source, out: &mut Source) {
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
    fn lid(&self, p: [f32; 2], blink: f32, open: &Source) -> Option<Lid> {
        let [x, y] = self.frame.to_face(p);
        let ends = self.ends.at(x);
        if ends <= 0.0 {
            return None;
        }
        let (upper, band, rise) = (self.upper.at(x), self.skin.band.at(x), self.skin.rise.at(x));
        let (begin, edge) = (upper - band, upper + TRAVEL * self.opening.at(x) * blink);
        if y < begin - rise || y > edge + 0.07 {
            return None;
        }
        let appear = smoothstep(0.0, 0.06, blink);
        let is_lid = ((edge - y) / (EDGE * self.blur) + 0.5).clamp(0.0, 1.0);
        let mut cover = smoothstep(-0.012, 0.006, y - begin);
        if y < begin {
            // Rims, hair and brows are darker than any crease.
            let bright = (open.luma_at(p) - 16.0) / (self.skin.top[0].at(x) - 16.0).max(1.0);
            let smoothed = smoothstep(-rise, -0.3 * rise, y - begin) * smoothstep(0.15, 0.75, blink);
            cover = cover.max(CREASE * smoothed) * smoothstep(0.45, 0.65, bright);
        }
        let cover = cover * is_lid * ends * appear;

        let depth = (y - begin).max(0.0);
        let t = (depth / (edge - begin).max(0.01)).clamp(0.0, 1.0);
        let (below, onto) = (0.45 * t * blink, smoothstep(0.0, 0.055, depth));
        let mut skin: [f32; 3] = std::array::from_fn(|i| {
            let (top, own, under) = (self.skin.top[i].at(x), self.skin.lid[i].at(x), self.skin.under[i].at(x));
            let lid = own + (under - own) * below;
            top + (lid - top) * onto
        });
        skin[0] = 16.0 + (skin[0] - 16.0) * (1.05 - 0.05 * (2.0 * t - 1.0).powi(2) - 0.10 * t * t * t * blink);

        let ink = 1.0 + (self.lashes([x, edge - y], blink, open) - 1.0) * appear;
        // No line is sharper than the portrait, and what is blurred is paler.
        let width = LINE.hypot(1.4 * self.blur);
        let off = (y - edge) / width;
        let line =
            0.55 * (1.3 * LINE / width).min(1.0) * self.line.at(x) * (-off * off).exp() * smoothstep(0.0, 0.3, blink);
        let shadow = if y > edge { 0.22 * ends * smoothstep(0.0, 0.3, blink) * decay((y - edge) / 0.016) } else { 0.0 };
        Some(Lid { skin, cover, ink, line, lash_luma: self.lash_luma, shadow })
    }

    /// How much light the portrait's own lashes leave (0..=1), `above` the moving edge (negative: under it). They point
    /// upwards while the eye is open, and shortened downwards when it is closed.
    fn lashes(&self, [x, above]: [f32; 2], blink: f32, open: &Source) -> f32 {
        let turn = 1.0 - 1.75 * smoothstep(0.15, 0.85, blink);
        let along = above / turn.abs().max(0.28) * turn.signum();
        let band = self.skin.band.at(x).min(LONGEST_LASH);
        // They begin no more sharply than the portrait's edges are.
        let begun = (along / (EDGE * self.blur) + 0.5).clamp(0.0, 1.0);
        if begun <= 0.0 || along >= band {
            return 1.0;
        }
        let along = along.max(0.0);
        let seen = open.luma_at(self.frame.to_px([x, self.upper.at(x) - along]));
        let light = ((seen - 16.0) / (self.skin.lid[0].at(x) - 16.0).max(1.0)).clamp(0.0, 1.0);
        let strength = LASHES * begun * (1.0 - smoothstep(0.5, 1.0, along / band)) * self.line.at(x);
        1.0 - (1.0 - light) * strength
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
    cover: f32,
    /// What the lashes leave of the light.
    ink: f32,
    line: f32,
    lash_luma: f32,
    shadow: f32,
}

impl Lid {
    #[inline]
    fn luma(&self, own: u8, grain: f32) -> u8 {
        let own = 16.0 + (f32::from(own) - 16.0) * (1.0 - self.shadow);
        let v = own + (self.skin[0] + grain - own) * self.cover;
        let v = 16.0 + (v - 16.0) * self.ink;
        let v = v + (self.lash_luma.min(v) - v) * self.line;
        (v + 0.5).clamp(0.0, 255.0) as u8
    }

    /// `plane` 0: U, 1: V.
    #[inline]
    fn chroma(&self, plane: usize, own: u8) -> u8 {
        let own = f32::from(own);
        let v = own + (self.skin[plane + 1] - own) * self.cover;
        let v = 128.0 + (v - 128.0) * (0.4 + 0.6 * self.ink);
        (v + 0.5).clamp(0.0, 255.0) as u8
    }
}
