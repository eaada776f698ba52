//! Whether a face moves as people's faces do: how far eyes close, how wide the mouth ranges, how bright the teeth are.
//!
//! Real talkers, measured in the same way: closed eyes read .1 to .3 of their open height, the width of the mouth ranges
//! over .11 to .19 eye distances and the upper lip over .04 to .05, the head rolls over 5 to 13 degrees, teeth are 1.03 to
//! 1.56 times as bright as the cheeks with a saturation of at most .16.

use image::RgbImage;

use super::series::percentile;
use crate::face::{HeadPose, Mesh, topology};

/// A blink brings the eyes below this share of their open height.
const BLINK: f64 = 0.75;
/// The mouth is open enough to look for teeth from this aperture on, in eye distances.
const TEETH_APERTURE: f64 = 0.035;
/// What counts as teeth: the brightest pixels between the lips.
const BRIGHTEST: f64 = 0.08;
/// Fewer pixels between the lips show no teeth.
const LEAST_PIXELS: usize = 30;
/// Middles of both cheeks.
const CHEEKS: [usize; 4] = [50, 280, 205, 425];

/// One frame's face; lengths in distances of the outer eye corners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FacePosture {
    /// When it is shown, in seconds.
    pub seconds: f64,
    /// Mean height of both eyes' openings over their widths.
    pub eyes: f64,
    /// Distance of the corners of the mouth.
    pub width: f64,
    /// From the base of the nose to the upper lip's lower edge.
    pub upper_lip: f64,
    /// Roll of the head in degrees.
    pub roll_deg: f64,
    /// Teeth, where the mouth is open and shows any pixels.
    pub teeth: Option<Teeth>,
}

/// The brightest twelfth of what is seen between the lips.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Teeth {
    /// Its mean luma over that of the cheeks.
    pub brightness: f64,
    /// Its mean saturation, 0..=1: what the strongest channel has over the weakest, over the strongest.
    pub saturation: f64,
}

/// How a face moves over a video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Living {
    /// How often the eyes closed.
    pub blinks: usize,
    /// Median over the blinks of the least height of the eyes over their usual one; `None` without a blink.
    pub blink_ratio: Option<f64>,
    /// When the eyes are closed furthest, in seconds; `None` without a blink.
    pub shut_at: Option<f64>,
    /// From the 2nd to the 98th percentile of the mouth's width, in eye distances.
    pub width_range: f64,
    /// The same of the upper lip's height.
    pub upper_lip_range: f64,
    /// From the 1st to the 99th percentile of the head's roll, degrees.
    pub roll_range_deg: f64,
    /// Medians over the frames that show teeth; `None` when none does.
    pub teeth: Option<Teeth>,
}

impl FacePosture {
    /// Measures the frame that is shown at `seconds`; `aperture` is that of its lips.
    pub fn of(mesh: &Mesh, picture: &RgbImage, aperture: f64, seconds: f64) -> Self {
        let distance = |a: usize, b: usize| {
            let (a, b) = (mesh.points[a], mesh.points[b]);
            f64::from(b[0] - a[0]).hypot(f64::from(b[1] - a[1]))
        };
        let unit = f64::from(mesh.eye_span()).max(1e-6);
        let eye = |pairs: [[usize; 2]; 3], corners: [usize; 2]| {
            pairs.iter().map(|[a, b]| distance(*a, *b)).sum::<f64>() / 3.0 / distance(corners[0], corners[1]).max(1e-6)
        };
        let left = eye([[160, 144], [159, 145], [158, 153]], [33, 133]);
        let right = eye([[385, 380], [386, 374], [387, 373]], [362, 263]);
        Self {
            seconds,
            eyes: (left + right) / 2.0,
            width: distance(61, 291) / unit,
            upper_lip: distance(2, 13) / unit,
            roll_deg: f64::from(HeadPose::of(mesh).roll_deg),
            teeth: (aperture > TEETH_APERTURE).then(|| Teeth::seen(mesh, picture)).flatten(),
        }
    }
}

impl Teeth {
    fn seen(mesh: &Mesh, picture: &RgbImage) -> Option<Self> {
        let inner = topology::LIPS_INNER.map(|i| mesh.points[i]);
        let bounds = mesh.bounds(&topology::LIPS_INNER);
        let mut seen: Vec<(f64, f64)> = Vec::new();
        for y in bounds.y0.ceil().max(0.0) as u32..=(bounds.y1.max(0.0) as u32).min(picture.height().saturating_sub(1))
        {
            for x in
                bounds.x0.ceil().max(0.0) as u32..=(bounds.x1.max(0.0) as u32).min(picture.width().saturating_sub(1))
            {
                if encloses(&inner, [x as f32, y as f32]) {
                    let p = picture.get_pixel(x, y).0;
                    let (most, least) = (p.iter().max()?, p.iter().min()?);
                    let saturation = f64::from(most - least) / f64::from(*most).max(1.0);
                    seen.push((luma(p), saturation));
                }
            }
        }
        let cheeks = CHEEKS.map(|i| {
            let [x, y, _] = mesh.points[i];
            let at = |v: f32, side: u32| (v.max(0.0) as u32).min(side.saturating_sub(1));
            luma(picture.get_pixel(at(x, picture.width()), at(y, picture.height())).0)
        });
        let cheeks = percentile(&cheeks, 0.5)?;
        if seen.len() < LEAST_PIXELS || cheeks < 1.0 {
            return None;
        }
        seen.sort_by(|a, b| b.0.total_cmp(&a.0));
        let bright = &seen[..((seen.len() as f64 * BRIGHTEST) as usize).max(1)];
        let mean = |of: fn(&(f64, f64)) -> f64| bright.iter().map(of).sum::<f64>() / bright.len() as f64;
        Some(Self { brightness: mean(|p| p.0) / cheeks, saturation: mean(|p| p.1) })
    }
}

