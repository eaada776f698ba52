//! Blobs: uploads, results, prepared avatar data. Written once, whole or not at all.

use async_trait::async_trait;
use bytes::Bytes;
use mouthpiece_domain::session::BlobKey;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why a blob cannot be read or written.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum BlobError {
    /// There is none.
    #[error("there is no blob '{0}'")]
    Missing(BlobKey),
    /// Larger than the caller allows.
    #[error("blob '{key}' has {bytes} bytes, at most {allowed} are read")]
    TooLarge {
        /// The blob that was asked for.
        key: BlobKey,
        /// Its size.
        bytes: u64,
        /// The bound.
        allowed: u64,
    },
    /// No room.
    #[error("the store is full: {0}")]
    Full(String),
    /// The caller's own file cannot be read or written.
    #[error("'{path}': {reason}", path = path.display())]
    Local {
        /// The path as it was given.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The store cannot be reached, or fails.
    #[error("the artifact store cannot be used just now: {0}")]
    Unavailable(String),
}

/// What is said of a file to whoever fetches it through a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkHeaders {
    /// The `Content-Type`, for example `video/mp4`.
    pub media_type: String,
    /// The `Content-Disposition`: shown or saved, and the file's name.
    pub disposition: Option<String>,
}

/// A piece of a blob being read.
#[async_trait]
pub trait BlobReader: Send {
    /// The next bytes, at most 256 KiB; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError>;
}

/// The latent and artifact store. A key's content never changes: writing it again is allowed and changes nothing that a
/// reader can tell apart, except where a new result replaces one of an earlier fence under its own key.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes; visible under the key only when complete and durable.
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError>;

    /// Stores a file's content; the file stays.
    async fn put_file(&self, key: &BlobKey, file: &Path) -> Result<(), BlobError>;

    /// Reads a whole blob of at most `allowed` bytes.
    async fn get(&self, key: &BlobKey, allowed: u64) -> Result<Bytes, BlobError>;

    /// Makes a blob available as a local file: its own file where the store is a directory, else a copy in `folder`.
    /// The file must not be written to.
    async fn local(&self, key: &BlobKey, folder: &Path) -> Result<PathBuf, BlobError>;

    /// Size in bytes; `None` when there is none.
    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError>;

    /// Reads `length` bytes from `start`; less at the end.
    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError>;

    /// Removes a blob; false when there is none.
    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError>;

    /// Blobs whose keys lie below a folder (`a` of `a/b`), with their sizes in bytes; at most `most` of them, any of them.
    async fn list(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError>;

    /// A web address from which anybody may fetch the blob for `lifetime`, at most a week, without further rights: it is a
    /// secret as long as it holds. `None` where the store has none to give, and the caller sends the bytes itself. Whether the
    /// blob is there is not looked at; the address of what is not answers 404.
    async fn link(
        &self,
        _key: &BlobKey,
        _lifetime: Duration,
        _headers: &LinkHeaders,
    ) -> Result<Option<String>, BlobError> {
        Ok(None)
    }

    /// Writes and reads a trifle: what readiness is judged by.
    async fn check(&self) -> Result<(), BlobError>;
}
