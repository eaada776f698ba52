//! Pictures: planar I420 frames, colour conversion, and reading portraits from files.

pub(crate) mod background;
mod decode;
pub(crate) mod draw;
mod enlarge;
mod fit;
mod heif;
mod lab;
mod png_colours;
mod portrait;
mod profile;
mod rgb;
mod still;
mod whole;

pub use background::Background;
pub use enlarge::{enlarge, enlarged_size};
pub use fit::{FitError, Fitted, fit, fitted_size};
pub use lab::Lab;
pub use mouthpiece_frame::{FrameSizeError, I420, Rect, rgb_to_yuv, yuv_to_rgb};
pub use portrait::{Portrait, PortraitError, PortraitLimits, load_portrait, read_portrait};
pub use rgb::{frame_from_rgb, frame_to_rgb};
