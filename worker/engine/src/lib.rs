//! The seam behind which engines stand: what generates mouth pixels.
//!
//! An [`Engine`] prepares an avatar once from a [`Reference`](mouthpiece_frame::Reference), makes [`Ear`]s that turn sound
//! into cues, gives each session a seat (its working memory), and draws one tick at a time. What the sound asks of the
//! mouth reaches it as a [`Cue`], what the rest of the head does as an [`Expression`]. An engine knows nothing of sessions,
//! queues or transports, and this crate knows no engine: it depends on no decoder, no network runtime and no encoder.
//!
//! Who draws for one session is an [`Artist`]: [`OwnEngine`] with an engine of its own, or a [`EngineDesk`] in front of the
//! [`EngineThread`] that several sessions share.

mod artist;
mod cue;
mod ear;
mod engine;
mod expression;
pub mod life;
mod memory;
mod recovery;
mod restorations;
mod stage;
mod thread;

pub use artist::{Artist, OwnEngine};
pub use cue::Cue;
pub use ear::{Ear, HeardCue, SPEECH_RANGE_DB, SpeechLevel};
pub use engine::{Engine, EngineError, EngineTick};
pub use expression::{Expression, Gaze, HeadPose};
pub use memory::DeviceMemory;
pub use recovery::{EngineNews, EngineRecovery};
pub use restorations::{RestorationOutcome, Restorations};
pub use stage::EngineStage;
pub use thread::{DrawnTicks, EngineDesk, EngineDesks, EngineThread};
