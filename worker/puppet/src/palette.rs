//! Colours of what the portrait does not show: teeth, tongue and the inside of the mouth, from its skin and its light.

use mouthpiece_frame::Mesh;
use mouthpiece_frame::{I420, yuv_to_rgb};

/// RGB colours, 0..=255.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) lip: [f32; 3],
    pub(super) tooth: [f32; 3],
    pub(super) tongue: [f32; 3],
    pub(super) cavity: [f32; 3],
}

/// Cheeks, away from nose and beard.
const SKIN: [usize; 6] = [50, 280, 205, 425, 101, 330];
/// Lower lip.
const LIP: [usize; 5] = [17, 84, 314, 85, 315];

impl Palette {
    pub(super) fn of(picture: &I420, mesh: &Mesh) -> Self {
        let skin = median_around(picture, mesh, &SKIN);
        let lip = median_around(picture, mesh, &LIP);
        let light = luma(skin).max(8.0);
        // The light's cast: what is left of the skin's colour when that of average skin is taken out.
        let cast: [f32; 3] = std::array::from_fn(|i| (skin[i] / light / [1.17, 0.95, 0.87][i]).max(0.05).powf(0.75));
        let base = (1.02 * light + 6.0).clamp(60.0, 205.0);
        let mut tooth: [f32; 3] = std::array::from_fn(|i| (base * [1.035, 1.0, 0.925][i] * cast[i]).clamp(0.0, 245.0));
        tooth[1] = tooth[1].min(tooth[0] * 0.945);
        let lip: [f32; 3] = std::array::from_fn(|i| lip[i] * 0.65 + [150.0, 66.0, 62.0][i] * (light / 170.0) * 0.35);
        let tongue = std::array::from_fn(|i| (lip[i] * 0.62 + [150.0, 70.0, 72.0][i] * (light / 190.0) * 0.38) * 0.80);
        let cavity = [38.0, 13.0, 12.0].map(|c| c * (light / 170.0).clamp(0.5, 1.1));
        Self { lip, tooth, tongue, cavity }
    }
}

/// Perceived brightness of an RGB colour.
fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// The median colour of small squares around some landmarks.
fn median_around(picture: &I420, mesh: &Mesh, ids: &[usize]) -> [f32; 3] {
    let reach = (mesh.eye_span() * 0.026).round().max(1.0) as isize;
    let (w, h) = (picture.width() as isize, picture.height() as isize);
    let mut channels: [Vec<f32>; 3] = Default::default();
    for &i in ids {
        let [x, y, _] = mesh.points[i];
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let px = (x as isize + dx).clamp(0, w - 1) as usize;
                let py = (y as isize + dy).clamp(0, h - 1) as usize;
                let c = (py / 2) * picture.width() / 2 + px / 2;
                let yuv = [picture.y[py * picture.width() + px], picture.u[c], picture.v[c]].map(f32::from);
                for (channel, v) in channels.iter_mut().zip(yuv_to_rgb(yuv)) {
                    channel.push(v);
                }
            }
        }
    }
    channels.map(|mut c| {
        c.sort_by(f32::total_cmp);
        c[c.len() / 2]
    })
}
