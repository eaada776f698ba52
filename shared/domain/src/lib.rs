//! The brain without hands.
//!
//! Everything that decides is here, and nothing that acts: no I/O, no clock, no randomness. Times and ids come in as
//! arguments, decisions go out as values. [`control::Control`] is the whole farm's brain; a shell carries events to it and
//! its effects away, in production, under virtual time in tests, and in the fleet simulator alike.

pub mod backoff;
pub mod calendar;
pub mod colour;
pub mod control;
pub mod cost;
pub mod file_kind;
pub mod fleet;
pub mod frame;
pub mod frame_pace;
pub mod gpu_memory;
pub mod hold;
mod id_map;
pub mod ids;
pub mod lease;
pub mod ledger;
pub mod live;
pub mod manner;
pub mod names;
pub mod placement;
pub mod recent_ends;
pub mod retention;
pub mod session;
pub mod time;
pub mod warm_pool;
pub mod words;
