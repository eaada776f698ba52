//! H.264 encoders behind one small trait: NVENC and x264 through FFmpeg, OpenH264 from its crate (the feature `openh264`).
//!
//! Every frame that goes in comes out at once: no B-frames, no look-ahead, one thread. That is what live sessions need,
//! and it makes a file's bytes depend on its frames alone.

mod choice;
mod encoder;
mod libavcodec;
mod open;
#[cfg(feature = "openh264")]
mod openh264;
mod settings;

#[cfg(test)]
mod tests;

pub use choice::EncoderChoice;
pub use encoder::{EncodeError, EncodedPacket, PacketSink, VideoEncoder};
pub use open::{EncoderAvailability, available, open};
pub use settings::{EncoderQuality, EncoderSettings, FilePreset};
