//! What any part of the office may fail with.

use crate::farm::FarmError;
use mouthpiece_ports::blobs::BlobError;
use mouthpiece_ports::records::RecordsError;
use thiserror::Error;

/// What is needed cannot be used just now. Nothing was done.
#[derive(Debug, Error)]
pub enum StoreUnavailable {
    /// The record store.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The artifact store.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The farm's actors.
    #[error(transparent)]
    Farm(#[from] FarmError),
    /// The system's random numbers.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl From<getrandom::Error> for StoreUnavailable {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// Lets a refusal with a variant `Unavailable` come of any store's error by `?`.
macro_rules! refuses_when_unavailable {
    ($refusal:ty) => {
        impl<E> From<E> for $refusal
        where
            crate::office::StoreUnavailable: From<E>,
        {
            fn from(error: E) -> Self {
                Self::Unavailable(error.into())
            }
        }
    };
}
pub(super) use refuses_when_unavailable;
