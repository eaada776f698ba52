//! How far hair hangs over the mouth: what is behind it is not seen.

use super::curves::smoothstep;
use super::frame::FaceFrame;
use super::mouth::Mouth;
use super::palette::{BLACK, Tint, median};
use super::source::Source;

/// Skin between nose and lip that is so much darker than the cheeks is hair (all of it, none of it): .13 to .53 in portraits
/// with a beard, .63 and more in those without. Shadow alone does the like.
const DARK: [f32; 2] = [0.50, 0.72];
/// But a lip that is seen below it is redder than it by such a share of the lower lip's red: none, surely.
const RED: [f32; 2] = [0.16, 0.32];
/// And brighter against the lower lip than hair over it is.
const BRIGHT: [f32; 2] = [0.45, 0.70];
/// Columns and rows that are looked at.
const COLUMNS: usize = 31;
const ROWS: usize = 7;

/// How far the upper lip is hidden by hair, 0..=1. `light`: luma of the cheeks.
pub(super) fn overhang(mouth: &Mouth, frame: FaceFrame, source: &Source, light: f32) -> f32 {
    // The median of a band, from and to so far below `line`.
    let band = |line: &dyn Fn(f32) -> f32, from: f32, to: f32| -> Tint {
        median((0..COLUMNS).flat_map(|column| {
            let x = mouth.half_width * 0.75 * (2.0 * column as f32 / (COLUMNS - 1) as f32 - 1.0);
            (0..ROWS).map(move |row| {
                let y = line(x) + from + (to - from) * row as f32 / (ROWS - 1) as f32;
                let seen = source.yuv_at(frame.to_px([x, y]));
                std::array::from_fn(|i| seen[i] - BLACK[i])
            })
        }))
    };
    let (upper, lower) = (|x| mouth.upper.at(x), |x| mouth.lower.at(x));
    let lip = band(&lower, 0.35 * mouth.lower_lip, 0.7 * mouth.lower_lip);
    let edge = band(&upper, -0.07, -0.02);
    let skin = band(&upper, -mouth.upper_lip - 0.4 * mouth.nose, -mouth.upper_lip - 0.04);
    let none = |[from, to]: [f32; 2], v: f32| 1.0 - smoothstep(from, to, v);
    none(DARK, skin[0] / light)
        * none(RED, (edge[2] - skin[2]) / lip[2].max(4.0))
        * none(BRIGHT, edge[0] / lip[0].max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::I420;

    const FRAME: FaceFrame = FaceFrame { origin: [100.0, 80.0], ex: [1.0, 0.0], unit: 120.0 };

    /// How far hair hides a mouth whose skin above the lip and whose upper lip have these colours.
    fn hidden(skin: [u8; 3], upper_lip: [u8; 3]) -> f32 {
        let mut picture = I420::new(200, 160).unwrap();
        for y in 0..160 {
            let [luma, u, v] = match y {
                0..70 => skin,
                70..80 => upper_lip,
                80..96 => [140, 118, 158],
                _ => [176, 118, 140],
            };
            picture.y[y * 200..(y + 1) * 200].fill(luma);
            picture.u[y / 2 * 100..(y / 2 + 1) * 100].fill(u);
            picture.v[y / 2 * 100..(y / 2 + 1) * 100].fill(v);
        }
        let mut points = vec![[0.0; 3]; mouthpiece_frame::POINTS];
        for (point, x) in [(78, -0.25), (308, 0.25)] {
            points[point] = [x, 0.0, 0.0];
        }
        for (point, y) in [(0, -0.08), (37, -0.08), (267, -0.08), (2, -0.3), (17, 0.14), (152, 0.5)] {
            points[point] = [0.0, y, 0.0];
        }
        let mouth = Mouth::trace(&points, false, None, 1.0 / FRAME.unit);
        overhang(&mouth, FRAME, &Source::new(&picture), 160.0)
    }

    #[test]
    fn hair_is_told_from_a_lip_and_from_shadow() {
        let (bare, hair) = ([170, 118, 140], [50, 127, 129]);
        assert!(hidden(hair, hair) > 0.9, "a moustache over the mouth");
        assert!(hidden(hair, [100, 116, 150]) < 0.05, "a lip below a moustache");
        assert!(hidden(bare, [70, 122, 146]) < 0.05, "a lip in its shadow");
    }
}
