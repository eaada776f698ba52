//! Grey pictures.

use image::RgbImage;

use crate::image::Rect;

/// A picture's luma (BT.601 weights), full range: 0 is black, 255 is white.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Luma {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Row after row, `width * height` values.
    pub values: Vec<u8>,
}

impl Luma {
    /// Takes the luma of a picture, reusing the memory.
    pub fn set(&mut self, picture: &RgbImage) {
        (self.width, self.height) = (picture.width() as usize, picture.height() as usize);
        self.values.clear();
        let luma =
            |p: &[u8]| (19_595 * u32::from(p[0]) + 38_470 * u32::from(p[1]) + 7_471 * u32::from(p[2]) + 32_768) >> 16;
        self.values.extend(picture.as_raw().chunks_exact(3).map(|p| luma(p) as u8));
    }

    /// The luma of a picture.
    pub fn of(picture: &RgbImage) -> Self {
        let mut luma = Self::default();
        luma.set(picture);
        luma
    }

    /// The whole picture.
    pub fn bounds(&self) -> Rect {
        Rect { x0: 0, y0: 0, x1: self.width, y1: self.height }
    }

    /// The part of `area` that lies inside the picture.
    #[must_use]
    pub fn crop(&self, area: Rect) -> Self {
        let (x0, x1) = (area.x0.min(self.width), area.x1.min(self.width));
        let (y0, y1) = (area.y0.min(self.height), area.y1.min(self.height));
        if x0 >= x1 || y0 >= y1 {
            return Self::default();
        }
        let rows = (y0..y1).flat_map(|y| &self.values[y * self.width + x0..y * self.width + x1]);
        Self { width: x1 - x0, height: y1 - y0, values: rows.copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_is_full_range_and_crops_are_clipped() {
        let mut picture = RgbImage::from_pixel(4, 3, image::Rgb([255, 255, 255]));
        picture.put_pixel(1, 2, image::Rgb([0, 255, 0]));
        picture.put_pixel(2, 2, image::Rgb([0, 0, 0]));
        let luma = Luma::of(&picture);
        assert_eq!(luma.values[8..], [255, 150, 0, 255]);
        let crop = luma.crop(Rect { x0: 1, y0: 2, x1: 9, y1: 9 });
        assert_eq!((crop.width, crop.height, crop.values), (3, 1, vec![150, 0, 255]));
        assert_eq!(luma.crop(Rect { x0: 5, y0: 0, x1: 9, y1: 9 }), Luma::default());
    }
}
