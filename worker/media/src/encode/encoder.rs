//! What an encoder is, and how it fails.

use crate::image::I420;
use thiserror::Error;

/// Why an encoder cannot be opened or stopped working.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// A setting is out of its range.
    #[error("the encoder's {what} is {got}: it must be {range}")]
    BadSetting {
        /// The setting.
        what: &'static str,
        /// The refused value.
        got: String,
        /// What is accepted.
        range: &'static str,
    },
    /// The encoder that was asked for is not on this machine.
    #[error("the encoder {name} cannot be used here: {reason}; {remedy}, or choose another encoder")]
    Missing {
        /// The encoder.
        name: &'static str,
        /// What FFmpeg or the encoder said.
        reason: String,
        /// What to install.
        remedy: &'static str,
    },
    /// No encoder at all could be opened.
    #[error("no H.264 encoder can be opened: {0}")]
    None(String),
    /// A frame of another size than the encoder was opened for.
    #[error("a frame of {got_width}x{got_height} pixels was given to an encoder for {width}x{height}")]
    WrongSize {
        /// Width that was given.
        got_width: usize,
        /// Height that was given.
        got_height: usize,
        /// Width that was expected.
        width: u32,
        /// Height that was expected.
        height: u32,
    },
    /// The encoder failed on a frame.
    #[error("the encoder {name} failed at frame {pts}: {reason}")]
    Failed {
        /// The encoder.
        name: &'static str,
        /// The frame's number.
        pts: i64,
        /// What it said.
        reason: String,
    },
    /// A frame was given after [`VideoEncoder::finish`].
    #[error("the encoder {name} was given a frame after its stream was finished")]
    Finished {
        /// The encoder.
        name: &'static str,
    },
}

/// One encoded frame, valid during the call that hands it out.
#[derive(Debug, Clone, Copy)]
pub struct EncodedPacket<'a> {
    /// H.264 in Annex B form; SPS and PPS come in band before each key frame.
    pub data: &'a [u8],
    /// Presentation time in frames; equal to the decoding time, since there are no B-frames.
    pub pts: i64,
    /// True when decoding can start here (an IDR frame).
    pub key: bool,
}

/// Takes the packets that an encoder hands out.
pub type PacketSink<'a> = dyn FnMut(EncodedPacket<'_>) + 'a;

/// An H.264 encoder for frames of one size.
pub trait VideoEncoder: Send {
    /// The encoder's name, such as "libx264".
    fn name(&self) -> &str;

    /// Encodes one frame and hands out its packet before returning. Nothing is allocated here; libavcodec allocates
    /// the packet's bytes.
    ///
    /// `pts` counts frames and must grow. `force_key` makes this frame a key frame.
    ///
    /// # Errors
    /// [`EncodeError::WrongSize`], [`EncodeError::Failed`], [`EncodeError::Finished`].
    fn encode(&mut self, frame: &I420, pts: i64, force_key: bool, sink: &mut PacketSink<'_>)
    -> Result<(), EncodeError>;

    /// Changes the rate that is aimed for, bits a second: 50,000 to 100,000,000, for [`Quality::Realtime`](super::Quality::Realtime) only. Takes
    /// effect at the next frame, without a key frame.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`]; [`EncodeError::Failed`] when the encoder refuses, after which it keeps its rate.
    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), EncodeError>;

    /// Ends the stream and hands out what is left. A second call does nothing.
    ///
    /// # Errors
    /// [`EncodeError::Failed`].
    fn finish(&mut self, sink: &mut PacketSink<'_>) -> Result<(), EncodeError>;
}

/// Refuses a frame of another size, or one whose planes were cut.
pub(super) fn check_size(frame: &I420, width: u32, height: u32) -> Result<(), EncodeError> {
    let (w, h) = (frame.width(), frame.height());
    let whole = frame.y.len() == w * h && frame.u.len() == w * h / 4 && frame.v.len() == w * h / 4;
    if (w, h) == (width as usize, height as usize) && whole {
        Ok(())
    } else {
        Err(EncodeError::WrongSize { got_width: w, got_height: h, width, height })
    }
}
