//! How a face moves beside its mouth, as far as a caller may say.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The air that a face speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demeanour {
    /// As in the picture.
    #[default]
    Neutral,
    /// A slight smile and lively brows.
    Friendly,
    /// Brows and corners of the mouth a little down, a calm head.
    Serious,
}

/// How much a face moves beside its mouth, in hundredths: head, gaze, brows and shoulders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct MotionShare(u8);

impl MotionShare {
    /// All of it.
    pub const FULL: Self = Self(100);
    /// All shares, in hundredths.
    pub const BOUNDS: RangeInclusive<u32> = 0..=100;

    /// In hundredths; more than all is all.
    pub fn hundredths(self) -> u8 {
        self.0
    }
}

impl Default for MotionShare {
    fn default() -> Self {
        Self::FULL
    }
}

impl From<u8> for MotionShare {
    fn from(hundredths: u8) -> Self {
        Self(hundredths.min(100))
    }
}

impl From<MotionShare> for u8 {
    fn from(share: MotionShare) -> Self {
        share.0
    }
}

/// How a face moves beside its mouth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manner {
    /// How much, where the head moves at all.
    pub motion: MotionShare,
    /// With which air.
    pub demeanour: Demeanour,
}

impl Manner {
    /// True of what is done where nothing else is asked for.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_all_is_all_and_what_is_not_said_is_usual() {
        assert_eq!(MotionShare::from(250), MotionShare::FULL);
        assert!(Manner::default().is_usual());
        assert!(!Manner { motion: MotionShare::from(99), ..Manner::default() }.is_usual());
    }
}
