//! Blobs as local files: from the cache, or fetched.

use super::cache::{CopyName, FileCache, file_name, place};
use super::reader::Pieces;
use super::store::S3;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

impl S3 {
    /// A blob as a file in `folder`. A copy is used only while the store has the same content under the key, or cannot be
    /// asked.
    pub(crate) async fn local_file(&self, key: &BlobKey, folder: &Path) -> Result<PathBuf, BlobError> {
        let target = folder.join(file_name(key));
        let Some(cache) = &self.0.cache else {
            let pieces = Pieces::open(self, key, 0, u64::MAX).await?;
            let inside = folder.to_owned();
            let file = on_disk(&target, move || NamedTempFile::new_in(inside)).await?;
            let file = fetch(pieces, file, &target).await?;
            return finish(file, target).await;
        };
        // Whoever fetches the same key now brings it for all.
        let _flight = self.0.flights.enter(key).await;
        let facts = match self.0.facts(key).await {
            Ok(Some(facts)) => facts,
            Ok(None) => {
                self.forget_local(key).await;
                return Err(BlobError::Missing(key.clone()));
            }
            Err(failure) => {
                let Some(name) = cache.any_of(key) else { return Err(failure.blob(key)) };
                let failure = failure.blob(key);
                if matches!(failure, BlobError::Unavailable(_)) && hand_out(cache, name, &target).await? {
                    tracing::warn!(%key, %failure, "the copy of this machine is used");
                    return Ok(target);
                }
                return Err(failure);
            }
        };
        if let Some(etag) = &facts.etag
            && hand_out(cache, CopyName::new(key, etag), &target).await?
        {
            return Ok(target);
        }
        self.fetch_through(cache, key, target).await
    }

    /// Fetches a blob into the cache, or past it where it has no room.
    async fn fetch_through(
        &self,
        cache: &Arc<FileCache>,
        key: &BlobKey,
        target: PathBuf,
    ) -> Result<PathBuf, BlobError> {
        let pieces = Pieces::open(self, key, 0, u64::MAX).await?;
        let name = pieces.etag().map(|etag| CopyName::new(key, etag));
        let (bytes, own) = (pieces.remaining(), Arc::clone(cache));
        let (file, room) = on_disk(&target, {
            let target = target.clone();
            move || match name.and_then(|name| Some((name, own.room(bytes)?))) {
                Some(room) => Ok((own.incoming()?, Some(room))),
                None => Ok((NamedTempFile::new_in(target.parent().unwrap_or(Path::new(".")))?, None)),
            }
        })
        .await?;
        let file = fetch(pieces, file, &target).await?;
        let Some((name, room)) = room else { return finish(file, target).await };
        let cache = Arc::clone(cache);
        on_disk(&target.clone(), move || {
            place(file.path(), &target)?;
            cache.keep(name, file, room)?;
            Ok(target)
        })
        .await
    }

    /// Removes the copies of a key.
    pub(crate) async fn forget_local(&self, key: &BlobKey) {
        if let Some(cache) = self.0.cache.clone() {
            let key = key.clone();
            let _ = tokio::task::spawn_blocking(move || cache.forget(&key)).await;
        }
    }

    /// Removes the copies that were not used for long.
    pub(crate) async fn expire_local(&self) {
        if let Some(cache) = self.0.cache.clone() {
            let _ = tokio::task::spawn_blocking(move || cache.expire(SystemTime::now())).await;
        }
    }
}

/// File work on a thread that may wait; its errors are told with the file that was wanted.
async fn on_disk<T: Send + 'static>(
    target: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(io::Error::other(format!("it was interrupted: {e}"))))
        .map_err(|e| BlobError::Local { path: target.to_owned(), reason: e.to_string() })
}

async fn hand_out(cache: &Arc<FileCache>, name: CopyName, target: &Path) -> Result<bool, BlobError> {
    let (cache, to) = (Arc::clone(cache), target.to_owned());
    on_disk(target, move || cache.hand_out(&name, &to)).await
}

/// Writes all pieces to a file.
async fn fetch(mut pieces: Pieces, file: NamedTempFile, target: &Path) -> Result<NamedTempFile, BlobError> {
    let failed = |e: io::Error| BlobError::Local { path: target.to_owned(), reason: e.to_string() };
    let mut to = tokio::fs::File::from_std(file.as_file().try_clone().map_err(failed)?);
    while let Some(piece) = pieces.next().await? {
        to.write_all(&piece).await.map_err(failed)?;
    }
    to.flush().await.map_err(failed)?;
    Ok(file)
}

/// Gives a file its name.
async fn finish(file: NamedTempFile, target: PathBuf) -> Result<PathBuf, BlobError> {
    on_disk(&target.clone(), move || file.persist(&target).map(|_| target).map_err(|e| e.error)).await
}
