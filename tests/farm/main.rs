//! The farm through its public API: the real program as a child process, spoken to over HTTP. Needs the `ffprobe` command
//! and the ONNX Runtime library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "a test that fails shows the farm's log")]

mod api;
mod cancel;
mod crash;
mod door;
#[cfg(feature = "cloud")]
mod doors;
mod drain;
mod farm;
#[cfg(feature = "cloud")]
mod fleet;
mod keys;
mod limits;
mod live;
#[cfg(feature = "cloud")]
mod moves;
#[cfg(feature = "cloud")]
mod outages;
#[cfg(feature = "cloud")]
mod processes;
mod render;
mod start;
mod stop;
mod watch;

#[allow(dead_code, reason = "shared with the command line's tests, which use all of it")]
#[path = "../cli/film.rs"]
mod film;
#[allow(dead_code, reason = "shared with the command line's tests, which use all of it")]
#[path = "../cli/fixtures.rs"]
mod fixtures;
