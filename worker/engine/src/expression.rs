//! What eyes, brows and head do, whatever the mouth says.

/// Where the head is, relative to the reference picture. All zero: exactly as in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeadPose {
    /// Shift to the right, in eye spans.
    pub dx: f32,
    /// Shift down, in eye spans.
    pub dy: f32,
    /// Turn in the picture plane, clockwise, radians.
    pub roll: f32,
    /// Turn to the right, radians; a small parallax, not a true rotation.
    pub yaw: f32,
    /// Nod downwards, radians; likewise.
    pub pitch: f32,
}

impl HeadPose {
    /// True when the head stands exactly as in the reference picture.
    pub fn is_rest(&self) -> bool {
        *self == Self::default()
    }
}

/// What eyes, brows and head do in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expression {
    /// Lids: 0 as in the picture, 1 closed.
    pub blink: f32,
    /// Brows: 0 as in the picture, 1 raised.
    pub brow: f32,
    /// The head.
    pub head: HeadPose,
}
