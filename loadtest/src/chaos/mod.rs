//! Fault runs: a farm of real processes under random faults, and the proof that its rules hold.
//!
//! A [plan] is made of a seed: who comes when, and what breaks when. The run carries it out and writes everything that
//! happens into a [history]; the [checker] reads that and says which of the rules were broken. Plan and checker are pure.

pub mod checker;
pub mod history;
#[cfg(feature = "cloud")]
mod log_line;
pub mod plan;
#[cfg(feature = "cloud")]
mod run;
#[cfg(test)]
mod sabotage;

#[cfg(feature = "cloud")]
pub use run::{ChaosLease, ChaosOptions, ChaosReport, chaos};
