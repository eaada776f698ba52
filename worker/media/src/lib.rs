//! Media in and out of Mouthpiece: audio, faces, pictures, encoders and containers.
//!
//! Nothing here knows of sessions, workers or queues: each module turns data into data and says what it refuses.
//! One frame's way through this crate is drawn in `docs/ARCHITECTURE.md`.

pub mod audio;
pub mod compose;
pub mod encode;
pub mod face;
pub mod features;
pub mod image;
mod libav;
pub mod mux;
pub mod quality;
pub mod reference;
pub mod video;
