//! The inside of an open mouth: cavity, tongue, lower teeth, upper teeth, from the back to the front.
//!
//! All lengths in D, all places in the face frame. Crisp teeth look like a cartoon's dentures, so every edge here is
//! soft; front teeth are as bright as in photographs of people, and shade is as red as the portrait's flesh: the walls of
//! a mouth bounce the light.

use super::curves::{Profile, smoothstep};
use super::mouth::{CLOSE_UPPER_SHARE, Mouth};
use super::palette::{Palette, Tint};
use super::shape::MouthShape;

/// How far the jaw carries the lower teeth at full opening.
const JAW_DROP: f32 = 0.165;
/// Half the span of the tables over X.
const HALF_SPAN: f32 = 0.36;
/// Entries of the tables over X.
const COLUMNS: usize = 289;

/// A row of teeth as functions of X.
#[derive(Debug, Clone)]
struct TeethRow {
    /// How far the biting edge lies from its height at the middle (towards the gums).
    edge: Profile,
    /// Brightness: separators, roundness, dark sides.
    shade: Profile,
    /// 1 inside the row, 0 beyond its last tooth.
    extent: Profile,
}

impl TeethRow {
    /// `borders`: right edges of the teeth from the middle; `drops`: how much shorter each tooth is; `arch`: bend.
    fn new(borders: &[f32], drops: &[f32], arch: f32) -> Self {
        let last = borders[borders.len() - 1];
        let tooth = |x: f32| {
            let ax = x.abs();
            let k = borders.partition_point(|&b| b <= ax).saturating_sub(1).min(drops.len() - 1);
            let (a, b) = (borders[k], borders[k + 1]);
            let t = (ax - a) / (b - a).max(1e-3);
            (k, t, b - a)
        };
        let table = |f: &dyn Fn(f32) -> f32| Profile::sample(-HALF_SPAN, HALF_SPAN, COLUMNS, f);
        Self {
            edge: table(&|x| {
                let (k, t, _) = tooth(x);
                let q = (2.0 * t - 1.0).abs();
                drops[k] + arch * x * x + 0.0065 * q * q * q * q
            }),
            shade: table(&|x| {
                let (_, t, w) = tooth(x);
                let q = (2.0 * t - 1.0).abs();
                let gap = t.min(1.0 - t) * w / 0.0085;
                (1.0 - 0.06 * q * q)
                    * (1.0 - 0.20 * (-gap * gap).exp())
                    * (1.0 - 0.62 * smoothstep(0.08, 0.29, x.abs()))
            }),
            extent: table(&|x| 1.0 - smoothstep(last * 0.93, last, x.abs())),
        }
    }

    /// (brightness, coverage) at depth `d` from the biting edge's middle height (positive: inside the row).
    #[inline]
    fn at(&self, x: f32, d: f32, pixel: f32) -> (f32, f32) {
        let d = d - self.edge.at(x);
        let cover = smoothstep(-0.5, 0.5, d / (1.6 * pixel)) * self.extent.at(x);
        let shade =
            self.shade.at(x) * (0.95 + 0.05 * smoothstep(0.0, 0.03, d)) * (1.0 - 0.14 * smoothstep(0.05, 0.12, d));
        (shade, cover)
    }
}

/// The inside of one mouth.
#[derive(Debug, Clone)]
pub(super) struct Interior {
    palette: Palette,
    upper: TeethRow,
    lower: TeethRow,
    /// Height at which the lips meet in the middle.
    seam: f32,
    /// One pixel, in D.
    pixel: f32,
    /// How far hair hides the upper teeth, 0..=1.
    overhang: f32,
}

/// What the portrait itself shows at a place between its lips.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnTeeth {
    pub(super) tint: Tint,
    /// How much of the place they fill, 0..=1.
    pub(super) cover: f32,
    /// How far they replace the drawn upper row, 0..=1.
    pub(super) replaces: f32,
}

impl Interior {
    /// The inside of `mouth`; `pixel` is the size of a pixel in D, `overhang` how far hair hides the upper teeth.
    pub(super) fn new(mouth: &Mouth, palette: Palette, pixel: f32, overhang: f32) -> Self {
        let seam = mouth.upper.at(0.0) + if mouth.open { mouth.gap * CLOSE_UPPER_SHARE } else { 0.0 };
        // The usual widths belong to a mouth half .29 wide; no jaw differs from that as much as mouths do.
        let scale = (mouth.half_width / 0.29).clamp(0.85, 1.12).sqrt();
        let upper = [0.0, 0.092, 0.160, 0.226, 0.276, 0.314, 0.345].map(|b| b * scale);
        let lower = [0.0, 0.058, 0.120, 0.184, 0.240, 0.285, 0.32].map(|b| b * scale);
        Self {
            palette,
            upper: TeethRow::new(&upper, &[0.0, 0.006, 0.001, 0.006, 0.014, 0.022], 0.32),
            lower: TeethRow::new(&lower, &[0.0, 0.001, 0.003, 0.006, 0.01, 0.014], 0.19),
            seam,
            pixel,
            overhang,
        }
    }

