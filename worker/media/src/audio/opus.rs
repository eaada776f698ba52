//! Opus, the sound of WebRTC: 48 kHz mono in packets of 20 ms out, any legal packet in.

use opusic_c::{Application, Bitrate, Channels, Decoder, Encoder, ErrorCode, InbandFec, SampleRate, Signal};
use std::fmt;
use thiserror::Error;

/// Samples a second on both sides.
pub const OPUS_RATE: u32 = 48_000;

/// Samples of one encoded packet: 20 ms.
pub const OPUS_FRAME: usize = 960;

/// The longest that a packet may last, in samples: 120 ms.
pub const OPUS_LONGEST: usize = 5_760;

/// Concealment comes in steps of 2.5 ms.
const STEP: usize = 120;

/// Room for one packet of one frame: the format allows 1,275 bytes and a byte that says what it is.
const ROOM: usize = 1_276;

/// Share of lost packets, in percent, that the encoder arms itself against.
const EXPECTED_LOSS: u8 = 10;

/// How hard the encoder searches, 0..=10: at 5 speech sounds as at 10 and costs half of it.
const COMPLEXITY: u8 = 5;

/// Why sound cannot be encoded or decoded.
#[derive(Debug, Error)]
pub enum OpusError {
    /// The encoder or the decoder could not be made.
    #[error("an Opus {what} cannot be opened: {reason}")]
    Open {
        /// "encoder" or "decoder".
        what: &'static str,
        /// What the library said.
        reason: String,
    },
    /// A rate that makes no sense for mono sound.
    #[error("an Opus bit rate of {got} is refused: give from 6000 to 256000 bits a second")]
    BadBitrate {
        /// The refused rate, bits a second.
        got: u32,
    },
    /// Not 20 ms of sound.
    #[error("{got} samples were given to the Opus encoder: a packet takes exactly 960 (20 ms at 48000 a second)")]
    BadLength {
        /// Samples given.
        got: usize,
    },
    /// The encoder failed.
    #[error("the Opus encoder failed: {reason}")]
    Encode {
        /// What the library said.
        reason: String,
    },
    /// Bytes that are no Opus packet.
    #[error("{bytes} bytes are no Opus packet that can be decoded: {reason}")]
    Packet {
        /// Length of the packet.
        bytes: usize,
        /// What the library said.
        reason: String,
    },
}

/// Encodes one voice. Allocates nothing after its construction.
///
/// It is opened for speech over a network (the library's "VoIP" kind): only its speech modes carry a copy of the packet
/// before, from which a lost one is made again, and at the rates of a voice they sound at least as good as the others.
pub struct OpusEncoder {
    encoder: Encoder,
    packet: Vec<u8>,
    delay: usize,
}

impl OpusEncoder {
    /// An encoder for about `bitrate_bps` bits a second: 6,000 to 256,000; 24,000 to 64,000 is what a voice needs.
    ///
    /// # Errors
    /// [`OpusError::BadBitrate`]; [`OpusError::Open`] when there is no memory.
    pub fn new(bitrate_bps: u32) -> Result<Self, OpusError> {
        if !(6_000..=256_000).contains(&bitrate_bps) {
            return Err(OpusError::BadBitrate { got: bitrate_bps });
        }
        let refused = |e: ErrorCode| OpusError::Open { what: "encoder", reason: e.message().to_owned() };
        let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip).map_err(refused)?;
        encoder.set_bitrate(Bitrate::Value(bitrate_bps)).map_err(refused)?;
        encoder.set_complexity(COMPLEXITY).map_err(refused)?;
        encoder.set_signal(Signal::Voice).map_err(refused)?;
        encoder.set_inband_fec(InbandFec::Mode1).map_err(refused)?;
        encoder.set_packet_loss(EXPECTED_LOSS).map_err(refused)?;
        encoder.set_dtx(false).map_err(refused)?;
        let delay = encoder.get_look_ahead().map_err(refused)? as usize;
        Ok(Self { encoder, packet: vec![0; ROOM], delay })
    }

    /// Samples by which decoded sound is later than what was encoded: what is given at 0 comes out of a decoder here.
    pub fn delay_samples(&self) -> usize {
        self.delay
    }

    /// Encodes exactly 960 samples (20 ms, 48 kHz mono, -1..=1). The packet is valid until the next call.
    ///
    /// # Errors
    /// [`OpusError::BadLength`]; [`OpusError::Encode`].
    pub fn encode(&mut self, pcm: &[f32]) -> Result<&[u8], OpusError> {
        if pcm.len() != OPUS_FRAME {
            return Err(OpusError::BadLength { got: pcm.len() });
        }
        let length = self
            .encoder
            .encode_float_to_slice(pcm, &mut self.packet)
            .map_err(|e| OpusError::Encode { reason: e.message().to_owned() })?;
        Ok(&self.packet[..length])
    }
}

