//! Files from callers: uploaded or fetched, staged, recognised by their content, stored under their hash.

mod address;
mod fetch;
mod stage;

pub use fetch::{FetchFailure, FetchRefusal, NotFetchable};
pub use stage::{IncomingFile, StagedFile};

use super::refusal::refuses_when_unavailable;
use super::settings::IntakeSettings;
use super::{OfficeError, StoreUnavailable, new_id, now};
use fetch::Fetcher;
use mouthpiece_domain::file_kind::{FileUse, NotTaken};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::names;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::records::AvatarRegister;
use mouthpiece_ports::seats::{BoundedSeat, BoundedSeats, SeatsFull};
use std::sync::Arc;
use std::time::Duration;

/// Whoever finds too many uploads under way comes back after this.
const BUSY: Duration = Duration::from_secs(2);

/// Why a file is not taken. `field` is where the caller named or sent it.
#[derive(Debug)]
pub enum IntakeRefusal {
    /// Too many uploads are under way.
    TooMany {
        /// Come back then.
        retry_after: Duration,
    },
    /// Too many uploads of this key are under way.
    TooManyOfOne {
        /// As many as there may be.
        most: usize,
        /// Come back then.
        retry_after: Duration,
    },
    /// It is larger than this.
    TooLarge {
        /// The field of the request.
        field: String,
        /// The most bytes.
        limit: u64,
    },
    /// It is of a kind that is not taken there.
    NotTaken {
        /// The field of the request.
        field: String,
        /// What it is, and what would be taken.
        why: NotTaken,
    },
    /// It cannot be fetched.
    NotFetched {
        /// The field of the request.
        field: String,
        /// What stood in the way.
        why: FetchRefusal,
    },
    /// Nothing can be written where uploads lie.
    Disk {
        /// It is full.
        full: bool,
        /// Come back then.
        retry_after: Duration,
    },
    /// Its hash makes no name. Never happens.
    Unnamed(String),
    /// A store cannot be used just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(IntakeRefusal);

/// Takes files in.
pub struct Intake {
    settings: IntakeSettings,
    fetcher: Fetcher,
    avatars: Arc<dyn AvatarRegister>,
    blobs: Arc<dyn Blobs>,
    /// No key has more than half of them: the others' callers come in, whatever one does.
    uploads: BoundedSeats<KeyId>,
}

impl Intake {
    pub(super) fn new(
        settings: IntakeSettings,
        avatars: Arc<dyn AvatarRegister>,
        blobs: Arc<dyn Blobs>,
    ) -> Result<Self, OfficeError> {
        let path = &settings.staging;
        stage::clear_staging(path).map_err(|reason| OfficeError::Staging { path: path.clone(), reason })?;
        let fetcher = Fetcher::new(&settings.fetch)?;
        let uploads = BoundedSeats::new(settings.max_uploads.div_ceil(2), settings.max_uploads);
        Ok(Self { settings, fetcher, avatars, blobs, uploads })
    }

    /// The most bytes of a file.
    pub fn file_bytes(&self, given_as: FileUse) -> u64 {
        match given_as {
            FileUse::Picture | FileUse::Video | FileUse::Portrait => self.settings.portrait_bytes,
            FileUse::Speech => self.settings.speech_bytes,
        }
    }

    /// The right to receive or fetch files for a key.
    ///
    /// # Errors
    /// [`IntakeRefusal::TooMany`], [`IntakeRefusal::TooManyOfOne`].
    pub fn permit(&self, key: KeyId) -> Result<BoundedSeat<KeyId>, IntakeRefusal> {
        self.uploads.take(key).map_err(|full| match full {
            SeatsFull::One { most } => IntakeRefusal::TooManyOfOne { most, retry_after: BUSY },
            SeatsFull::All => IntakeRefusal::TooMany { retry_after: BUSY },
        })
    }

    /// An empty file in the staging folder, for what arrives in `field`.
    ///
    /// # Errors
    /// [`IntakeRefusal::Disk`].
    pub fn stage(&self, field: &str, given_as: FileUse) -> Result<IncomingFile, IntakeRefusal> {
        IncomingFile::new(&self.settings.staging, field, given_as, self.file_bytes(given_as))
    }

    /// Fetches the file at `address`, which came in `field`.
    ///
    /// # Errors
    /// [`IntakeRefusal`].
    pub async fn fetch(
        &self,
        key: KeyId,
        field: &str,
        address: &str,
        given_as: FileUse,
    ) -> Result<StagedFile, IntakeRefusal> {
        self.fetcher.fetch(self, key, field, address, given_as).await
    }

    /// Stores a staged file, unless its content is there already.
    ///
    /// It is used on record first and put into the store then: what is young on record is not removed, and no file is in the
    /// store that the records do not know.
    ///
    /// # Errors
    /// [`IntakeRefusal::Unavailable`].
    pub async fn keep(&self, staged: &StagedFile) -> Result<BlobKey, IntakeRefusal> {
        let fresh =
            names::upload(&staged.sha256, new_id()).map_err(|error| IntakeRefusal::Unnamed(error.to_string()))?;
        let key = self.avatars.use_upload(&staged.sha256, &fresh, now()).await?;
        if self.blobs.size(&key).await? != Some(staged.bytes) {
            self.blobs.put_file(&key, staged.path()).await?;
        }
        Ok(key)
    }
}
