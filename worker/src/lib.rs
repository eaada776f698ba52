//! The pipeline around an engine: a portrait and speech in, encoded video out.
//!
//! [`render`] makes a file of a recording. What is live (sessions, slots, transports) will stand beside it and share the
//! same frame path: listen, draw, encode.

mod error;
mod film;
mod load;
mod output;
mod render;

pub use error::RenderError;
pub use film::FramePath;
pub use load::{PortraitOptions, load_reference};
pub use output::Output;
pub use render::{Progress, RenderOptions, Summary, render};
