//! Choosing an encoder.

use super::choice::Choice;
use super::encoder::{EncodeError, VideoEncoder};
use super::libavcodec;
use super::settings::{FilePreset, Quality, Settings};

/// Whether an encoder can be used on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The encoder.
    pub choice: Choice,
    /// Why it cannot be used; `None` when it can.
    pub reason: Option<String>,
}

/// Opens the encoder that was chosen; [`Choice::Auto`] takes the first that truly opens.
///
/// # Errors
/// [`EncodeError::BadSetting`]; [`EncodeError::Missing`] when the chosen one is not here; [`EncodeError::None`] when
/// nothing opens.
pub fn open(choice: Choice, settings: &Settings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    settings.validate()?;
    match choice {
        Choice::Nvenc => Ok(Box::new(libavcodec::Encoder::nvenc(settings)?)),
        Choice::X264 => Ok(Box::new(libavcodec::Encoder::x264(settings)?)),
        Choice::OpenH264 => open_openh264(settings),
        Choice::Auto => {
            let mut reasons = Vec::new();
            for choice in [Choice::Nvenc, Choice::X264, Choice::OpenH264] {
                match open(choice, settings) {
                    Ok(encoder) => return Ok(encoder),
                    Err(e) => reasons.push(e.to_string()),
                }
            }
            Err(EncodeError::None(reasons.join("; ")))
        }
    }
}

#[cfg(feature = "openh264")]
fn open_openh264(settings: &Settings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    Ok(Box::new(super::openh264::Encoder::open(settings)?))
}

#[cfg(not(feature = "openh264"))]
fn open_openh264(_: &Settings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    Err(EncodeError::Missing {
        name: "openh264",
        reason: "this program was built without it".to_owned(),
        remedy: "build it with `cargo build --release`",
    })
}

/// Tries every encoder on a small frame size, in the order of [`Choice::Auto`].
pub fn available() -> Vec<Availability> {
    let quality = Quality::File { preset: FilePreset::Fast };
    let settings = Settings { width: 256, height: 256, fps: (25, 1), quality, gop_frames: 25 };
    [Choice::Nvenc, Choice::X264, Choice::OpenH264]
        .map(|choice| {
            let reason = match open(choice, &settings) {
                Ok(_) => None,
                Err(EncodeError::Missing { reason, remedy, .. }) => Some(format!("{reason}; {remedy}")),
                Err(e) => Some(e.to_string()),
            };
            Availability { choice, reason }
        })
        .into()
}
