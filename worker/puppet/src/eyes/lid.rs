//! What a closed lid is made of, measured on the open eye: where its lashes end, and the colours of the skin around it.
//!
//! All along the lid, columns of samples run upwards from its edge. Lashes, liner and the crease are darker than the skin
//! around: dark samples next to the edge are the band of the lashes, and no dark sample has a say in a colour.

use crate::curves::{Profile, smoothstep};
use crate::frame::FaceFrame;
use crate::source::Source;

/// Samples of a column above the lid's edge.
const COLUMN: usize = 40;
/// Nothing further above the edge belongs to the lashes, in D, nor what is in the upper half of the way to the brow: beyond are
/// brows, rims and hair.
const HIGHEST_BAND: f32 = 0.075;
/// Lashes may have gaps of skin up to this height, in D.
const BAND_GAP: f32 = 0.022;
/// Darker than this share of the skin is lash or liner.
const DARK: f32 = 0.86;
/// A lid is at least so bright, in shares of the skin above and below the eye.
const LEAST_LIGHT: f32 = 0.93;
/// A closed lid has no crease: the skin above the lashes is smoothed over this share of the way to the brow, and at most so far
/// (D).
const FADE: f32 = 0.75;
const FURTHEST_FADE: f32 = 0.06;

/// Where an open eye's lid lies, in D over X of the face frame.
pub(super) struct LidLines<'a> {
    pub(super) upper: &'a Profile,
    pub(super) lower: &'a Profile,
    /// From the lid's edge up to the brow.
    pub(super) brow: f32,
}

/// The skin and the lashes of one lid; colours are `[Y, U, V]`.
#[derive(Debug, Clone)]
pub(super) struct LidSkin {
    /// How far above the edge lashes and liner reach, in D.
    pub(super) band: Profile,
    /// So far above that band what is left of the open eye, its crease above all, gives way to the closed lid, in D.
    pub(super) rise: Profile,
    /// Skin just above that band: the closed lid begins with it.
    pub(super) top: [Profile; 3],
    /// Skin of the lid.
    pub(super) lid: [Profile; 3],
    /// Skin under the eye.
    pub(super) under: [Profile; 3],
}

/// Samples `[Y, U, V]` above one place of the edge, from it upwards, and their distances from it in D.
struct Column {
    colours: [[f32; 3]; COLUMN],
    heights: [f32; COLUMN],
    /// Luma of skin, smoothed along the lid.
    skin: f32,
}

impl LidSkin {
    pub(super) fn measure(lines: &LidLines<'_>, frame: FaceFrame, source: &Source) -> Self {
        let edge = lines.upper;
        let count = edge.values().len();
        let reach = (0.9 * lines.brow).min(0.13);
        let heights: [f32; COLUMN] = std::array::from_fn(|k| reach * k as f32 / (COLUMN - 1) as f32);
        let mut columns: Vec<Column> = (0..count)
            .map(|i| {
                let (x, y) = (edge.place(i), edge.values()[i]);
                let colours = heights.map(|h| source.yuv_at(frame.to_px([x, y - h])));
                Column { colours, heights, skin: 0.0 }
            })
            .collect();
        let along = |value: &dyn Fn(usize) -> f32, reach: usize| {
            edge.with_values((0..count).map(value).collect()).averaged(reach)
        };
        let skin = along(&|i| columns[i].luma_from(COLUMN / 4, 0.62), 5);
        columns.iter_mut().zip(skin.values()).for_each(|(column, skin)| column.skin = *skin);

        let highest = HIGHEST_BAND.min(0.5 * lines.brow);
        let bands: Vec<f32> = columns.iter().map(|column| column.band(highest)).collect();
        let widest = |i: usize| bands[i.saturating_sub(2)..(i + 3).min(count)].iter().copied().fold(0.0, f32::max);
        let band = along(&|i| widest(i) + 0.006, 2);

        let tops: Vec<_> = (0..count).map(|i| columns[i].just_above(band.values()[i])).collect();
        let lids: Vec<_> = (0..count).map(|i| columns[i].lid(band.values()[i], 0.8 * lines.brow)).collect();
        let unders: Vec<_> = (0..count).map(|i| under(edge.place(i), lines, frame, source)).collect();
        let profiles = |colours: &[[f32; 3]], reach: usize| -> [Profile; 3] {
            std::array::from_fn(|c| along(&|i| colours[i][c], reach).averaged(3))
        };
        let under = profiles(&unders, 4);
        let own = profiles(&lids, 4);
        let bone = profiles(&columns.iter().map(Column::bone).collect::<Vec<_>>(), 4);
        let at = |colour: &[Profile; 3], i: usize| colour.each_ref().map(|c| c.values()[i]);
        let lid: Vec<_> = (0..count).map(|i| closed(at(&own, i), at(&bone, i), at(&under, i))).collect();
        let top: Vec<_> = (0..count).map(|i| beginning(tops[i], lid[i])).collect();
        let rise =
            (0..count).map(|i| (FADE * (0.8 * lines.brow - band.values()[i])).clamp(0.012, FURTHEST_FADE)).collect();
        Self { rise: band.with_values(rise), band, top: profiles(&top, 2), lid: profiles(&lid, 1), under }
    }
}