/// Decodes one voice, whatever it was encoded as. Allocates nothing after its construction beyond what it appends to.
pub struct OpusDecoder {
    decoder: Decoder,
    sound: Vec<f32>,
}

impl OpusDecoder {
    /// A decoder at the start of a voice.
    ///
    /// # Errors
    /// [`OpusError::Open`] when there is no memory.
    pub fn new() -> Result<Self, OpusError> {
        let decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000)
            .map_err(|e| OpusError::Open { what: "decoder", reason: e.message().to_owned() })?;
        Ok(Self { decoder, sound: vec![0.0; OPUS_LONGEST] })
    }

    /// Appends what `packet` holds at 48 kHz mono, -1..=1, and says how many samples: 2.5 to 120 ms. Stereo is mixed
    /// down.
    ///
    /// # Errors
    /// [`OpusError::Packet`] for bytes that are no Opus packet; the decoder goes on with the next.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<f32>) -> Result<usize, OpusError> {
        if packet.is_empty() {
            // To the library an empty packet is a lost one, which would be made up.
            return Err(OpusError::Packet { bytes: 0, reason: "it is empty".to_owned() });
        }
        let count = self.run(packet, OPUS_LONGEST, false)?;
        self.append(count, out);
        Ok(count)
    }

    /// Appends what was lost before the packet `next`, made from the copy that it carries, or, where there is none, made
    /// up from what was heard before. `samples`: how much was lost; at most 120 ms are made up, after which a listener
    /// would hear a buzz instead of a gap. Says how many samples were appended.
    ///
    /// # Errors
    /// [`OpusError::Packet`] when the library fails, which it does not for lack of a good packet.
    pub fn conceal(&mut self, next: Option<&[u8]>, samples: usize, out: &mut Vec<f32>) -> Result<usize, OpusError> {
        let wanted = samples.min(OPUS_LONGEST);
        if wanted == 0 {
            return Ok(0);
        }
        let whole = wanted.next_multiple_of(STEP);
        let copied = next.filter(|p| !p.is_empty()).and_then(|packet| self.run(packet, whole, true).ok());
        let count = match copied {
            Some(count) => count,
            None => self.run(&[], whole, false)?,
        };
        let count = count.min(wanted);
        self.append(count, out);
        Ok(count)
    }

    fn run(&mut self, packet: &[u8], most: usize, lost: bool) -> Result<usize, OpusError> {
        self.decoder
            .decode_float_to_slice(packet, &mut self.sound[..most], lost)
            .map(|count| count.min(most))
            .map_err(|e| OpusError::Packet { bytes: packet.len(), reason: e.message().to_owned() })
    }

    fn append(&self, count: usize, out: &mut Vec<f32>) {
        // A hostile packet may decode to anything.
        out.extend(self.sound[..count].iter().map(|s| if s.is_finite() { s.clamp(-1.0, 1.0) } else { 0.0 }));
    }
}

impl fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpusEncoder").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpusDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpusDecoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "opus_tests.rs"]
mod tests;
