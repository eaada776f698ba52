//! One output rate: a swresample context whose first output sample is the first input sample's time.

use std::ptr::{self, NonNull};

use ffmpeg_next::{
    self as ff,
    ffi::{self, AVChannelLayout, AVChannelOrder, AVSampleFormat, SwrContext},
};

use super::samples::Samples;
use super::shape::Shape;
use crate::libav::check;

/// Converts to 32-bit float of one rate, packed, clamped to -1..=1.
pub(super) struct Resampler {
    context: NonNull<SwrContext>,
    input_rate: i64,
    output_rate: i64,
    channels: usize,
    fed: i64,
    produced: i64,
}

// SAFETY: the context is owned by this value alone and swresample keeps no thread-local state.
unsafe impl Send for Resampler {}

impl Resampler {
    /// To `channels` (1 or 2) at `rate`; more channels than that are mixed down without clipping.
    pub(super) fn open(shape: &Shape, channels: i32, rate: u32) -> Result<Self, ff::Error> {
        let (mut input, mut context) = (shape.layout(), ptr::null_mut());
        // SAFETY: the layouts hold no pointers and outlive the calls; the context is freed by `Drop` from `wrap` on.
        unsafe {
            let mut output: AVChannelLayout = std::mem::zeroed();
            ffi::av_channel_layout_default(&mut output, channels);
            check(ffi::swr_alloc_set_opts2(
                &mut context,
                &mut output,
                AVSampleFormat::AV_SAMPLE_FMT_FLT,
                rate as i32,
                &mut input,
                shape.format,
                shape.rate,
                0,
                ptr::null_mut(),
            ))?;
            let context = NonNull::new(context).ok_or(ff::Error::Other { errno: ff::error::ENOMEM })?;
            let this = Self {
                context,
                input_rate: i64::from(shape.rate),
                output_rate: i64::from(rate),
                channels: channels as usize,
                fed: 0,
                produced: 0,
            };
            let raw = context.as_ptr();
            // Mixing down sums channels: scale so that full-scale channels stay within full scale.
            check(ffi::av_opt_set_double(raw.cast(), c"rematrix_maxval".as_ptr(), 1.0, 0))?;
            if input.order == AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
                let matrix = plain_mix(shape.channels as usize, channels as usize);
                check(ffi::swr_set_matrix(raw, matrix.as_ptr(), shape.channels))?;
            }
            check(ffi::swr_init(raw))?;
            Ok(this)
        }
    }

    /// Converts samples `at..at + count` of a frame and appends what comes out.
    pub(super) fn push(
        &mut self,
        samples: &Samples<'_>,
        at: usize,
        count: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), ff::Error> {
        self.fed += count as i64;
        let mut planes = samples.planes_from(at, count);
        self.convert(planes.as_mut_ptr(), count as i32, out)
    }

    /// Appends what is still inside, so that the output is exactly as long as the input.
    pub(super) fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), ff::Error> {
        self.convert(ptr::null_mut(), 0, out)?;
        let due = (self.fed * self.output_rate + self.input_rate / 2) / self.input_rate;
        let missing = (due - self.produced) * self.channels as i64;
        let len = out.len() as i64 + missing;
        out.resize(len.max(0) as usize, 0.0);
        self.produced = due;
        Ok(())
    }

    fn convert(&mut self, input: *mut *const u8, count: i32, out: &mut Vec<f32>) -> Result<(), ff::Error> {
        let raw = self.context.as_ptr();
        let start = out.len();
        // SAFETY: `out` has room for as many samples as swresample says that it may write; `input` points to one
        // pointer a plane with `count` samples each (or is null, which flushes).
        let written = unsafe {
            let room = check(ffi::swr_get_out_samples(raw, count))?;
            out.resize(start + room as usize * self.channels, 0.0);
            let mut to = out[start..].as_mut_ptr().cast::<u8>();
            check(ffi::swr_convert(raw, &mut to, room, input, count))
        };
        let written = written.inspect_err(|_| out.truncate(start))?;
        out.truncate(start + written as usize * self.channels);
        for sample in &mut out[start..] {
            *sample = sample.clamp(-1.0, 1.0);
        }
        self.produced += i64::from(written);
        Ok(())
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        let mut raw = self.context.as_ptr();
        // SAFETY: the context is ours and used no more.
        unsafe { ffi::swr_free(&mut raw) };
    }
}

/// A mix for channels of unknown place: all alike to mono; even ones left and odd ones right to stereo.
fn plain_mix(input: usize, output: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; input * output];
    for (to, row) in matrix.chunks_exact_mut(input).enumerate() {
        let mine = |from: usize| output == 1 || from % 2 == to;
        let share = (0..input).filter(|&from| mine(from)).count().max(1) as f64;
        for (from, weight) in row.iter_mut().enumerate() {
            if mine(from) {
                *weight = 1.0 / share;
            }
        }
    }
    matrix
}
