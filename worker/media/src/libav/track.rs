//! One stream of a file, decoded frame by frame, that survives a bounded number of damaged packets.

use std::{ffi::CStr, ptr};

use ffmpeg_next::{
    self as ff, Packet,
    codec::context::Context,
    ffi::{self, AVDurationEstimationMethod, AVFrame, AVStream},
    format::context::Input,
    media,
    packet::{Mut as _, Ref as _},
};

use super::check;

/// Damaged packets in a row after which a file is given up.
const MAX_DAMAGED_IN_A_ROW: u32 = 100;

/// Why a stream cannot be decoded (further).
#[derive(Debug)]
pub(crate) enum TrackFault {
    /// The file has no stream of this kind.
    NoStream,
    /// The stream's codec (its name) has no decoder in this FFmpeg.
    NoDecoder(String),
    /// The decoder refused the stream, or memory ran out.
    Refused(ff::Error),
    /// More than [`MAX_DAMAGED_IN_A_ROW`] packets in a row could not be decoded.
    TooDamaged,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum State {
    Reading,
    Draining,
    Done,
}

/// A stream being decoded. Packet and frame are reused from call to call.
pub(crate) struct Track {
    // The decoder is freed before the file that its parameters came from.
    decoder: Context,
    frame: ff::Frame,
    packet: Packet,
    input: Input,
    index: usize,
    state: State,
    damaged: u64,
    damaged_in_a_row: u32,
    broke_off: bool,
}

impl Track {
    /// Picks FFmpeg's best stream of `kind` and opens its decoder, on one thread.
    pub(crate) fn open(input: Input, kind: media::Type) -> Result<Self, TrackFault> {
        Self::open_bounded(input, kind, super::MAX_PIXELS)
    }

    /// The same, with pictures of at most so many pixels.
    pub(crate) fn open_bounded(mut input: Input, kind: media::Type, most_pixels: i64) -> Result<Self, TrackFault> {
        let index = match input.streams().best(kind) {
            Some(stream) => stream.index(),
            // Noise can look like the start of a container, or of a stream of which nothing more is found.
            None if input.nb_streams() == 0 || input.streams().any(|s| s.parameters().medium() == kind) => {
                return Err(TrackFault::Refused(ff::Error::InvalidData));
            }
            None => return Err(TrackFault::NoStream),
        };
        for (i, mut stream) in input.streams_mut().enumerate() {
            if i != index {
                // SAFETY: the stream belongs to `input`, which is borrowed mutably; the demuxer reads this field.
                unsafe { (*stream.as_mut_ptr()).discard = ffi::AVDiscard::AVDISCARD_ALL };
            }
        }
        let mut decoder = Context::new();
        // SAFETY: `stream` lives in `input`; the decoder's context is ours and not yet opened.
        let (code, frame) = unsafe {
            let stream = raw_stream(&input, index);
            let id = (*(*stream).codecpar).codec_id;
            let codec = decoder_of(stream);
            if codec.is_null() {
                let name = CStr::from_ptr(ffi::avcodec_get_name(id)).to_string_lossy().into_owned();
                return Err(TrackFault::NoDecoder(name));
            }
            let raw = decoder.as_mut_ptr();
            check(ffi::avcodec_parameters_to_context(raw, (*stream).codecpar)).map_err(TrackFault::Refused)?;
            // Needed to cut encoder delay off at the start and the end.
            (*raw).pkt_timebase = (*stream).time_base;
            (*raw).thread_count = 1;
            (*raw).max_pixels = most_pixels;
            (ffi::avcodec_open2(raw, codec, ptr::null_mut()), ff::Frame::empty())
        };
        check(code).map_err(TrackFault::Refused)?;
        // SAFETY: only the pointer is looked at.
        if unsafe { frame.as_ptr() }.is_null() {
            return Err(TrackFault::Refused(ff::Error::Other { errno: ff::error::ENOMEM }));
        }
        let packet = Packet::empty();
        Ok(Self {
            decoder,
            frame,
            packet,
            input,
            index,
            state: State::Reading,
            damaged: 0,
            damaged_in_a_row: 0,
            broke_off: false,
        })
    }

