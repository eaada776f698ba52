//! A picture file's bytes to pixels, by whatever decodes its kind.

use std::{io::Cursor, path::Path};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, metadata::Orientation};
use mouthpiece_domain::file_kind::{FileKind, FileUse, NotTaken};

use super::{
    Limits, PortraitError,
    heif::{self, HeifFault},
    png_colours,
    profile::Colours,
    still::{self, StillFault},
    whole::{is_animated, is_complete},
};

/// A picture as it lies in its file.
pub(super) struct Decoded {
    pub pixels: DynamicImage,
    pub colours: Option<Colours>,
    pub orientation: Orientation,
    /// More pictures follow in the file.
    pub animated: bool,
}

/// Decodes the file at `path`, whose bytes were read already.
///
/// # Errors
/// [`PortraitError`]; sizes are judged from the header, before decoding.
pub(super) fn decode(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Decoded, PortraitError> {
    let named = || path.to_path_buf();
    let kind = FileKind::of(bytes);
    if kind.taken_as(FileUse::Picture).is_err() {
        let not_taken = NotTaken { kind, given_as: FileUse::Picture };
        return Err(PortraitError::NotAPicture { path: named(), not_taken });
    }
    match kind {
        FileKind::Png => by_image(path, bytes, ImageFormat::Png, limits),
        FileKind::Jpeg => by_image(path, bytes, ImageFormat::Jpeg, limits),
        FileKind::WebP => by_image(path, bytes, ImageFormat::WebP, limits),
        FileKind::Heic | FileKind::Avif => {
            let fits = |w, h| limits.too_many(path, w, h).is_ok();
            match heif::decode(bytes, limits.side, fits) {
                Ok(picture) => Ok(Decoded {
                    pixels: picture.pixels,
                    colours: picture.colours,
                    // It was followed already.
                    orientation: Orientation::NoTransforms,
                    animated: is_animated(kind, bytes),
                }),
                Err(HeifFault::NoDecoder) => by_ffmpeg(path, bytes, kind, limits),
                Err(HeifFault::TooLarge(w, h)) => {
                    Err(limits.too_many(path, w, h).err().unwrap_or_else(|| damaged(path, kind)))
                }
                Err(HeifFault::Damaged) => Err(damaged(path, kind)),
            }
        }
        _ => by_ffmpeg(path, bytes, kind, limits),
    }
}

fn damaged(path: &Path, kind: FileKind) -> PortraitError {
    PortraitError::Damaged { path: path.to_path_buf(), kind }
}

fn by_ffmpeg(path: &Path, bytes: &[u8], kind: FileKind, limits: &Limits) -> Result<Decoded, PortraitError> {
    let fits = |w, h| limits.too_many(path, w, h).is_ok();
    match still::decode(path, kind, bytes, limits.pixels, fits) {
        Ok(picture) => Ok(Decoded {
            pixels: picture.pixels,
            colours: picture.colours,
            orientation: picture.orientation,
            animated: picture.animated,
        }),
        Err(StillFault::NoDecoder) => Err(PortraitError::NoDecoder { path: path.to_path_buf(), kind }),
        Err(StillFault::TooLarge(w, h)) => {
            Err(limits.too_many(path, w, h).err().unwrap_or_else(|| damaged(path, kind)))
        }
        Err(StillFault::Damaged) => Err(damaged(path, kind)),
    }
}

fn by_image(path: &Path, bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<Decoded, PortraitError> {
    let named = || path.to_path_buf();
    let complete = is_complete(format, bytes);
    let undecodable = |source| match source {
        // A header that ends early has no size to judge.
        _ if !complete => PortraitError::Truncated { path: named() },
        source => PortraitError::Undecodable { path: named(), source },
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder_limits = image::Limits::default();
    decoder_limits.max_alloc = Some(limits.decoder_bytes);
    reader.limits(decoder_limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    limits.too_many(path, width, height)?;
    if !complete {
        return Err(PortraitError::Truncated { path: named() });
    }
    // Broken metadata is no reason to refuse a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let icc = decoder.icc_profile().unwrap_or_default();
    let colours = match format {
        ImageFormat::Png => png_colours::colours(bytes, icc),
        _ => icc.map(Colours::Icc),
    };
    let pixels = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    let animated = is_animated(FileKind::of(bytes), bytes);
    Ok(Decoded { pixels, colours, orientation, animated })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
