//! Mouths restored beside the engine's thread, as far as there is time.
//!
//! ```text
//! draw (engine's thread)      the face is drawn and shown as it is
//! finish (session's thread)   its mouth is handed in, most urgent first -> a thread of its own restores it
//!                             there in time: it is laid over the face; otherwise the picture stays as it is
//! ```
//!
//! So a network that is too slow, hangs or fails costs sharpness, never a frame. A film waits for each of its mouths.

mod network;
mod pace;
mod slip;
mod thread;

pub use network::{RestoreMouths, Restorer};
pub use slip::MouthSlip;
pub use thread::{RestorationDesk, RestorationThread};

#[cfg(test)]
mod tests;
