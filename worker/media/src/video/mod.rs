//! Video in: short clips of a person as a reference, and finished videos for measuring.

mod clip;
pub(crate) mod colour;
mod error;
mod light;
mod orient;
mod reader;
mod scale;
mod steady;

#[cfg(test)]
mod alpha_tests;
#[cfg(test)]
mod light_tests;
#[cfg(test)]
mod tests;

pub use clip::Clip;
pub use error::VideoError;
pub use light::Light;
pub use reader::{MAX_SIDE, VideoOptions, VideoReader};
pub use steady::SteadyFrames;
