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
use mouthpiece_domain::retention::Class;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_domain::time::Wall;

/// What no record names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// A blob ([`Class::Uploads`]), or a folder of them ([`Class::Results`], [`Class::Avatars`]).
    pub key: BlobKey,
    /// What it was.
    pub class: Class,
}

/// What a record store does about ages. Which things may go is ruled by
/// [`retention::chosen`](mouthpiece_domain::retention::chosen).
#[async_trait]
pub trait Retention: Send + Sync {
    /// Lets go of at most `limit` things of a class that were used last at `bound` or before and that nothing needs, the
    /// oldest first, and returns how many there were. The blobs that only they named are leaving when this returns. Of a
    /// session's results its record tells from now on that they were removed at `at`.
    async fn let_go(&self, class: Class, bound: Wall, at: Wall, limit: u32) -> Result<u32, RecordsError>;

    /// What is leaving, by key, after `after`; at most `limit`.
    async fn leaving(&self, after: Option<&BlobKey>, limit: u32) -> Result<Vec<Leaving>, RecordsError>;

    /// Their blobs are removed. Keys that are not leaving are passed over.
    async fn left(&self, keys: &[BlobKey]) -> Result<(), RecordsError>;
}
