//! Bringing a picture to output size.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{RgbImage, imageops};
use thiserror::Error;

/// A picture that cannot be resized.
#[derive(Debug, Error)]
pub enum FitError {
    /// It has no pixels.
    #[error("the picture is empty: give one of at least 64x64 pixels")]
    Empty,
    /// The resizer refused.
    #[error("the picture cannot be resized to {width}x{height}: {reason}")]
    Resize {
        /// Width that was asked for.
        width: u32,
        /// Height that was asked for.
        height: u32,
        /// The resizer's own words.
        reason: String,
    },
}

/// A picture at output size.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// Both sides even, at least 2.
    pub picture: RgbImage,
    /// `[x, y]`: by how much lengths grew (above 1 only of one-pixel sides and of what was enlarged). A point moves by
    /// `x -> (x + 0.5) * scale - 0.5`, see [`crate::face::Mesh::resized`].
    pub scale: [f32; 2],
}

/// Output size of a picture of `[width, height]` whose longer side may be at most `longer`: even, never enlarged.
///
/// Each side is at least 2, so a side of one pixel grows; an odd side that need not shrink loses its last pixel.
pub fn fitted_size([width, height]: [u32; 2], longer: u32) -> [u32; 2] {
    let (longer, most) = (u64::from(longer.max(2)), u64::from(width.max(height).max(1)));
    let even = |side: u32| {
        if most <= longer {
            (side & !1).max(2)
        } else {
            // Rounded to the nearest even number; at most `longer`, so it fits.
            let halves = (u64::from(side) * longer + most) / (2 * most);
            (halves.min(longer / 2) as u32 * 2).max(2)
        }
    };
    [even(width), even(height)]
}

/// Shrinks a picture to [`fitted_size`] with a Lanczos filter; one that is small enough only loses odd edges.
///
/// # Errors
/// [`FitError::Empty`] for a picture without pixels.
pub fn fit(picture: &RgbImage, longer: u32) -> Result<Fitted, FitError> {
    let (w, h) = picture.dimensions();
    if w == 0 || h == 0 {
        return Err(FitError::Empty);
    }
    let [width, height] = fitted_size([w, h], longer);
    if width <= w && height <= h && w.max(h) <= longer.max(2) {
        let picture = imageops::crop_imm(picture, 0, 0, width, height).to_image();
        return Ok(Fitted { picture, scale: [1.0, 1.0] });
    }
    let picture = resized(picture, [width, height])?;
    Ok(Fitted { picture, scale: [width as f32 / w as f32, height as f32 / h as f32] })
}

/// The picture at `[width, height]` by a Lanczos filter.
pub(super) fn resized(picture: &RgbImage, [width, height]: [u32; 2]) -> Result<RgbImage, FitError> {
    let (w, h) = picture.dimensions();
    let failed = |reason: String| FitError::Resize { width, height, reason };
    let source = TypedImageRef::<U8x3>::from_buffer(w, h, picture.as_raw()).map_err(|e| failed(e.to_string()))?;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut pixels).map_err(|e| failed(e.to_string()))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    // Typed: the untyped call would compile the filters for every kind of pixel.
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|e| failed(e.to_string()))?;
    RgbImage::from_raw(width, height, pixels).ok_or(FitError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_keep_the_framing() {
        assert_eq!(fitted_size([1024, 1536], 512), [342, 512]);
        assert_eq!(fitted_size([512, 512], 512), [512, 512]);
        assert_eq!(fitted_size([300, 201], 512), [300, 200]);
        assert_eq!(fitted_size([8192, 3], 512), [512, 2]);
        assert_eq!(fitted_size([1, 1], 512), [2, 2]);
        assert_eq!(fitted_size([700, 500], 0), [2, 2]);
        assert_eq!(fitted_size([999, 500], 511), [510, 256]);
    }

    proptest! {
        #[test]
        fn sizes_are_even_bounded_and_never_larger(w in 2_u32..9000, h in 2_u32..9000, longer in 2_u32..4000) {
            let [ow, oh] = fitted_size([w, h], longer);
            prop_assert!(ow % 2 == 0 && oh % 2 == 0 && ow >= 2 && oh >= 2);
            prop_assert!(ow.max(oh) <= longer && ow <= w && oh <= h);
        }
    }

    #[test]
    fn a_point_lands_where_the_scale_says() {
        // A bright dot on black: its centre of mass after shrinking is where the formula puts it.
        let mut picture = RgbImage::new(900, 601);
        let (x, y) = (633_u32, 211_u32);
        for dy in 0..9 {
            for dx in 0..9 {
                picture.put_pixel(x + dx - 4, y + dy - 4, image::Rgb([255; 3]));
            }
        }
        let Fitted { picture, scale } = fit(&picture, 400).unwrap();
        assert_eq!(picture.dimensions(), (400, 268));
        let mut sum = [0.0_f32; 3];
        for (px, py, p) in picture.enumerate_pixels() {
            let v = f32::from(p.0[0]);
            sum = [sum[0] + v, sum[1] + v * px as f32, sum[2] + v * py as f32];
        }
        assert!((sum[1] / sum[0] - ((x as f32 + 0.5) * scale[0] - 0.5)).abs() < 0.05);
        assert!((sum[2] / sum[0] - ((y as f32 + 0.5) * scale[1] - 0.5)).abs() < 0.05);
    }

    #[test]
    fn a_small_picture_keeps_its_pixels() {
        let picture = RgbImage::from_fn(31, 20, |x, y| image::Rgb([x as u8, y as u8, 0]));
        let fitted = fit(&picture, 64).unwrap();
        assert_eq!((fitted.picture.dimensions(), fitted.scale), ((30, 20), [1.0, 1.0]));
        assert_eq!(fitted.picture.get_pixel(29, 19), picture.get_pixel(29, 19));
    }

    #[test]
    fn edge_sizes() {
        assert!(matches!(fit(&RgbImage::new(0, 5), 64), Err(FitError::Empty)));
        assert_eq!(fit(&RgbImage::new(1, 7), 64).unwrap().picture.dimensions(), (2, 6));
        assert_eq!(fit(&RgbImage::new(64, 1), 8).unwrap().picture.dimensions(), (8, 2));
    }
}
