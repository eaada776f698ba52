//! What eyes, brows, head and shoulders do, whatever the mouth says.

/// Where the head is, relative to the reference picture. All zero: exactly as in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeadPose {
    /// Shift to the right, in eye spans.
    pub dx: f32,
    /// Shift down, in eye spans.
    pub dy: f32,
    /// Turn in the picture plane, clockwise, radians.
    pub roll: f32,
    /// Turn to the right, radians: what is nearer moves further.
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

/// Where the eyes look, relative to the reference picture. All zero: where they look in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gaze {
    /// To the right, radians.
    pub x: f32,
    /// Downwards, radians.
    pub y: f32,
}

/// What eyes, brows, head and shoulders do in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expression {
    /// Lids: 0 as in the picture, 1 closed.
    pub blink: f32,
    /// Brows: 0 as in the picture, 1 raised, -1 lowered.
    pub brow: f32,
    /// Corners of the mouth and cheeks: 0 as in the picture, 1 a smile with closed lips, -1 drawn down.
    pub smile: f32,
    /// The chest: 0 as in the picture, 1 breathed in deeply.
    pub breath: f32,
    /// The eyes.
    pub gaze: Gaze,
    /// The head.
    pub head: HeadPose,
}
