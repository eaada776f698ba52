//! The face frame: coordinates that move with the face.
//!
//! X runs along the eyes towards the viewer's right, Y down the face, the origin lies midway between the inner corners
//! of the mouth (points 78 and 308). The unit is the outer-eye distance (points 33 and 263), called D.

use mouthpiece_engine::EngineError;
use mouthpiece_frame::Mesh;
use mouthpiece_frame::Rect;

/// Inner edge of the upper lip, left to right as seen.
pub(super) const UPPER_INNER: [usize; 11] = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308];
/// Inner edge of the lower lip, left to right as seen.
pub(super) const LOWER_INNER: [usize; 11] = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308];

/// One eye's contours, as point numbers.
pub(super) struct EyePoints {
    pub(super) upper: [usize; 9],
    pub(super) lower: [usize; 9],
    /// Lower border of the brow.
    pub(super) brow: [usize; 5],
}

/// The eye on the viewer's left, then the other; contours run left to right as seen.
pub(super) const EYES: [EyePoints; 2] = [
    EyePoints {
        upper: [33, 246, 161, 160, 159, 158, 157, 173, 133],
        lower: [33, 7, 163, 144, 145, 153, 154, 155, 133],
        brow: [46, 53, 52, 65, 55],
    },
    EyePoints {
        upper: [362, 398, 384, 385, 386, 387, 388, 466, 263],
        lower: [362, 382, 381, 380, 374, 373, 390, 249, 263],
        brow: [285, 295, 282, 283, 276],
    },
];

/// Maps between pixels and the face frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FaceFrame {
    /// Origin in pixels.
    pub(super) origin: [f32; 2],
    /// Unit vector of X in pixels.
    pub(super) ex: [f32; 2],
    /// D in pixels.
    pub(super) unit: f32,
}

impl FaceFrame {
    /// The frame of a mesh; `frame` is only named in the error.
    pub(super) fn of(mesh: &Mesh, frame: usize) -> Result<Self, EngineError> {
        let p = &mesh.points;
        if p.len() != mouthpiece_frame::POINTS || p.iter().flatten().any(|c| !c.is_finite()) {
            return Err(EngineError::ImpossibleFace { frame, reason: "it needs 468 finite points" });
        }
        let unit = mesh.eye_span();
        let mouth = (p[308][0] - p[78][0]).hypot(p[308][1] - p[78][1]);
        if unit < 4.0 || mouth < 0.05 * unit {
            return Err(EngineError::ImpossibleFace { frame, reason: "its eyes or its mouth have no width" });
        }
        Ok(Self {
            origin: [(p[78][0] + p[308][0]) / 2.0, (p[78][1] + p[308][1]) / 2.0],
            ex: [(p[263][0] - p[33][0]) / unit, (p[263][1] - p[33][1]) / unit],
            unit,
        })
    }

    /// Pixels to face coordinates.
    #[inline]
    pub(super) fn to_face(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (dx, dy) = (x - self.origin[0], y - self.origin[1]);
        let k = 1.0 / self.unit;
        [(dx * self.ex[0] + dy * self.ex[1]) * k, (dy * self.ex[0] - dx * self.ex[1]) * k]
    }

    /// Face coordinates to pixels.
    #[inline]
    pub(super) fn to_px(self, v: [f32; 2]) -> [f32; 2] {
        let d = self.vector_to_px(v);
        [self.origin[0] + d[0], self.origin[1] + d[1]]
    }

    /// A face vector (no origin) to a pixel vector.
    #[inline]
    pub(super) fn vector_to_px(self, [x, y]: [f32; 2]) -> [f32; 2] {
        [(x * self.ex[0] - y * self.ex[1]) * self.unit, (x * self.ex[1] + y * self.ex[0]) * self.unit]
    }

    /// The pixels that hold the box `[x0, x1]` by `[y0, y1]` of the face, clipped to a `width` x `height` picture; even.
    pub(super) fn pixels(self, [x0, x1]: [f32; 2], [y0, y1]: [f32; 2], width: usize, height: usize) -> Rect {
        pixels_around([[x0, y0], [x1, y0], [x0, y1], [x1, y1]].map(|c| self.to_px(c)), width, height)
    }

    /// All mesh points in face coordinates; depth in D, positive towards the camera.
    pub(super) fn landmarks(self, mesh: &Mesh) -> Vec<[f32; 3]> {
        mesh.points
            .iter()
            .map(|p| {
                let [x, y] = self.to_face([p[0], p[1]]);
                [x, y, -p[2] / self.unit]
            })
            .collect()
    }
}

/// The pixels of a `width` x `height` picture that hold four corners; even.
pub(super) fn pixels_around(corners: [[f32; 2]; 4], width: usize, height: usize) -> Rect {
    let bound = |axis: usize, most: usize| {
        let lo = corners.iter().map(|c| c[axis]).fold(f32::MAX, f32::min).floor();
        let hi = corners.iter().map(|c| c[axis]).fold(f32::MIN, f32::max).ceil();
        (lo.clamp(0.0, most as f32) as usize, hi.clamp(0.0, most as f32) as usize)
    };
    let ((x0, x1), (y0, y1)) = (bound(0, width), bound(1, height));
    Rect { x0, y0, x1, y1 }.to_even(width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_face_coordinates_are_inverse() {
        let f = FaceFrame { origin: [100.0, 50.0], ex: [0.8, 0.6], unit: 30.0 };
        let p = f.to_px(f.to_face([17.0, 91.0]));
        assert!((p[0] - 17.0).abs() < 1e-4 && (p[1] - 91.0).abs() < 1e-4);
        assert_eq!(f.to_face([100.0, 50.0]), [0.0, 0.0]);
    }
}
