//! Reading a portrait from a file that nobody has checked yet.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, metadata::Orientation};
use mouthpiece_domain::file_kind::{FileKind, FileUse, NotTaken};
use thiserror::Error;

use super::whole::is_complete;

/// What transparent parts of a portrait are laid on: white, as on a page.
pub const BEHIND_TRANSPARENCY: [u8; 3] = [255, 255, 255];

/// How large a portrait may be; checked before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file in bytes.
    pub file_bytes: u64,
    /// Longest side in pixels.
    pub side: u32,
    /// Most pixels.
    pub pixels: u64,
    /// Most memory that a decoder may take, in bytes.
    pub decoder_bytes: u64,
}

impl Default for Limits {
    /// 64 MiB, 8192 pixels a side, 40 megapixels, 512 MiB while decoding.
    fn default() -> Self {
        Self { file_bytes: 64 << 20, side: 8192, pixels: 40_000_000, decoder_bytes: 512 << 20 }
    }
}

/// A portrait that cannot be read.
#[derive(Debug, Error)]
pub enum PortraitError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A directory, pipe or device.
    #[error("{} is not a regular file: give a PNG, JPEG or WebP picture", path.display())]
    NotAFile {
        /// The refused path.
        path: PathBuf,
    },
    /// More bytes than [`Limits::file_bytes`].
    #[error("{} is larger than {} MiB: give a smaller picture", path.display(), most >> 20)]
    TooManyBytes {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        most: u64,
    },
    /// None of the readable formats.
    #[error("'{}' {not_taken}", path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// More pixels than [`Limits`] allow.
    #[error(
        "{} has {width}x{height} pixels, more than {most_side} a side or {} megapixels: give a smaller picture",
        path.display(), most_pixels / 1_000_000
    )]
    TooManyPixels {
        /// The file.
        path: PathBuf,
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
    #[error("{} is cut off: it ends before the picture does, copy or download it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The decoder gave up.
    #[error("{} is damaged or of an unsupported kind ({source}): save it again as a plain PNG or JPEG", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// The decoder's own words.
        source: ImageError,
    },
}

/// Reads the picture at `path`: PNG, JPEG or WebP (of an animation the first frame), told from its content.
///
/// The result is upright (EXIF orientation applied), 8 bits a channel; grey and palettes become RGB, 16 bits are
/// rounded, transparency is laid on [`BEHIND_TRANSPARENCY`]. Colour profiles are ignored: values are taken as sRGB.
///
/// # Errors
/// [`PortraitError`], which names the file and what to do. Sizes are judged from the header, before decoding.
pub fn load_portrait(path: &Path, limits: &Limits) -> Result<RgbImage, PortraitError> {
    let bytes = read(path, limits)?;
    let named = || path.to_path_buf();
    let kind = FileKind::of(&bytes);
    let Some(format) = decoder(kind) else {
        let not_taken = NotTaken { kind, given_as: FileUse::Picture };
        return Err(PortraitError::NotAPicture { path: named(), not_taken });
    };
    let complete = is_complete(format, &bytes);
    let undecodable = |source| match source {
        // A header that ends early has no size to judge.
        _ if !complete => PortraitError::Truncated { path: named() },
        source => PortraitError::Undecodable { path: named(), source },
    };
    let mut reader = ImageReader::with_format(Cursor::new(&bytes), format);
    let mut decoder_limits = image::Limits::default();
    decoder_limits.max_alloc = Some(limits.decoder_bytes);
    reader.limits(decoder_limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    let (most_side, most_pixels) = (limits.side, limits.pixels);
    if width.max(height) > most_side || u64::from(width) * u64::from(height) > most_pixels {
        return Err(PortraitError::TooManyPixels { path: named(), width, height, most_side, most_pixels });
    }
    if !complete {
        return Err(PortraitError::Truncated { path: named() });
    }
    // Broken metadata is no reason to refuse a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    drop(bytes);
    picture.apply_orientation(orientation);
    Ok(opaque(picture))
}

/// What decodes the pictures that are taken.
fn decoder(kind: FileKind) -> Option<ImageFormat> {
    match kind {
        FileKind::Png => Some(ImageFormat::Png),
        FileKind::Jpeg => Some(ImageFormat::Jpeg),
        FileKind::WebP => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// The file's bytes, never more than allowed even if the file grows meanwhile.
fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, PortraitError> {
    let unreadable = |source| PortraitError::Unreadable { path: path.to_path_buf(), source };
    // Asked of the path, not of the open file: opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PortraitError::NotAFile { path: path.to_path_buf() });
    }
    let too_many = || PortraitError::TooManyBytes { path: path.to_path_buf(), most: limits.file_bytes };
    if metadata.len() > limits.file_bytes {
        return Err(too_many());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits.file_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits.file_bytes { Err(too_many()) } else { Ok(bytes) }
}

fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.chunks_exact_mut(3).zip(rgba.as_raw().chunks_exact(4)) {
        let alpha = u32::from(from[3]);
        for (c, value) in to.iter_mut().enumerate() {
            let over = u32::from(from[c]) * alpha + u32::from(BEHIND_TRANSPARENCY[c]) * (255 - alpha);
            *value = ((over + 127) / 255) as u8;
        }
    }
    rgb
}

#[cfg(test)]
#[path = "portrait_tests.rs"]
mod tests;
