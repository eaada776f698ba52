//! The square that the network sees of a face.
//!
//! MuseTalk's box stands on the 68-point set of landmarks: as high above the lower bridge of the nose as the chin is below it, as wide
//! as the face, a margin below the chin. The points of MediaPipe's mesh that stand for them:
//!
//! | of the 68 points | is | of the 468 |
//! |---|---|---|
//! | 29 | the third of the four along the bridge of the nose | 195 |
//! | 8 | the tip of the chin | 152 |
//! | 0..=16 | the jaw from ear to ear | 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152 and their mirrors |

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};
use mouthpiece_frame::{I420, Mesh, Rect, yuv_to_rgb};

/// The third point along the bridge of the nose.
const BRIDGE: usize = 195;
/// The jaw and the chin, ear to ear.
pub const JAW: [usize; 23] =
    [127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356];
/// The smallest box that is worth drawing into, pixels.
const LEAST: usize = 16;

/// How a face is cut out and put back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropOptions {
    /// Room below the chin for a jaw that opens, in pixels of a box of 256: the original's `extra_margin`, 10.
    pub extra_margin: f32,
    /// How much of the cheeks is drawn anew: 0 only around the mouth, 1 to the edge of the face.
    pub cheeks: f32,
    /// How much of the jaw's edge is drawn anew: 0 the face stays as wide as it is, 1 with a margin outside of it.
    pub jaw: f32,
}

impl Default for CropOptions {
    fn default() -> Self {
        Self { extra_margin: 10.0, cheeks: 0.8, jaw: 0.5 }
    }
}

/// The box of a face inside a `width` x `height` picture; `None` where it is too small or outside.
pub fn face_box(mesh: &Mesh, [width, height]: [usize; 2], options: &CropOptions) -> Option<Rect> {
    let jaw = mesh.bounds(&JAW);
    let bridge = mesh.points[BRIDGE][1];
    let above = jaw.y1 - bridge;
    let margin = options.extra_margin / 256.0 * 2.0 * above;
    let inside = |value: f32, most: usize| value.round().clamp(0.0, most as f32) as usize;
    let found = Rect {
        x0: inside(jaw.x0, width),
        y0: inside(bridge - above, height),
        x1: inside(jaw.x1, width),
        y1: inside(jaw.y1 + margin, height),
    };
    (above > 0.0 && found.width() >= LEAST && found.height() >= LEAST).then_some(found)
}

/// Cuts a box out of a frame as RGB of `side` x `side`, by Lanczos as the original does.
///
/// # Errors
/// [`ResizeError`] when the box is empty.
pub fn cut_out(frame: &I420, area: Rect, side: usize) -> Result<Vec<u8>, ResizeError> {
    let (w, h) = (area.width(), area.height());
    let mut rgb = Vec::with_capacity(w * h * 3);
    let half = frame.width() / 2;
    for y in area.y0..area.y1 {
        for x in area.x0..area.x1 {
            let chroma = y / 2 * half + x / 2;
            let [u, v] = [frame.u[chroma], frame.v[chroma]];
            let pixel = yuv_to_rgb([frame.y[y * frame.width() + x], u, v].map(f32::from));
            rgb.extend(pixel.map(|c| c.round() as u8));
        }
    }
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let Ok(source) = Image::from_vec_u8(size(w), size(h), rgb, PixelType::U8x3) else { return Ok(Vec::new()) };
    let mut target = Image::new(size(side), size(side), PixelType::U8x3);
    Resizer::new().resize(&source, &mut target, &lanczos())?;
    Ok(target.into_vec())
}

/// How faces are resized, both ways.
pub fn lanczos() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::POINTS;

    /// A face whose jaw is a half circle of radius 100 around (200, 150), with the bridge of the nose in its middle.
    fn face() -> Mesh {
        let mut mesh = Mesh { points: vec![[200.0, 150.0, 0.0]; POINTS], presence: 1.0 };
        for (i, point) in JAW.into_iter().enumerate() {
            let angle = std::f32::consts::PI * i as f32 / 22.0;
            mesh.points[point] = [200.0 - 100.0 * angle.cos(), 150.0 + 100.0 * angle.sin(), 0.0];
        }
        mesh
    }

    #[test]
    fn the_box_is_as_high_above_the_nose_as_the_chin_is_below_and_has_a_margin() {
        let options = CropOptions::default();
        let found = face_box(&face(), [512, 512], &options).unwrap();
        assert_eq!(found, Rect { x0: 100, y0: 50, x1: 300, y1: 258 }, "10 of 256 of a box of 200");
        let none = CropOptions { extra_margin: 0.0, ..options };
        assert_eq!(face_box(&face(), [512, 512], &none).unwrap().y1, 250);
    }

    #[test]
    fn the_box_stays_in_the_picture_and_a_face_outside_has_none() {
        let found = face_box(&face(), [250, 240], &CropOptions::default()).unwrap();
        assert_eq!(found, Rect { x0: 100, y0: 50, x1: 250, y1: 240 });
        assert_eq!(face_box(&face().scaled([1.0, 1.0], [600.0, 0.0]), [512, 512], &CropOptions::default()), None);
        assert_eq!(face_box(&face().scaled([0.05, 0.05], [0.0, 0.0]), [512, 512], &CropOptions::default()), None);
    }

    #[test]
    fn colours_come_out_as_they_were() {
        let mut frame = I420::new(64, 64).unwrap();
        let [y, u, v] = mouthpiece_frame::rgb_to_yuv([200.0, 120.0, 40.0]).map(|c| c.round() as u8);
        frame.y.fill(y);
        frame.u.fill(u);
        frame.v.fill(v);
        let cut = cut_out(&frame, Rect { x0: 8, y0: 8, x1: 48, y1: 40 }, 256).unwrap();
        assert_eq!(cut.len(), 256 * 256 * 3);
        for (got, wanted) in cut.chunks(3).flat_map(|p| p.iter().zip([200.0, 120.0, 40.0])) {
            assert!((f32::from(*got) - wanted).abs() < 3.0, "{got} {wanted}");
        }
    }
}
