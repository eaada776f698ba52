//! What a closed lid is made of, measured on the open eye: where its lashes end, and the colours of the skin around it.
//!
//! All along the lid, columns of samples run upwards from its edge. Lashes, liner and the crease are darker than the skin
//! around: dark samples next to the edge are the band of the lashes, and no dark sample has a say in a colour.

use crate::curves::{Profile, smoothstep};
use crate::frame::FaceFrame;
use crate::source::Source;

/// Samples of a column above the lid's edge.
const COLUMN: usize = 40;
/// Nothing further above the edge belongs to the lashes, in D: beyond it are brows, rims and hair.
const HIGHEST_BAND: f32 = 0.075;
/// Lashes may have gaps of skin up to this height, in D.
const BAND_GAP: f32 = 0.014;
/// Darker than this share of the skin is lash or liner.
const DARK: f32 = 0.86;

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

        let bands: Vec<f32> = columns.iter().map(Column::band).collect();
        let widest = |i: usize| bands[i.saturating_sub(2)..(i + 3).min(count)].iter().copied().fold(0.0, f32::max);
        let band = along(&|i| widest(i) + 0.006, 2);

        let tops: Vec<_> = (0..count).map(|i| columns[i].just_above(band.values()[i])).collect();
        let lids: Vec<_> = (0..count).map(|i| columns[i].lid(band.values()[i], 0.8 * lines.brow)).collect();
        let unders: Vec<_> = (0..count).map(|i| under(edge.place(i), lines, frame, source)).collect();
        let profiles = |colours: &[[f32; 3]], reach: usize| -> [Profile; 3] {
            std::array::from_fn(|c| along(&|i| colours[i][c], reach).averaged(3))
        };
        let under = profiles(&unders, 4);
        let mut lid = profiles(&lids, 4);
        // The shadow of the crease is no property of the lid: it is no darker than bone and cheek let expect.
        let bone = along(&|i| columns[i].luma_from(COLUMN * 7 / 20, 0.75), 4);
        let lifted = |i: usize| {
            let (own, least) = (lid[0].values()[i], 0.90 * bone.values()[i].min(under[0].values()[i]));
            own + 0.8 * (least - own).max(0.0)
        };
        let luma = lid[0].with_values((0..count).map(lifted).collect());
        // Eye shadow and reflected light tint single places: a part of the tint comes from below.
        let tint = |c: usize| {
            let both = lid[c].values().iter().zip(under[c].values());
            lid[c].with_values(both.map(|(own, below)| 0.6 * own + 0.4 * below).collect())
        };
        lid = [luma, tint(1), tint(2)];
        Self { band, top: profiles(&tops, 2), lid, under }
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

    /// Where the dark samples that begin at the edge end.
    fn band(&self) -> f32 {
        let mut last = None;
        for k in (0..COLUMN).take_while(|&k| self.heights[k] <= HIGHEST_BAND) {
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

/// The middle one of a few colours under the eye.
fn under(x: f32, lines: &LidLines<'_>, frame: FaceFrame, source: &Source) -> [f32; 3] {
    let mut seen = [0.035, 0.050, 0.065].map(|d| source.yuv_at(frame.to_px([x, lines.lower.at(x) + d])));
    seen.sort_by(|a, b| a[0].total_cmp(&b[0]));
    seen[1]
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
