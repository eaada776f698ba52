//! How a worker is set up.
//!
//! Apart from the worker, because a coordinator in a process of its own reads the same settings and refuses the same mistakes, without a
//! worker's media libraries.

mod engines;
mod neural;
mod provenance;
mod worker;

pub use engines::{DEFAULT_ENGINE, ENGINES, KnownEngine, UnknownEngine, check_engine};
pub use neural::{NeuralDecoder, NeuralLaunch, NeuralMemory, NeuralProvider, NeuralSettings, NoSuchChoice};
pub use provenance::ProvenanceSettings;
pub use worker::{MAX_SLOTS, RtcSettings, SettingsError, WorkerSettings};
