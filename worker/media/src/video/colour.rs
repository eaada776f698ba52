//! Decoded frames to 8-bit RGB or RGBA at the size to be shown, in BT.709 whatever range of light they are tagged with.

use ffmpeg_next::{
    self as ff,
    ffi::{self, AVFrame, AVPixelFormat},
};
use image::{ImageBuffer, Pixel};

use super::{
    light::{Light, LightError, Toner},
    scale::Scaler,
};

/// Converts frames, and follows their format.
pub(crate) struct ToRgb {
    scaler: Scaler,
    toner: Toner,
}

/// A frame cannot be converted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ConvertFault {
    /// FFmpeg lacks a filter that this light needs.
    NoFilter(Light, &'static str),
    /// FFmpeg failed.
    Ff(ff::Error),
}

impl ToRgb {
    pub(crate) fn new() -> Self {
        Self { scaler: Scaler::new(), toner: Toner::new() }
    }

    /// Converts and scales `frame` into `out`, which gets the size `to`. `P` is RGB or RGBA; RGB drops the frame's alpha.
    ///
    /// A wide gamut that cannot be narrowed here is taken as it is: its colours come a little pale.
    pub(crate) fn convert<P: Pixel<Subpixel = u8>>(
        &mut self,
        frame: &AVFrame,
        to: (u32, u32),
        out: &mut ImageBuffer<P, Vec<u8>>,
    ) -> Result<(), ConvertFault> {
        let light = Light::of(frame).filter(|light| *light != Light::Wide || light.missing().is_none());
        let frame = match light {
            None => frame,
            Some(light) => self.toner.tone(frame, light, to).map_err(|e| match e {
                LightError::Missing(filter) => ConvertFault::NoFilter(light, filter),
                LightError::Ff(e) => ConvertFault::Ff(e),
            })?,
        };
        self.scaler.convert(frame, to, out).map_err(ConvertFault::Ff)
    }
}

/// The flags of a frame's pixel format; none for a format that is unknown.
pub(super) fn pixel_flags(frame: &AVFrame) -> u64 {
    // SAFETY: FFmpeg sets a video frame's format to a value of the enumeration; descriptors are static.
    unsafe {
        let format = std::mem::transmute::<i32, AVPixelFormat>(frame.format);
        ffi::av_pix_fmt_desc_get(format).as_ref().map_or(0, |d| d.flags)
    }
}

/// True when the frame's pixels may be transparent.
pub(crate) fn has_alpha(frame: &AVFrame) -> bool {
    pixel_flags(frame) & ffi::AV_PIX_FMT_FLAG_ALPHA as u64 != 0
}
