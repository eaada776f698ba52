//! Turning frames the way that the file's display matrix says.

use image::{ImageBuffer, Pixel};

/// One of the eight ways to lay a frame: the shown pixel (x, y) comes from the stored pixel
/// (`xx * x + xy * y`, `yx * x + yy * y`), counted from the far side where a factor is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation {
    /// Rows of the matrix that turns shown into stored coordinates: entries of -1, 0 and 1.
    rows: [[i8; 2]; 2],
}

impl Orientation {
    /// As stored.
    pub(super) const UPRIGHT: Self = Self { rows: [[1, 0], [0, 1]] };

    /// From a display matrix (nine 32-bit numbers, 16.16 fixed point, native order). Anything but right angles and
    /// mirrors is left as stored.
    pub(super) fn from_matrix(bytes: &[u8]) -> Self {
        let number = |i: usize| {
            let at: Option<[u8; 4]> = bytes.get(i * 4..i * 4 + 4).and_then(|b| b.try_into().ok());
            at.map_or(0, i32::from_ne_bytes)
        };
        let sign = |x: i32| if x.unsigned_abs() < 0x4000 { 0 } else { x.signum() as i8 };
        // Stored (p, q) is shown at (a p + c q, b p + d q); for right angles the inverse is the transpose.
        let (a, b, c, d) = (sign(number(0)), sign(number(1)), sign(number(3)), sign(number(4)));
        let right_angle = (b == 0 && c == 0 && a != 0 && d != 0) || (a == 0 && d == 0 && b != 0 && c != 0);
        if right_angle { Self { rows: [[a, b], [c, d]] } } else { Self::UPRIGHT }
    }

    /// True when shown width is stored height.
    pub(super) fn swaps_sides(self) -> bool {
        self.rows[0][0] == 0
    }

    /// Lays `stored` into `shown`, which gets the right size.
    pub(super) fn apply<P: Pixel<Subpixel = u8>>(
        self,
        stored: &ImageBuffer<P, Vec<u8>>,
        shown: &mut ImageBuffer<P, Vec<u8>>,
    ) {
        let (sw, sh) = stored.dimensions();
        let (width, height) = if self.swaps_sides() { (sh, sw) } else { (sw, sh) };
        resize(shown, width, height);
        let along = |row: [i8; 2], x: u32, y: u32, len: u32| {
            let (factor, at) = if row[0] == 0 { (row[1], y) } else { (row[0], x) };
            if factor < 0 { len - 1 - at } else { at }
        };
        for (x, y, pixel) in shown.enumerate_pixels_mut() {
            *pixel = *stored.get_pixel(along(self.rows[0], x, y, sw), along(self.rows[1], x, y, sh));
        }
    }
}

/// Gives `image` this size, keeping its memory where it fits.
pub(super) fn resize<P: Pixel<Subpixel = u8>>(image: &mut ImageBuffer<P, Vec<u8>>, width: u32, height: u32) {
    if image.dimensions() != (width, height) {
        let mut bytes = std::mem::take(image).into_raw();
        bytes.resize(width as usize * height as usize * usize::from(P::CHANNEL_COUNT), 0);
        *image = ImageBuffer::from_raw(width, height, bytes).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30].iter().flat_map(|x: &i32| x.to_ne_bytes()).collect()
    }

    /// 2x1: red, green.
    fn pair() -> RgbImage {
        RgbImage::from_raw(2, 1, vec![255, 0, 0, 0, 255, 0]).unwrap()
    }

    fn shown(bytes: &[u8]) -> (u32, u32, Vec<char>) {
        let mut out = RgbImage::default();
        Orientation::from_matrix(bytes).apply(&pair(), &mut out);
        let letters = out.pixels().map(|p| if p.0[0] > 0 { 'r' } else { 'g' }).collect();
        (out.width(), out.height(), letters)
    }

    #[test]
    fn every_right_angle_and_mirror_is_applied() {
        assert_eq!(shown(&matrix(1, 0, 0, 1)), (2, 1, vec!['r', 'g']));
        assert_eq!(shown(&matrix(-1, 0, 0, -1)), (2, 1, vec!['g', 'r']));
        assert_eq!(shown(&matrix(-1, 0, 0, 1)), (2, 1, vec!['g', 'r']));
        // (a b; c d) = (0 1; -1 0): x' = -q, y' = p: a quarter turn clockwise, the stored left end on top.
        assert_eq!(shown(&matrix(0, 1, -1, 0)), (1, 2, vec!['r', 'g']));
        assert_eq!(shown(&matrix(0, -1, 1, 0)), (1, 2, vec!['g', 'r']));
    }

    #[test]
    fn odd_angles_and_short_data_are_left_as_stored() {
        assert_eq!(Orientation::from_matrix(&[1, 2]), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_matrix(&matrix(1, 1, -1, 1)), Orientation::UPRIGHT);
    }
}