    /// The colour at `[x, y]`, `under` the upper lip and `over` the lower lip by so much.
    ///
    /// `own_teeth` replace the drawn upper row.
    pub(super) fn at(
        &self,
        [x, y]: [f32; 2],
        under: f32,
        over: f32,
        shape: &MouthShape,
        own_teeth: Option<OwnTeeth>,
    ) -> Tint {
        let p = &self.palette;
        let drop = shape.jaw * JAW_DROP;
        let height = (under + over).max(1e-3);
        // Cavity, lit a little from the lower lip.
        let depth = 0.55 + 0.6 * (under / height.max(0.05)).clamp(0.0, 1.0);
        let near_lip = decay(over / 0.022) * (0.45 + 0.55 * (1.0 - decay(under / 0.03)));
        let mut c: Tint = std::array::from_fn(|i| mix(p.cavity[i] * depth, p.lip[i] * 0.50, near_lip));

        // Tongue: a soft dome that rides on the jaw.
        let half = 0.19 + 0.02 * shape.tongue;
        let e = (x / half) * (x / half);
        let top = self.seam + drop - 0.055 * (2.0 * shape.jaw).min(1.0) + 0.006 - 0.050 * shape.tongue + 0.05 * e;
        let cover = smoothstep(-0.008, 0.012, y - top) * (1.0 - smoothstep(0.75, 1.1, e));
        if cover > 0.0 {
            let dome = ((y - top) / 0.07).clamp(0.0, 1.0);
            let furrow = 0.10 * decay((x / 0.012) * (x / 0.012)) * dome;
            let light = (0.34 + 0.60 * dome * (1.0 - 0.35 * e) - furrow) * (0.45 + 0.55 * (1.0 - decay(under / 0.05)));
            c = std::array::from_fn(|i| mix(c[i], p.tongue[i] * light, cover));
        }

        // Lower teeth ride on the jaw.
        let (shade, cover) = self.lower.at(x, y - (self.seam + 0.010 + drop * 0.97), self.pixel);
        if cover > 0.0 {
            let shadow = (0.42 + 0.42 * (1.0 - decay(under / 0.05))) * (0.60 + 0.40 * smoothstep(0.0, 0.03, over));
            c = self.over(c, p.tooth, shade * shadow, cover);
        }

        // Upper teeth are fixed to the skull; only what touches the lip lies in its shadow.
        let replaces = own_teeth.map_or(0.0, |own| own.replaces);
        if replaces < 1.0 {
            let biting = self.seam + 0.026 - 0.024 * self.overhang - 0.034 * shape.pucker.clamp(0.0, 1.0);
            let (shade, cover) = self.upper.at(x, biting - y, self.pixel);
            let [touched, reach] = [mix(0.62, 0.30, self.overhang), mix(0.015, 0.040, self.overhang)];
            // And lips that hardly part let no light in.
            let lit = 0.6 + 0.4 * smoothstep(0.012, 0.055, height);
            let shadow = lit
                * (touched + (1.0 - touched) * (1.0 - decay(under / reach)))
                * (1.0 - 0.40 * shape.pucker.clamp(0.0, 1.0));
            c = self.over(c, p.tooth, shade * shadow, cover * (1.0 - replaces));
        }
        if let Some(own) = own_teeth {
            // Its own shade is in it already; a lip that comes down brings more.
            let contact = 0.38 * shape.engaged.clamp(0.0, 1.0) * decay(under / 0.014);
            let shadow = (1.0 - contact) * (1.0 - 0.22 * shape.pucker.clamp(0.0, 1.0));
            c = self.over(c, own.tint, shadow, own.cover * own.replaces);
        }

        // For th, and a little for d, l and n, the tongue's tip comes between the teeth.
        let tip = smoothstep(0.5, 1.0, shape.tongue);
        if tip > 0.0 {
            let begin = self.seam + 0.012 + 1.6 * x * x;
            let cover = tip * smoothstep(-0.006, 0.010, y - begin) * (1.0 - smoothstep(0.09, 0.15, x.abs()));
            let light = 0.66 + 0.28 * ((y - begin) / 0.03).clamp(0.0, 1.0);
            c = std::array::from_fn(|i| mix(c[i], p.tongue[i] * light, cover));
        }
        c
    }

    /// What the portrait shows at a place between its lips, as teeth and flesh should look.
    pub(super) fn seen(&self, tint: Tint) -> Tint {
        self.palette.seen_inside(tint)
    }

    /// What the corners of a smile look like once it is closed.
    pub(super) fn closed_corner(&self) -> Tint {
        let [luma, u, v] = self.palette.lip;
        [0.66 * luma + 0.06 * self.palette.light, 0.8 * u, 0.8 * v]
    }

    /// `tint` in this `shade` (0..=1.1) over `c`: between flesh shade blushes a little.
    #[inline]
    fn over(&self, c: Tint, tint: Tint, shade: f32, cover: f32) -> Tint {
        let blush = 0.9 * shade * (1.0 - shade).max(0.0);
        std::array::from_fn(|i| mix(c[i], tint[i] * shade + self.palette.blush[i] * blush, cover))
    }
}

#[inline]
fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// exp(-x) for x >= 0, within 2% of full scale: (1 - x/32)^32.
#[inline]
pub(super) fn decay(x: f32) -> f32 {
    let mut v = (1.0 - x * (1.0 / 32.0)).max(0.0);
    for _ in 0..5 {
        v *= v;
    }
    v
}
