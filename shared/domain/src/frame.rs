//! The size and rate of a video's frames, with the bounds that everybody keeps.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use thiserror::Error;

/// A size or rate that no video is made in.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// Not within [`FrameSize::BOUNDS`].
    #[error("a video's longer side is {} to {} pixels, not {got}", FrameSize::LEAST, FrameSize::MOST)]
    Size {
        /// What was asked for, in pixels.
        got: u32,
    },
    /// Not one of [`FrameRate::ALL`].
    #[error("a video has {} frames a second, not {got}", FrameRate::CHOICE)]
    Rate {
        /// What was asked for, in frames a second.
        got: u32,
    },
}

/// The longer side of a video in pixels. A smaller portrait is not enlarged (unless its face has fewer than 64 pixels), so a
/// video may be smaller than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FrameSize(u32);

impl FrameSize {
    const LEAST: u32 = 64;
    const MOST: u32 = 2048;
    /// All sizes, in pixels.
    pub const BOUNDS: RangeInclusive<u32> = Self::LEAST..=Self::MOST;
    /// The sizes of live video, in pixels: it is encoded while it is watched.
    pub const LIVE_BOUNDS: RangeInclusive<u32> = Self::LEAST..=1024;
    /// The bounds in words.
    pub const RANGE: &'static str = "64 to 2048 pixels";
    /// Where nothing else is asked for.
    pub const USUAL: Self = Self(512);

    /// A size that is within the bounds.
    ///
    /// # Errors
    /// [`FrameError::Size`], which tells the bounds.
    pub fn new(pixels: u32) -> Result<Self, FrameError> {
        if Self::BOUNDS.contains(&pixels) { Ok(Self(pixels)) } else { Err(FrameError::Size { got: pixels }) }
    }

    /// In pixels.
    pub fn pixels(self) -> u32 {
        self.0
    }
}

impl Default for FrameSize {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Which part of a portrait is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// All of it.
    #[default]
    None,
    /// Head and shoulders.
    Bust,
    /// The head.
    Head,
}

impl Crop {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Bust, Self::Head];

    /// As callers name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bust => "bust",
            Self::Head => "head",
        }
    }
}

/// Which part of a portrait is shown, and how large it may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Framing {
    /// The part.
    #[serde(default)]
    pub crop: Crop,
    /// The longer side may grow up to this where a small face needs more than the asked size; none: it is as asked.
    #[serde(default)]
    pub size_up_to: Option<FrameSize>,
}

impl Framing {
    /// The largest that is chosen for a file where nobody named a size.
    pub const LARGEST_FILE: FrameSize = FrameSize(1080);
    /// And for live video, which is encoded while it is watched.
    pub const LARGEST_LIVE: FrameSize = FrameSize(720);

    /// True where all of a portrait is shown at the asked size.
    pub fn is_as_asked(&self) -> bool {
        *self == Self::default()
    }
}

impl TryFrom<u32> for FrameSize {
    type Error = FrameError;

    fn try_from(pixels: u32) -> Result<Self, FrameError> {
        Self::new(pixels)
    }
}

impl From<FrameSize> for u32 {
    fn from(size: FrameSize) -> Self {
        size.0
    }
}

impl fmt::Display for FrameSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Frames a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum FrameRate {
    /// 25, where nothing else is asked for.
    #[default]
    Fps25,
    /// 30.
    Fps30,
}

impl FrameRate {
    /// All rates, the lowest first.
    pub const ALL: [Self; 2] = [Self::Fps25, Self::Fps30];
    /// The choice in words.
    pub const CHOICE: &'static str = "25 or 30";

    /// A rate that there is.
    ///
    /// # Errors
    /// [`FrameError::Rate`], which tells the choice.
    pub fn new(frames_per_second: u32) -> Result<Self, FrameError> {
        let known = Self::ALL.into_iter().find(|rate| rate.per_second() == frames_per_second);
        known.ok_or(FrameError::Rate { got: frames_per_second })
    }

    /// Frames a second.
    pub fn per_second(self) -> u32 {
        match self {
            Self::Fps25 => 25,
            Self::Fps30 => 30,
        }
    }
}

impl TryFrom<u32> for FrameRate {
    type Error = FrameError;

    fn try_from(frames_per_second: u32) -> Result<Self, FrameError> {
        Self::new(frames_per_second)
    }
}

impl From<FrameRate> for u32 {
    fn from(rate: FrameRate) -> Self {
        rate.per_second()
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.per_second().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_in_words_are_the_bounds() {
        assert_eq!(FrameSize::RANGE, format!("{} to {} pixels", FrameSize::LEAST, FrameSize::MOST));
        let rates: Vec<_> = FrameRate::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(FrameRate::CHOICE, rates.join(" or "));
        assert!(FrameRate::ALL.is_sorted());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_the_bounds() {
        for good in [64, 512, 2048] {
            assert_eq!(FrameSize::new(good).map(FrameSize::pixels), Ok(good));
        }
        for bad in [0, 63, 2049, u32::MAX] {
            let refused = FrameSize::new(bad).unwrap_err();
            assert_eq!(refused.to_string(), format!("a video's longer side is 64 to 2048 pixels, not {bad}"));
        }
        for good in [25, 30] {
            assert_eq!(FrameRate::new(good).map(FrameRate::per_second), Ok(good));
        }
        for bad in [0, 24, 26, 29, 31] {
            let refused = FrameRate::new(bad).unwrap_err();
            assert_eq!(refused.to_string(), format!("a video has 25 or 30 frames a second, not {bad}"));
        }
    }

    #[test]
    fn they_are_written_as_plain_numbers() {
        let written = serde_json::to_string(&(FrameSize::USUAL, FrameRate::Fps30)).unwrap();
        assert_eq!(written, "[512,30]");
        assert_eq!(
            serde_json::from_str::<(FrameSize, FrameRate)>(&written).unwrap(),
            (FrameSize::USUAL, FrameRate::Fps30)
        );
        assert!(serde_json::from_str::<FrameSize>("2049").unwrap_err().to_string().contains("64 to 2048"));
        assert!(serde_json::from_str::<FrameRate>("24").unwrap_err().to_string().contains("25 or 30"));
    }
}
