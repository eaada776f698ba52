//! FFmpeg's MP4 writer: one video stream, perhaps one audio stream.

use std::{ffi::CStr, ptr};

use ffmpeg_next::{
    self as ff, Dictionary, Packet as AvPacket,
    ffi::{
        self, AVCodecID, AVColorPrimaries, AVColorRange, AVColorSpace, AVColorTransferCharacteristic, AVMediaType,
        AVPixelFormat, AVRational,
    },
    format::context::Output,
    packet::Mut as _,
};

use super::{
    VideoParams,
    aac::{Aac, RATE},
};
use crate::libav::check;

const OUT_OF_MEMORY: ff::Error = ff::Error::Other { errno: ff::error::ENOMEM };

/// An MP4 file that FFmpeg writes; it writes the same bytes for the same input.
pub(super) struct Container {
    output: Output,
    packet: AvPacket,
    frame_base: AVRational,
}

/// Every file says what it is to whoever reads its metadata. It is no proof: that takes a signature.
const SYNTHETIC: &CStr = c"AI-generated: a portrait was made to speak";

impl Container {
    /// Creates the file and its streams; nothing is written yet.
    pub(super) fn create(url: &CStr, video: &VideoParams, aac: Option<&Aac>) -> Result<Self, ff::Error> {
        let mut context = ptr::null_mut();
        // SAFETY: on failure the context stays null or is freed by `Output`; the strings outlive the calls.
        let output = unsafe {
            check(ffi::avformat_alloc_output_context2(&mut context, ptr::null(), c"mp4".as_ptr(), url.as_ptr()))?;
            let output = Output::wrap(context);
            (*context).flags |= ffi::AVFMT_FLAG_BITEXACT;
            for (key, value) in [(c"encoding_tool", c"Mouthpiece"), (c"comment", SYNTHETIC)] {
                check(ffi::av_dict_set(&mut (*context).metadata, key.as_ptr(), value.as_ptr(), 0))?;
            }
            check(ffi::avio_open(&mut (*context).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE))?;
            output
        };
        let frame_base = AVRational { num: video.fps.1 as i32, den: video.fps.0 as i32 };
        let mut this = Self { output, packet: AvPacket::empty(), frame_base };
        this.add_video(video)?;
        if let Some(aac) = aac {
            this.add_audio(aac)?;
        }
        Ok(this)
    }

    fn add_video(&mut self, video: &VideoParams) -> Result<(), ff::Error> {
        // SAFETY: the stream is checked for null and belongs to the output; its fields are set before the header.
        unsafe {
            let stream = ffi::avformat_new_stream(self.output.as_mut_ptr(), ptr::null());
            if stream.is_null() {
                return Err(OUT_OF_MEMORY);
            }
            (*stream).time_base = self.frame_base;
            (*stream).avg_frame_rate = AVRational { num: video.fps.0 as i32, den: video.fps.1 as i32 };
            let par = (*stream).codecpar;
            (*par).codec_type = AVMediaType::AVMEDIA_TYPE_VIDEO;
            (*par).codec_id = AVCodecID::AV_CODEC_ID_H264;
            (*par).width = video.width as i32;
            (*par).height = video.height as i32;
            (*par).format = AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
            // As the encoders write into the stream itself.
            (*par).color_space = AVColorSpace::AVCOL_SPC_SMPTE170M;
            (*par).color_range = AVColorRange::AVCOL_RANGE_MPEG;
            (*par).color_primaries = AVColorPrimaries::AVCOL_PRI_BT709;
            (*par).color_trc = AVColorTransferCharacteristic::AVCOL_TRC_BT709;
        }
        Ok(())
    }

    fn add_audio(&mut self, aac: &Aac) -> Result<(), ff::Error> {
        // SAFETY: as above; the parameters are copied from the opened encoder.
        unsafe {
            let stream = ffi::avformat_new_stream(self.output.as_mut_ptr(), ptr::null());
            if stream.is_null() {
                return Err(OUT_OF_MEMORY);
            }
            (*stream).time_base = AVRational { num: 1, den: RATE };
            check(ffi::avcodec_parameters_from_context((*stream).codecpar, aac.context().as_ptr())).map(|_| ())
        }
    }

    /// Writes the header with the video's parameter sets (Annex B).
    pub(super) fn write_header(&mut self, sets: &[u8]) -> Result<(), ff::Error> {
        let mut options = Dictionary::new();
        options.set("movflags", "+faststart");
        let size = sets.len();
        // SAFETY: the copy has FFmpeg's padding, zeroed, and is freed with the stream; the dictionary is taken back.
        unsafe {
            let raw = self.output.as_mut_ptr();
            let par = (**(*raw).streams).codecpar;
            let copy = ffi::av_mallocz(size + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
            if copy.is_null() {
                return Err(OUT_OF_MEMORY);
            }
            ptr::copy_nonoverlapping(sets.as_ptr(), copy, size);
            (*par).extradata = copy;
            (*par).extradata_size = size as i32;
            let mut left = options.disown();
            let code = ffi::avformat_write_header(raw, &mut left);
            drop(Dictionary::own(left));
            check(code).map(|_| ())
        }
    }

    /// Writes one frame's units (Annex B), timed in frames.
    pub(super) fn write_video(&mut self, units: &mut [u8], pts: i64, key: bool) -> Result<(), ff::Error> {
        // SAFETY: the packet is empty before and after: the muxer copies bytes that have no owner and clears it.
        unsafe {
            let base = self.base_of(0);
            let raw = self.packet.as_mut_ptr();
            (*raw).data = units.as_mut_ptr();
            (*raw).size = units.len() as i32;
            (*raw).stream_index = 0;
            (*raw).flags = if key { ffi::AV_PKT_FLAG_KEY } else { 0 };
            (*raw).pts = pts;
            (*raw).dts = pts;
            (*raw).duration = 1;
            (*raw).pos = -1;
            ffi::av_packet_rescale_ts(raw, self.frame_base, base);
            check(ffi::av_interleaved_write_frame(self.output.as_mut_ptr(), raw)).map(|_| ())
        }
    }

    /// Writes one packet of the AAC encoder, timed in samples.
    pub(super) fn write_audio(&mut self, packet: &mut AvPacket) -> Result<(), ff::Error> {
        packet.set_stream(1);
        // SAFETY: stream 1 was added with the encoder's parameters; the muxer takes the packet over and clears it.
        unsafe {
            ffi::av_packet_rescale_ts(packet.as_mut_ptr(), AVRational { num: 1, den: RATE }, self.base_of(1));
            check(ffi::av_interleaved_write_frame(self.output.as_mut_ptr(), packet.as_mut_ptr())).map(|_| ())
        }
    }

    /// Writes the index, moves it to the front and closes the file; reports the first write that failed.
    pub(super) fn close(mut self) -> Result<(), ff::Error> {
        // SAFETY: the header was written; the file is closed here once, and `Output` finds no open file afterwards.
        unsafe {
            let raw = self.output.as_mut_ptr();
            let written = check(ffi::av_write_trailer(raw));
            if (*raw).pb.is_null() {
                return written.map(|_| ());
            }
            ffi::avio_flush((*raw).pb);
            let kept = (*(*raw).pb).error;
            let closed = ffi::avio_closep(&mut (*raw).pb);
            written.and(check(kept)).and(check(closed)).map(|_| ())
        }
    }

    /// The time base that the muxer chose for a stream that was added.
    fn base_of(&self, index: usize) -> AVRational {
        // SAFETY: the caller names a stream that `create` added.
        unsafe { (**(*self.output.as_ptr()).streams.add(index)).time_base }
    }
}
