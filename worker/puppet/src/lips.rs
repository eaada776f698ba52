//! The zone around the lips, where both sheets and the inside of the mouth meet in one pixel.

use super::bank::BankInside;
use super::clip::Affine;
use super::curves::smoothstep;
use super::interior::{OwnTeeth, decay};
use super::rig::Rig;
use super::shape::MouthShape;
use super::softness::SHARP;
use super::source::Source;
use mouthpiece_frame::{I420, Rect};

/// Within this height of a lip's edge (D) a pixel may need more than one sheet.
pub(super) const NEAR: f32 = 0.05;

/// The portrait's own teeth are taken from so far inside its gap (D): at the very edge they blend with the lip.
const OWN_INSET: f32 = 0.010;

/// What is drawn.
pub(super) struct Place<'a> {
    pub(super) rig: &'a Rig,
    pub(super) source: &'a Source,
    pub(super) shape: &'a MouthShape,
    /// From the pixels that the rig was made from to those of the source; none where they are the same.
    pub(super) there: Option<&'a Affine>,
    /// The person's own mouth, where one fits.
    pub(super) inside: Option<&'a BankInside<'a>>,
}

impl Place<'_> {
    #[inline]
    fn yuv_at(&self, p: [f32; 2]) -> [f32; 3] {
        self.source.yuv_at(self.there.map_or(p, |there| there.at(p)))
    }
}

