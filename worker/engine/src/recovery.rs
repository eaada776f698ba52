//! How an engine comes back after what it runs on failed.
//!
//! ```text
//!            draw: Device              recover: Ok
//! drawing ----------------> recovering ------------> drawing
//!                               | recover: Err
//!                               v
//!                             broken
//! ```
//! The engine's own thread recovers it. Whoever may wait does: a film loses no frame. A live session does not wait: it
//! shows its face at rest meanwhile, so that its voice never stops, and goes on doing so when the engine is broken until
//! it is moved elsewhere.

use crate::EngineError;
use std::fmt;

/// How an engine came to draw again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineRecovery {
    /// What it runs on was started again.
    Restarted {
        /// What that is, for example `cuda`.
        on: &'static str,
    },
    /// It runs on something else from now on, which may be slower.
    FellBack {
        /// What failed.
        from: &'static str,
        /// What draws now.
        to: &'static str,
        /// Frames a second that all sessions together get of it, if that was measured.
        makes: Option<u32>,
    },
}

impl fmt::Display for EngineRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restarted { on } => write!(f, "{on} failed and was started again"),
            Self::FellBack { from, to, makes: None } => write!(f, "{from} failed: {to} draws from now on"),
            Self::FellBack { from, to, makes: Some(makes) } => {
                write!(f, "{from} failed: {to} draws from now on, {makes} frames a second")
            }
        }
    }
}

/// What became of an engine, for whoever keeps its thread.
#[derive(Debug)]
pub enum EngineNews<'a> {
    /// It failed, and is being recovered.
    Failed(&'a EngineError),
    /// It draws again.
    Recovered(EngineRecovery),
    /// It never will.
    Broken(&'a EngineError),
}

/// Why a tick is not drawn just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineAbsence {
    Recovering,
    Broken,
}

impl From<EngineAbsence> for EngineError {
    fn from(absence: EngineAbsence) -> Self {
        match absence {
            EngineAbsence::Recovering => Self::Recovering,
            EngineAbsence::Broken => Self::Broken,
        }
    }
}
