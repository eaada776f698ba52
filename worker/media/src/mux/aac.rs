//! FFmpeg's own AAC encoder, fed with any number of samples at a time.

use std::ptr;

use ffmpeg_next::{
    self as ff, Packet,
    codec::context::Context,
    ffi::{self, AVCodecID, AVRational, AVSampleFormat},
    packet::Mut as _,
};

use crate::libav::{check, init};

/// Samples a second and channel.
pub(super) const RATE: i32 = crate::audio::PLAYBACK_RATE as i32;

/// Samples a frame of AAC-LC.
const FRAME: usize = 1024;

/// Takes finished packets, timed in samples.
pub(super) type Sink<'a> = dyn FnMut(&mut Packet) -> Result<(), ff::Error> + 'a;

/// An AAC-LC encoder at 48 kHz: 128 kbit/s mono, 192 kbit/s stereo.
pub(super) struct Aac {
    context: Context,
    frame: ff::Frame,
    packet: Packet,
    channels: usize,
    filled: usize,
    taken: i64,
}

impl Aac {
    pub(super) fn open(channels: usize) -> Result<Self, ff::Error> {
        init();
        // SAFETY: lookups and allocations are checked for null; fields are set before the encoder is opened and the
        // frame's before its buffer is allocated.
        unsafe {
            let codec = ffi::avcodec_find_encoder(AVCodecID::AV_CODEC_ID_AAC);
            if codec.is_null() {
                return Err(ff::Error::EncoderNotFound);
            }
            let (raw, mut frame) = (ffi::avcodec_alloc_context3(codec), ff::Frame::empty());
            if raw.is_null() || frame.as_ptr().is_null() {
                return Err(ff::Error::Other { errno: ff::error::ENOMEM });
            }
            let context = Context::wrap(raw, None);
            (*raw).sample_fmt = AVSampleFormat::AV_SAMPLE_FMT_FLTP;
            (*raw).sample_rate = RATE;
            (*raw).time_base = AVRational { num: 1, den: RATE };
            (*raw).bit_rate = if channels == 1 { 128_000 } else { 192_000 };
            (*raw).thread_count = 1;
            // MP4 keeps the decoder's configuration in its header; and no version may get into the stream.
            (*raw).flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_BITEXACT) as i32;
            ffi::av_channel_layout_default(&mut (*raw).ch_layout, channels as i32);
            check(ffi::av_opt_set((*raw).priv_data, c"aac_coder".as_ptr(), c"fast".as_ptr(), 0))?;
            check(ffi::avcodec_open2(raw, codec, ptr::null_mut()))?;
            let samples = frame.as_mut_ptr();
            (*samples).format = AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32;
            (*samples).sample_rate = RATE;
            (*samples).nb_samples = FRAME as i32;
            ffi::av_channel_layout_default(&mut (*samples).ch_layout, channels as i32);
            check(ffi::av_frame_get_buffer(samples, 0))?;
            Ok(Self { context, frame, packet: Packet::empty(), channels, filled: 0, taken: 0 })
        }
    }

    /// The opened encoder, from which the container takes the stream's parameters.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Samples a channel that were taken.
    pub(super) fn taken(&self) -> i64 {
        self.taken + self.filled as i64
    }

    /// Encodes interleaved samples (whole sample frames) and hands out finished packets, timed in samples.
    pub(super) fn push(&mut self, mut samples: &[f32], sink: &mut Sink<'_>) -> Result<(), ff::Error> {
        while !samples.is_empty() {
            let room = (FRAME - self.filled) * self.channels;
            let (now, later) = samples.split_at(samples.len().min(room));
            // SAFETY: the frame is ours; this gives it a buffer of its own should the encoder still hold the last.
            check(unsafe { ffi::av_frame_make_writable(self.frame.as_mut_ptr()) })?;
            for channel in 0..self.channels {
                // SAFETY: each plane holds FRAME samples, and `filled` plus what fits into `room` is at most that.
                unsafe {
                    let plane = (*self.frame.as_ptr()).data[channel].cast::<f32>().add(self.filled);
                    for (i, sample) in now.iter().skip(channel).step_by(self.channels).enumerate() {
                        // The encoder refuses what is no number: it would end the file for one bad sample.
                        *plane.add(i) = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
                    }
                }
            }
            self.filled += now.len() / self.channels;
            if self.filled == FRAME {
                self.send(sink)?;
            }
            samples = later;
        }
        Ok(())
    }

    /// Encodes the last, shorter frame and what the encoder holds back.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), ff::Error> {
        if self.filled > 0 {
            self.send(sink)?;
        }
        // SAFETY: a null frame ends the stream.
        check(unsafe { ffi::avcodec_send_frame(self.context.as_mut_ptr(), ptr::null()) })?;
        self.drain(sink)
    }

    fn send(&mut self, sink: &mut Sink<'_>) -> Result<(), ff::Error> {
        // SAFETY: the frame holds at least `filled` samples a plane.
        let code = unsafe {
            let raw = self.frame.as_mut_ptr();
            (*raw).nb_samples = self.filled as i32;
            (*raw).pts = self.taken;
            ffi::avcodec_send_frame(self.context.as_mut_ptr(), raw)
        };
        check(code)?;
        self.taken += self.filled as i64;
        self.filled = 0;
        self.drain(sink)
    }

    fn drain(&mut self, sink: &mut Sink<'_>) -> Result<(), ff::Error> {
        loop {
            // SAFETY: the encoder is open; libavcodec gives the packet's last bytes back first.
            let code = unsafe { ffi::avcodec_receive_packet(self.context.as_mut_ptr(), self.packet.as_mut_ptr()) };
            match check(code) {
                Ok(_) => sink(&mut self.packet)?,
                Err(ff::Error::Eof | ff::Error::Other { errno: ff::error::EAGAIN }) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }
}
