//! Choosing an encoder.

use super::choice::EncoderChoice;
use super::encoder::{EncodeError, VideoEncoder};
use super::libavcodec;
use super::settings::{EncoderQuality, EncoderSettings, FilePreset};

/// Whether an encoder can be used on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderAvailability {
    /// The encoder.
    pub choice: EncoderChoice,
    /// Why it cannot be used; `None` when it can.
    pub reason: Option<String>,
}

/// Opens the encoder that was chosen; [`EncoderChoice::Auto`] takes the first that truly opens.
///
/// # Errors
/// [`EncodeError::BadSetting`]; [`EncodeError::Missing`] when the chosen one is not here; [`EncodeError::None`] when
/// nothing opens.
pub fn open(choice: EncoderChoice, settings: &EncoderSettings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    settings.validate()?;
    match choice {
        EncoderChoice::Nvenc => Ok(Box::new(libavcodec::Encoder::nvenc(settings)?)),
        EncoderChoice::X264 => Ok(Box::new(libavcodec::Encoder::x264(settings)?)),
        EncoderChoice::OpenH264 => open_openh264(settings),
        EncoderChoice::Auto => {
            let mut reasons = Vec::new();
            for choice in [EncoderChoice::Nvenc, EncoderChoice::X264, EncoderChoice::OpenH264] {
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
fn open_openh264(settings: &EncoderSettings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    Ok(Box::new(super::openh264::Encoder::open(settings)?))
}

#[cfg(not(feature = "openh264"))]
fn open_openh264(_: &EncoderSettings) -> Result<Box<dyn VideoEncoder>, EncodeError> {
    Err(EncodeError::Missing {
        name: "openh264",
        reason: "this program was built without it".to_owned(),
        remedy: "build it with `cargo build --release`",
    })
}

/// Tries every encoder on a small frame size, in the order of [`EncoderChoice::Auto`].
pub fn available() -> Vec<EncoderAvailability> {
    let quality = EncoderQuality::File { preset: FilePreset::Fast };
    let settings = EncoderSettings { width: 256, height: 256, fps: (25, 1), quality, gop_frames: 25 };
    [EncoderChoice::Nvenc, EncoderChoice::X264, EncoderChoice::OpenH264]
        .map(|choice| {
            let reason = match open(choice, &settings) {
                Ok(_) => None,
                Err(EncodeError::Missing { reason, remedy, .. }) => Some(format!("{reason}; {remedy}")),
                Err(e) => Some(e.to_string()),
            };
            EncoderAvailability { choice, reason }
        })
        .into()
}
