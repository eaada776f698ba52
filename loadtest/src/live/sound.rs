//! What is said.

use crate::{LoadError, setup};
use mouthpiece_media::audio::{SpeechBlock, SpeechReader};
use std::path::Path;

/// Samples a second of what is pushed.
pub(super) const RATE: u32 = 16_000;
/// An utterance begins where 10 ms of the recording are this loud (RMS) for the first time: its arrival can be heard.
const LOUD: f32 = 0.05;
/// Seconds of an utterance.
const SECONDS: usize = 3;

/// A recording as an utterance: 16 kHz, at most 3 s, loud from its first sample on.
pub(super) fn read(path: &Path) -> Result<Vec<i16>, LoadError> {
    let mut reader = SpeechReader::open(path).map_err(setup)?;
    let (mut block, mut sound) = (SpeechBlock::default(), Vec::new());
    while reader.read(&mut block).map_err(setup)? {
        sound.extend_from_slice(&block.speech);
        if sound.len() > 60 * RATE as usize {
            break;
        }
    }
    let loud = |piece: &[f32]| piece.iter().map(|s| s * s).sum::<f32>() > LOUD * LOUD * piece.len() as f32;
    let from = sound.windows(RATE as usize / 100).position(loud).ok_or_else(|| setup("the recording is silent"))?;
    let most = SECONDS * RATE as usize;
    Ok(sound[from..].iter().take(most).map(|s| (s * 32_767.0) as i16).collect())
}
