//! Pictures that FFmpeg decodes: GIF, BMP, TIFF, and AVIF where libheif does not.

use std::{ffi::CStr, path::Path};

use ffmpeg_next::{ffi, media};
use image::{DynamicImage, RgbImage, RgbaImage, metadata::Orientation};
use mouthpiece_domain::file_kind::FileKind;

use super::{
    PortraitLimits,
    decode::{DecodeFault, Decoded},
    profile::Colours,
};
use crate::{
    libav::{Track, TrackFault, open_still},
    video::colour::{ToRgb, has_alpha},
};

/// The container that FFmpeg is to read a file as.
fn demuxer(kind: FileKind) -> Option<&'static CStr> {
    match kind {
        FileKind::Gif => Some(c"gif"),
        FileKind::Bmp => Some(c"bmp_pipe"),
        FileKind::Tiff => Some(c"tiff_pipe"),
        FileKind::Avif => Some(c"mov"),
        _ => None,
    }
}

/// Decodes the first picture of the file at `path`, whose bytes are given too. Its size is judged by the header before.
pub(super) fn decode(
    path: &Path,
    kind: FileKind,
    bytes: &[u8],
    limits: &PortraitLimits,
) -> Result<Decoded, DecodeFault> {
    let demuxer = demuxer(kind).ok_or(DecodeFault::NoDecoder)?;
    if let Some((w, h)) = stated_size(kind, bytes).filter(|(w, h)| !limits.fit(*w, *h)) {
        return Err(DecodeFault::TooLarge(w, h));
    }
    let most = i64::try_from(limits.pixels).unwrap_or(i64::MAX);
    let input = open_still(path, demuxer, most).map_err(|_| DecodeFault::Damaged)?;
    // A picture in tiles comes as one stream a tile, and would be cut.
    if input.streams().filter(|s| s.parameters().medium() == media::Type::Video).count() > 1 {
        return Err(DecodeFault::NoDecoder);
    }
    let mut track = Track::open_bounded(input, media::Type::Video, most).map_err(|fault| match fault {
        TrackFault::NoDecoder(_) => DecodeFault::NoDecoder,
        _ => DecodeFault::Damaged,
    })?;
    if !track.next_frame().unwrap_or(false) {
        return Err(DecodeFault::Damaged);
    }
    let frame = track.frame();
    let (w, h) = (frame.width.max(0) as u32, frame.height.max(0) as u32);
    if !limits.fit(w, h) {
        return Err(DecodeFault::TooLarge(w, h));
    }
    let mut to_rgb = ToRgb::new();
    let pixels: DynamicImage = if has_alpha(frame) {
        let mut pixels = RgbaImage::default();
        to_rgb.convert(frame, (w, h), &mut pixels).map_err(|_| DecodeFault::Damaged)?;
        pixels.into()
    } else {
        let mut pixels = RgbImage::default();
        to_rgb.convert(frame, (w, h), &mut pixels).map_err(|_| DecodeFault::Damaged)?;
        pixels.into()
    };
    let colours = icc_of(frame).map(Colours::Icc);
    let orientation = match kind {
        // A TIFF is what EXIF data is written as.
        FileKind::Tiff => Orientation::from_exif_chunk(bytes),
        _ => None,
    };
    let animated = matches!(kind, FileKind::Gif | FileKind::Avif) && track.next_frame().unwrap_or(false);
    Ok(Decoded { pixels, colours, orientation: orientation.unwrap_or(Orientation::NoTransforms), animated })
}

fn icc_of(frame: &ffi::AVFrame) -> Option<Vec<u8>> {
    // SAFETY: side data lives as long as its frame; its length is the library's own.
    unsafe {
        let data = ffi::av_frame_get_side_data(frame, ffi::AVFrameSideDataType::AV_FRAME_DATA_ICC_PROFILE).as_ref()?;
        Some(std::slice::from_raw_parts(data.data, data.size).to_vec())
    }
}

/// Width and height by a file's header.
fn stated_size(kind: FileKind, bytes: &[u8]) -> Option<(u32, u32)> {
    let at = |place: usize| bytes.get(place..place + 4)?.try_into().ok();
    match kind {
        FileKind::Gif => {
            let [w0, w1, h0, h1] = at(6)?;
            Some((u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into()))
        }
        // A negative height says that the rows come from the top.
        FileKind::Bmp => Some((i32::from_le_bytes(at(18)?).unsigned_abs(), i32::from_le_bytes(at(22)?).unsigned_abs())),
        FileKind::Tiff => tiff_size(bytes),
        _ => None,
    }
}

/// Width and height by the first directory of a TIFF.
fn tiff_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let little = bytes.starts_with(b"II");
    let number = |place: usize, count: usize| -> Option<u32> {
        let digits = bytes.get(place..place.checked_add(count)?)?.iter();
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if little { digits.rev().fold(0, add) } else { digits.fold(0, add) })
    };
    let directory = number(4, 4)? as usize;
    let entries = number(directory, 2)? as usize;
    let value = |tag: u32| {
        let entry = (0..entries).map(|i| directory + 2 + 12 * i).find(|at| number(*at, 2) == Some(tag))?;
        // Kind 3 is a number of 16 bits, kind 4 one of 32.
        number(entry + 8, if number(entry + 2, 2)? == 3 { 2 } else { 4 })
    };
    Some((value(256)?, value(257)?))
}
