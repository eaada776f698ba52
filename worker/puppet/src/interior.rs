//! The inside of an open mouth: cavity, tongue, lower teeth, upper teeth, from the back to the front.
//!
//! All lengths in D, all places in the face frame. Crisp teeth look like a cartoon's dentures, so every edge here is
//! soft, shadows are deep, and shade is reddish: the walls of a mouth bounce the light.

use super::curves::{Profile, smoothstep};
use super::mouth::{CLOSE_UPPER_SHARE, Mouth};
use super::palette::Palette;
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
                drops[k] + arch * x * x + 0.0045 * q * q * q
            }),
            shade: table(&|x| {
                let (_, t, w) = tooth(x);
                let q = (2.0 * t - 1.0).abs();
                let gap = t.min(1.0 - t) * w / 0.0065;
                (1.0 - 0.07 * q * q)
                    * (1.0 - 0.15 * (-gap * gap).exp())
                    * (1.0 - 0.66 * smoothstep(0.06, 0.30, x.abs()))
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
            self.shade.at(x) * (0.93 + 0.07 * smoothstep(0.0, 0.03, d)) * (1.0 - 0.22 * smoothstep(0.05, 0.12, d));
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
    /// Reddish shade per channel for brightness 0..=1.25.
    warm: [Profile; 3],
}

impl Interior {
    /// The inside of `mouth`; `pixel` is the size of a pixel in D.
    pub(super) fn new(mouth: &Mouth, palette: Palette, pixel: f32) -> Self {
        let seam = mouth.upper.at(0.0) + if mouth.open { mouth.gap * CLOSE_UPPER_SHARE } else { 0.0 };
        Self {
            palette,
            upper: TeethRow::new(
                &[0.0, 0.092, 0.160, 0.226, 0.276, 0.314, 0.345],
                &[0.0, 0.006, 0.001, 0.006, 0.014, 0.022],
                0.32,
            ),
            lower: TeethRow::new(
                &[0.0, 0.058, 0.120, 0.184, 0.240, 0.285, 0.32],
                &[0.0, 0.001, 0.003, 0.006, 0.01, 0.014],
                0.19,
            ),
            seam,
            pixel,
            warm: [0.88, 1.04, 1.10].map(|e| Profile::sample(0.0, 1.25, 64, |s| s.max(0.02).powf(e))),
        }
    }

    /// RGB (0..=255) at `[x, y]`, `under` the upper lip and `over` the lower lip by so much.
    ///
    /// `own_teeth` are the picture's own upper teeth at this place with their coverage; they replace the drawn ones.
    pub(super) fn at(
        &self,
        [x, y]: [f32; 2],
        under: f32,
        over: f32,
        shape: &MouthShape,
        own_teeth: Option<([f32; 3], f32)>,
    ) -> [f32; 3] {
        let p = &self.palette;
        let drop = shape.jaw * JAW_DROP;
        let height = (under + over).max(1e-3);
        // Cavity, lit a little from the lower lip.
        let depth = 0.55 + 0.6 * (under / height.max(0.05)).clamp(0.0, 1.0);
        let near_lip = decay(over / 0.022) * (0.45 + 0.55 * (1.0 - decay(under / 0.03)));
        let mut c: [f32; 3] = std::array::from_fn(|i| mix(p.cavity[i] * depth, p.lip[i] * 0.50, near_lip));

        // Tongue: a soft dome that rides on the jaw.
        let half = 0.19 + 0.02 * shape.tongue;
        let e = (x / half) * (x / half);
        let top = self.seam + drop - 0.055 * (2.0 * shape.jaw).min(1.0) + 0.006 - 0.050 * shape.tongue + 0.05 * e;
        let cover = smoothstep(-0.008, 0.012, y - top) * (1.0 - smoothstep(0.75, 1.1, e));
        if cover > 0.0 {
            let dome = ((y - top) / 0.07).clamp(0.0, 1.0);
            let furrow = 0.10 * decay((x / 0.012) * (x / 0.012)) * dome;
            let light = (0.30 + 0.58 * dome * (1.0 - 0.35 * e) - furrow) * (0.45 + 0.55 * (1.0 - decay(under / 0.05)));
            c = std::array::from_fn(|i| mix(c[i], p.tongue[i] * light, cover));
        }

        // Lower teeth ride on the jaw.
        let (shade, cover) = self.lower.at(x, y - (self.seam + 0.010 + drop * 0.97), self.pixel);
        if cover > 0.0 {
            let shadow = (0.30 + 0.50 * (1.0 - decay(under / 0.05))) * (0.55 + 0.45 * smoothstep(0.0, 0.03, over));
            c = self.tooth_over(c, shade * shadow, cover);
        }

        // Upper teeth are fixed to the skull.
        c = match own_teeth {
            Some((own, cover)) => {
                let shadow = (0.50 + 0.50 * (1.0 - decay(under / 0.018))) * (1.0 - 0.28 * shape.pucker.min(1.0));
                let warm = self.warm(shadow);
                std::array::from_fn(|i| mix(c[i], own[i] * warm[i], cover))
            }
            None => {
                let biting = self.seam + 0.026 - 0.012 * shape.pucker;
                let (shade, cover) = self.upper.at(x, biting - y, self.pixel);
                let shadow = (0.38 + 0.56 * (1.0 - decay(under / 0.026))) * (1.0 - 0.50 * shape.pucker.clamp(0.0, 1.0));
                self.tooth_over(c, shade * shadow, cover)
            }
        };

        // For th, and a little for d, l and n, the tongue's tip comes between the teeth.
        let tip = smoothstep(0.5, 1.0, shape.tongue);
        if tip > 0.0 {
            let begin = self.seam + 0.012 + 1.6 * x * x;
            let cover = tip * smoothstep(-0.006, 0.010, y - begin) * (1.0 - smoothstep(0.09, 0.15, x.abs()));
            let light = 0.62 + 0.28 * ((y - begin) / 0.03).clamp(0.0, 1.0);
            c = std::array::from_fn(|i| mix(c[i], p.tongue[i] * light, cover));
        }
        c
    }

    #[inline]
    fn tooth_over(&self, c: [f32; 3], shade: f32, cover: f32) -> [f32; 3] {
        let warm = self.warm(shade);
        std::array::from_fn(|i| mix(c[i], self.palette.tooth[i] * warm[i], cover))
    }

    #[inline]
    fn warm(&self, shade: f32) -> [f32; 3] {
        [self.warm[0].at(shade), self.warm[1].at(shade), self.warm[2].at(shade)]
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
