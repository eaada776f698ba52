//! Video in: short clips of a person as a reference, and finished videos for measuring.

mod clip;
mod colour;
mod error;
mod orient;
mod reader;

#[cfg(test)]
mod tests;

pub use clip::Clip;
pub use error::VideoError;
pub use reader::{MAX_SIDE, Options, VideoReader};
