//! Blobs as files of a directory.

use async_trait::async_trait;
use bytes::Bytes;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader, Blobs};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Read at once at most.
const PIECE: usize = 256 * 1024;
/// Files being written are called so; no key can be, because no part of a key starts with a dot.
const PARTIAL: &str = ".partial-";

/// A directory whose files are blobs. A file appears under its key only when it is complete and on the disk.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Opens a directory, making it if need be, and removes what a crash left half written.
    ///
    /// # Errors
    /// [`BlobError::Local`] says why it cannot be used.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let refuse = |e: io::Error| BlobError::Local { path: root.to_owned(), reason: e.to_string() };
        fs::create_dir_all(root).map_err(refuse)?;
        let root = root.canonicalize().map_err(refuse)?;
        sweep(&root, 0).map_err(refuse)?;
        Ok(Self { root })
    }

    fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The file of a key, links resolved, if it lies inside the directory.
    fn inside(&self, key: &BlobKey) -> Result<PathBuf, BlobError> {
        match self.path(key).canonicalize() {
            Ok(path) if path.starts_with(&self.root) && path.is_file() => Ok(path),
            Ok(_) => Err(BlobError::Missing(key.clone())),
            Err(e) => Err(failed(key, &e)),
        }
    }

    fn store(&self, key: &BlobKey, write: impl FnOnce(&mut File) -> Result<(), BlobError>) -> Result<(), BlobError> {
        let target = self.path(key);
        let folder = target.parent().unwrap_or(&self.root);
        let failed = |e: &io::Error| failed(key, e);
        fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        if !folder.canonicalize().map_err(|e| failed(&e))?.starts_with(&self.root) {
            return Err(BlobError::Unavailable(format!("the folder of '{key}' leads out of the store")));
        }
        let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder).map_err(|e| failed(&e))?;
        write(file.as_file_mut())?;
        publish(file, &target, folder).map_err(|e| failed(&e))
    }
}

/// Gives a complete file its name; both are on the disk when this returns.
fn publish(file: NamedTempFile, target: &Path, folder: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(target).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()
}

/// Removes half-written files. Keys have few parts, so the depth is bounded; links are not followed.
fn sweep(folder: &Path, depth: u32) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < 16 {
            sweep(&entry.path(), depth + 1)?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            tracing::info!(file = %entry.path().display(), "removing a half-written file");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn failed(key: &BlobKey, e: &io::Error) -> BlobError {
    match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => BlobError::Missing(key.clone()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full(e.to_string()),
        _ => BlobError::Unavailable(format!("'{key}': {e}")),
    }
}

/// File work belongs on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(BlobError::Unavailable(format!("file work was interrupted: {e}"))))
}

struct Pieces {
    key: BlobKey,
    file: Option<io::Take<File>>,
}

#[async_trait]
impl BlobReader for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let key = self.key.clone();
        let (file, piece) = blocking(move || {
            let mut piece = vec![0; PIECE];
            let mut filled = 0;
            while filled < PIECE {
                match file.read(&mut piece[filled..]) {
                    Ok(0) => break,
                    Ok(n) => filled += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(failed(&key, &e)),
                }
            }
            piece.truncate(filled);
            Ok((file, piece))
        })
        .await?;
        if piece.is_empty() {
            return Ok(None);
        }
        self.file = Some(file);
        Ok(Some(piece.into()))
    }
}

#[async_trait]
impl Blobs for Directory {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || this.store(&key, |file| file.write_all(&content).map_err(|e| failed(&key, &e)))).await
    }

    async fn put_file(&self, key: &BlobKey, file: &Path) -> Result<(), BlobError> {
        let (this, key, source) = (self.clone(), key.clone(), file.to_owned());
        blocking(move || {
            let local = |e: io::Error| BlobError::Local { path: source.clone(), reason: e.to_string() };
            let mut from = File::open(&source).map_err(local)?;
            this.store(&key, |to| io::copy(&mut from, to).map(|_| ()).map_err(|e| failed(&key, &e)))
        })
        .await
    }

    async fn get(&self, key: &BlobKey, allowed: u64) -> Result<Bytes, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || {
            let file = File::open(this.inside(&key)?).map_err(|e| failed(&key, &e))?;
            let bytes = file.metadata().map_err(|e| failed(&key, &e))?.len();
            if bytes > allowed {
                return Err(BlobError::TooLarge { key, bytes, allowed });
            }
            let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
            file.take(allowed).read_to_end(&mut content).map_err(|e| failed(&key, &e))?;
            Ok(content.into())
        })
        .await
    }

    async fn local(&self, key: &BlobKey, _folder: &Path) -> Result<PathBuf, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || this.inside(&key)).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || match this.inside(&key) {
            Ok(path) => path.metadata().map(|m| Some(m.len())).map_err(|e| failed(&key, &e)),
            Err(BlobError::Missing(_)) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError> {
        let (this, name) = (self.clone(), key.clone());
        let file = blocking(move || {
            let mut file = File::open(this.inside(&name)?).map_err(|e| failed(&name, &e))?;
            file.seek(SeekFrom::Start(start)).map_err(|e| failed(&name, &e))?;
            Ok(file.take(length))
        })
        .await?;
        Ok(Box::new(Pieces { key: key.clone(), file: Some(file) }))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || match this.inside(&key) {
            Ok(path) => fs::remove_file(path).map(|()| true).map_err(|e| failed(&key, &e)),
            Err(BlobError::Missing(_)) => Ok(false),
            Err(e) => Err(e),
        })
        .await
    }

    async fn check(&self) -> Result<(), BlobError> {
        let root = self.root.clone();
        blocking(move || {
            let unusable = |e: io::Error| match e.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full(e.to_string()),
                _ => BlobError::Unavailable(format!("'{}': {e}", root.display())),
            };
            let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(&root).map_err(unusable)?;
            file.write_all(&[7; 4096]).map_err(unusable)?;
            file.as_file().sync_data().map_err(unusable)
        })
        .await
    }
}
