//! The size and rate of a video, as the command line takes them.

use clap::builder::{RangedI64ValueParser, TypedValueParser};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use std::ops::RangeInclusive;

/// Reads a longer side in pixels, within [`FrameSize::BOUNDS`].
pub fn size() -> impl TypedValueParser<Value = FrameSize> {
    size_within(FrameSize::BOUNDS)
}

/// Reads a longer side in pixels, within narrower bounds.
pub fn size_within(bounds: RangeInclusive<u32>) -> impl TypedValueParser<Value = FrameSize> {
    let (least, most) = bounds.into_inner();
    RangedI64ValueParser::<u32>::new().range(i64::from(least)..=i64::from(most)).try_map(FrameSize::new)
}

/// Reads frames a second, one of [`FrameRate::ALL`].
///
/// # Errors
/// The choice, in words.
pub fn rate(text: &str) -> Result<FrameRate, String> {
    let known = FrameRate::ALL.into_iter().find(|rate| rate.to_string() == text);
    known.ok_or_else(|| format!("it must be {}", FrameRate::CHOICE))
}
