//! Pictures: planar I420 frames, colour conversion, and reading portraits from files.

pub(crate) mod draw;
mod fit;
mod i420;
mod portrait;
mod whole;

pub use fit::{FitError, Fitted, fit, fitted_size};
pub use i420::{FrameSizeError, I420, Rect, rgb_to_yuv, yuv_to_rgb};
pub use portrait::{BEHIND_TRANSPARENCY, Limits, PortraitError, load_portrait};
