//! The command from its command line: what a user types, and what is there afterwards. Needs the `ffmpeg` and `ffprobe`
//! commands and the ONNX Runtime library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod config;
mod film;
mod fixtures;
mod help;
mod inspect;
mod interrupt;
mod memory;
mod portraits;
mod refusals;
mod render;
mod scene;
mod sounds;
mod videos;
