//! The MuseTalk engine: a neural mouth for any face, on ONNX Runtime.
//!
//! ```text
//! reference frame -> box of the face -> 256x256 -> vae_encoder -> latents, once a frame     (prepare)
//! sound -> log-mel -> whisper -> the ten features around a frame's middle                    (ear)
//! latents, features -> unet -> vae_decoder or tiny_decoder -> 256x256 -> blended back        (draw)
//! the mouth of it -> restoration -> twice as fine -> blended back again, if there is time   (finish)
//! ```
//!
//! Graphs and how they are made: `models/export`. What was measured, and what is not built yet: `docs/neural-engine.md`.

mod avatar;
mod batch;
mod building;
mod choice;
mod engine;
mod face;
mod generator;
mod generator_thread;
mod graph;
mod latents;
mod launch;
mod loading;
mod memory;
mod networks;
mod recovery;
mod restoration;
mod seat;
mod settings;
mod shared;
mod sound;

pub use avatar::{LatentsOf, MuseTalkAvatar};
pub use building::{BuildProgress, build_engines};
pub use choice::DecoderTrial;
pub use engine::MuseTalk;
pub use face::{Blender, CropOptions, MOUTH_PICTURE, RESTORED_PICTURE};
pub use generator::MouthGenerator;
pub use graph::{DeviceWork, GraphError, GraphSource, Provider};
pub use launch::LaunchChoice;
pub use loading::{DrawMouths, GraphLoader, LoadNetworks};
pub use mouthpiece_graph::GraphFolder;
pub use networks::{DecoderChoice, FaceEncoder, LATENTS, NetworkSettings, PICTURE, SIDE, SOUND};
pub use recovery::RecoveryPlan;
pub use restoration::{RestoreMouths, Restorer};
pub use seat::MuseTalkSeat;
pub use settings::MuseTalkSettings;
pub use sound::clip::FEATURE;
pub use sound::{BANDS, HOP, ListeningWindow, MuseTalkEar, SoundClip, SoundEncoder, Whisper, WhisperMel};
