//! Which part of a portrait is shown, and how the face moves beside its mouth, as the command line takes them.

use crate::frame;
use clap::{Args, ValueEnum};
use mouthpiece_domain::frame::{Crop, FrameSize, Framing};
use mouthpiece_engine::life::Demeanour;

/// Which part of a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CropName {
    /// All of it
    None,
    /// Head and shoulders
    Bust,
    /// The head
    Head,
}

/// Which part of a portrait is shown, and how large.
#[derive(Debug, Args)]
pub struct FramingArgs {
    /// Longer side of the video in pixels, 64 to 2048; a smaller portrait is not enlarged, unless its face has fewer than 64
    /// pixels. If not given it is chosen from the face: 512, or up to 1080 until the eyes are 120 pixels apart
    #[arg(long, value_parser = frame::size())]
    size: Option<FrameSize>,
    /// Which part of a picture is shown
    #[arg(long, value_enum, default_value_t = CropName::None)]
    crop: CropName,
}

impl FramingArgs {
    /// The size that is asked for, or the usual one.
    pub fn size(&self) -> FrameSize {
        self.size.unwrap_or(FrameSize::USUAL)
    }

    /// The part, and how far the size may grow where none is asked for.
    pub fn framing(&self) -> Framing {
        let crop = match self.crop {
            CropName::None => Crop::None,
            CropName::Bust => Crop::Bust,
            CropName::Head => Crop::Head,
        };
        Framing { crop, size_up_to: if self.size.is_some() { None } else { Some(Framing::LARGEST_FILE) } }
    }
}

/// The air that the face has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExpressionName {
    /// As in the picture
    Neutral,
    /// A slight smile and lively brows
    Friendly,
    /// Brows and corners of the mouth a little down, a calm head
    Serious,
}

impl From<ExpressionName> for Demeanour {
    fn from(name: ExpressionName) -> Self {
        match name {
            ExpressionName::Neutral => Self::Neutral,
            ExpressionName::Friendly => Self::Friendly,
            ExpressionName::Serious => Self::Serious,
        }
    }
}
