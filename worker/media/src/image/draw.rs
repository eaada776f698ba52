//! Lines and dots with soft edges, for pictures that show what was found.

use image::RgbImage;

/// A colour and how much of it covers what lies below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pen {
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// 0..=1.
    pub opacity: f32,
    /// Width of a line, or of a dot, in pixels.
    pub width: f32,
}

/// Draws a straight line between two points (pixel centres at whole numbers); a dot when both are the same.
pub(crate) fn line(picture: &mut RgbImage, from: [f32; 2], to: [f32; 2], pen: Pen) {
    if !from.iter().chain(&to).all(|v| v.is_finite()) {
        return;
    }
    let half = pen.width / 2.0;
    let reach = half + 1.0;
    let span = |a: f32, b: f32, length: u32| {
        let (low, high) = (a.min(b) - reach, a.max(b) + reach);
        (low.max(0.0) as u32)..((high + 1.0).clamp(0.0, length as f32) as u32)
    };
    let (columns, rows) = (span(from[0], to[0], picture.width()), span(from[1], to[1], picture.height()));
    let along = [to[0] - from[0], to[1] - from[1]];
    let length2 = (along[0] * along[0] + along[1] * along[1]).max(f32::MIN_POSITIVE);
    for y in rows {
        for x in columns.clone() {
            let d = [x as f32 - from[0], y as f32 - from[1]];
            let t = ((d[0] * along[0] + d[1] * along[1]) / length2).clamp(0.0, 1.0);
            let distance = (d[0] - t * along[0]).hypot(d[1] - t * along[1]);
            let cover = (half + 0.5 - distance).clamp(0.0, 1.0) * pen.opacity;
            if cover > 0.0 {
                for (value, colour) in picture.get_pixel_mut(x, y).0.iter_mut().zip(pen.colour) {
                    let v = f32::from(*value);
                    *value = (v + (f32::from(colour) - v) * cover + 0.5) as u8;
                }
            }
        }
    }
}

/// Draws lines from point to point, and back to the first when `closed`.
pub(crate) fn path(picture: &mut RgbImage, points: &[[f32; 2]], closed: bool, pen: Pen) {
    for pair in points.windows(2) {
        line(picture, pair[0], pair[1], pen);
    }
    if let (true, [first, .., last]) = (closed, points) {
        line(picture, *last, *first, pen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEN: Pen = Pen { colour: [255, 255, 255], opacity: 1.0, width: 1.0 };

    #[test]
    fn a_level_line_covers_its_row() {
        let mut picture = RgbImage::new(10, 5);
        line(&mut picture, [2.0, 2.0], [7.0, 2.0], PEN);
        let row: Vec<u8> = (0..10).map(|x| picture.get_pixel(x, 2).0[0]).collect();
        assert_eq!(row, [0, 0, 255, 255, 255, 255, 255, 255, 0, 0]);
        assert_eq!(picture.get_pixel(4, 0).0[0], 0);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut picture = RgbImage::new(4, 4);
        line(&mut picture, [-100.0, -100.0], [-50.0, 3.0], PEN);
        line(&mut picture, [500.0, 1.0], [900.0, 2.0], PEN);
        line(&mut picture, [f32::NAN, 1.0], [2.0, 2.0], PEN);
        assert!(picture.as_raw().iter().all(|&v| v == 0));
        line(&mut picture, [-9.0, 1.0], [99.0, 1.0], PEN);
        assert!((0..4).all(|x| picture.get_pixel(x, 1).0[0] == 255));
    }

    #[test]
    fn a_closed_path_returns() {
        let corners = [[1.0, 1.0], [8.0, 1.0], [8.0, 8.0]];
        let (mut open, mut closed) = (RgbImage::new(10, 10), RgbImage::new(10, 10));
        path(&mut open, &corners, false, PEN);
        path(&mut closed, &corners, true, PEN);
        assert_eq!(open.get_pixel(4, 4).0[0], 0);
        assert_eq!(closed.get_pixel(4, 4).0[0], 255);
    }
}
