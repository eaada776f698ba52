//! x264 and NVENC through FFmpeg's libavcodec.

use std::{ffi::CString, ptr};

use ffmpeg_next::{
    self as ff, Dictionary, Packet as AvPacket,
    codec::context::Context,
    ffi::{
        self, AVColorPrimaries, AVColorRange, AVColorSpace, AVColorTransferCharacteristic, AVPixelFormat, AVRational,
    },
    packet::Mut as _,
};

use super::encoder::{EncodeError, EncodedPacket, PacketSink, VideoEncoder, check_size};
use super::settings::{EncoderQuality, EncoderSettings, FilePreset};
use crate::{
    image::I420,
    libav::{check, init, sentence},
};

/// An encoder of libavcodec. The frame that it reads from and the packet that it writes to are reused.
pub(super) struct Encoder {
    name: &'static str,
    context: Context,
    frame: ff::Frame,
    packet: AvPacket,
    settings: EncoderSettings,
    last_pts: i64,
    finished: bool,
}

impl Encoder {
    /// x264: ultrafast or veryfast, tuned for no delay at all.
    pub(super) fn x264(settings: &EncoderSettings) -> Result<Self, EncodeError> {
        let mut options = Dictionary::new();
        options.set("tune", "zerolatency");
        options.set("forced-idr", "1");
        match settings.quality {
            EncoderQuality::File { preset: FilePreset::Fast } => {
                options.set("preset", "ultrafast");
                options.set("crf", "18");
            }
            EncoderQuality::File { preset: FilePreset::Balanced } => {
                options.set("preset", "veryfast");
                options.set("crf", "20");
            }
            EncoderQuality::Realtime { bitrate_bps } => {
                options.set("preset", "ultrafast");
                options.set("profile", "baseline");
                // No better than a file: a still face would else be polished with all of the rate, at a third more time.
                options.set("qmin", "18");
                set_rate(&mut options, bitrate_bps);
            }
        }
        Self::open("libx264", settings, options, "install an FFmpeg that is built with libx264 (Debian's is)")
    }

    /// NVIDIA's hardware encoder.
    pub(super) fn nvenc(settings: &EncoderSettings) -> Result<Self, EncodeError> {
        let mut options = Dictionary::new();
        options.set("delay", "0");
        options.set("zerolatency", "1");
        options.set("rc-lookahead", "0");
        options.set("forced-idr", "1");
        match settings.quality {
            EncoderQuality::File { preset } => {
                options.set("preset", if preset == FilePreset::Fast { "p1" } else { "p4" });
                options.set("rc", "vbr");
                options.set("cq", "19");
                options.set("b", "0");
            }
            EncoderQuality::Realtime { bitrate_bps } => {
                options.set("preset", "p2");
                options.set("tune", "ull");
                options.set("rc", "cbr");
                options.set("profile", "baseline");
                set_rate(&mut options, bitrate_bps);
            }
        }
        Self::open(
            "h264_nvenc",
            settings,
            options,
            "it needs an NVIDIA GPU with NVENC, its driver's libnvidia-encode, and an FFmpeg built with nvenc",
        )
    }

    fn open(
        name: &'static str,
        settings: &EncoderSettings,
        options: Dictionary<'_>,
        remedy: &'static str,
    ) -> Result<Self, EncodeError> {
        init();
        let missing = |reason: String| EncodeError::Missing { name, reason, remedy };
        let refused = |e: ff::Error| missing(sentence(e));
        let c_name = CString::new(name).unwrap_or_default();
        // SAFETY: a lookup by a C string in FFmpeg's static tables.
        let codec = unsafe { ffi::avcodec_find_encoder_by_name(c_name.as_ptr()) };
        if codec.is_null() {
            return Err(missing("this FFmpeg was built without it".to_owned()));
        }
        // SAFETY: the context and the frame are ours and are checked for null before use; the dictionary is taken back
        // whatever is left of it; plain fields are set before the encoder is opened, as libavcodec asks.
        unsafe {
            let raw = ffi::avcodec_alloc_context3(codec);
            let frame = ff::Frame::empty();
            if raw.is_null() || frame.as_ptr().is_null() {
                return Err(missing("out of memory".to_owned()));
            }
            let context = Context::wrap(raw, None);
            (*raw).width = settings.width as i32;
            (*raw).height = settings.height as i32;
            (*raw).pix_fmt = AVPixelFormat::AV_PIX_FMT_YUV420P;
            (*raw).time_base = AVRational { num: settings.fps.1 as i32, den: settings.fps.0 as i32 };
            (*raw).framerate = AVRational { num: settings.fps.0 as i32, den: settings.fps.1 as i32 };
            (*raw).gop_size = settings.gop_frames as i32;
            (*raw).max_b_frames = 0;
            (*raw).thread_count = 1;
            (*raw).flags |= ffi::AV_CODEC_FLAG_BITEXACT as i32;
            // Our frames are BT.601 in matrix and range; their colours are those of sRGB pictures.
            (*raw).colorspace = AVColorSpace::AVCOL_SPC_SMPTE170M;
            (*raw).color_range = AVColorRange::AVCOL_RANGE_MPEG;
            (*raw).color_primaries = AVColorPrimaries::AVCOL_PRI_BT709;
            (*raw).color_trc = AVColorTransferCharacteristic::AVCOL_TRC_BT709;
            let mut left = options.disown();
            let code = ffi::avcodec_open2(raw, codec, &mut left);
            drop(Dictionary::own(left));
            check(code).map_err(refused)?;
            let mut encoder = Self {
                name,
                context,
                frame,
                packet: AvPacket::empty(),
                settings: *settings,
                last_pts: 0,
                finished: false,
            };
            let picture = encoder.frame.as_mut_ptr();
            (*picture).format = AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
            (*picture).width = settings.width as i32;
            (*picture).height = settings.height as i32;
            (*picture).colorspace = AVColorSpace::AVCOL_SPC_SMPTE170M;
            (*picture).color_range = AVColorRange::AVCOL_RANGE_MPEG;
            check(ffi::av_frame_get_buffer(picture, 0)).map_err(refused)?;
            Ok(encoder)
        }
    }

