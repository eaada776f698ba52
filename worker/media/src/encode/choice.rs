//! Which encoder to use, as people write it.

use std::{fmt, str::FromStr};

/// Which encoder to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EncoderChoice {
    /// The first that opens of NVENC, x264, OpenH264.
    #[default]
    Auto,
    /// NVIDIA's hardware encoder, through FFmpeg.
    Nvenc,
    /// x264 through the system's FFmpeg (a GPL build of it).
    X264,
    /// Cisco's OpenH264 (BSD-2-Clause), compiled in.
    OpenH264,
}

impl EncoderChoice {
    /// Every choice, in the order that [`EncoderChoice::Auto`] tries them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Nvenc, Self::X264, Self::OpenH264];
}

impl fmt::Display for EncoderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Nvenc => "nvenc",
            Self::X264 => "x264",
            Self::OpenH264 => "openh264",
        })
    }
}

impl FromStr for EncoderChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|c| text.eq_ignore_ascii_case(&c.to_string()))
            .ok_or_else(|| format!("'{text}' is not an encoder: choose auto, nvenc, x264 or openh264"))
    }
}
