//! Passes: the right to act for a key without its secret. Only hashes of what people hold are kept.

use crate::records::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;

/// What a pass is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassKind {
    /// Opening the page, once.
    Link,
    /// Using the page, until it is closed.
    Page,
}

impl PassKind {
    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Page => "page",
        }
    }
}

/// A pass as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// SHA-256 of the secret, 64 hexadecimal digits.
    pub hash: String,
    /// What it is good for.
    pub kind: PassKind,
    /// The key that it stands for, which may have been revoked since.
    pub key: KeyId,
    /// From then on it is not good any more.
    pub expires: Wall,
}

/// Records of passes. Those that have expired are as if they were not there.
#[async_trait]
pub trait Passes: Send + Sync {
    /// Adds a pass. A key has at most `most` of a kind, at least 1: of the others those go that would expire first.
    async fn add_pass(&self, pass: &Pass, most: u32, now: Wall) -> Result<(), RecordsError>;

    /// The pass of this kind with this hash.
    async fn pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError>;

    /// The same, and it is gone. Of several who ask at once, one gets it.
    async fn take_pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError>;

    /// Lets a pass last until `expires`, if it is still there.
    async fn extend_pass(&self, kind: PassKind, hash: &str, expires: Wall) -> Result<(), RecordsError>;
}
