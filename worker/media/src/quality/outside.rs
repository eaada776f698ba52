//! Whether the picture around the face stays as it was.

use super::luma::Luma;
use crate::face::{Mesh, topology};

/// The face's outline is grown by this many eye distances: below the chin the neck's skin may follow the jaw.
const MARGIN_EYES: f32 = 0.3;
/// Side of the windows of SSIM in pixels.
const WINDOW: usize = 8;
const SSIM_C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const SSIM_C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);

/// For each row of a picture, the pixels from the first to the last that belong to the face (half open).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceSpans {
    rows: Vec<[usize; 2]>,
}

impl FaceSpans {
    /// The face's outline, each point moved away from its middle by 0.3 eye distances, in a picture of
    /// `width` x `height`.
    pub fn of(mesh: &Mesh, width: usize, height: usize) -> Self {
        let [cx, cy] = mesh.bounds(&topology::OVAL).centre();
        let margin = MARGIN_EYES * mesh.eye_span();
        let outline = topology::OVAL.map(|i| {
            let [x, y, _] = mesh.points[i];
            let (dx, dy) = (x - cx, y - cy);
            let stretch = 1.0 + margin / dx.hypot(dy).max(1e-3);
            [cx + dx * stretch, cy + dy * stretch]
        });
        let row = |y: usize| {
            let (mut first, mut last) = (f32::MAX, f32::MIN);
            for (i, a) in outline.iter().enumerate() {
                let b = outline[(i + 1) % outline.len()];
                let y = y as f32;
                if (a[1] - y) * (b[1] - y) <= 0.0 && a[1] != b[1] {
                    let x = a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]);
                    (first, last) = (first.min(x), last.max(x));
                }
            }
            if first > last {
                return [0, 0];
            }
            // A negative number becomes 0.
            [first.floor() as usize, last.ceil() as usize + 1].map(|x| x.min(width))
        };
        Self { rows: (0..height).map(row).collect() }
    }

    /// The first and the last (exclusive) pixel of the face in row `y`; equal where it has none.
    pub(super) fn row(&self, y: usize) -> [usize; 2] {
        let [from, to] = self.rows.get(y).copied().unwrap_or_default();
        [from, to.max(from)]
    }

    /// In each row from the first to the last pixel of either.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let join = |(a, b): (&[usize; 2], &[usize; 2])| match (a[0] < a[1], b[0] < b[1]) {
            (_, false) => *a,
            (false, true) => *b,
            (true, true) => [a[0].min(b[0]), a[1].max(b[1])],
        };
        Self { rows: self.rows.iter().zip(&other.rows).map(join).collect() }
    }
}

/// What changed outside the face, over all frames. Differences are in levels of luma, 0..=255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutsideChange {
    /// Mean absolute difference to the first frame.
    pub mean: f64,
    /// The same of the frame that differs most.
    pub worst_frame_mean: f64,
    /// The difference that 99.9% of the pixels do not exceed.
    pub p999: u8,
    /// The largest difference of one pixel.
    pub max: u8,
    /// Peak signal-to-noise ratio in dB; `None` when nothing differs at all.
    pub psnr_db: Option<f64>,
    /// Mean structural similarity of 8x8 windows, -1..=1; `None` when no window lies outside the face.
    pub ssim: Option<f64>,
    /// Share of the picture's pixels that were compared, 0..=1.
    pub share: f64,
    /// Frames that were compared with the first.
    pub frames: u64,
}

/// Compares each frame with the first, outside the face of both. Keeps one frame.
#[derive(Debug, Default)]
pub struct Outside {
    first: Option<(Luma, FaceSpans)>,
    /// How many pixels differ by each amount.
    counts: Vec<u64>,
    worst_frame_mean: f64,
    ssim: f64,
    windows: u64,
    frames: u64,
}

impl Outside {
    /// Takes the next frame and its face. All must be of one size: others are ignored.
    pub fn push(&mut self, frame: &Luma, face: &Mesh) {
        let face = FaceSpans::of(face, frame.width, frame.height);
        let Some((first, first_face)) = &self.first else {
            self.counts = vec![0; 256];
            self.first = Some((frame.clone(), face));
            return;
        };
        if (first.width, first.height) != (frame.width, frame.height) || frame.width == 0 {
            return;
        }
        let inside = first_face.joined(&face).rows;
        let (mut sum, mut count) = (0_u64, 0_u64);
        let lines = first.values.chunks(first.width).zip(frame.values.chunks(frame.width));
        for ((a, b), [from, to]) in lines.zip(&inside) {
            for part in [0..*from, *to..frame.width] {
                for (a, b) in a[part.clone()].iter().zip(&b[part]) {
                    let difference = a.abs_diff(*b);
                    self.counts[usize::from(difference)] += 1;
                    sum += u64::from(difference);
                    count += 1;
                }
            }
        }
        self.worst_frame_mean = self.worst_frame_mean.max(sum as f64 / count.max(1) as f64);
        self.frames += 1;
        for y in (0..(frame.height + 1).saturating_sub(WINDOW)).step_by(WINDOW) {
            for x in (0..(frame.width + 1).saturating_sub(WINDOW)).step_by(WINDOW) {
                if inside[y..y + WINDOW].iter().all(|[from, to]| from >= to || x + WINDOW <= *from || x >= *to) {
                    self.ssim += ssim(first, frame, x, y);
                    self.windows += 1;
                }
            }
        }
    }

