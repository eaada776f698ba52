//! What engines listen to: log-mel spectra, and viseme weights from a small network of our own.

mod logmel;
mod viseme;

pub use logmel::{BANDS, FRAME_RATE, LogMel};
pub use viseme::{NetworkError, VISEMES, Viseme, VisemeNet, VisemeStream, softmax};
