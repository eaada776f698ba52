//! Engines: what generates mouth pixels.
//!
//! An [`Engine`] prepares an avatar once from a [`Reference`](mouthpiece_media::reference::Reference), gives each session
//! a seat (its working memory), and draws one tick at a time. What the sound asks of the mouth reaches it as a cue, what
//! the rest of the head does as an [`Expression`]. An engine knows nothing of sessions, queues or transports.
//!
//! Who draws for one session is an [`Artist`]: [`Alone`] with an engine of its own, or a [`Desk`] in front of the
//! [`EngineThread`] that several sessions share.

mod artist;
mod ear;
mod engine;
mod expression;
pub mod life;
pub mod puppet;
mod thread;

pub use artist::{Alone, Artist};
pub use ear::{Ear, Heard, SpeechLevel};
pub use engine::{Engine, EngineError, Tick};
pub use expression::{Expression, HeadPose};
pub use thread::{Desk, Desks, Drawn, EngineThread};