impl Column {
    /// The luma below which a `share` of the samples from number `first` on lie.
    fn luma_from(&self, first: usize, share: f32) -> f32 {
        let mut lumas: Vec<f32> = self.colours[first..].iter().map(|c| c[0]).collect();
        lumas.sort_by(f32::total_cmp);
        lumas[((lumas.len() - 1) as f32 * share) as usize]
    }

    fn is_dark(&self, k: usize) -> bool {
        self.colours[k][0] < DARK * self.skin
    }

    /// Where the dark samples that begin at the edge end, not above the height `highest`.
    fn band(&self, highest: f32) -> f32 {
        let mut last = None;
        for k in (0..COLUMN).take_while(|&k| self.heights[k] <= highest) {
            if self.is_dark(k) {
                last = Some(k);
            } else if self.heights[k] - last.map_or(0.0, |l: usize| self.heights[l]) > BAND_GAP {
                break;
            }
        }
        last.map_or(0.006, |l| self.heights[(l + 1).min(COLUMN - 1)])
    }

    /// The mean colour just above the height `band`; dark samples hardly count.
    fn just_above(&self, band: f32) -> [f32; 3] {
        let weight = |k: usize| {
            let off = (self.heights[k] - band - 0.012) / 0.012;
            let near = (-off * off).exp() * smoothstep(-0.006, 0.0, self.heights[k] - band);
            near * ((self.colours[k][0] / self.skin.max(1.0) - 0.80) / 0.12).clamp(0.02, 1.0) + 1e-6
        };
        weighted(&self.colours, weight)
    }

    /// The colour of the bone under the brow: of the upper part's brighter samples.
    fn bone(&self) -> [f32; 3] {
        let mut seen = self.colours[COLUMN * 7 / 20..].to_vec();
        seen.sort_by(|a, b| a[0].total_cmp(&b[0]));
        weighted(&seen[seen.len() * 6 / 10..seen.len() * 9 / 10], |_| 1.0)
    }

    /// The colour between the heights `band` and `brow`: the middle half of what is not dark.
    fn lid(&self, band: f32, brow: f32) -> [f32; 3] {
        let fits = |k: usize| (band..brow).contains(&self.heights[k]) && self.colours[k][0] > 0.88 * self.skin;
        let mut seen: Vec<[f32; 3]> = (0..COLUMN).filter(|&k| fits(k)).map(|k| self.colours[k]).collect();
        if seen.len() < 2 {
            seen = self.colours[COLUMN - 8..].to_vec();
        }
        seen.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let from = seen.len() * 3 / 10;
        let to = (seen.len() * 8 / 10).max(from + 1);
        weighted(&seen[from..to], |_| 1.0)
    }
}

/// The middle one of a few colours under the eye, below its lashes.
fn under(x: f32, lines: &LidLines<'_>, frame: FaceFrame, source: &Source) -> [f32; 3] {
    let mut seen = [0.045, 0.060, 0.075, 0.090, 0.105].map(|d| source.yuv_at(frame.to_px([x, lines.lower.at(x) + d])));
    seen.sort_by(|a, b| a[0].total_cmp(&b[0]));
    seen[2]
}

/// What a closed lid looks like of which the open eye shows `own`, between the bone above it and the skin `under` the eye.
///
/// The shadow of the crease is no property of the lid, which comes forward as it closes: it is nearly as bright as bone and cheek
/// are. And eye shadow, shade and reflected light tint single places.
fn closed(own: [f32; 3], bone: [f32; 3], under: [f32; 3]) -> [f32; 3] {
    let lit_bone = smoothstep(0.55, 0.85, bone[0] / under[0].max(1.0));
    let above = under[0] * 0.6 + (bone[0] - under[0] * 0.6) * lit_bone;
    let least = LEAST_LIGHT * (0.5 * (above + under[0])).min(1.35 * above).min(1.5 * own[0]);
    let [by_own, by_bone] = [0.25 * is_skin(own, under), 0.40 * is_skin(bone, under)];
    let mixture = [(own, by_own), (bone, by_bone), (under, 1.0 - by_own - by_bone)];
    lit(own[0] + 0.9 * (least - own[0]).max(0.0), mixture)
}

