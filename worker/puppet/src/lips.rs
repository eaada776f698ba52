//! Around the lips both sheets and the inside of the mouth meet in one pixel.

use super::bank::BankInside;
use super::clip::Affine;
use super::curves::smoothstep;
use super::interior::{OwnTeeth, decay};
use super::lip_zone::Layered;
use super::palette::BLACK;
use super::rig::Rig;
use super::shape::MouthShape;
use super::source::Source;

/// Within this height of a lip's edge (D) a pixel may need more than one sheet.
pub(super) const NEAR: f32 = 0.05;

/// The portrait's own teeth are taken from so far inside its gap (D): at the very edge they blend with the lip.
const OWN_INSET: f32 = 0.010;

/// A step that was blurred is as steep in its middle as a ramp this many times as wide as the blur.
const RAMP: f32 = 2.5;

/// What is drawn.
pub(super) struct Place<'a> {
    pub(super) rig: &'a Rig,
    pub(super) source: &'a Source,
    pub(super) shape: &'a MouthShape,
    /// From the pixels that the rig was made from to those of the source; none where they are the same.
    pub(super) there: Option<&'a Affine>,
    /// The person's own mouth, where one fits.
    pub(super) inside: Option<&'a BankInside<'a>>,
    /// How far the corners are stretched, 0..=1.
    pub(super) stretched: f32,
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