    /// The result; `None` with fewer than two frames, or when the face fills the picture.
    pub fn finish(&self) -> Option<OutsideChange> {
        let compared: u64 = self.counts.iter().sum();
        let (first, _) = self.first.as_ref().filter(|_| compared > 0)?;
        let total = |power: i32| {
            let each = self.counts.iter().enumerate();
            each.map(|(difference, count)| (difference as f64).powi(power) * *count as f64).sum::<f64>()
                / compared as f64
        };
        let square = total(2);
        let exceeded = |difference: usize| self.counts[difference + 1..].iter().sum::<u64>() as f64;
        let p999 = (0..255).find(|d| exceeded(*d) <= 0.001 * compared as f64).unwrap_or(255);
        Some(OutsideChange {
            mean: total(1),
            worst_frame_mean: self.worst_frame_mean,
            p999: p999 as u8,
            max: self.counts.iter().rposition(|count| *count > 0).unwrap_or(0) as u8,
            psnr_db: (square > 0.0).then(|| 10.0 * (255.0 * 255.0 / square).log10()),
            ssim: (self.windows > 0).then(|| self.ssim / self.windows as f64),
            share: compared as f64 / (self.frames * first.values.len() as u64) as f64,
            frames: self.frames,
        })
    }
}

/// The structural similarity of one window (uniform weights).
fn ssim(a: &Luma, b: &Luma, x: usize, y: usize) -> f64 {
    let mut sums = [0_u32; 5];
    for row in y..y + WINDOW {
        let at = row * a.width + x;
        for (a, b) in a.values[at..at + WINDOW].iter().zip(&b.values[at..at + WINDOW]) {
            let (a, b) = (u32::from(*a), u32::from(*b));
            for (sum, term) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                *sum += term;
            }
        }
    }
    let [ma, mb, aa, bb, ab] = sums.map(|s| f64::from(s) / (WINDOW * WINDOW) as f64);
    let (va, vb, cov) = (aa - ma * ma, bb - mb * mb, ab - ma * mb);
    (2.0 * ma * mb + SSIM_C1) * (2.0 * cov + SSIM_C2) / ((ma * ma + mb * mb + SSIM_C1) * (va + vb + SSIM_C2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    /// A round face of the given radius in the middle of 128x128.
    fn face(radius: f32, x: f32) -> Mesh {
        let mut mesh = Mesh { points: vec![[x, 64.0, 0.0]; POINTS], presence: 1.0 };
        for (n, i) in topology::OVAL.into_iter().enumerate() {
            let angle = n as f32 / topology::OVAL.len() as f32 * std::f32::consts::TAU;
            mesh.points[i] = [x + radius * angle.sin(), 64.0 - radius * angle.cos(), 0.0];
        }
        mesh.points[33] = [x - 10.0, 64.0, 0.0];
        mesh.points[263] = [x + 10.0, 64.0, 0.0];
        mesh
    }

    fn texture(shift: usize) -> Luma {
        let value = |i: usize| (((i % 128 + shift) * 7) % 90 + (i / 128 * 5) % 100) as u8;
        Luma { width: 128, height: 128, values: (0..128 * 128).map(value).collect() }
    }

    #[test]
    fn the_outline_grows_by_the_margin() {
        let spans = FaceSpans::of(&face(20.0, 64.0), 128, 128);
        // Radius 20 and 0.3 of 20 pixels between the eyes; the outline has corners, so a pixel of play.
        let [from, to] = spans.rows[64];
        assert!((37..=39).contains(&from) && (90..=92).contains(&to), "{from} {to}");
        assert_eq!(spans.rows[30], [0, 0]);
        assert_eq!(FaceSpans::of(&face(200.0, 64.0), 128, 128).rows[64], [0, 128]);
    }

    #[test]
    fn what_changes_inside_the_face_is_not_seen() {
        let mut outside = Outside::default();
        outside.push(&texture(0), &face(20.0, 64.0));
        let mut frame = texture(0);
        (50..75).for_each(|y| (50..75).for_each(|x| frame.values[y * 128 + x] ^= 0x55));
        outside.push(&frame, &face(20.0, 64.0));
        let got = outside.finish().unwrap();
        assert_eq!((got.mean, got.max, got.psnr_db, got.ssim), (0.0, 0, None, Some(1.0)));
        assert!((got.share - (1.0 - 2123.0 / 16384.0)).abs() < 0.01, "{got:?}");
    }

    #[test]
    fn known_changes_are_measured() {
        let mut outside = Outside::default();
        outside.push(&texture(0), &face(20.0, 64.0));
        let mut brighter = texture(0);
        brighter.values.iter_mut().for_each(|v| *v += 4);
        outside.push(&brighter, &face(20.0, 64.0));
        outside.push(&texture(0), &face(20.0, 70.0));
        let got = outside.finish().unwrap();
        assert!((got.mean - 2.0).abs() < 0.03 && got.worst_frame_mean == 4.0 && got.max == 4, "{got:?}");
        assert!((got.psnr_db.unwrap() - 10.0 * (255.0_f64.powi(2) / 8.0).log10()).abs() < 0.1);
        assert!(got.ssim.unwrap() > 0.98 && got.ssim.unwrap() < 1.0);
        let mut swimming = Outside::default();
        swimming.push(&texture(0), &face(20.0, 64.0));
        swimming.push(&texture(2), &face(20.0, 64.0));
        assert!(swimming.finish().unwrap().ssim < Some(0.9));
    }

    #[test]
    fn one_frame_or_all_face_is_no_measure() {
        let mut outside = Outside::default();
        assert_eq!(outside.finish(), None);
        outside.push(&texture(0), &face(300.0, 64.0));
        assert_eq!(outside.finish(), None);
        outside.push(&texture(0), &face(300.0, 64.0));
        assert_eq!(outside.finish(), None);
    }
}
