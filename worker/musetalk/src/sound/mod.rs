//! From sound to what the generator hears.

pub mod clip;
mod ear;
mod encoder;
mod mel;
mod silence;

pub use ear::{HearingFault, ListeningWindow, MuseTalkEar, SoundClip};
pub use encoder::{SoundEncoder, Whisper};
pub use mel::{BANDS, HOP, WhisperMel};
