//! Containers: H.264 and AAC into an MP4 that plays while it loads; and, inside the crate, what reading containers
//! shares.

mod aac;
mod annexb;
mod container;
mod error;
mod mp4;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use error::MuxError;
pub use mp4::{AudioParams, FileSummary, Mp4Writer, VideoParams};
