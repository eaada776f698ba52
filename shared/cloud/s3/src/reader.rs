//! Reading an object in pieces.

use super::failure::Failure;
use super::store::S3;
use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader};
use mouthpiece_ports::retry::scattered;
use std::time::Duration;

/// The port's largest piece.
const PIECE: usize = 256 * 1024;
/// No object is so large; beyond it ranges are not asked for.
const BEYOND: u64 = 1 << 62;
/// A reader that is cut off goes on where it was, after these waits in all.
const RESUME: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2), again: Some(5) };

/// A reader of one object. It never goes on with another that replaced it.
pub(crate) struct Pieces {
    store: S3,
    key: BlobKey,
    etag: Option<String>,
    /// The next byte to fetch.
    at: u64,
    /// Where it ends.
    end: u64,
    body: Option<ByteStream>,
    /// Fetched and not handed out yet.
    held: Bytes,
    /// How often it was cut off.
    cuts: u32,
}

impl Pieces {
    /// Begins to read `length` bytes from `start`; less at the end.
    pub(crate) async fn open(store: &S3, key: &BlobKey, start: u64, length: u64) -> Result<Self, BlobError> {
        let mut this = Self {
            store: store.clone(),
            key: key.clone(),
            etag: None,
            at: start,
            end: start,
            body: None,
            held: Bytes::new(),
            cuts: 0,
        };
        if length == 0 || start >= BEYOND {
            let facts = store.0.facts(key).await.map_err(|e| e.blob(key))?;
            return facts.map(|_| this).ok_or_else(|| BlobError::Missing(key.clone()));
        }
        match this.fetch(start.saturating_add(length)).await {
            // Nothing lies there.
            Ok(()) | Err(Failure::Range) => Ok(this),
            Err(e) => Err(e.blob(key)),
        }
    }

    /// Bytes that are still to be handed out.
    pub(crate) fn remaining(&self) -> u64 {
        self.end - self.at + self.held.len() as u64
    }

    /// What the object's content is known by.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Asks for what lies from here to `end`.
    async fn fetch(&mut self, end: u64) -> Result<(), Failure> {
        let store = &self.store.0;
        let range = match (self.at, end) {
            (0, BEYOND..) => None,
            (at, BEYOND..) => Some(format!("bytes={at}-")),
            (at, end) => Some(format!("bytes={at}-{}", end - 1)),
        };
        let get = store.client.get_object().bucket(&store.bucket).key(store.prefix.object(&self.key));
        let got = get.set_range(range).set_if_match(self.etag.clone()).send().await;
        let got = got.map_err(|e| Failure::of(&store.bucket, &e))?;
        let Some(bytes) = got.content_length().and_then(|n| u64::try_from(n).ok()) else {
            let text = format!("bucket '{}': the service does not say how long an object is", store.bucket);
            return Err(Failure::Other(text));
        };
        self.end = self.at + bytes;
        self.etag = got.e_tag;
        self.body = Some(got.body);
        Ok(())
    }

    /// Goes on where it was cut off.
    async fn resume(&mut self) -> Result<(), BlobError> {
        self.body = None;
        let cut = |often: &str| BlobError::Unavailable(format!("'{}': the connection was cut{often}", self.key));
        // Without it nobody can tell whether it is still the same object.
        if self.etag.is_none() {
            return Err(cut(", and the service does not say by ETag what it sends: begin again"));
        }
        let Some(wait) = RESUME.wait(self.cuts) else { return Err(cut(" again and again")) };
        self.cuts += 1;
        tracing::warn!(key = %self.key, at = self.at, "reading was cut off and goes on");
        tokio::time::sleep(scattered(wait)).await;
        let (end, known) = (self.end, self.etag.clone());
        self.fetch(end).await.map_err(|e| e.blob(&self.key))?;
        if self.end != end || self.etag != known {
            return Err(Failure::Condition.blob(&self.key));
        }
        Ok(())
    }
}

#[async_trait]
impl BlobReader for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while self.held.is_empty() {
            if self.at >= self.end {
                self.body = None;
                return Ok(None);
            }
            match self.body.as_mut() {
                Some(body) => match body.next().await {
                    Some(Ok(bytes)) => {
                        // No more than was announced.
                        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                        self.held = bytes.slice(..bytes.len().min(wanted));
                        self.at += self.held.len() as u64;
                    }
                    Some(Err(_)) | None => self.body = None,
                },
                None => {
                    if let Err(e) = self.resume().await {
                        // After an error there is nothing more.
                        (self.at, self.held) = (self.end, Bytes::new());
                        return Err(e);
                    }
                }
            }
        }
        Ok(Some(self.held.split_to(self.held.len().min(PIECE))))
    }
}
