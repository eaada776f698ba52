//! Frames of any pixel format to 8-bit RGB or RGBA of the size to be shown.

use std::ptr;

use ffmpeg_next::{
    self as ff,
    ffi::{self, AVColorRange, AVColorSpace, AVFrame, AVPixelFormat, SwsContext},
};
use image::{ImageBuffer, Pixel};

use super::orient::resize;

/// A swscale context that follows the frames' format.
pub(super) struct Scaler {
    context: *mut SwsContext,
    source: Source,
}

/// What decides how frames are converted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Source {
    width: i32,
    height: i32,
    format: i32,
    matrix: i32,
    full_range: bool,
    to: (u32, u32),
    alpha: bool,
}

// SAFETY: the context is owned by this value alone.
unsafe impl Send for Scaler {}

impl Scaler {
    pub(super) fn new() -> Self {
        Self { context: ptr::null_mut(), source: Source::default() }
    }

    /// Converts and scales `frame` into `out`, which gets the size `to`. `P` is RGB or RGBA.
    pub(super) fn convert<P: Pixel<Subpixel = u8>>(
        &mut self,
        frame: &AVFrame,
        to: (u32, u32),
        out: &mut ImageBuffer<P, Vec<u8>>,
    ) -> Result<(), ff::Error> {
        resize(out, to.0, to.1);
        let source = Source {
            width: frame.width,
            height: frame.height,
            format: frame.format,
            matrix: matrix_of(frame),
            full_range: frame.color_range == AVColorRange::AVCOL_RANGE_JPEG,
            to,
            alpha: P::CHANNEL_COUNT == 4,
        };
        if source != self.source || self.context.is_null() {
            self.open(&source)?;
        }
        let stride = to.0 as i32 * i32::from(P::CHANNEL_COUNT);
        // SAFETY: the frame's planes are FFmpeg's own; `out` holds `to.1` rows of `stride` bytes.
        unsafe {
            let (planes, strides) =
                ([out.as_mut_ptr(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut()], [stride, 0, 0, 0]);
            let rows = ffi::sws_scale(
                self.context,
                frame.data.as_ptr().cast(),
                frame.linesize.as_ptr(),
                0,
                frame.height,
                planes.as_ptr(),
                strides.as_ptr(),
            );
            if rows == to.1 as i32 { Ok(()) } else { Err(ff::Error::InvalidData) }
        }
    }

    fn open(&mut self, source: &Source) -> Result<(), ff::Error> {
        let flags = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INT | ffi::SWS_FULL_CHR_H_INP;
        // SAFETY: the old context is freed once; FFmpeg sets a video frame's format to a value of the enumeration; the
        // coefficient tables are static.
        unsafe {
            ffi::sws_freeContext(self.context);
            self.context = ffi::sws_getContext(
                source.width,
                source.height,
                std::mem::transmute::<i32, AVPixelFormat>(source.format),
                source.to.0 as i32,
                source.to.1 as i32,
                if source.alpha { AVPixelFormat::AV_PIX_FMT_RGBA } else { AVPixelFormat::AV_PIX_FMT_RGB24 },
                flags,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.context.is_null() {
                return Err(ff::Error::InvalidData);
            }
            let (from, to) = (ffi::sws_getCoefficients(source.matrix), ffi::sws_getCoefficients(ffi::SWS_CS_DEFAULT));
            // Formats without a matrix (RGB) are refused here; they need none.
            ffi::sws_setColorspaceDetails(self.context, from, i32::from(source.full_range), to, 1, 0, 1 << 16, 1 << 16);
        }
        self.source = *source;
        Ok(())
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context is ours and used no more; null is allowed.
        unsafe { ffi::sws_freeContext(self.context) };
    }
}

/// swscale's number of the frame's colour matrix; without a tag, BT.709 from 720 lines up as players assume.
fn matrix_of(frame: &AVFrame) -> i32 {
    match frame.colorspace {
        AVColorSpace::AVCOL_SPC_BT709 => ffi::SWS_CS_ITU709,
        AVColorSpace::AVCOL_SPC_FCC => ffi::SWS_CS_FCC,
        AVColorSpace::AVCOL_SPC_SMPTE240M => ffi::SWS_CS_SMPTE240M,
        AVColorSpace::AVCOL_SPC_BT2020_NCL | AVColorSpace::AVCOL_SPC_BT2020_CL => ffi::SWS_CS_BT2020,
        AVColorSpace::AVCOL_SPC_UNSPECIFIED if frame.width.min(frame.height) >= 720 => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    }
}
