//! A picture file's bytes to pixels, by whatever decodes its kind.

use std::{io::Cursor, path::Path};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, metadata::Orientation};
use mouthpiece_domain::file_kind::{FileKind, FileUse, NotTaken};

use super::{
    PortraitError, PortraitLimits, heif, png_colours,
    profile::Colours,
    still,
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

/// Why libheif or FFmpeg does not decode a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecodeFault {
    /// It is not there, or lacks the codec.
    NoDecoder,
    /// More pixels than allowed: width and height.
    TooLarge(u32, u32),
    /// It is damaged, or of a kind within its kind that is not read.
    Damaged,
}

impl DecodeFault {
    fn told(self, path: &Path, kind: FileKind, limits: &PortraitLimits) -> PortraitError {
        let file = path.into();
        match self {
            Self::NoDecoder => PortraitError::NoDecoder { file, kind },
            Self::TooLarge(width, height) => limits.too_many(path, width, height),
            Self::Damaged => PortraitError::Damaged { file, kind },
        }
    }
}

/// Decodes the file at `path`, whose bytes were read already.
///
/// # Errors
/// [`PortraitError`]; sizes are judged from the header, before decoding.
pub(super) fn decode(path: &Path, bytes: &[u8], limits: &PortraitLimits) -> Result<Decoded, PortraitError> {
    let kind = FileKind::of(bytes);
    if kind.taken_as(FileUse::Picture).is_err() {
        let not_taken = NotTaken { kind, given_as: FileUse::Picture };
        return Err(PortraitError::NotAPicture { file: path.into(), not_taken });
    }
    let decoded = match kind {
        FileKind::Png => return by_image(path, bytes, ImageFormat::Png, limits),
        FileKind::Jpeg => return by_image(path, bytes, ImageFormat::Jpeg, limits),
        FileKind::WebP => return by_image(path, bytes, ImageFormat::WebP, limits),
        FileKind::Heic | FileKind::Avif => match heif::decode(bytes, kind, limits) {
            // FFmpeg brings the light of HDR to a screen's, libheif does not.
            Ok(hdr) if hdr.colours.as_ref().is_some_and(Colours::is_hdr) => {
                still::decode(path, kind, bytes, limits).or(Ok(hdr))
            }
            Err(DecodeFault::NoDecoder) => still::decode(path, kind, bytes, limits),
            decoded => decoded,
        },
        _ => still::decode(path, kind, bytes, limits),
    };
    decoded.map_err(|fault| fault.told(path, kind, limits))
}

fn by_image(path: &Path, bytes: &[u8], format: ImageFormat, limits: &PortraitLimits) -> Result<Decoded, PortraitError> {
    let complete = is_complete(format, bytes);
    let undecodable = |source| match source {
        // A header that ends early has no size to judge.
        _ if !complete => PortraitError::Truncated { file: path.into() },
        source => PortraitError::Undecodable { file: path.into(), source },
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder_limits = image::Limits::default();
    decoder_limits.max_alloc = Some(limits.decoder_bytes);
    reader.limits(decoder_limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if !limits.fit(width, height) {
        return Err(limits.too_many(path, width, height));
    }
    if !complete {
        return Err(PortraitError::Truncated { file: path.into() });
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