/// How such a `lid` begins where the open eye shows the colour `top` above its lashes.
fn beginning(top: [f32; 3], lid: [f32; 3]) -> [f32; 3] {
    let by_top = 0.3 * is_skin(top, lid);
    lit(top[0] + 0.7 * (0.90 * lid[0] - top[0]).max(0.0), [(top, by_top), (lid, 1.0 - by_top)])
}

/// How surely a colour is that of skin (0..=1) beside which `skin` lies, in shade or not: what is much darker is hair, and has no tint
/// that could be asked.
fn is_skin(colour: [f32; 3], skin: [f32; 3]) -> f32 {
    smoothstep(0.30, 0.60, colour[0] / skin[0].max(1.0))
}

/// A colour of this luma whose tint is a mixture of others: a tint is a share of the luma, or what is lit would turn grey.
fn lit<const N: usize>(luma: f32, mixture: [([f32; 3], f32); N]) -> [f32; 3] {
    let tint = |c: usize| -> f32 {
        mixture.iter().map(|(colour, share)| share * (colour[c] - 128.0) / (colour[0] - 16.0).max(16.0)).sum()
    };
    [luma, 128.0 + tint(1) * (luma - 16.0), 128.0 + tint(2) * (luma - 16.0)]
}

fn weighted(colours: &[[f32; 3]], weight: impl Fn(usize) -> f32) -> [f32; 3] {
    let (mut sum, mut all) = ([0.0; 3], 0.0);
    for (k, colour) in colours.iter().enumerate() {
        let w = weight(k);
        all += w;
        for (s, c) in sum.iter_mut().zip(colour) {
            *s += w * c;
        }
    }
    sum.map(|s| s / all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::I420;

    const FRAME: FaceFrame = FaceFrame { origin: [100.0, 100.0], ex: [1.0, 0.0], unit: 200.0 };
    const SKIN: [u8; 3] = [170, 112, 146];

    /// The middle of a lid, whose edge runs at 0 and which is .06 D high, of an eye `above` which everything has this colour up to
    /// .05 D and the skin's from there on.
    fn lid(above: [u8; 3], bone: [u8; 3]) -> [f32; 3] {
        let mut picture = I420::new(200, 200).unwrap();
        for y in 0..200 {
            let [luma, u, v] = match y {
                0..90 => bone,
                90..100 => above,
                100..112 => [60, 128, 128],
                _ => SKIN,
            };
            picture.y[y * 200..(y + 1) * 200].fill(luma);
            picture.u[y / 2 * 100..(y / 2 + 1) * 100].fill(u);
            picture.v[y / 2 * 100..(y / 2 + 1) * 100].fill(v);
        }
        let line = |y: f32| Profile::sample(-0.2, 0.2, 49, |_| y);
        let lines = LidLines { upper: &line(0.0), lower: &line(0.06), brow: 0.15 };
        let skin = LidSkin::measure(&lines, FRAME, &Source::new(&picture));
        skin.lid.each_ref().map(|c| c.at(0.0))
    }

    /// How far the tint of `colour` is from the skin's, in shares of the luma.
    fn off(colour: [f32; 3]) -> f32 {
        let tint = |[y, u, v]: [f32; 3]| [(u - 128.0) / (y - 16.0), (v - 128.0) / (y - 16.0)];
        let (a, b) = (tint(colour), tint(SKIN.map(f32::from)));
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn a_lid_in_the_shade_of_its_crease_is_nearly_as_bright_as_the_skin_and_as_tinted() {
        let lid = lid([110, 126, 130], SKIN);
        assert!((120.0..=170.0).contains(&lid[0]) && off(lid) < 0.06, "{lid:?}");
    }

    #[test]
    fn under_a_brow_a_lid_has_no_colour_of_hair() {
        let lid = lid([110, 118, 138], [45, 128, 127]);
        assert!((75.0..150.0).contains(&lid[0]) && off(lid) < 0.06, "{lid:?}");
    }
}
