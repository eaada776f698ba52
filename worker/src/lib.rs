//! The pipeline around an engine, and the worker around the pipeline.
//!
//! [`render`] makes a file of a recording on the caller's thread. [`farm`] runs the same pipeline for many sessions: an
//! agent takes assignments from the coordinators, each slot runs one session at a time on a thread of its own, all of
//! them draw through one engine's thread, and prepared avatars are kept in memory and in the store.

mod actors;
mod avatars;
mod board;
mod clock;
mod condition;
pub mod engines;
mod error;
mod failure;
pub mod farm;
mod film;
pub mod gpu_metrics;
pub mod live;
mod load;
mod mark;
mod measure;
pub mod metrics;
mod nice;
mod output;
mod pipeline;
mod render;
mod scratch;
mod signing;
mod stop;
mod studio;
#[cfg(test)]
mod throughput;
mod work;

pub use board::{ProgressBoard, WorkState};
pub use condition::EngineCondition;
pub use error::RenderError;
pub use film::FramePath;
pub(crate) use load::load_reference_while;
pub use load::{FaceSearch, PortraitOptions, load_reference};
pub use mouthpiece_worker_settings::{NeuralMemory, NeuralSettings, RtcSettings, WorkerSettings};
pub use output::OutputFile;
pub use pipeline::speech_warnings;
pub use render::{RenderOptions, RenderProgress, RenderSummary, render, render_with};
pub use signing::{Signing, SigningError};
pub use stop::{SessionDuty, Stop, Stopped};
pub use work::{SessionRunner, WorkError};
