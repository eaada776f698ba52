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
}
