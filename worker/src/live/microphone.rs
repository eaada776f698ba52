//! A viewer's microphone: Opus packets become sound, losses are concealed.

use super::voice::RATE;
use mouthpiece_media::audio::{OpusDecoder, OpusError};

/// A gap up to this is concealed by the decoder; a longer one is a pause: 120 ms.
const CONCEALED: u64 = RATE * 120 / 1000;

/// Decodes one viewer's microphone.
pub struct Microphone {
    decoder: OpusDecoder,
    viewer: u128,
    /// The RTP time at which the next packet continues what was decoded.
    next: Option<u64>,
    sound: Vec<f32>,
}

impl Microphone {
    /// Of this viewer.
    ///
    /// # Errors
    /// The decoder cannot be made.
    pub fn new(viewer: u128) -> Result<Self, OpusError> {
        Ok(Self { decoder: OpusDecoder::new()?, viewer, next: None, sound: Vec::new() })
    }

    /// Whose it is.
    pub fn viewer(&self) -> u128 {
        self.viewer
    }

    /// Decodes a packet whose first sample has the RTP time `time` (48 kHz); the sound at 48 kHz, what was lost before it
    /// included. A packet that cannot be decoded, or comes after its turn, is nothing.
    pub fn decode(&mut self, packet: &[u8], time: u64) -> &[f32] {
        self.sound.clear();
        if let Some(next) = self.next {
            if time < next && next - time < RATE {
                return &self.sound;
            }
            let gap = time.saturating_sub(next);
            if gap > 0 && gap <= CONCEALED {
                // Should even that fail, the sound goes on a little too early.
                let _ = self.decoder.conceal(Some(packet), gap as usize, &mut self.sound);
            }
        }
        match self.decoder.decode(packet, &mut self.sound) {
            Ok(count) => self.next = Some(time + count as u64),
            Err(_) => self.next = None,
        }
        &self.sound
    }
}