    /// Copies the planes into the reused frame, whose rows may be padded.
    fn fill(&mut self, source: &I420, pts: i64, force_key: bool) -> Result<(), ff::Error> {
        // SAFETY: the frame holds three planes of this size (checked by the caller); `make_writable` gives it a buffer
        // of its own should the encoder still read the last one.
        unsafe {
            let picture = self.frame.as_mut_ptr();
            check(ffi::av_frame_make_writable(picture))?;
            let (w, h) = (source.width(), source.height());
            for (plane, (from, w, h)) in
                [(&source.y, w, h), (&source.u, w / 2, h / 2), (&source.v, w / 2, h / 2)].into_iter().enumerate()
            {
                let (to, stride) = ((*picture).data[plane], (*picture).linesize[plane] as usize);
                if stride == w {
                    ptr::copy_nonoverlapping(from[..w * h].as_ptr(), to, w * h);
                } else {
                    for (y, row) in from.chunks_exact(w).take(h).enumerate() {
                        ptr::copy_nonoverlapping(row.as_ptr(), to.add(y * stride), w);
                    }
                }
            }
            (*picture).pts = pts;
            (*picture).pict_type = if force_key {
                ffi::AVPictureType::AV_PICTURE_TYPE_I
            } else {
                ffi::AVPictureType::AV_PICTURE_TYPE_NONE
            };
        }
        Ok(())
    }

    /// Hands out every packet that is ready.
    fn drain(&mut self, sink: &mut PacketSink<'_>) -> Result<(), ff::Error> {
        loop {
            // SAFETY: the encoder is open; libavcodec gives the packet's last bytes back first.
            let code = unsafe { ffi::avcodec_receive_packet(self.context.as_mut_ptr(), self.packet.as_mut_ptr()) };
            match check(code) {
                Ok(_) => {}
                Err(ff::Error::Eof | ff::Error::Other { errno: ff::error::EAGAIN }) => return Ok(()),
                Err(e) => return Err(e),
            }
            let (key, pts) = (self.packet.is_key(), self.packet.pts().unwrap_or(self.last_pts));
            if let Some(data) = self.packet.data() {
                sink(EncodedPacket { data, pts, key });
            }
        }
    }

    fn failed(&self, e: ff::Error) -> EncodeError {
        EncodeError::Failed { name: self.name, pts: self.last_pts, reason: sentence(e) }
    }
}

impl VideoEncoder for Encoder {
    fn name(&self) -> &str {
        self.name
    }

    fn encode(
        &mut self,
        frame: &I420,
        pts: i64,
        force_key: bool,
        sink: &mut PacketSink<'_>,
    ) -> Result<(), EncodeError> {
        if self.finished {
            return Err(EncodeError::Finished { name: self.name });
        }
        check_size(frame, self.settings.width, self.settings.height)?;
        self.last_pts = pts;
        self.fill(frame, pts, force_key).map_err(|e| self.failed(e))?;
        // SAFETY: encoder and frame are open and ours; the encoder takes its own reference or copy.
        let sent = unsafe { ffi::avcodec_send_frame(self.context.as_mut_ptr(), self.frame.as_ptr()) };
        check(sent).and_then(|_| self.drain(sink)).map_err(|e| self.failed(e))
    }

    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), EncodeError> {
        self.settings = self.settings.with_bitrate(bits_per_second)?;
        // SAFETY: the context is open and ours; both encoders compare these fields with what they run at before each
        // frame, and are reconfigured where they differ.
        unsafe {
            let raw = self.context.as_mut_ptr();
            (*raw).bit_rate = i64::from(bits_per_second);
            (*raw).rc_max_rate = i64::from(bits_per_second);
            (*raw).rc_buffer_size = buffer(bits_per_second) as i32;
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut PacketSink<'_>) -> Result<(), EncodeError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        // SAFETY: a null frame ends the stream.
        let sent = unsafe { ffi::avcodec_send_frame(self.context.as_mut_ptr(), ptr::null()) };
        check(sent).and_then(|_| self.drain(sink)).map_err(|e| self.failed(e))
    }
}

/// A steady rate with half a second of buffer.
fn set_rate(options: &mut Dictionary<'_>, bits: u32) {
    options.set("b", &bits.to_string());
    options.set("maxrate", &bits.to_string());
    options.set("bufsize", &buffer(bits).to_string());
}

/// Half a second, in bits: what a frame may borrow from the next ones.
fn buffer(bits: u32) -> u32 {
    bits / 2
}
