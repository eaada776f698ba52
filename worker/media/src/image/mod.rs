//! Pictures: planar I420 frames, colour conversion, and reading portraits from files.

mod i420;

pub use i420::{FrameSizeError, I420, Rect};
