//! Records: sessions, avatars, keys, usage, prices, each asked for by who uses it.
//!
//! One store keeps all of them, since they name each other; a caller is given the part that it may use.

mod avatars;
mod books;
mod keys;
mod sessions;

pub use avatars::{Avatar, AvatarRegister};
pub use books::{Period, UsageBooks};
pub use keys::{ApiKey, KeyRegister};
pub use sessions::{SessionFilter, SessionLedger};

use thiserror::Error;

/// Why the records cannot be read or written.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RecordsError {
    /// It may go through when tried again: locked, full for the moment, unreachable.
    #[error("the record store cannot be used just now: {0}")]
    Unavailable(String),
    /// It will not get better by itself: a damaged file, a full disk, a schema from a newer program.
    #[error("the record store cannot be used: {0}")]
    Broken(String),
}

impl RecordsError {
    /// True when trying again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// A record store, whole: what an adapter is, what the contract suite tests, and what the wiring hands out in parts.
pub trait Records: SessionLedger + AvatarRegister + KeyRegister + UsageBooks {}

impl<S: SessionLedger + AvatarRegister + KeyRegister + UsageBooks> Records for S {}
