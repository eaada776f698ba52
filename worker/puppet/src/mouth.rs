//! The mouth of one reference frame: where its lines run and how thick its lips are.

use super::curves::{MonotoneCubic, Profile};
use super::frame::{FaceFrame, LOWER_INNER, UPPER_INNER};
use mouthpiece_frame::I420;

/// A mouth counts as open in the reference when the inner lip edges stand further apart than this, in D. The refined mesh
/// says at most .008 for closed mouths, and .048 and more for lips that are clearly parted.
pub(super) const OPEN_GAP: f32 = 0.020;

/// How much of the way the upper lip goes when an open mouth closes; the lower lip goes the rest.
pub(super) const CLOSE_UPPER_SHARE: f32 = 0.45;

/// The widest gap that a smile keeps while it speaks, in D.
const SMILE_KEPT: f32 = 0.03;

/// Samples along a mouth line.
const LINE_SAMPLES: usize = 81;

/// Distance in D that one pixel had when the recipe was tuned; the line search is scaled by it.
const TUNED_PIXEL: f32 = 1.0 / 116.0;

/// Mouth geometry in the face frame, all lengths in D.
#[derive(Debug, Clone)]
pub(super) struct Mouth {
    /// Half the distance between the inner corners.
    pub(super) half_width: f32,
    /// Lower border of the upper sheet: Y over X. Runs level beyond the corners.
    pub(super) upper: Profile,
    /// Upper border of the lower sheet. The same as `upper` when the mouth is closed.
    pub(super) lower: Profile,
    /// Whether the reference shows the mouth open.
    pub(super) open: bool,
    /// Gap between the inner lip edges in the middle.
    pub(super) gap: f32,
    /// Thickness of the upper lip, at least 0.03.
    pub(super) upper_lip: f32,
    /// Thickness of the lower lip, at least 0.05.
    pub(super) lower_lip: f32,
    /// From the line up to the base of the nose.
    pub(super) nose: f32,
    /// From the line down to the tip of the chin.
    pub(super) chin: f32,
    /// X of the chin's tip.
    pub(super) chin_x: f32,
    /// Half the width of the jaw at its angles.
    pub(super) jaw_half: f32,
}

/// Middle distance between the inner lip edges, in D.
pub(super) fn inner_gap(points: &[[f32; 3]]) -> f32 {
    (points[13][0] - points[14][0]).hypot(points[13][1] - points[14][1])
}

impl Mouth {
    /// Traces a mouth that the reference shows open (`snap` is not used) or closed, in which case `snap` moves the
    /// line between the landmarks onto the dark line between the lips (see [`snap_to_darkest`]). `pixel` is the size of a
    /// pixel in D.
    pub(super) fn trace(points: &[[f32; 3]], open: bool, snap: Option<&Profile>, pixel: f32) -> Self {
        let xy = |i: usize| [points[i][0], points[i][1]];
        let half_width = ((points[308][0] - points[78][0]) / 2.0).max(0.05);
        let (upper, lower) = if open {
            Self::open_lines(points, half_width, pixel)
        } else {
            let line = Self::middle_line(points, half_width);
            let line = match snap {
                Some(s) => line.with_values(line.values().iter().zip(s.values()).map(|(y, d)| y + d).collect()),
                None => line,
            };
            (line.clone(), line)
        };
        let upper_lip = [37, 0, 267].map(|i| upper.at(xy(i)[0]) - xy(i)[1]).iter().sum::<f32>() / 3.0;
        let lower_lip = xy(17)[1] - lower.at(xy(17)[0]);
        Self {
            half_width,
            open,
            gap: inner_gap(points),
            upper_lip: upper_lip.max(0.03),
            lower_lip: lower_lip.max(0.05),
            nose: ((upper.at(xy(2)[0]) - xy(2)[1]) * 0.95).max(0.08),
            chin: (xy(152)[1] - lower.at(xy(152)[0])).max(0.15),
            chin_x: points[152][0],
            jaw_half: ((points[397][0] - points[172][0]) / 2.0).max(half_width),
            upper,
            lower,
        }
    }

    /// How much of its gap (0..=1) an open mouth keeps while it speaks: who smiles at somebody goes on smiling, but not
    /// with the teeth wide apart. `None` of a closed mouth.
    pub(super) fn smile(&self) -> Option<f32> {
        self.open.then(|| (SMILE_KEPT / self.gap.max(1e-3)).min(0.35))
    }

    /// Midway between the inner lip edges: the first guess of a closed mouth's line.
    pub(super) fn middle_line(points: &[[f32; 3]], half_width: f32) -> Profile {
        let middle: Vec<[f32; 2]> = UPPER_INNER
            .iter()
            .zip(LOWER_INNER)
            .map(|(&u, l)| [(points[u][0] + points[l][0]) / 2.0, (points[u][1] + points[l][1]) / 2.0])
            .collect();
        let curve = MonotoneCubic::through(&middle);
        Profile::sample(-1.04 * half_width, 1.04 * half_width, LINE_SAMPLES, |x| curve.at(x))
    }

