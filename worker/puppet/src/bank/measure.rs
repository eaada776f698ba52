//! What a frame of a video shows of its mouth.

use super::choose::Candidate;
use super::contour::Contour;
use super::light::SkinLight;
use crate::clip::Affine;
use crate::frame::{FaceFrame, LOWER_INNER, UPPER_INNER};
use crate::palette::pixel;
use mouthpiece_frame::{I420, Mesh, Rect};
use mouthpiece_media::face::{HeadPose, topology};

/// As bright as this share of the skin is a tooth.
const TOOTH: f32 = 0.72;

/// The frame's mouth, brought to the home frame: `back` leads there, whose face frame is `home`. `None` of a frame in which the
/// face is too blurred to be seen.
pub(super) fn measure(
    frame: usize,
    face: &Mesh,
    picture: &I420,
    light: SkinLight,
    back: &Affine,
    home: FaceFrame,
) -> Option<Candidate> {
    if face.presence <= 0.0 {
        return None;
    }
    let line = |ids: &[usize; 11]| ids.map(|i| home.to_face(back.at([face.points[i][0], face.points[i][1]])));
    let contour = Contour::between(&line(&UPPER_INNER), &line(&LOWER_INNER));
    let pose = HeadPose::of(face);
    Some(Candidate {
        frame,
        teeth: teeth(&contour, picture, light, &back.inverse()?, home),
        contour,
        turn: [pose.yaw_deg, pose.pitch_deg],
        sharpness: sharpness(picture, around(face, &topology::LIPS_OUTER, 1, picture)) / light.0[0].max(8.0),
    })
}

/// The pixels around some points and `margin` more on each side; even, inside the picture.
pub(super) fn around(face: &Mesh, ids: &[usize], margin: usize, picture: &I420) -> Rect {
    let bounds = face.bounds(ids);
    let low = |v: f32| (v.floor().max(0.0) as usize).saturating_sub(margin);
    let high = |v: f32| v.ceil().max(0.0) as usize + 1 + margin;
    let area = Rect { x0: low(bounds.x0), y0: low(bounds.y0), x1: high(bounds.x1), y1: high(bounds.y1) };
    area.to_even(picture.width(), picture.height())
}

fn teeth(contour: &Contour, picture: &I420, light: SkinLight, pose: &Affine, home: FaceFrame) -> f32 {
    let (mut bright, mut all) = (0, 0);
    for column in -6..=6 {
        let x = contour.centre + contour.half * column as f32 / 8.0;
        let (top, bottom) = contour.at(x);
        for row in 1..8 {
            let y = top + (bottom - top) * row as f32 / 8.0;
            all += 1;
            let [px, py] = pose.at(home.to_px([x, y]));
            let [luma, ..] = pixel(picture, px.round() as isize, py.round() as isize);
            bright += i32::from(luma > TOOTH * light.0[0]);
        }
    }
    bright as f32 / all as f32
}

/// Mean size of the Laplacian of the luma.
fn sharpness(picture: &I420, area: Rect) -> f32 {
    let w = picture.width();
    let (mut sum, mut count) = (0_i64, 0_i64);
    for y in area.y0.max(1)..area.y1.min(picture.height() - 1) {
        for x in area.x0.max(1)..area.x1.min(w - 1) {
            let at = y * w + x;
            let p = |i: usize| i64::from(picture.y[i]);
            sum += (4 * p(at) - p(at - 1) - p(at + 1) - p(at - w) - p(at + w)).abs();
            count += 1;
        }
    }
    sum as f32 / count.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_are_sharper_than_a_ramp() {
        let mut picture = I420::new(32, 32).unwrap();
        let paint = |picture: &mut I420, of: fn(usize) -> u8| {
            for (i, v) in picture.y.iter_mut().enumerate() {
                *v = of(i % 32);
            }
        };
        let area = Rect { x0: 0, y0: 0, x1: 32, y1: 32 };
        paint(&mut picture, |x| 30 + 6 * x as u8);
        assert_eq!(sharpness(&picture, area), 0.0);
        paint(&mut picture, |x| if x % 4 < 2 { 30 } else { 200 });
        assert!(sharpness(&picture, area) > 100.0);
    }
}
