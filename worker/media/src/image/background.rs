//! What shows through where a portrait is transparent.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::{RgbImage, RgbaImage};
use std::sync::Arc;

use super::FitError;

/// What transparent parts of a picture or video are laid on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Background {
    /// One colour: red, green, blue.
    Colour([u8; 3]),
    /// A picture, scaled so that it covers the whole portrait; what then reaches over is cut off evenly.
    Picture(Arc<RgbImage>),
}

impl Default for Background {
    /// White, as on a page.
    fn default() -> Self {
        Self::Colour([255; 3])
    }
}

/// A background at the size of what is laid on it.
#[derive(Debug)]
pub(crate) struct Backdrop {
    background: Background,
    fitted: Option<RgbImage>,
    showed: bool,
}

impl Backdrop {
    pub(crate) fn new(background: Background) -> Self {
        Self { background, fitted: None, showed: false }
    }

    /// True when something laid on it was transparent in some part.
    pub(crate) fn showed(&self) -> bool {
        self.showed
    }

    /// Lays `picture` on the background.
    ///
    /// # Errors
    /// [`FitError`] when the background's picture cannot be brought to its size.
    pub(crate) fn lay(&mut self, picture: &RgbaImage, out: &mut RgbImage) -> Result<(), FitError> {
        let size = picture.dimensions();
        if out.dimensions() != size {
            *out = RgbImage::new(size.0, size.1);
        }
        let behind = match &self.background {
            Background::Colour(_) => None,
            Background::Picture(behind) => {
                if self.fitted.as_ref().is_none_or(|fitted| fitted.dimensions() != size) {
                    self.fitted = Some(cover(behind, size)?);
                }
                self.fitted.as_ref()
            }
        };
        let colour = if let Background::Colour(colour) = self.background { colour } else { [255; 3] };
        let mut showed = self.showed;
        for (at, (to, from)) in out.chunks_exact_mut(3).zip(picture.as_raw().chunks_exact(4)).enumerate() {
            let alpha = u32::from(from[3]);
            showed |= alpha < 255;
            for (c, value) in to.iter_mut().enumerate() {
                let under = behind.map_or(colour[c], |b| b.as_raw()[at * 3 + c]);
                *value = ((u32::from(from[c]) * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8;
            }
        }
        self.showed = showed;
        Ok(())
    }
}

/// `picture` scaled and cropped about its middle to exactly this size.
fn cover(picture: &RgbImage, (width, height): (u32, u32)) -> Result<RgbImage, FitError> {
    let (w, h) = picture.dimensions();
    if w == 0 || h == 0 || width == 0 || height == 0 {
        return Err(FitError::Empty);
    }
    let failed = |reason: String| FitError::Resize { width, height, reason };
    let source = images::ImageRef::new(w, h, picture.as_raw(), PixelType::U8x3).map_err(|e| failed(e.to_string()))?;
    let mut target = images::Image::new(width, height, PixelType::U8x3);
    let algorithm = ResizeAlg::Convolution(FilterType::Lanczos3);
    let options = ResizeOptions::new().resize_alg(algorithm).fit_into_destination(None);
    Resizer::new().resize(&source, &mut target, &options).map_err(|e| failed(e.to_string()))?;
    RgbImage::from_raw(width, height, target.into_vec()).ok_or(FitError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, Rgba};

    fn laid(background: Background, picture: &RgbaImage) -> (RgbImage, bool) {
        let (mut backdrop, mut out) = (Backdrop::new(background), RgbImage::default());
        backdrop.lay(picture, &mut out).unwrap();
        (out, backdrop.showed())
    }

    #[test]
    fn a_colour_shows_through_as_far_as_the_picture_is_clear() {
        let mut picture = RgbaImage::from_pixel(3, 1, Rgba([100, 0, 255, 255]));
        picture.get_pixel_mut(1, 0).0[3] = 128;
        picture.get_pixel_mut(2, 0).0[3] = 0;
        let (out, showed) = laid(Background::default(), &picture);
        assert_eq!(out.into_raw(), [100, 0, 255, 177, 127, 255, 255, 255, 255]);
        assert!(showed);
        let (out, _) = laid(Background::Colour([0, 40, 80]), &picture);
        assert_eq!(out.get_pixel(2, 0).0, [0, 40, 80]);
        assert!(!laid(Background::default(), &RgbaImage::from_pixel(2, 2, Rgba([1, 2, 3, 255]))).1);
    }

    #[test]
    fn a_picture_covers_what_is_laid_on_it() {
        // Three equal stripes: a square sees the middle one, and as much of both others as is missing on either side.
        let stripes =
            RgbImage::from_fn(300, 100, |x, _| Rgb([[255, 0, 0], [0, 255, 0], [0, 0, 255]][x as usize / 100]));
        let (out, _) = laid(Background::Picture(Arc::new(stripes)), &RgbaImage::new(50, 50));
        assert!([(5, 5), (45, 45), (25, 25)].iter().all(|&(x, y)| out.get_pixel(x, y).0 == [0, 255, 0]), "{out:?}");
        let empty = Background::Picture(Arc::new(RgbImage::default()));
        let laid = Backdrop::new(empty).lay(&RgbaImage::new(5, 5), &mut RgbImage::default());
        assert!(matches!(laid, Err(FitError::Empty)));
    }
}
