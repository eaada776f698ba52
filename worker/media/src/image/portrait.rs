//! Reading a portrait from a file that nobody has checked yet.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use image::{ImageError, RgbImage};
use mouthpiece_domain::file_kind::{FileKind, NotTaken};
use thiserror::Error;

use super::{
    Background, FitError,
    background::Backdrop,
    decode::{Decoded, decode},
    profile,
};
use crate::FileName;

/// How large a portrait may be; checked before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortraitLimits {
    /// Largest file in bytes.
    pub file_bytes: u64,
    /// Longest side in pixels.
    pub side: u32,
    /// Most pixels.
    pub pixels: u64,
    /// Most memory that a decoder may take, in bytes.
    pub decoder_bytes: u64,
}

impl Default for PortraitLimits {
    /// 64 MiB, 8192 pixels a side, 40 megapixels, 512 MiB while decoding.
    fn default() -> Self {
        Self { file_bytes: 64 << 20, side: 8192, pixels: 40_000_000, decoder_bytes: 512 << 20 }
    }
}

impl PortraitLimits {
    /// True for a picture of no more pixels.
    pub(super) fn fit(&self, width: u32, height: u32) -> bool {
        width.max(height) <= self.side && u64::from(width) * u64::from(height) <= self.pixels
    }

    /// Refuses one of more.
    pub(super) fn too_many(&self, path: &Path, width: u32, height: u32) -> PortraitError {
        let (most_side, most_pixels) = (self.side, self.pixels);
        PortraitError::TooManyPixels { file: path.into(), width, height, most_side, most_pixels }
    }
}

/// A portrait that cannot be read.
#[derive(Debug, Error)]
pub enum PortraitError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {source}", file.bare())]
    Unreadable {
        /// The file that was read.
        file: FileName,
        /// The system's own words.
        source: io::Error,
    },
    /// A directory, pipe or device.
    #[error("{} is not a regular file: give a picture", file.bare())]
    NotAFile {
        /// The refused path.
        file: FileName,
    },
    /// More bytes than [`PortraitLimits::file_bytes`].
    #[error("{} is larger than {} MiB: give a smaller picture", file.bare(), most >> 20)]
    TooManyBytes {
        /// The file that was read.
        file: FileName,
        /// The limit in bytes.
        most: u64,
    },
    /// None of the readable formats.
    #[error("{file} {not_taken}")]
    NotAPicture {
        /// The file that was read.
        file: FileName,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// More pixels than [`PortraitLimits`] allow.
    #[error(
        "{} has {width}x{height} pixels, more than {most_side} a side or {} megapixels: give a smaller picture",
        file.bare(), most_pixels / 1_000_000
    )]
    TooManyPixels {
        /// The file that was read.
        file: FileName,
        /// Width in pixels, as the header says.
        width: u32,
        /// Height in pixels, as the header says.
        height: u32,
        /// The limit a side.
        most_side: u32,
        /// The limit in all.
        most_pixels: u64,
    },
    /// The file ends too early.
    #[error("{} is cut off: it ends before the picture does, copy or download it again", file.bare())]
    Truncated {
        /// The file that was read.
        file: FileName,
    },
    /// Nothing on this machine decodes it.
    #[error(
        "{file} {} that cannot be decoded here{}: {}",
        kind.is(),
        if matches!(kind, FileKind::Heic | FileKind::Avif) { " (libheif is missing, or its codec)" } else { "" },
        kind.remedy()
    )]
    NoDecoder {
        /// The file that was read.
        file: FileName,
        /// What it is.
        kind: FileKind,
    },
    /// The decoder gave up, without words for people.
    #[error("{file} {}, and is damaged, cut off or of an unusual make: {}", kind.is(), kind.remedy())]
    Damaged {
        /// The file that was read.
        file: FileName,
        /// What it is.
        kind: FileKind,
    },
    /// A picture with the light of HDR.
    #[error("{} is an HDR picture (PQ or HLG): save it for ordinary screens (SDR, sRGB)", file.bare())]
    Hdr {
        /// The file that was read.
        file: FileName,
    },
    /// The background cannot be brought to the picture's size.
    #[error("the background cannot be laid behind the portrait: {0}")]
    Background(#[from] FitError),
    /// The decoder gave up.
    #[error("{} is damaged or of an unsupported kind ({source}): save it again as a plain PNG or JPEG", file.bare())]
    Undecodable {
        /// The file that was read.
        file: FileName,
        /// The decoder's own words.
        source: ImageError,
    },
}

