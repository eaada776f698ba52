//! The command from its command line: what a user types, and what is there afterwards. Needs the `ffmpeg` and `ffprobe`
//! commands and the ONNX Runtime library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod config;
#[cfg(feature = "neural")]
mod export;
#[cfg(feature = "neural")]
mod file_server;
mod film;
mod fixtures;
mod help;
mod inspect;
mod interrupt;
mod judges;
mod labels;
mod memory;
#[cfg(feature = "neural")]
mod models;
#[cfg(feature = "neural")]
mod neural;
mod portraits;
mod refusals;
mod render;
mod scene;
mod sounds;
mod videos;
