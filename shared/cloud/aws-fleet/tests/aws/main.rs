//! The fleet against a stand-in for Auto Scaling and EC2 that checks signatures, and against moto where it is installed; a
//! machine's metadata against a stand-in for version 2.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stderr, reason = "a test that is left out says so")]

mod contract;
mod group;
mod machine;
mod moto;
mod prices;
mod refusals;
mod rig;
