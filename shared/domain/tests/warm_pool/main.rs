//! The number of workers over a day in virtual time: coordinators, a fleet that starts machines when it is told to, sessions
//! that come as they do in a day. And single rules: the ceilings, the measured start, who waits and who is turned away.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod ceiling;
#[path = "../common/mod.rs"]
mod common;
mod day;
mod farm;
mod waiting;