fn luma(p: [u8; 3]) -> f64 {
    0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2])
}

/// Whether a place lies inside a closed line.
fn encloses(line: &[[f32; 3]], [x, y]: [f32; 2]) -> bool {
    let sides = line.iter().zip(line.iter().cycle().skip(1));
    let crossed =
        sides.filter(|(a, b)| (a[1] > y) != (b[1] > y) && x < a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]));
    crossed.count() % 2 == 1
}

/// Sums up what the frames of a video show; `None` of no frame.
pub fn living(frames: &[FacePosture]) -> Option<Living> {
    let of = |value: fn(&FacePosture) -> f64| frames.iter().map(value).collect::<Vec<f64>>();
    let range = |values: Vec<f64>, low: f64| Some(percentile(&values, 1.0 - low)? - percentile(&values, low)?);
    let eyes = of(|f| f.eyes);
    let open = percentile(&eyes, 0.7)?;
    let shut: Vec<f64> = eyes
        .split(|e| *e >= BLINK * open)
        .filter_map(|blink| blink.iter().copied().min_by(f64::total_cmp))
        .map(|least| least / open.max(1e-6))
        .collect();
    let shown: Vec<Teeth> = frames.iter().filter_map(|f| f.teeth).collect();
    let median = |value: fn(&Teeth) -> f64| percentile(&shown.iter().map(value).collect::<Vec<_>>(), 0.5);
    Some(Living {
        blinks: shut.len(),
        blink_ratio: percentile(&shut, 0.5),
        shut_at: frames.iter().min_by(|a, b| a.eyes.total_cmp(&b.eyes)).filter(|_| !shut.is_empty()).map(|f| f.seconds),
        width_range: range(of(|f| f.width), 0.02)?,
        upper_lip_range: range(of(|f| f.upper_lip), 0.02)?,
        roll_range_deg: range(of(|f| f.roll_deg), 0.01)?,
        teeth: median(|t| t.brightness)
            .zip(median(|t| t.saturation))
            .map(|(brightness, saturation)| Teeth { brightness, saturation }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    fn frame(eyes: f64, width: f64) -> FacePosture {
        FacePosture { seconds: 0.0, eyes, width, upper_lip: 0.2, roll_deg: 0.0, teeth: None }
    }

    #[test]
    fn blinks_are_counted_and_measured() {
        let mut frames = vec![frame(0.30, 0.6); 100];
        for (at, eyes) in [(10, 0.20), (11, 0.14), (12, 0.2), (50, 0.16), (51, 0.28), (70, 0.25)] {
            frames[at].eyes = eyes;
        }
        let got = living(&frames).unwrap();
        assert_eq!(got.blinks, 2);
        assert!((got.blink_ratio.unwrap() - 0.5 * (0.14 + 0.16) / 0.30).abs() < 0.07, "{got:?}");
        assert!(living(&[]).is_none());
    }

    #[test]
    fn ranges_leave_out_the_rarest() {
        let frames: Vec<_> =
            (0..1000).map(|i| frame(0.3, if i == 7 { 9.0 } else { 0.6 + 1e-4 * f64::from(i) })).collect();
        let got = living(&frames).unwrap();
        assert!((got.width_range - 0.096).abs() < 0.002, "{got:?}");
        assert_eq!((got.upper_lip_range, got.roll_range_deg, got.blinks), (0.0, 0.0, 0));
    }

    /// A grey face of luma 100 whose mouth is 40 by 20 pixels; a third of it is white.
    #[test]
    fn the_brightest_part_of_an_open_mouth_is_teeth() {
        let mut mesh = Mesh { points: vec![[10.0, 10.0, 0.0]; POINTS], presence: 1.0 };
        for (k, i) in topology::LIPS_INNER.into_iter().enumerate() {
            let turn = k as f32 / 20.0 * std::f32::consts::TAU;
            mesh.points[i] = [60.0 - 20.0 * turn.cos(), 60.0 - 10.0 * turn.sin(), 0.0];
        }
        mesh.points[263][0] = 110.0;
        let picture = RgbImage::from_fn(120, 120, |x, y| {
            if y < 55 || (y as f32 - 60.0).abs() > 12.0 || !(35..85).contains(&x) {
                image::Rgb([100; 3])
            } else if y < 58 {
                image::Rgb([130, 130, 117])
            } else {
                image::Rgb([40, 10, 10])
            }
        });
        let teeth = FacePosture::of(&mesh, &picture, 0.2, 0.0).teeth.unwrap();
        assert!((teeth.brightness - 1.285).abs() < 0.01 && (teeth.saturation - 0.1).abs() < 0.01, "{teeth:?}");
        assert!(FacePosture::of(&mesh, &picture, 0.01, 0.0).teeth.is_none());
    }
}
