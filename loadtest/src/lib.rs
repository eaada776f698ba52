//! Load: how many sessions a farm assigns, how fast, and whether its books are right afterwards.
//!
//! [`control_events`] drives the brain alone under virtual time. [`assign`] drives a whole farm in one process: the real
//! coordinator's actors on a SQLite file, an in-process bus and pool, and workers that finish every session at once.
//! `assign_on_servers` (feature `cloud`) does so with coordinators as processes on Postgres, RabbitMQ and Redis.
//! [`chaos`] breaks a farm of real processes at random, and proves from the history of the run that nothing was lost or doubled.
//! [`simulate`](simulate::simulate) lets the brain run a fleet of made-up machines for a day of virtual time, and tells what that costs.
//! [`scenario`] runs a file's load on live sessions, holds it against the file's targets and draws a report.
//! [`live`](live()) speaks to live sessions of a running farm and watches them.

mod agenda;
pub mod assign;
pub mod chaos;
pub mod control;
mod dice;
mod latency;
pub mod live;
mod processes;
pub mod scenario;
mod sessions;
pub mod simulate;
mod usage;

pub use assign::{AssignOptions, AssignReport, Audit, Pace, assign};
#[cfg(feature = "cloud")]
pub use assign::{HoldReport, HoldTerms, LoadStores, ServersOptions, ServersReport, StoreAddresses, assign_on_servers};
pub use control::{ControlOptions, ControlReport, control_events};
pub use latency::Latency;
pub use live::{LipSkew, LiveFaults, LiveOptions, LiveReport, SpeechPush, live, live_in_turn};

pub use usage::ProcessUse;

use mouthpiece_domain::session::BlobKeyError;
use thiserror::Error;

/// Why a load test has no result.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Options that cannot be used.
    #[error("these options cannot be used: {0}")]
    Options(&'static str),
    /// The load was carried, but not all that was accepted is accounted for.
    #[error("the audit failed: {0}")]
    Audit(String),
    /// The test itself is wrong.
    #[error("the test cannot run: {0}")]
    Setup(String),
    /// This process was asked to end meanwhile. What the test had started is ended.
    #[error("interrupted: what was started is ended, and nothing was measured")]
    Interrupted,
}

/// The test itself is wrong, for this reason.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn setup(error: impl ToString) -> LoadError {
    LoadError::Setup(error.to_string())
}

impl From<BlobKeyError> for LoadError {
    fn from(error: BlobKeyError) -> Self {
        Self::Setup(error.to_string())
    }
}

impl From<hdrhistogram::CreationError> for LoadError {
    fn from(error: hdrhistogram::CreationError) -> Self {
        Self::Setup(error.to_string())
    }
}