    /// Decodes the next frame into [`Track::frame`]; false at the end.
    pub(crate) fn next_frame(&mut self) -> Result<bool, TrackFault> {
        while self.state != State::Done {
            // SAFETY: decoder and frame are open and ours; FFmpeg clears the frame first.
            let code = unsafe { ffi::avcodec_receive_frame(self.decoder.as_mut_ptr(), self.frame.as_mut_ptr()) };
            match check(code) {
                Ok(_) => {
                    self.damaged_in_a_row = 0;
                    return Ok(true);
                }
                Err(ff::Error::Eof) => self.state = State::Done,
                Err(ff::Error::Other { errno: ff::error::EAGAIN }) if self.state == State::Draining => {
                    self.state = State::Done;
                }
                Err(ff::Error::Other { errno: ff::error::EAGAIN }) => self.feed()?,
                Err(_) => self.note_damage()?,
            }
        }
        Ok(false)
    }

    /// Reads one packet of the stream and sends it to the decoder, or tells the decoder that there are no more.
    fn feed(&mut self) -> Result<(), TrackFault> {
        // SAFETY: the packet is empty: it is unreferenced below after every use.
        match check(unsafe { ffi::av_read_frame(self.input.as_mut_ptr(), self.packet.as_mut_ptr()) }) {
            Ok(_) => {
                let mine = self.packet.stream() == self.index;
                // SAFETY: the decoder takes its own reference; ours is given back in any case.
                let code = unsafe {
                    let code = if mine {
                        ffi::avcodec_send_packet(self.decoder.as_mut_ptr(), self.packet.as_ptr())
                    } else {
                        0
                    };
                    ffi::av_packet_unref(self.packet.as_mut_ptr());
                    code
                };
                if code < 0 { self.note_damage() } else { Ok(()) }
            }
            Err(ff::Error::InvalidData | ff::Error::Other { errno: ff::error::EAGAIN }) => self.note_damage(),
            Err(e) => {
                self.broke_off = e != ff::Error::Eof;
                self.state = State::Draining;
                // SAFETY: a null packet starts draining; sending it twice is harmless.
                unsafe { ffi::avcodec_send_packet(self.decoder.as_mut_ptr(), ptr::null()) };
                Ok(())
            }
        }
    }

    fn note_damage(&mut self) -> Result<(), TrackFault> {
        self.damaged += 1;
        self.damaged_in_a_row += 1;
        if self.damaged_in_a_row > MAX_DAMAGED_IN_A_ROW { Err(TrackFault::TooDamaged) } else { Ok(()) }
    }

    /// The last frame that [`Track::next_frame`] decoded.
    pub(crate) fn frame(&self) -> &AVFrame {
        // SAFETY: the frame was allocated in `open` and lives as long as `self`.
        unsafe { &*self.frame.as_ptr() }
    }

    /// The stream that is decoded.
    pub(crate) fn stream(&self) -> &AVStream {
        // SAFETY: the stream lives in `input`, which `self` owns.
        unsafe { &*raw_stream(&self.input, self.index) }
    }

    /// The stream with the wrapper's conveniences.
    pub(crate) fn stream_view(&self) -> Option<ff::Stream<'_>> {
        self.input.stream(self.index)
    }

    /// True when the file says that the stream is transparent in parts, whether the decoder sees it or not.
    pub(crate) fn is_said_transparent(&self) -> bool {
        // SAFETY: the stream lives in `input`, which `self` owns.
        unsafe { has_alpha_layer(self.stream()) }
    }

