//! The MuseTalk engine: a neural mouth for any face, on ONNX Runtime.
//!
//! ```text
//! reference frame -> box of the face -> 256x256 -> vae_encoder -> latents, once a frame     (prepare)
//! sound -> log-mel -> whisper -> the ten features around a frame's middle                    (ear)
//! latents, features -> unet -> vae_decoder or tiny_decoder -> 256x256 -> blended back        (draw)
//! ```
//!
//! Graphs and how they are made: `models/export`. What was measured, and what is not built yet: `docs/neural-engine.md`.

mod avatar;
mod engine;
mod face;
mod graph;
mod networks;
mod seat;
mod settings;
mod sound;

pub use avatar::MuseTalkAvatar;
pub use engine::MuseTalk;
pub use face::CropOptions;
pub use graph::{GraphError, GraphSource, Provider};
pub use networks::{
    BATCHES, DecoderChoice, FaceEncoder, LATENTS, MouthGenerator, NetworkSettings, PICTURE, SIDE, SOUND,
};
pub use seat::MuseTalkSeat;
pub use settings::{GraphFolder, MuseTalkSettings};
pub use sound::clip::FEATURE;
pub use sound::{BANDS, HOP, ListeningWindow, MuseTalkEar, SoundClip, SoundEncoder, Whisper, WhisperMel};