impl PortraitError {
    /// The same error about the file `name`: for readers who know the file by its role.
    #[must_use]
    pub fn named(mut self, name: FileName) -> Self {
        match &mut self {
            Self::Unreadable { file, .. }
            | Self::NotAFile { file }
            | Self::TooManyBytes { file, .. }
            | Self::NotAPicture { file, .. }
            | Self::TooManyPixels { file, .. }
            | Self::Truncated { file }
            | Self::NoDecoder { file, .. }
            | Self::Damaged { file, .. }
            | Self::Hdr { file }
            | Self::Undecodable { file, .. } => *file = name,
            Self::Background(_) => {}
        }
        self
    }
}

/// A portrait as it was read.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// Its pixels: upright, opaque, sRGB.
    pub picture: RgbImage,
    /// True when it is transparent in some part: the background shows.
    pub showed_background: bool,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
}

/// The pixels of the portrait at `path`, on white where it is transparent: see [`read_portrait`].
///
/// # Errors
/// Those of [`read_portrait`].
pub fn load_portrait(path: &Path, limits: &PortraitLimits) -> Result<RgbImage, PortraitError> {
    Ok(read_portrait(path, limits, &Background::default())?.picture)
}

/// Reads the picture at `path`, of a kind that is told from its content; of an animation the first one.
///
/// HEIC and AVIF are decoded by libheif where it is, AVIF else by FFmpeg, as are GIF, BMP and TIFF.
///
/// The result is upright (EXIF orientation applied), 8 bits a channel; grey and palettes become RGB, 16 bits are
/// rounded, transparency is laid on `background`. What the file says of its colours (an ICC profile; in a PNG also cICP,
/// gAMA and cHRM) is followed to sRGB; where that is damaged the values are taken as sRGB, with a warning.
///
/// # Errors
/// [`PortraitError`], which names the file and what to do. Sizes are judged from the header, before decoding.
pub fn read_portrait(path: &Path, limits: &PortraitLimits, background: &Background) -> Result<Portrait, PortraitError> {
    let bytes = read(path, limits)?;
    let Decoded { mut pixels, colours, orientation, animated } = decode(path, &bytes, limits)?;
    drop(bytes);
    let mut warnings = Vec::new();
    if animated {
        warnings
            .push("the picture is animated: only its first one is used, save it as a video for all of it".to_owned());
    }
    if let Some(colours) = colours {
        if colours.is_hdr() {
            return Err(PortraitError::Hdr { file: path.into() });
        }
        if let Err(e) = profile::to_srgb(&mut pixels, &colours) {
            warnings.push(format!("the picture's colours are taken as sRGB: {e}"));
        }
    }
    pixels.apply_orientation(orientation);
    if !pixels.color().has_alpha() {
        return Ok(Portrait { picture: pixels.into_rgb8(), showed_background: false, warnings });
    }
    let (mut backdrop, mut picture) = (Backdrop::new(background.clone()), RgbImage::default());
    backdrop.lay(&pixels.into_rgba8(), &mut picture)?;
    Ok(Portrait { picture, showed_background: backdrop.showed(), warnings })
}

/// The file's bytes, never more than allowed even if the file grows meanwhile.
fn read(path: &Path, limits: &PortraitLimits) -> Result<Vec<u8>, PortraitError> {
    let unreadable = |source| PortraitError::Unreadable { file: path.into(), source };
    // Asked of the path, not of the open file: opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PortraitError::NotAFile { file: path.into() });
    }
    let too_many = || PortraitError::TooManyBytes { file: path.into(), most: limits.file_bytes };
    if metadata.len() > limits.file_bytes {
        return Err(too_many());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits.file_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits.file_bytes { Err(too_many()) } else { Ok(bytes) }
}

#[cfg(test)]
#[path = "portrait_tests.rs"]
mod tests;
