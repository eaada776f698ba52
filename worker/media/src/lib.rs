//! Media in and out of Mouthpiece: audio, faces, pictures, encoders and containers.
//!
//! Nothing here knows of sessions, workers or queues (of the domain it knows the table of file kinds): each module turns data into data and says what it refuses.
//! One frame's way through this crate is drawn in `docs/ARCHITECTURE.md`.

pub mod audio;
pub mod compose;
pub mod encode;
pub mod face;
pub mod features;
mod file_name;
mod head;
pub mod image;
mod libav;
pub mod mux;
pub mod quality;
pub mod reference;
pub mod video;

pub use file_name::{FileName, FileRole};
pub use head::file_kind;
