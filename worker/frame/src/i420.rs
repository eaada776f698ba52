//! Planar 4:2:0 frames, the only pixel format that the frame path touches.

use thiserror::Error;

/// A frame size that 4:2:0 subsampling cannot hold.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("a frame of {width}x{height} pixels cannot be subsampled: both sides must be even and at least 2")]
pub struct FrameSizeError {
    /// Refused width in pixels.
    pub width: usize,
    /// Refused height in pixels.
    pub height: usize,
}

/// A rectangle of pixels: `x0..x1` by `y0..y1`, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    /// Left edge, inclusive.
    pub x0: usize,
    /// Top edge, inclusive.
    pub y0: usize,
    /// Right edge, exclusive.
    pub x1: usize,
    /// Bottom edge, exclusive.
    pub y1: usize,
}

impl Rect {
    /// True when the rectangle holds no pixel.
    pub fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    /// The smallest rectangle with even corners that holds this one and lies inside `width` x `height` (both even).
    pub fn to_even(self, width: usize, height: usize) -> Self {
        Self {
            x0: self.x0.min(width) & !1,
            y0: self.y0.min(height) & !1,
            x1: (self.x1 + 1).min(width) & !1,
            y1: (self.y1 + 1).min(height) & !1,
        }
    }

    /// The smallest rectangle that holds both; an empty one adds nothing.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0)
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0)
    }
}

/// A planar YCbCr 4:2:0 frame, BT.601, limited range (luma 16..=235), tightly packed.
///
/// `y` is `width * height` bytes, `u` and `v` are `width/2 * height/2`. Chroma samples sit at the centre of their 2x2
/// luma block (the MPEG-1 siting that JPEG and most software converters use).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420 {
    width: usize,
    height: usize,
    /// Luma plane, row stride `width`.
    pub y: Vec<u8>,
    /// Blue-difference plane, row stride `width / 2`.
    pub u: Vec<u8>,
    /// Red-difference plane, row stride `width / 2`.
    pub v: Vec<u8>,
}

impl I420 {
    /// A black frame.
    ///
    /// # Errors
    /// [`FrameSizeError`] when a side is odd or zero.
    pub fn new(width: usize, height: usize) -> Result<Self, FrameSizeError> {
        if width < 2 || height < 2 || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return Err(FrameSizeError { width, height });
        }
        let chroma = width / 2 * (height / 2);
        Ok(Self { width, height, y: vec![16; width * height], u: vec![128; chroma], v: vec![128; chroma] })
    }

    /// Frame width in pixels, even.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Frame height in pixels, even.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The whole frame as a rectangle.
    pub fn bounds(&self) -> Rect {
        Rect { x0: 0, y0: 0, x1: self.width, y1: self.height }
    }

    /// Copies the pixels of `area` (made even, clipped to the frame) from `source`. Allocates nothing.
    ///
    /// # Panics
    /// When the two frames differ in size: frames of one avatar never do.
    pub fn copy_area(&mut self, source: &I420, area: Rect) {
        assert_eq!((self.width, self.height), (source.width, source.height), "frames of one avatar share their size");
        let a = area.to_even(self.width, self.height);
        if a.is_empty() {
            return;
        }
        let copy = |to: &mut [u8], from: &[u8], stride: usize, x0: usize, x1: usize, y0: usize, y1: usize| {
            for row in y0..y1 {
                to[row * stride + x0..row * stride + x1].copy_from_slice(&from[row * stride + x0..row * stride + x1]);
            }
        };
        copy(&mut self.y, &source.y, self.width, a.x0, a.x1, a.y0, a.y1);
        let half = self.width / 2;
        copy(&mut self.u, &source.u, half, a.x0 / 2, a.x1 / 2, a.y0 / 2, a.y1 / 2);
        copy(&mut self.v, &source.v, half, a.x0 / 2, a.x1 / 2, a.y0 / 2, a.y1 / 2);
    }
}

/// Full-range RGB (0..=255, clamped) of one BT.601 limited-range pixel.
#[inline]
pub fn yuv_to_rgb([y, u, v]: [f32; 3]) -> [f32; 3] {
    let (y, u, v) = ((y - 16.0) * 1.164_384, u - 128.0, v - 128.0);
    [y + 1.596_027 * v, y - 0.391_762 * u - 0.812_968 * v, y + 2.017_232 * u].map(|c| c.clamp(0.0, 255.0))
}

/// BT.601 limited-range YCbCr of one full-range RGB pixel.
#[inline]
pub fn rgb_to_yuv([r, g, b]: [f32; 3]) -> [f32; 3] {
    [
        16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b,
        128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b,
        128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_are_refused() {
        assert_eq!(I420::new(3, 2), Err(FrameSizeError { width: 3, height: 2 }));
        assert!(I420::new(0, 2).is_err());
    }

    #[test]
    fn copying_an_area_touches_nothing_else() {
        let mut source = I420::new(8, 8).unwrap();
        source.y.fill(235);
        let mut frame = I420::new(8, 8).unwrap();
        frame.copy_area(&source, Rect { x0: 3, y0: 2, x1: 5, y1: 4 });
        let changed: Vec<usize> = (0..64).filter(|&i| frame.y[i] != 16).collect();
        assert_eq!(changed, [18, 19, 20, 21, 26, 27, 28, 29]);
    }
}
