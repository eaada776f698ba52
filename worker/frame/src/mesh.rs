//! The 468-point face mesh.

/// Number of points of the mesh.
pub const POINTS: usize = 468;

/// A face mesh in pixels of the picture that it was found in.
///
/// Point numbering is MediaPipe's canonical face mesh. `x` grows to the right, `y` down, with the centre of the top-left
/// pixel at (0, 0); `z` is in the same unit, smaller is nearer to the camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// `[x, y, z]` of each point; always [`POINTS`] of them.
    pub points: Vec<[f32; 3]>,
    /// How surely this is a face, 0..=1.
    pub presence: f32,
}

impl Mesh {
    /// Distance between the outer eye corners (points 33 and 263) in pixels.
    pub fn eye_span(&self) -> f32 {
        let (a, b) = (self.points[33], self.points[263]);
        (b[0] - a[0]).hypot(b[1] - a[1])
    }

    /// The mesh after `x -> x * sx + dx`, `y -> y * sy + dy`; depth follows `sx`.
    #[must_use]
    pub fn scaled(&self, [sx, sy]: [f32; 2], [dx, dy]: [f32; 2]) -> Self {
        Self { points: self.points.iter().map(|p| [p[0] * sx + dx, p[1] * sy + dy, p[2] * sx]).collect(), ..*self }
    }

    /// The mesh after the picture was resized by `scale` (`[x, y]`, new side over old side): pixel centres are kept,
    /// so `x -> (x + 0.5) * sx - 0.5`.
    #[must_use]
    pub fn resized(&self, [sx, sy]: [f32; 2]) -> Self {
        self.scaled([sx, sy], [0.5 * sx - 0.5, 0.5 * sy - 0.5])
    }

    /// Smallest upright box around the points `indices`, or around all when that is empty.
    ///
    /// # Panics
    /// When an index is not below [`POINTS`].
    pub fn bounds(&self, indices: &[usize]) -> FaceBox {
        let mut bounds = FaceBox { x0: f32::MAX, y0: f32::MAX, x1: f32::MIN, y1: f32::MIN };
        let mut add = |[x, y, _]: [f32; 3]| {
            bounds.x0 = bounds.x0.min(x);
            bounds.y0 = bounds.y0.min(y);
            bounds.x1 = bounds.x1.max(x);
            bounds.y1 = bounds.y1.max(y);
        };
        if indices.is_empty() {
            self.points.iter().copied().for_each(add);
        } else {
            indices.iter().for_each(|&i| add(self.points[i]));
        }
        bounds
    }
}

/// An upright box in pixels of a picture; corners may lie outside it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FaceBox {
    /// Left.
    pub x0: f32,
    /// The upper edge, in pixels from the top.
    pub y0: f32,
    /// Right.
    pub x1: f32,
    /// Bottom.
    pub y1: f32,
}

impl FaceBox {
    /// Width in pixels.
    pub fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    /// Height in pixels.
    pub fn height(&self) -> f32 {
        self.y1 - self.y0
    }

    /// The longer of both sides in pixels.
    pub fn side(&self) -> f32 {
        self.width().max(self.height())
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// The middle, `[x, y]`.
    pub fn centre(&self) -> [f32; 2] {
        [(self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0]
    }

    /// The box grown by `margin` pixels on each side.
    #[must_use]
    pub fn grown(&self, margin: f32) -> Self {
        Self { x0: self.x0 - margin, y0: self.y0 - margin, x1: self.x1 + margin, y1: self.y1 + margin }
    }

    /// Area that both boxes cover.
    pub fn overlap(&self, other: &Self) -> f32 {
        let w = self.x1.min(other.x1) - self.x0.max(other.x0);
        let h = self.y1.min(other.y1) - self.y0.max(other.y0);
        w.max(0.0) * h.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing_keeps_pixel_centres() {
        // The centre of the whole picture stays the centre: 100 px wide, middle at 49.5, becomes 50 px, middle at 24.5.
        let mesh = Mesh { points: vec![[49.5, 19.5, 2.0]; POINTS], presence: 1.0 };
        assert_eq!(mesh.resized([0.5, 0.25]).points[0], [24.5, 4.5, 1.0]);
        assert_eq!(mesh.resized([1.0, 1.0]), mesh);
    }

    #[test]
    fn bounds_hold_the_points() {
        let mut mesh = Mesh { points: vec![[1.0, 1.0, 0.0]; POINTS], presence: 1.0 };
        mesh.points[7] = [5.0, -3.0, 0.0];
        assert_eq!(mesh.bounds(&[]), FaceBox { x0: 1.0, y0: -3.0, x1: 5.0, y1: 1.0 });
        assert_eq!(mesh.bounds(&[7]).area(), 0.0);
    }
}
