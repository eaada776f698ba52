//! How a worker ends that was not asked to.

use thiserror::Error;

/// Why a worker ended without being asked to.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum WorkerFailure {
    /// The engine's thread died.
    #[error("the engine has stopped: the worker's log says why")]
    EngineGone,
    /// The engine failed and could not be started again; the worker took nothing new and handed over what it had.
    #[error("the engine has failed and could not be started again: the worker's log says why")]
    EngineBroken,
    /// No command would ever have come again.
    #[error("the bus was closed")]
    BusClosed,
    /// Its own thread ended.
    #[error("the worker's thread has ended")]
    Vanished,
}