    fn open_lines(points: &[[f32; 3]], half_width: f32, pixel: f32) -> (Profile, Profile) {
        let curve = |ids: [usize; 11]| MonotoneCubic::through(&ids.map(|i| [points[i][0], points[i][1]]));
        let (upper, lower) = (curve(UPPER_INNER), curve(LOWER_INNER));
        let line = |sign: f32| {
            Profile::sample(-1.04 * half_width, 1.04 * half_width, LINE_SAMPLES, |x| {
                // Widened a little, so that no tooth sits on a lip, nor its light; joined at the corners.
                let (u, l) = (upper.at(x) - 0.003 - 0.7 * pixel, lower.at(x) + 0.005 + 0.7 * pixel);
                let join = ((half_width * 1.02 - x.abs()) / (0.06 * half_width)).clamp(0.0, 1.0);
                (u + l) / 2.0 + sign * (l - u).max(0.0) / 2.0 * join
            })
        };
        (line(-1.0), line(1.0))
    }

    /// Signed height above the upper line (positive inside the upper sheet), in D.
    #[inline]
    pub(super) fn above(&self, [x, y]: [f32; 2]) -> f32 {
        self.upper.at(x) - y
    }

    /// Signed depth below the lower line (positive inside the lower sheet), in D.
    #[inline]
    pub(super) fn below(&self, [x, y]: [f32; 2]) -> f32 {
        y - self.lower.at(x)
    }
}

/// Where the dark line between closed lips lies, as an offset (in D) from `line`.
///
/// The landmarks' own line sits visibly beside it. The darkest smooth path within 0.035 D is found by dynamic programming
/// over the columns: darkness costs, distance costs, bends cost.
pub(super) fn snap_to_darkest(picture: &I420, frame: FaceFrame, line: &Profile) -> Profile {
    let pixel = frame.unit * TUNED_PIXEL;
    let band = (0.035 * frame.unit / pixel).max(3.0);
    let offsets: Vec<f32> = (0..=(band * 4.0) as usize).map(|k| k as f32 * 0.5 - band).collect();
    let places: Vec<[f32; 2]> = (0..line.values().len()).map(|i| [line.place(i), line.values()[i]]).collect();
    let darkness = |[x, y]: [f32; 2]| -> Vec<f32> {
        let mut cost: Vec<f32> =
            offsets.iter().map(|o| soft_luma(picture, frame.to_px([x, y + o * TUNED_PIXEL]))).collect();
        let least = cost.iter().copied().fold(f32::MAX, f32::min);
        for (c, o) in cost.iter_mut().zip(&offsets) {
            *c = *c - least + 0.12 * o.abs().powf(1.5);
        }
        cost
    };
    let bend = |a: f32, b: f32| 14.0 * (a - b) * (a - b);

    let mut total: Vec<f32> = darkness(places[0]).iter().zip(&offsets).map(|(c, o)| c + 3.0 * o.abs()).collect();
    let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(places.len());
    for &place in &places[1..] {
        let mut next = darkness(place);
        let mut back = vec![0; offsets.len()];
        for (j, cost) in next.iter_mut().enumerate() {
            let (k, least) = (0..offsets.len())
                .map(|k| (k, total[k] + bend(offsets[k], offsets[j])))
                .fold((0, f32::MAX), |best, c| if c.1 < best.1 { c } else { best });
            back[j] = k;
            *cost += least;
        }
        came_from.push(back);
        total = next;
    }
    let mut at = (0..total.len()).fold(0, |best, k| if total[k] < total[best] { k } else { best });
    let mut path = vec![offsets[at] * TUNED_PIXEL];
    for back in came_from.iter().rev() {
        at = back[at];
        path.push(offsets[at] * TUNED_PIXEL);
    }
    path.reverse();
    line.with_values(path).averaged(3)
}

/// Luma around a place, weighted by a 3x3 binomial so that single pixels do not attract the line.
fn soft_luma(picture: &I420, [x, y]: [f32; 2]) -> f32 {
    let (w, h) = (picture.width() as isize, picture.height() as isize);
    let at = |x: isize, y: isize| f32::from(picture.y[(y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) as usize]);
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (xi, yi) = (x0 as isize, y0 as isize);
    // Binomial 1 2 1 shifted by the fraction: four taps a side.
    let taps = |f: f32| [0.25 * (1.0 - f), 0.5 - 0.25 * f, 0.25 + 0.25 * f, 0.25 * f];
    let (tx, ty) = (taps(fx), taps(fy));
    (0..4).map(|j| ty[j] * (0..4).map(|i| tx[i] * at(xi + i as isize - 1, yi + j as isize - 1)).sum::<f32>()).sum()
}