/// One pixel of the zone, before the inside is softened.
pub(super) fn layered(from: Origin, place: &Place<'_>) -> Layered {
    let &Place { rig, shape, .. } = place;
    let (frame, mouth) = (rig.frame, &rig.mouth);
    let (upper, lower) = (frame.to_face(from.upper), frame.to_face(from.lower));
    let (su, sl) = (mouth.above(upper), mouth.below(lower));
    let whole = |lips: [f32; 3]| Layered { lips, cover: 1.0, ..Layered::default() };

    let [upper_past, lower_past] = EdgeDepth::of([su, sl], lower[0].abs() / mouth.half_width, place);
    let past = |p: [f32; 2], by: f32| {
        let d = frame.vector_to_px([0.0, by]);
        [p[0] + d[0], p[1] + d[1]]
    };
    let lip = |from: [f32; 2], face: [f32; 2], off: f32, edge: EdgeDepth| {
        let colour = place.yuv_at(past(from, edge.past));
        let colour = std::array::from_fn(|i| BLACK[i] + (colour[i] - BLACK[i]) * edge.light);
        rig.creases.without(colour, face, off, place.stretched, |p| place.yuv_at(frame.to_px(p)))
    };
    let upper_lip = || lip(from.upper, upper, su.abs(), upper_past);
    let lower_lip = || lip(from.lower, lower, sl.abs(), lower_past);
    if su > NEAR && sl < 0.0 {
        return whole(upper_lip());
    }
    if sl > NEAR && su < 0.0 {
        return whole(lower_lip());
    }

    let (cu, cl) = (upper_lip(), lower_lip());
    let head = frame.to_face(from.head);
    let ramp = RAMP * rig.soft / frame.unit;
    let reach = (0.5 * ramp).max(0.01);
    let hole = su < reach && sl < reach && head[0].abs() < 1.5 * mouth.half_width;
    let lower_share = ((sl - su) * frame.unit * 0.5 + 0.5).clamp(0.0, 1.0);
    let across = if lower_share > 0.5 { lower[0] } else { upper[0] };
    // Lips that just meet overlap in one pixel and leave a gap in the next: both are lined alike, or the line would be dashes.
    let lined = |lips| if mouth.open { closed_smile(lips, [su, sl], across, rig, shape) } else { lips };
    if (su > 0.0 && sl > 0.0) || !hole {
        return whole(lined(std::array::from_fn(|i| cu[i] + (cl[i] - cu[i]) * lower_share)));
    }
    // As soft as the portrait's own edges.
    let edge = |s: f32| (s / ramp + 0.5).clamp(0.0, 1.0);
    let (au, al) = (edge(su), edge(sl));
    let lips = lined(std::array::from_fn(|i| (cu[i] * au + cl[i] * al) / (au + al).max(1e-3)));
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

/// How the edge of a lip is shown.
#[derive(Debug, Clone, Copy)]
struct EdgeDepth {
    /// So far below (D) its colour is taken from.
    past: f32,
    /// What is left of the light where it turns inwards.
    light: f32,
}

impl EdgeDepth {
    /// Of the upper and the lower lip, whose edges lie the heights `[su, sl]` away; `out`: distance from the middle in half
    /// widths of the mouth.
    ///
    /// Between a closed portrait's lips runs a dark line, and between those of a smile teeth shine and corners are dark: once
    /// the lips part or the smile speaks, each lip's edge is taken from just past that.
    #[inline]
    fn of([su, sl]: [f32; 2], out: f32, place: &Place<'_>) -> [Self; 2] {
        let near = |s: f32, reach: f32| decay(s.max(0.0) / reach);
        if place.rig.mouth.open {
            let engaged = place.shape.engaged.clamp(0.0, 1.0);
            let side = smoothstep(0.45, 0.9, out);
            let past = [-0.006 * near(su, 0.012), (0.014 + 0.018 * side) * near(sl, 0.018 + 0.015 * side)];
            return past.map(|past| Self { past: past * engaged, light: 1.0 });
        }
        let parting = (-(su + sl) / 0.03).clamp(0.0, 1.0);
        if parting <= 0.0 {
            return [Self { past: 0.0, light: 1.0 }; 2];
        }
        [
            Self { past: -0.006 * parting * near(su, 0.012), light: 1.0 - 0.28 * parting * near(su, 0.012) },
            Self { past: 0.014 * parting * near(sl, 0.018), light: 1.0 - 0.14 * parting * near(sl, 0.010) },
        ]
    }
}

/// Where the lips of a smiling portrait meet they have no line of their own: it is drawn. And the dark beside the teeth
/// closes with the smile: the corners become lip. `x`: distance from the middle in D.
fn closed_smile(met: [f32; 3], [su, sl]: [f32; 2], x: f32, rig: &Rig, shape: &MouthShape) -> [f32; 3] {
    let out = x.abs() / rig.mouth.half_width;
    let off = (su - sl) / 0.013;
    let within = (1.0 - smoothstep(0.9, 1.08, out)) * shape.engaged.clamp(0.0, 1.0);
    let seam = 0.30 * decay(off * off) * (1.0 + (su + sl) / 0.02).clamp(0.0, 1.0) * within;
    let lined = |i: usize, strength: f32| BLACK[i] + (met[i] - BLACK[i]) * (1.0 - strength * seam);
    let lined = [lined(0, 0.94), lined(1, 0.7), lined(2, 0.7)];
    let corner = smoothstep(0.70, 0.88, out) * (1.0 - smoothstep(1.02, 1.14, out));
    let near = 1.0 - smoothstep(0.02, NEAR, su.abs().min(sl.abs()));
    let flesh = rig.interior.closed_corner();
    let dark = ((flesh[0] + BLACK[0] - lined[0]) / (0.35 * flesh[0]).max(1.0)).clamp(0.0, 1.0);
    let bare = rig.creases.bare(x, flesh[0]);
    let fill = 0.85 * dark * corner * near * bare * shape.engaged.clamp(0.0, 1.0);
    std::array::from_fn(|i| lined[i] + (flesh[i] + BLACK[i] - lined[i]) * fill)
}

/// Lips less far apart than the first of these (in D) show nothing of the mouth between them, beyond the second all of it.
const CONTACT: [f32; 2] = [0.010, 0.034];

/// Lips that hardly part show the shadow between them and nothing else.
struct Contact {
    colour: [f32; 3],
    hides: f32,
}

impl Contact {
    /// Of lips whose edges have the colours `cu` and `cl` and lie the heights `su` and `sl` away (negative).
    fn of([cu, cl]: [[f32; 3]; 2], [su, sl]: [f32; 2], place: &Place<'_>) -> Self {
        let pixel = 1.0 / place.rig.frame.unit;
        let [from, to] = [CONTACT[0].max(0.8 * pixel), CONTACT[1].max(2.4 * pixel)];
        let hidden = 1.0 - smoothstep(from, to, -(su + sl));
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
        let replaces = if rig.own_teeth.is_some() { 1.0 } else { 1.0 - engaged };
        let tint = std::array::from_fn(|i| yuv[i] - BLACK[i]);
        let tint = rig.own_teeth.map_or(tint, |own| own.lit(tint, engaged));
        OwnTeeth { tint: rig.interior.seen(tint), cover, replaces }
    });
    let inside = rig.interior.at(head, (-su).max(0.0), (-sl).max(0.0), shape, own_teeth);
    std::array::from_fn(|i| BLACK[i] + inside[i])
}
