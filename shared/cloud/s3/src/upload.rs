//! Writing objects: whole up to 16 MiB, in parts above.

use super::failure::Failure;
use super::store::{S3, Store};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::names;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::BlobError;
use mouthpiece_ports::retry::scattered;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Sent at once at most.
const WHOLE: u64 = 16 << 20;
/// A part, unless there would be too many.
const PART: u64 = 8 << 20;
/// The service takes no more.
const MOST_PARTS: u64 = 10_000;
/// Parts in flight of one upload.
const IN_FLIGHT: usize = 4;
/// Parts in memory of all uploads: 64 MiB.
pub(crate) const PARTS_AT_ONCE: usize = 8;
/// Somebody else writes the same key: once more after these waits.
const CONFLICT: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1), again: Some(4) };

/// What is to be stored.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Memory(Bytes),
    File { path: PathBuf, file: Arc<File>, bytes: u64 },
}

impl Source {
    pub(crate) async fn open(path: &Path) -> Result<Self, BlobError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let refused = |reason: String| BlobError::Local { path: path.clone(), reason };
            let file = File::open(&path).map_err(|e| refused(e.to_string()))?;
            let metadata = file.metadata().map_err(|e| refused(e.to_string()))?;
            if !metadata.is_file() {
                return Err(refused("it is not a file".to_owned()));
            }
            Ok(Self::File { bytes: metadata.len(), file: Arc::new(file), path })
        });
        opened.await.unwrap_or_else(|e| Err(BlobError::Unavailable(format!("file work was interrupted: {e}"))))
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Memory(content) => content.len() as u64,
            Self::File { bytes, .. } => *bytes,
        }
    }

    /// A part in memory.
    async fn part(&self, start: u64, length: u64) -> Result<Bytes, BlobError> {
        match self {
            Self::Memory(content) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(content.len());
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(content.len() - start);
                Ok(content.slice(start..start + length))
            }
            Self::File { path, file, .. } => {
                let (file, path) = (Arc::clone(file), path.clone());
                let read = tokio::task::spawn_blocking(move || {
                    let mut part = vec![0; usize::try_from(length).unwrap_or_default()];
                    let read = file.read_exact_at(&mut part, start);
                    read.map(|()| part.into()).map_err(|e| BlobError::Local { path, reason: e.to_string() })
                });
                read.await.unwrap_or_else(|e| Err(BlobError::Unavailable(format!("file work was interrupted: {e}"))))
            }
        }
    }
}

/// Why an upload failed: the service, or the caller's file.
enum Stop {
    Service(Failure),
    Caller(BlobError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Service(failure)
    }
}

