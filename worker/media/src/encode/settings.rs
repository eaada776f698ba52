//! What an encoder is opened with.

use super::encoder::EncodeError;

/// What an encoder is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Frame width in pixels: even, 16 to 4096.
    pub width: u32,
    /// Frame height in pixels: even, 16 to 4096.
    pub height: u32,
    /// Frames a second as numerator and denominator; 1 to 240 a second.
    pub fps: (u32, u32),
    /// What to aim for.
    pub quality: EncoderQuality,
    /// Most frames from one key frame to the next: 1 to 10,000.
    pub gop_frames: u32,
}

/// What an encoder aims for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderQuality {
    /// Constant quality, for a file.
    File {
        /// Speed against size.
        preset: FilePreset,
    },
    /// A steady rate at the lowest delay, for a live session: constrained baseline profile.
    Realtime {
        /// Target in bits a second: 50,000 to 100,000,000.
        bitrate_bps: u32,
    },
}

/// Speed against size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilePreset {
    /// Fastest; files about twice as large.
    #[default]
    Fast,
    /// About half the speed, smaller files.
    Balanced,
}

impl EncoderSettings {
    /// Refuses what no encoder takes.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`] names the setting and its range.
    pub(super) fn validate(&self) -> Result<(), EncodeError> {
        let side = |what, got: u32| {
            let fits = (16..=4096).contains(&got) && got.is_multiple_of(2);
            require(fits, what, got, "an even number from 16 to 4096")
        };
        side("frame width", self.width)?;
        side("frame height", self.height)?;
        let (num, den) = self.fps;
        let rate_fits = den > 0 && num >= den && u64::from(num) <= 240 * u64::from(den) && num <= 1_000_000;
        require(rate_fits, "frame rate", format_args!("{num}/{den}"), "from 1 to 240 frames a second")?;
        require((1..=10_000).contains(&self.gop_frames), "key frame distance", self.gop_frames, "1 to 10000 frames")?;
        self.bitrate().map_or(Ok(()), check_rate)
    }

    /// The rate that is aimed for, bits a second; none for a constant quality.
    pub(super) fn bitrate(&self) -> Option<u32> {
        if let EncoderQuality::Realtime { bitrate_bps } = self.quality { Some(bitrate_bps) } else { None }
    }

    /// These settings with another rate.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`] for a rate out of range, or when they aim for a quality.
    pub(super) fn with_bitrate(self, bitrate_bps: u32) -> Result<Self, EncodeError> {
        check_rate(bitrate_bps)?;
        require(self.bitrate().is_some(), "bit rate", bitrate_bps, "left alone in a file of constant quality")?;
        Ok(Self { quality: EncoderQuality::Realtime { bitrate_bps }, ..self })
    }
}

fn check_rate(bits: u32) -> Result<(), EncodeError> {
    let fits = (50_000..=100_000_000).contains(&bits);
    require(fits, "bit rate", bits, "from 50000 to 100000000 bits a second")
}

fn require(
    fits: bool,
    what: &'static str,
    got: impl std::fmt::Display,
    range: &'static str,
) -> Result<(), EncodeError> {
    if fits { Ok(()) } else { Err(EncodeError::BadSetting { what, got: got.to_string(), range }) }
}
