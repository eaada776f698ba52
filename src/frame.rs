//! The size and rate of a video, as the command line takes them.

use clap::builder::RangedI64ValueParser;
use mouthpiece_domain::frame::{FrameRate, FrameSize};

/// Reads a longer side in pixels, within [`FrameSize::BOUNDS`].
pub fn pixels() -> RangedI64ValueParser<u32> {
    let (least, most) = FrameSize::BOUNDS.into_inner();
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}

/// Reads frames a second, one of [`FrameRate::ALL`].
///
/// # Errors
/// The choice, in words.
pub fn rate(text: &str) -> Result<u32, String> {
    let known = FrameRate::ALL.into_iter().find(|rate| rate.to_string() == text);
    known.map(FrameRate::per_second).ok_or_else(|| format!("it must be {}", FrameRate::CHOICE))
}
