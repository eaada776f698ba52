//! The farm's actors over the embedded adapters, with scripted workers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "what is measured by hand is printed")]

mod away;
mod drain;
mod flaky;
mod harness;
mod life;
mod live;
mod loss;
mod queue;
mod rate;
mod records;
mod restart;
mod scaling;
mod two;
mod worker;