/// Where one pixel of the zone comes from, in pixels of the frame that the rig was made from.
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
    /// What is painted between them.
    inside: [f32; 3],
    /// What was filmed there, and how far it replaces what is painted, 0..=1.
    filmed: [f32; 3],
    share: f32,
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
    /// Starts a frame's zone. `area` must be even; none will have more than `most` pixels, for which room is made once.
    pub(super) fn begin(&mut self, area: Rect, most: usize) {
        self.area = area;
        self.pixels.clear();
        self.pixels.reserve(most);
        self.pixels.resize(area.width() * area.height(), Layered::default());
    }

    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// Works out one pixel.
    #[inline]
    pub(super) fn shade(&mut self, x: usize, y: usize, from: Origin, place: &Place<'_>) {
        let at = (y - self.area.y0) * self.area.width() + x - self.area.x0;
        self.pixels[at] = layered(from, place);
    }

    /// Softens the inside as the portrait is (`soft`: standard deviation in pixels), puts the lips over it and writes the zone
    /// into the frame.
    pub(super) fn finish(&self, soft: f32, frame: &mut I420) {
        let tap = |x: f32| (-0.5 * (x / soft) * (x / soft)).exp();
        let taps = [1.0, tap(1.0), if soft > 0.8 { tap(2.0) } else { 0.0 }];
        let (w, h) = (self.area.width(), self.area.height());
        let stride = frame.width();
        for by in 0..h / 2 {
            for bx in 0..w / 2 {
                let mut chroma = [0.0_f32; 2];
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (x, y) = (2 * bx + dx, 2 * by + dy);
                    let [l, u, v] = self.blended(x, y, taps);
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

    /// One pixel, its inside blurred: no sharper than the portrait. `taps`: weights by distance.
    fn blended(&self, x: usize, y: usize, taps: [f32; 3]) -> [f32; 3] {
        let (w, h) = (self.area.width(), self.area.height());
        let p = &self.pixels[y * w + x];
        if p.cover >= 1.0 {
            return p.lips;
        }
        // What was filmed is as soft as it is.
        if p.share >= 1.0 {
            return std::array::from_fn(|i| p.filmed[i] + (p.lips[i] - p.filmed[i]) * p.cover);
        }
        let reach = if taps[2] > 0.0 { 2 } else { 1 };
        let mut sum = [0.0_f32; 3];
        let mut weight = 0.0_f32;
        for ny in y.saturating_sub(reach)..(y + reach + 1).min(h) {
            for nx in x.saturating_sub(reach)..(x + reach + 1).min(w) {
                let q = &self.pixels[ny * w + nx];
                if q.cover < 1.0 {
                    let k = taps[ny.abs_diff(y)] * taps[nx.abs_diff(x)];
                    weight += k;
                    for (s, c) in sum.iter_mut().zip(q.inside) {
                        *s += k * c;
                    }
                }
            }
        }
        std::array::from_fn(|i| {
            let painted = sum[i] / weight;
            let inside = painted + (p.filmed[i] - painted) * p.share;
            inside + (p.lips[i] - inside) * p.cover
        })
    }
}

/// Black in `[Y, U, V]`.
const BLACK: [f32; 3] = [16.0, 128.0, 128.0];

/// One pixel of the zone, before the inside is softened.
fn layered(from: Origin, place: &Place<'_>) -> Layered {
    let &Place { rig, shape, .. } = place;
    let (frame, mouth) = (rig.frame, &rig.mouth);
    let (upper, lower) = (frame.to_face(from.upper), frame.to_face(from.lower));
    let (su, sl) = (mouth.above(upper), mouth.below(lower));
    let whole = |lips: [f32; 3]| Layered { lips, cover: 1.0, ..Layered::default() };

    // Between a closed portrait's lips runs a dark line. Once they part, each lip's edge is taken from just past it.
    let parting = if mouth.open { 0.0 } else { (-(su + sl) / 0.03).clamp(0.0, 1.0) };
    let past = |p: [f32; 2], by: f32| {
        let d = frame.vector_to_px([0.0, by]);
        [p[0] + d[0], p[1] + d[1]]
    };
    let upper_lip = || {
        let by = if parting > 0.0 { -0.006 * parting * decay(su.max(0.0) / 0.012) } else { 0.0 };
        place.yuv_at(past(from.upper, by))
    };
    let lower_lip = || {
        let by = if parting > 0.0 { 0.014 * parting * decay(sl.max(0.0) / 0.018) } else { 0.0 };
        place.yuv_at(past(from.lower, by))
    };
    if su > NEAR && sl < 0.0 {
        return whole(upper_lip());
    }
    if sl > NEAR && su < 0.0 {
        return whole(lower_lip());
    }

    let (cu, cl) = (upper_lip(), lower_lip());
    let head = frame.to_face(from.head);
    let reach = 0.01 * (rig.soft / SHARP);
    let hole = su < reach && sl < reach && head[0].abs() < 1.5 * mouth.half_width;
    if (su > 0.0 && sl > 0.0) || !hole {
        let lower_share = ((sl - su) * frame.unit * 0.5 + 0.5).clamp(0.0, 1.0);
        let met = std::array::from_fn(|i| cu[i] + (cl[i] - cu[i]) * lower_share);
        let out = if lower_share > 0.5 { lower[0] } else { upper[0] }.abs() / mouth.half_width;
        return whole(if mouth.open { closed_smile(met, [su, sl], out, rig, shape) } else { met });
    }
    // As soft as the portrait's own edges.
    let steep = frame.unit * 0.9 * (SHARP / rig.soft);
    let edge = |s: f32| (s * steep + 0.5).clamp(0.0, 1.0);
    let (au, al) = (edge(su), edge(sl));
    let lips = std::array::from_fn(|i| (cu[i] * au + cl[i] * al) / (au + al).max(1e-3));
    let cover = (au + al).min(0.999);
    let contact = Contact::of([cu, cl], [su, sl], place);
    let Some(bank) = place.inside else {
        let inside = contact.over(between([su, sl], head, place));
        return Layered { lips, inside, cover, ..Layered::default() };
    };
    let filmed = contact.over(bank.at(head, frame));
    // Before an open portrait speaks its mouth is the picture's own.
    let share = bank.share * if mouth.open { shape.engaged.clamp(0.0, 1.0) } else { 1.0 };
    let inside = if share < 1.0 { contact.over(between([su, sl], head, place)) } else { filmed };
    Layered { lips, inside, filmed, share, cover }
}

/// Where the lips of a smiling portrait meet they have no line of their own: it is drawn. And the dark beside the teeth
/// closes with the smile: the corners become lip. `out`: distance from the middle in half widths of the mouth.
fn closed_smile(met: [f32; 3], [su, sl]: [f32; 2], out: f32, rig: &Rig, shape: &MouthShape) -> [f32; 3] {
    let off = (su - sl) / 0.013;
    let within = 1.0 - smoothstep(0.9, 1.08, out);
    let seam = 0.34 * decay(off * off) * (1.0 + (su + sl) / 0.02).clamp(0.0, 1.0) * within;
    let lined = |i: usize, strength: f32| BLACK[i] + (met[i] - BLACK[i]) * (1.0 - strength * seam);
    let lined = [lined(0, 0.94), lined(1, 0.7), lined(2, 0.7)];
    let corner = smoothstep(0.70, 0.88, out) * (1.0 - smoothstep(1.10, 1.26, out));
    let near = 1.0 - smoothstep(0.02, NEAR, su.abs().min(sl.abs()));
    let flesh = rig.interior.closed_corner();
    let dark = ((flesh[0] + BLACK[0] - lined[0]) / (0.35 * flesh[0]).max(1.0)).clamp(0.0, 1.0);
    let fill = 0.85 * dark * corner * near * shape.engaged.clamp(0.0, 1.0);
    std::array::from_fn(|i| lined[i] + (flesh[i] + BLACK[i] - lined[i]) * fill)
}

/// Lips that hardly part show the shadow between them and nothing else.
struct Contact {
    colour: [f32; 3],
    hides: f32,
}

impl Contact {
    /// Of lips whose edges have the colours `cu` and `cl` and lie the heights `su` and `sl` away (negative).
    fn of([cu, cl]: [[f32; 3]; 2], [su, sl]: [f32; 2], place: &Place<'_>) -> Self {
        let hidden = 1.0 - smoothstep(0.8, 2.4, -(su + sl) * place.rig.frame.unit);
        let hides = if place.rig.mouth.open { hidden * place.shape.engaged.clamp(0.0, 1.0) } else { hidden };
        let colour = std::array::from_fn(|i| BLACK[i] + (0.5 * (cu[i] + cl[i]) - BLACK[i]) * [0.52, 0.75, 0.75][i]);
        Self { colour, hides }
    }

    fn over(&self, inside: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|i| inside[i] + (self.colour[i] - inside[i]) * self.hides)
    }
}

/// What is painted between the lips, whose edges lie the heights `s` away (negative), at the place `head` of the resting face.
fn between([su, sl]: [f32; 2], head: [f32; 2], place: &Place<'_>) -> [f32; 3] {
    let &Place { rig, shape, .. } = place;
    let (frame, mouth) = (rig.frame, &rig.mouth);
    let engaged = shape.engaged.clamp(0.0, 1.0);
    // What the portrait shows between its own lips is fixed to the skull. A lip that rises beyond where it was uncovers
    // more of the same teeth, which nobody has seen: they go on as they are at the edge.
    let own_teeth = mouth.open.then(|| {
        let above = mouth.above(head);
        let shown = [head[0], head[1] + (above + OWN_INSET).max(0.0)];
        let yuv = place.yuv_at(frame.to_px(shown));
        let cover = smoothstep(-0.002, 0.016, -mouth.below(head)) * (1.0 - smoothstep(0.03, 0.07, above));
        // Without teeth in it, the portrait's gap gives way to a drawn mouth as speech begins.
        let replaces = if rig.own_teeth { 1.0 } else { 1.0 - engaged };
        OwnTeeth { tint: std::array::from_fn(|i| yuv[i] - BLACK[i]), cover, replaces }
    });
    let inside = rig.interior.at(head, (-su).max(0.0), (-sl).max(0.0), shape, own_teeth);
    std::array::from_fn(|i| BLACK[i] + inside[i])
}
