//! What a mouth does: the parameters that the sheets and the inside of the mouth understand.

use super::curves::smoothstep;
use mouthpiece_engine::Cue;

/// How many parameters have displacement fields.
pub(super) const FIELDS: usize = 9;

/// How hard lips press that are surely shut.
pub(super) const PRESSED: f32 = 0.85;

/// Parameters with displacement fields, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Jaw,
    LowerLipDown,
    UpperLipUp,
    Wide,
    Pucker,
    Press,
    Tuck,
    Close,
    Smile,
}

/// A mouth shape. All zero is the reference picture's own mouth, untouched.
///
/// Each value is 0..=1 by intent; up to about 1.3 stays believable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MouthShape {
    /// The jaw drops.
    pub jaw: f32,
    /// The lower lip goes down.
    pub lower_lip_down: f32,
    /// The upper lip goes up.
    pub upper_lip_up: f32,
    /// The corners go apart.
    pub wide: f32,
    /// The lips round and protrude.
    pub pucker: f32,
    /// The lips press together, as for p, b and m.
    pub press: f32,
    /// The lower lip goes up to the teeth, as for f and v.
    pub tuck: f32,
    /// The tongue rises behind the teeth.
    pub tongue: f32,
    /// 0 leaves an open (smiling) mouth as the picture shows it, 1 closes it first, as speaking needs.
    pub engaged: f32,
}

impl Cue for MouthShape {
    fn is_rest(&self) -> bool {
        *self == Self::default()
    }
}

impl MouthShape {
    /// How far an opening mouth stretches its corners, 0..=1.
    pub(super) fn stretched(&self) -> f32 {
        0.85 * smoothstep(0.1, 0.5, self.jaw + 0.5 * (self.lower_lip_down + self.upper_lip_up))
    }

    /// Weights of the displacement fields. `smile`: how much of the gap between its lips an open portrait keeps while its
    /// mouth is open to speak, and most of it in a pause; `None` for a closed one. `corners`: how far the corners are drawn
    /// up (1) or down (-1) whatever is said.
    pub(super) fn weights(&self, smile: Option<f32>, corners: f32) -> [f32; FIELDS] {
        let open = smoothstep(0.02, 0.25, self.jaw + 0.5 * (self.lower_lip_down + self.upper_lip_up));
        let shut = smoothstep(0.1, 0.6 * PRESSED, self.press);
        let close = smile.map_or(0.0, |kept| self.engaged * (1.0 - kept * (0.6 + 0.4 * open) * (1.0 - shut)));
        let mut w = [0.0; FIELDS];
        w[Field::Jaw as usize] = self.jaw;
        w[Field::LowerLipDown as usize] = self.lower_lip_down;
        w[Field::UpperLipUp as usize] = self.upper_lip_up;
        w[Field::Wide as usize] = self.wide - 0.35 * close; // talking relaxes a broad smile
        w[Field::Pucker as usize] = self.pucker;
        w[Field::Press as usize] = self.press * (1.0 - 0.65 * close); // lips that smiled are thin already
        w[Field::Tuck as usize] = self.tuck;
        w[Field::Close as usize] = close;
        // Rounded lips hold the corners; and what hardly moves is left as it is in the picture.
        let corners = if corners.abs() < 0.02 { 0.0 } else { corners.clamp(-1.0, 1.2) };
        w[Field::Smile as usize] = corners * (1.0 - 0.7 * self.pucker.clamp(0.0, 1.0));
        w
    }
}
