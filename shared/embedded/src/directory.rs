//! Blobs as files of a directory.

use async_trait::async_trait;
use bytes::Bytes;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader, Blobs};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Read or written at once.
const PIECE: usize = 256 * 1024;
/// The folder of files that are being written. No key can be in it: no part of a key starts with a dot.
const INCOMING: &str = ".incoming";
/// A folder may be removed for being empty just when a file is to be moved there; so often it is made anew.
const TRIES: u32 = 16;

/// A directory whose files are blobs: the key is the relative path.
///
/// A file is written in a folder of its own, brought to the disk and then moved: under its key it is complete or not there.
/// Symbolic links that lead out of the directory are not followed, and one in place of a blob is none. No key may be a
/// folder of another, as `a` of `a/b`: the later one is refused.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Opens a directory, making it if need be, and removes what a crash left half written. Other processes may have it
    /// open.
    ///
    /// # Errors
    /// [`BlobError::Local`] with the path, and why it cannot be used.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let refuse = |path: &Path, e: &io::Error| BlobError::Local {
            path: path.to_owned(),
            reason: format!("{e}; name a folder that can be written to"),
        };
        fs::create_dir_all(root).map_err(|e| refuse(root, &e))?;
        let root = root.canonicalize().map_err(|e| refuse(root, &e))?;
        let this = Self { root };
        let incoming = this.incoming();
        fs::create_dir_all(&incoming).and_then(|()| sweep(&incoming)).map_err(|e| refuse(&incoming, &e))?;
        this.trifle().map_err(|e| refuse(&incoming, &e))?;
        Ok(this)
    }

    fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// A folder's real path, which must lie in the directory.
    fn within(&self, folder: &Path) -> io::Result<PathBuf> {
        let real = folder.canonicalize()?;
        if real.starts_with(&self.root) {
            return Ok(real);
        }
        Err(io::Error::other(format!("'{}' leads out of the store", folder.display())))
    }

    /// The file of a key; `None` when there is none.
    fn find(&self, key: &BlobKey) -> Result<Option<PathBuf>, BlobError> {
        let path = self.path(key);
        let look = || {
            let folder = self.within(path.parent().unwrap_or(&self.root))?;
            let path = folder.join(path.file_name().unwrap_or_default());
            Ok(fs::symlink_metadata(&path)?.is_file().then_some(path))
        };
        look().or_else(absent_is(None)).map_err(|e| failed(key, &e))
    }

    fn existing(&self, key: &BlobKey) -> Result<PathBuf, BlobError> {
        self.find(key)?.ok_or_else(|| BlobError::Missing(key.clone()))
    }

    /// Opens a blob with its size. A blob that is replaced later is read as it was.
    fn opened(&self, key: &BlobKey) -> Result<(File, u64), BlobError> {
        let path = self.existing(key)?;
        let open = || {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        open().map_err(|e: io::Error| if is_absent(&e) { BlobError::Missing(key.clone()) } else { failed(key, &e) })
    }

    /// A file to write to. It is locked as long as it is open, so that no other process takes it for a crash's remains;
    /// one that did so in the moment before the lock is noticed by the file having no name any more.
    fn begin(&self) -> io::Result<NamedTempFile> {
        loop {
            let file = tempfile::Builder::new().prefix("").suffix(".part").tempfile_in(self.incoming())?;
            file.as_file().lock()?;
            if file.path().exists() {
                return Ok(file);
            }
        }
    }

    /// Gives a complete file its name. File and name are on the disk when this returns.
    fn publish(&self, mut file: NamedTempFile, key: &BlobKey) -> io::Result<()> {
        file.as_file().sync_all()?;
        for _ in 0..TRIES {
            let target = match self.target(key) {
                Ok(target) => target,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            match file.persist(&target) {
                Ok(_) => return self.settle(&target),
                Err(e) if e.error.kind() == io::ErrorKind::NotFound => file = e.file,
                Err(e) => return Err(e.error),
            }
        }
        Err(io::Error::other("its folder is removed again and again"))
    }

    /// Where a key's file goes. Its folders are made one by one, so that none is made through a link that leads out.
    fn target(&self, key: &BlobKey) -> io::Result<PathBuf> {
        let mut folder = self.root.clone();
        let mut parts = key.as_str().split('/').peekable();
        while let Some(part) = parts.next() {
            let path = folder.join(part);
            if parts.peek().is_none() {
                return Ok(path);
            }
            match fs::create_dir(&path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => folder = self.within(&path)?,
            }
        }
        Ok(folder)
    }

    /// Brings a file's name, and the names of the folders above it, to the disk.
    fn settle(&self, file: &Path) -> io::Result<()> {
        for folder in file.ancestors().skip(1).take_while(|f| f.starts_with(&self.root)) {
            match File::open(folder) {
                Ok(folder) => folder.sync_all()?,
                // Somebody has removed the blob again.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn store(&self, key: &BlobKey, write: impl FnOnce(&mut File) -> Result<(), BlobError>) -> Result<(), BlobError> {
        let mut file = self.begin().map_err(|e| failed(key, &e))?;
        write(file.as_file_mut())?;
        self.publish(file, key).map_err(|e| failed(key, &e))
    }

    fn remove(&self, key: &BlobKey) -> Result<bool, BlobError> {
        let Some(path) = self.find(key)? else { return Ok(false) };
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if is_absent(&e) => return Ok(false),
            Err(e) => return Err(failed(key, &e)),
        }
        // A folder that is not empty stays.
        for folder in path.ancestors().skip(1).take_while(|f| *f != self.root && f.starts_with(&self.root)) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(true)
    }

    /// Adds the blobs below a folder (a real path in the directory, and its key) to `found`, as long as there is room.
    fn gather(&self, folder: &Path, key: &BlobKey, most: usize, found: &mut Vec<(BlobKey, u64)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            if found.len() >= most {
                return Ok(());
            }
            let entry = entry?;
            let name = entry.file_name();
            // What is no key was not put here by this program.
            let Some(Ok(key)) = name.to_str().map(|name| BlobKey::new(format!("{key}/{name}"))) else { continue };
            // One that was removed in this moment is not there.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                self.gather(&entry.path(), &key, most, found).or_else(absent_is(()))?;
            } else if metadata.is_file() {
                found.push((key, metadata.len()));
            }
        }
        Ok(())
    }

    fn below(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError> {
        let mut found = Vec::new();
        let mut look = || self.gather(&self.within(&self.path(folder))?, folder, most, &mut found);
        look().or_else(absent_is(())).map_err(|e| failed(folder, &e))?;
        Ok(found)
    }

    /// Writes and reads a little.
    fn trifle(&self) -> io::Result<()> {
        let mut file = self.begin()?;
        let written = [7; 4096];
        file.write_all(&written)?;
        file.as_file().sync_all()?;
        file.rewind()?;
        let mut read = [0; 4096];
        file.read_exact(&mut read)?;
        if read == written { Ok(()) } else { Err(io::Error::other("what was written is not what is read")) }
    }
}

/// Removes what nobody writes to any more. Errors of a single file do not matter: it may be gone already.
fn sweep(incoming: &Path) -> io::Result<()> {
    for entry in fs::read_dir(incoming)? {
        let path = entry?.path();
        let left =
            fs::symlink_metadata(&path).is_ok_and(|m| m.is_file()) && path.extension().is_some_and(|e| e == "part");
        if let (true, Ok(file)) = (left, File::open(&path))
            && file.try_lock().is_ok()
        {
            tracing::info!(file = %path.display(), "removing a half-written file");
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

fn is_absent(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What is not there is `instead`.
fn absent_is<T>(instead: T) -> impl FnOnce(io::Error) -> io::Result<T> {
    |e| if is_absent(&e) { Ok(instead) } else { Err(e) }
}

fn failed(key: &BlobKey, e: &io::Error) -> BlobError {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            BlobError::Full(format!("'{key}' does not fit ({e}): free some space"))
        }
        _ => BlobError::Unavailable(format!("'{key}': {e}")),
    }
}

/// Copies a file, telling the caller's file from the store's when one of them fails.
fn copy(key: &BlobKey, source: &Path, mut from: File, to: &mut File) -> Result<(), BlobError> {
    let mut piece = vec![0; PIECE];
    loop {
        let n = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(local(source, &e)),
        };
        to.write_all(&piece[..n]).map_err(|e| failed(key, &e))?;
    }
}

fn local(path: &Path, e: &io::Error) -> BlobError {
    BlobError::Local { path: path.to_owned(), reason: e.to_string() }
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
    /// None at the end and after an error.
    file: Option<io::Take<File>>,
}

#[async_trait]
impl BlobReader for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let key = self.key.clone();
        let (file, piece) = blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            file.by_ref().take(PIECE as u64).read_to_end(&mut piece).map_err(|e| failed(&key, &e))?;
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
            let from = File::open(&source).map_err(|e| local(&source, &e))?;
            this.store(&key, |to| copy(&key, &source, from, to))
        })
        .await
    }

    async fn get(&self, key: &BlobKey, allowed: u64) -> Result<Bytes, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || {
            let (file, bytes) = this.opened(&key)?;
            if bytes > allowed {
                return Err(BlobError::TooLarge { key, bytes, allowed });
            }
            let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
            file.take(bytes).read_to_end(&mut content).map_err(|e| failed(&key, &e))?;
            Ok(content.into())
        })
        .await
    }

    async fn local(&self, key: &BlobKey, _folder: &Path) -> Result<PathBuf, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || this.existing(&key)).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || match this.opened(&key) {
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(BlobError::Missing(_)) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError> {
        let (this, name) = (self.clone(), key.clone());
        let file = blocking(move || {
            let (mut file, bytes) = this.opened(&name)?;
            file.seek(SeekFrom::Start(start.min(bytes))).map_err(|e| failed(&name, &e))?;
            Ok(file.take(length))
        })
        .await?;
        Ok(Box::new(Pieces { key: key.clone(), file: Some(file) }))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError> {
        let (this, key) = (self.clone(), key.clone());
        blocking(move || this.remove(&key)).await
    }

    async fn list(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError> {
        let (this, folder) = (self.clone(), folder.clone());
        blocking(move || this.below(&folder, most)).await
    }

    async fn check(&self) -> Result<(), BlobError> {
        let this = self.clone();
        blocking(move || {
            this.trifle().map_err(|e| match e.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    BlobError::Full(format!("'{}' ({e}): free some space", this.root.display()))
                }
                _ => BlobError::Unavailable(format!("'{}': {e}", this.root.display())),
            })
        })
        .await
    }
}
