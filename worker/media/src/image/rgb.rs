//! Between RGB pictures and the frames that the frame path touches.

use super::{FrameSizeError, I420, yuv_to_rgb};
use image::RgbImage;

/// Converts from 8-bit full-range sRGB; chroma is the mean of its 2x2 block.
///
/// # Errors
/// [`FrameSizeError`] when a side is odd or zero.
pub fn frame_from_rgb(rgb: &RgbImage) -> Result<I420, FrameSizeError> {
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    let mut frame = I420::new(width, height)?;
    let raw = rgb.as_raw();
    let pixel = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        [i32::from(raw[at]), i32::from(raw[at + 1]), i32::from(raw[at + 2])]
    };
    for by in 0..height / 2 {
        for bx in 0..width / 2 {
            let mut sum = [0_i32; 3];
            for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (x, y) = (bx * 2 + dx, by * 2 + dy);
                let p = pixel(x, y);
                frame.y[y * width + x] = luma(p);
                for (s, c) in sum.iter_mut().zip(p) {
                    *s += c;
                }
            }
            let at = by * (width / 2) + bx;
            (frame.u[at], frame.v[at]) = chroma_of_sum4(sum);
        }
    }
    Ok(frame)
}

/// Converts to 8-bit full-range sRGB; chroma is interpolated linearly, as video players do.
pub fn frame_to_rgb(frame: &I420) -> RgbImage {
    let mut out = RgbImage::new(frame.width() as u32, frame.height() as u32);
    for (x, y, p) in out.enumerate_pixels_mut() {
        let (cx, cy) = ((x as f32 - 0.5) / 2.0, (y as f32 - 0.5) / 2.0);
        let u = chroma_at(frame, &frame.u, cx, cy);
        let v = chroma_at(frame, &frame.v, cx, cy);
        let luma = f32::from(frame.y[y as usize * frame.width() + x as usize]);
        p.0 = yuv_to_rgb([luma, u, v]).map(|c| (c + 0.5) as u8);
    }
    out
}

/// Chroma of a frame at fractional chroma-plane coordinates, edges repeated.
fn chroma_at(frame: &I420, plane: &[u8], x: f32, y: f32) -> f32 {
    let (w, h) = (frame.width() / 2, frame.height() / 2);
    let (x, y) = (x.clamp(0.0, (w - 1) as f32), y.clamp(0.0, (h - 1) as f32));
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(w - 1), (y0 + 1).min(h - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize| f32::from(plane[y * w + x]);
    let top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * fx;
    let bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * fx;
    top + (bottom - top) * fy
}

/// BT.601 limited-range luma of one full-range RGB pixel.
#[inline]
fn luma([r, g, b]: [i32; 3]) -> u8 {
    // 16.16 fixed point of 65.481, 128.553, 24.966 over 255.
    ((16_829 * r + 33_039 * g + 6_416 * b + (16 << 16) + (1 << 15)) >> 16) as u8
}

/// BT.601 limited-range (Cb, Cr) of the sum of four RGB pixels.
#[inline]
fn chroma_of_sum4([r, g, b]: [i32; 3]) -> (u8, u8) {
    let round = (128 << 18) + (1 << 17);
    let u = (-9_714 * r - 19_070 * g + 28_784 * b + round) >> 18;
    let v = (28_784 * r - 24_103 * g - 4_681 * b + round) >> 18;
    (u as u8, v as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_convert_to_their_bt601_values() {
        let of = |p: [u8; 3]| {
            let f = frame_from_rgb(&RgbImage::from_pixel(2, 2, image::Rgb(p))).unwrap();
            (f.y[0], f.u[0], f.v[0])
        };
        assert_eq!(of([0, 0, 0]), (16, 128, 128));
        assert_eq!(of([255, 255, 255]), (235, 128, 128));
        assert_eq!(of([255, 0, 0]), (81, 90, 240));
        assert_eq!(of([0, 255, 0]), (145, 54, 34));
        assert_eq!(of([0, 0, 255]), (41, 240, 110));
    }

    #[test]
    fn a_flat_colour_survives_the_round_trip() {
        for p in [[200, 150, 120], [30, 60, 90], [128, 128, 128], [250, 10, 40]] {
            let rgb = frame_to_rgb(&frame_from_rgb(&RgbImage::from_pixel(4, 4, image::Rgb(p))).unwrap());
            for (got, want) in rgb.get_pixel(1, 1).0.iter().zip(p) {
                assert!((i32::from(*got) - i32::from(want)).abs() <= 2, "{got} for {want}");
            }
        }
    }
}
