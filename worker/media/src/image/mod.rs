//! Pictures: planar I420 frames, colour conversion, and reading portraits from files.

pub(crate) mod background;
mod decode;
pub(crate) mod draw;
mod fit;
mod heif;
mod i420;
mod png_colours;
mod portrait;
mod profile;
mod still;
mod whole;

pub use background::Background;
pub use fit::{FitError, Fitted, fit, fitted_size};
pub use i420::{FrameSizeError, I420, Rect, rgb_to_yuv, yuv_to_rgb};
pub use portrait::{Limits, Portrait, PortraitError, load_portrait, read_portrait};
