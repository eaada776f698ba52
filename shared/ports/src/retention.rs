//! Letting go of what is old: the records' side of it.
//!
//! ```text
//! kept --let_go--> leaving --its blobs are removed--> --left--> gone
//! ```
//! The first step is one transaction of the records: from then on nothing names the blob, and its key is never given out
//! again. So whoever removes it needs no lock, may die at any point, and may do it twice. A folder of prepared data is the
//! exception: its name follows from the portrait's content. When the same portrait comes again it leaves no more; what was
//! removed of it meanwhile is prepared again when it is missed.

use crate::records::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_domain::time::Wall;
use std::time::Duration;

/// What no record names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingBlob {
    /// A blob ([`RetentionClass::Uploads`]), or a folder of them ([`RetentionClass::Results`], [`RetentionClass::Avatars`]).
    pub key: BlobKey,
    /// What it was.
    pub class: RetentionClass,
}

/// How long a removal that somebody asked for waits for those who were about to use the same upload: between its use on record
/// and the record of who uses it, a file is stored and a session admitted.
pub const REMOVAL_GRACE: Duration = Duration::from_secs(600);

/// Removal because somebody wants it.
#[async_trait]
pub trait Removals: Send + Sync {
    /// Lets go of a render's results at once, and asks for the removal of its uploads. False when it is open, no render, or
    /// not there.
    async fn remove_results(&self, session: SessionId, at: Wall) -> Result<bool, RecordsError>;
}

/// What a record store does about ages. Which things may go is ruled by
/// [`retention::chosen`](mouthpiece_domain::retention::chosen).
#[async_trait]
pub trait Retention: Removals {
    /// Lets go of at most `limit` things of a class that were used last at `bound` or before and that nothing needs, the
    /// oldest first, and returns how many there were. The blobs that only they named are leaving when this returns. Of a
    /// session's results its record tells from now on that they were removed at `at`.
    async fn let_go(&self, class: RetentionClass, bound: Wall, at: Wall, limit: u32) -> Result<u32, RecordsError>;

    /// What is leaving, by key, after `after`; at most `limit`.
    async fn leaving(&self, after: Option<&BlobKey>, limit: u32) -> Result<Vec<LeavingBlob>, RecordsError>;

    /// Their blobs are removed. Keys that are not leaving are passed over.
    async fn left(&self, keys: &[BlobKey]) -> Result<(), RecordsError>;

    /// Goes on with what was asked to be removed ([`AvatarRegister::remove_avatar`](crate::records::AvatarRegister::remove_avatar),
    /// [`Removals::remove_results`]) whatever its age: uploads that were last used at `at` less [`REMOVAL_GRACE`] or before and that
    /// nothing needs, and results of sessions that have ended; at most `limit` of each. Returns how many there were.
    async fn finish_removals(&self, at: Wall, limit: u32) -> Result<u32, RecordsError>;

    /// Takes the turn, or keeps it, for `lasts` by the store's clock: true for one holder at a time. Who has it removes what is
    /// old. Two that step at once would do each other's work, not harm.
    async fn turn(&self, holder: u128, lasts: Duration) -> Result<bool, RecordsError>;

    /// How many things of a class there are.
    async fn kept(&self, class: RetentionClass) -> Result<u64, RecordsError>;
}
