//! Bringing a small picture to more pixels.

use super::{
    fit::{FitError, Fitted, resized},
    fitted_size,
};
use image::RgbImage;

/// How much of what a Lanczos filter adds beside an edge is taken back: all of it would leave stairs on slanted lines.
const RESTRAINT: f32 = 0.8;

/// Size of a picture of `[width, height]` that was made `growth` times as large and may then be `longer` at most; never
/// smaller than it is without growing.
pub fn enlarged_size([width, height]: [u32; 2], growth: f32, longer: u32) -> [u32; 2] {
    let grown = |side: u32| (side as f32 * growth.max(1.0)).round() as u32;
    fitted_size([grown(width), grown(height)], longer)
}

/// A picture at `[width, height]`, more than it has, by a Lanczos filter whose rings beside edges are held back.
///
/// # Errors
/// [`FitError`] for a picture without pixels.
pub fn enlarge(picture: &RgbImage, [width, height]: [u32; 2]) -> Result<Fitted, FitError> {
    let (w, h) = picture.dimensions();
    if w == 0 || h == 0 {
        return Err(FitError::Empty);
    }
    let mut large = resized(picture, [width, height])?;
    let scale = [width as f32 / w as f32, height as f32 / h as f32];
    // The two source pixels along one side between which a pixel of the result lies.
    let beside = |at: u32, scale: f32, side: u32| {
        let first = ((at as f32 + 0.5) / scale - 0.5).max(0.0) as u32;
        [first.min(side - 1), (first + 1).min(side - 1)]
    };
    for (x, y, pixel) in large.enumerate_pixels_mut() {
        let (xs, ys) = (beside(x, scale[0], w), beside(y, scale[1], h));
        for (channel, value) in pixel.0.iter_mut().enumerate() {
            let near = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| picture.get_pixel(xs[i], ys[j]).0[channel]);
            let (low, high) = near.iter().fold((u8::MAX, 0), |(low, high), v| (low.min(*v), high.max(*v)));
            let over = f32::from(*value) - f32::from((*value).clamp(low, high));
            *value = (f32::from(*value) - RESTRAINT * over).round() as u8;
        }
    }
    Ok(Fitted { picture: large, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_up_to_what_is_asked() {
        assert_eq!(enlarged_size([300, 200], 2.0, 1080), [600, 400]);
        assert_eq!(enlarged_size([300, 200], 2.0, 512), [512, 342]);
        assert_eq!(enlarged_size([300, 200], 1.0, 512), fitted_size([300, 200], 512));
        assert_eq!(enlarged_size([2000, 1000], 3.0, 1080), fitted_size([2000, 1000], 1080));
        assert_eq!(enlarged_size([300, 200], 0.1, 512), [300, 200]);
    }

    #[test]
    fn a_point_lands_where_the_scale_says() {
        let mut picture = RgbImage::new(60, 41);
        picture.put_pixel(33, 17, image::Rgb([255; 3]));
        let Fitted { picture, scale } = enlarge(&picture, [150, 102]).unwrap();
        let mut sum = [0.0_f32; 3];
        for (x, y, p) in picture.enumerate_pixels() {
            let v = f32::from(p.0[0]);
            sum = [sum[0] + v, sum[1] + v * x as f32, sum[2] + v * y as f32];
        }
        assert!((sum[1] / sum[0] - (33.5 * scale[0] - 0.5)).abs() < 0.2, "{sum:?}");
        assert!((sum[2] / sum[0] - (17.5 * scale[1] - 0.5)).abs() < 0.2, "{sum:?}");
    }

    #[test]
    fn edges_hardly_ring() {
        let edge = RgbImage::from_fn(40, 8, |x, _| image::Rgb([if x < 20 { 60 } else { 180 }; 3]));
        let large = enlarge(&edge, [120, 24]).unwrap().picture;
        let plain = resized(&edge, [120, 24]).unwrap();
        let range = |p: &RgbImage| (p.iter().copied().min().unwrap(), p.iter().copied().max().unwrap());
        let (low, high) = range(&large);
        assert!(low >= 57 && high <= 183, "{low} {high}");
        assert!(range(&plain).0 < 54, "the filter alone rings: {:?}", range(&plain));
    }

    #[test]
    fn what_is_even_stays_so() {
        let flat = RgbImage::from_pixel(9, 7, image::Rgb([12, 200, 77]));
        assert!(enlarge(&flat, [30, 22]).unwrap().picture.pixels().all(|p| p.0 == [12, 200, 77]));
        assert!(matches!(enlarge(&RgbImage::new(0, 5), [4, 4]), Err(FitError::Empty)));
    }
}
