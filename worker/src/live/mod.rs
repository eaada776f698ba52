//! Live sessions: sound streams in, a face that speaks streams out.
//!
//! ```text
//! lines, microphone -> voice (one timeline) -> ear -> engine, or rest in silence -> H.264 --+
//!                        +-------------------------------------------------> Opus ----------+-> transport
//! ```
//! [`session`] decides, with neither clock nor hands; [`thread`] runs it on its slot's thread. Whoever speaks to it (viewers through the transport, callers through lines,
//! coordinators with questions) leaves a message in its inbox; the [`switchboard`] finds the inbox.

mod beat;
mod callers;
mod endings;
mod inbox;
mod listener;
mod microphone;
mod mood;
pub mod pace;
mod pushed;
mod session;
mod stages;
pub mod switchboard;
mod thread;
mod voice;

pub use inbox::{Letterbox, LiveInput};
pub use session::{LiveEnd, LiveSetup};
pub use thread::{LiveFace, LiveThread, PacedByEngine};
