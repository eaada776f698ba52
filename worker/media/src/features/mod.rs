//! What engines listen to: log-mel spectra, and viseme weights from a small network of our own.

mod logmel;
mod viseme;
mod visemes;

pub use logmel::{BANDS, FRAME_RATE, LogMel};
pub use viseme::{NetworkError, VisemeNet, VisemeStream};
pub use visemes::{VISEMES, Viseme, softmax};