impl S3 {
    /// Stores a content. Where a key's content never changes, what is there already stays and is not sent over again.
    pub(crate) async fn store_content(&self, key: &BlobKey, source: Source) -> Result<(), BlobError> {
        let mut conflicts = 0;
        loop {
            let immutable = names::is_immutable(key);
            if immutable && source.bytes() > WHOLE {
                // Of a large one the service would say only at the end that it is there.
                let there = self.0.facts(key).await.map_err(|e| e.blob(key))?;
                if there.is_some_and(|facts| facts.bytes == source.bytes()) {
                    return Ok(());
                }
            }
            let only_new = immutable && self.0.conditional.load(Ordering::Relaxed);
            match self.send(key, &source, only_new).await {
                Err(Stop::Service(Failure::Condition)) if only_new => return Ok(()),
                Err(Stop::Service(Failure::Unknown(why))) if only_new => {
                    tracing::warn!(why, "the service knows no conditional writes: keys are written without");
                    self.0.conditional.store(false, Ordering::Relaxed);
                }
                Err(Stop::Service(Failure::Conflict)) if CONFLICT.wait(conflicts).is_some() => {
                    tokio::time::sleep(scattered(CONFLICT.pause(conflicts))).await;
                    conflicts += 1;
                }
                Err(Stop::Service(failure)) => return Err(failure.blob(key)),
                Err(Stop::Caller(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn send(&self, key: &BlobKey, source: &Source, only_new: bool) -> Result<(), Stop> {
        let object = self.0.prefix.object(key);
        if source.bytes() > WHOLE {
            return self.send_parts(object, source, only_new).await;
        }
        let _room = self.0.parts.acquire_many(u32::try_from(source.bytes().div_ceil(PART)).unwrap_or(2)).await;
        let content = source.part(0, source.bytes()).await.map_err(Stop::Caller)?;
        Ok(self.0.put_object(&object, content, only_new).await?)
    }

    async fn send_parts(&self, object: String, source: &Source, only_new: bool) -> Result<(), Stop> {
        let upload = Upload::begin(Arc::clone(&self.0), object).await?;
        let sent = upload.send(source, only_new).await;
        match sent {
            Ok(()) => upload.done(),
            Err(_) => upload.abort().await,
        }
        sent
    }
}

/// An upload in parts that has begun. Unless it is done, its parts are removed when it is dropped.
struct Upload {
    store: Arc<Store>,
    object: String,
    /// None once it is done or aborted.
    id: Option<String>,
}

impl Upload {
    async fn begin(store: Arc<Store>, object: String) -> Result<Self, Failure> {
        let create = store.client.create_multipart_upload().bucket(&store.bucket).key(&object);
        let create = create
            .set_server_side_encryption(store.encryption.kind())
            .set_ssekms_key_id(store.encryption.key())
            .set_bucket_key_enabled(store.encryption.bucket_key());
        let created = create.send().await.map_err(|e| Failure::of(&store.bucket, &e))?;
        Ok(Self { id: created.upload_id, store, object })
    }

    async fn send(&self, source: &Source, only_new: bool) -> Result<(), Stop> {
        let bytes = source.bytes();
        let size = PART.max(bytes.div_ceil(MOST_PARTS));
        let parts = (0..bytes.div_ceil(size)).map(|n| self.send_part(source, n, size.min(bytes - n * size), n * size));
        let mut parts: Vec<CompletedPart> = stream::iter(parts).buffer_unordered(IN_FLIGHT).try_collect().await?;
        parts.sort_by_key(CompletedPart::part_number);
        let (store, count) = (&self.store, parts.len());
        let complete = store.sender.complete_multipart_upload().bucket(&store.bucket).key(&self.object);
        let complete = complete
            .set_upload_id(self.id.clone())
            .set_if_none_match(only_new.then(|| "*".to_owned()))
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
        match complete.send().await.map_err(|e| Failure::of(&store.bucket, &e)) {
            Ok(_) => Ok(()),
            // The answer to an earlier attempt was lost.
            Err(Failure::NoUpload) if store.is_there(&self.object, bytes, count).await => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn send_part(&self, source: &Source, n: u64, length: u64, start: u64) -> Result<CompletedPart, Stop> {
        let store = &self.store;
        let _room = store.parts.acquire().await;
        let content = source.part(start, length).await.map_err(Stop::Caller)?;
        let number = i32::try_from(n + 1).unwrap_or(i32::MAX);
        let part = store.sender.upload_part().bucket(&store.bucket).key(&self.object).part_number(number);
        let sent = part.set_upload_id(self.id.clone()).body(ByteStream::from(content)).send().await;
        let sent = sent.map_err(|e| Failure::of(&store.bucket, &e))?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build())
    }

    fn done(mut self) {
        self.id = None;
    }

    async fn abort(mut self) {
        if let Some(id) = self.id.take() {
            remove_parts(&self.store, &self.object, id).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let (store, object) = (Arc::clone(&self.store), std::mem::take(&mut self.object));
        runtime.spawn(async move { remove_parts(&store, &object, id).await });
    }
}

/// Removes the parts of an upload that is given up. Where that fails, the bucket's life cycle rule for incomplete uploads is
/// left to do it.
async fn remove_parts(store: &Store, object: &str, id: String) {
    let abort = store.client.abort_multipart_upload().bucket(&store.bucket).key(object).upload_id(id).send().await;
    if let Err(e) = abort {
        let why = Failure::of(&store.bucket, &e);
        tracing::warn!(object, ?why, "the parts of an upload that failed are left in the bucket");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_scattered_around_what_they_are() {
        let wait = Duration::from_secs(1);
        let waits: Vec<_> = (0..64).map(|_| scattered(wait)).collect();
        assert!(waits.iter().all(|w| (wait / 2..wait * 3 / 2).contains(w)), "{waits:?}");
        assert!(waits.iter().any(|w| *w != waits[0]));
    }

    #[tokio::test]
    async fn a_part_of_memory_ends_where_the_content_does() {
        let source = Source::Memory(Bytes::from_static(b"0123456789"));
        assert_eq!(source.part(8, 100).await.unwrap().as_ref(), b"89");
        assert_eq!(source.part(100, 1).await.unwrap().as_ref(), b"");
    }
}