    /// The codec's short name, such as "aac".
    pub(crate) fn codec_name(&self) -> String {
        // SAFETY: the names are static C strings.
        unsafe { CStr::from_ptr(ffi::avcodec_get_name((*self.stream().codecpar).codec_id)) }
            .to_string_lossy()
            .into_owned()
    }

    /// Seconds of the last frame after the earliest start of any stream of the file, when it has a time.
    pub(crate) fn frame_seconds(&self) -> Option<f64> {
        let time = self.frame().best_effort_timestamp;
        let base = self.stream().time_base;
        // SAFETY: the context lives in `input`, which `self` owns.
        let start = unsafe { (*self.input.as_ptr()).start_time };
        let start = if start == ffi::AV_NOPTS_VALUE { 0.0 } else { start as f64 / f64::from(ffi::AV_TIME_BASE) };
        (time != ffi::AV_NOPTS_VALUE).then(|| time as f64 * f64::from(base.num) / f64::from(base.den.max(1)) - start)
    }

    /// The length in seconds that the file states, unless it is only a guess from its size.
    pub(crate) fn stated_seconds(&self) -> Option<f64> {
        // SAFETY: as above.
        let (method, file) =
            unsafe { ((*self.input.as_ptr()).duration_estimation_method, (*self.input.as_ptr()).duration) };
        (method != AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE).then(|| self.any_seconds(file)).flatten()
    }

    /// The length in seconds that the file states or that its size suggests.
    pub(crate) fn estimated_seconds(&self) -> Option<f64> {
        // SAFETY: as above.
        self.any_seconds(unsafe { (*self.input.as_ptr()).duration })
    }

    fn any_seconds(&self, file: i64) -> Option<f64> {
        let stream = self.stream();
        let seconds = if stream.duration > 0 {
            stream.duration as f64 * f64::from(stream.time_base.num) / f64::from(stream.time_base.den.max(1))
        } else {
            file as f64 / f64::from(ffi::AV_TIME_BASE)
        };
        (seconds > 0.0).then_some(seconds)
    }

    /// Packets that could not be decoded and were skipped.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// True when reading ended with an error instead of at the file's end.
    pub(crate) fn broke_off(&self) -> bool {
        self.broke_off
    }
}

/// The decoder of a stream, null where there is none. FFmpeg's own of VP8 and VP9 do not see transparency, those of libvpx
/// do.
///
/// # Safety
/// `stream` must be a stream of an open file.
unsafe fn decoder_of(stream: *const AVStream) -> *const ffi::AVCodec {
    // SAFETY: the stream is the caller's, names and codecs are static.
    unsafe {
        let id = (*(*stream).codecpar).codec_id;
        let sees_alpha = match id {
            _ if !has_alpha_layer(stream) => ptr::null(),
            ffi::AVCodecID::AV_CODEC_ID_VP8 => ffi::avcodec_find_decoder_by_name(c"libvpx".as_ptr()),
            ffi::AVCodecID::AV_CODEC_ID_VP9 => ffi::avcodec_find_decoder_by_name(c"libvpx-vp9".as_ptr()),
            _ => ptr::null(),
        };
        if sees_alpha.is_null() { ffi::avcodec_find_decoder(id) } else { sees_alpha }
    }
}

/// True when a WebM says that the stream's transparency is coded beside it.
///
/// # Safety
/// `stream` must be a stream of an open file.
unsafe fn has_alpha_layer(stream: *const AVStream) -> bool {
    // SAFETY: the dictionary is the stream's own; its values are C strings.
    unsafe {
        let entry = ffi::av_dict_get((*stream).metadata, c"alpha_mode".as_ptr(), ptr::null(), 0);
        !entry.is_null() && CStr::from_ptr((*entry).value) == c"1"
    }
}

/// The stream `index` of `input`; the caller knows that it exists.
fn raw_stream(input: &Input, index: usize) -> *const AVStream {
    // SAFETY: `index` came from this file's own list of streams, which only grows.
    unsafe { *(*input.as_ptr()).streams.add(index) }
}
