//! Copies of objects on this machine: bounded, least recently used first, never those in use.

use super::settings::{CacheSettings, OpenError};
use mouthpiece_domain::session::BlobKey;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// Names of files that are being written. No name of a copy begins so.
const INCOMING: &str = ".incoming-";
/// Locked by the process that the folder belongs to.
const LOCK: &str = ".lock";

/// A copy's name: its key and what its content is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CopyName(String);

impl CopyName {
    pub(crate) fn new(key: &BlobKey, etag: &str) -> Self {
        Self(format!("{}{}", key_part(key), &hex(etag)[..32]))
    }
}

/// No key has a plus or an at sign in it, so no two keys have the same name.
fn key_part(key: &BlobKey) -> String {
    format!("{}@", file_name(key))
}

/// A key as a file's name.
pub(crate) fn file_name(key: &BlobKey) -> String {
    key.as_str().replace('/', "+")
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug)]
struct Copy {
    bytes: u64,
    used: SystemTime,
}

#[derive(Debug, Default)]
struct Copies {
    files: HashMap<CopyName, Copy>,
    /// Of `files`.
    bytes: u64,
    /// Promised to what is being fetched.
    promised: u64,
}

/// A folder of copies. It belongs to one process. Its calls wait for the disk.
///
/// A file is handed out as a hard link, so that it stays its user's even when the copy is removed here; one that has other
/// links is in use, and would free nothing.
#[derive(Debug)]
pub(crate) struct FileCache {
    folder: PathBuf,
    most: u64,
    keep: Duration,
    copies: Mutex<Copies>,
    /// Held as long as this lives.
    _lock: File,
}

/// A promise of room for something that is being fetched.
#[derive(Debug)]
pub(crate) struct Room {
    cache: Arc<FileCache>,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.cache.copies().promised -= self.bytes;
    }
}

impl FileCache {
    /// Opens a folder, making it if need be, and finds what an earlier process left there of the same store.
    pub(crate) fn open(settings: &CacheSettings, store: &str) -> Result<Self, OpenError> {
        let CacheSettings { folder: root, bytes, keep } = settings;
        let refused = |reason: String| OpenError::Cache { path: root.clone(), reason };
        let failed = |e: io::Error| refused(format!("{e}; name a folder that can be written to"));
        let folder = root.join(&hex(store)[..16]);
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(root.join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|_| refused("another process uses it: give each its own".to_owned()))?;
        // What belongs to a store that is no longer used takes no room.
        for entry in fs::read_dir(root).map_err(failed)?.flatten() {
            if entry.path() != folder && entry.path().is_dir() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let mut copies = Copies::default();
        for entry in fs::read_dir(&folder).map_err(failed)?.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() && !name.starts_with(INCOMING) => {
                    let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    copies.bytes += metadata.len();
                    copies.files.insert(CopyName(name), Copy { bytes: metadata.len(), used });
                }
                _ => {
                    let _ = fs::remove_file(path);
                }
            }
        }
        let this = Self { folder, most: *bytes, keep: *keep, copies: Mutex::new(copies), _lock: lock };
        this.make_room(&mut this.copies(), 0);
        this.expire(SystemTime::now());
        Ok(this)
    }

    fn copies(&self) -> std::sync::MutexGuard<'_, Copies> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &CopyName) -> PathBuf {
        self.folder.join(&name.0)
    }

    /// Hands a copy out as `target`. False when there is none.
    pub(crate) fn hand_out(&self, name: &CopyName, target: &Path) -> io::Result<bool> {
        let mut copies = self.copies();
        let Some(copy) = copies.files.get_mut(name) else { return Ok(false) };
        copy.used = SystemTime::now();
        let path = self.path(name);
        match place(&path, target) {
            Ok(()) => {
                let used = copy.used;
                // The order of use outlives the process; losing it costs a fetch.
                let _ = File::open(&path).and_then(|file| file.set_modified(used));
                Ok(true)
            }
            // Somebody has cleared the folder.
            Err(e) if e.kind() == io::ErrorKind::NotFound && !path.exists() => {
                self.strike(&mut copies, name);
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Any copy of a key, the latest used, for when the store cannot be asked.
    pub(crate) fn any_of(&self, key: &BlobKey) -> Option<CopyName> {
        let (copies, part) = (self.copies(), key_part(key));
        let of_key = copies.files.iter().filter(|(name, _)| name.0.starts_with(&part));
        of_key.max_by_key(|(_, copy)| copy.used).map(|(name, _)| name.clone())
    }

    /// Promises room for a copy, removing others for it. `None` when there is none to be had.
    pub(crate) fn room(self: &Arc<Self>, bytes: u64) -> Option<Room> {
        let mut copies = self.copies();
        if !self.make_room(&mut copies, bytes) {
            return None;
        }
        copies.promised += bytes;
        Some(Room { cache: Arc::clone(self), bytes })
    }

    /// A file to fetch into.
    pub(crate) fn incoming(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(INCOMING).tempfile_in(&self.folder)
    }

    /// Takes in what was fetched.
    pub(crate) fn keep(&self, name: CopyName, file: NamedTempFile, room: Room) -> io::Result<()> {
        let bytes = file.as_file().metadata()?.len();
        file.as_file().set_permissions(Permissions::from_mode(0o444))?;
        let mut copies = self.copies();
        file.persist(self.path(&name)).map_err(|e| e.error)?;
        self.strike(&mut copies, &name);
        copies.bytes += bytes;
        copies.files.insert(name, Copy { bytes, used: SystemTime::now() });
        drop(copies);
        drop(room);
        Ok(())
    }

    /// Removes the copies of a key that is gone.
    pub(crate) fn forget(&self, key: &BlobKey) {
        let (mut copies, part) = (self.copies(), key_part(key));
        let of_key: Vec<_> = copies.files.keys().filter(|name| name.0.starts_with(&part)).cloned().collect();
        for name in of_key {
            self.remove(&mut copies, &name);
        }
    }

    /// Removes what was not used for long.
    pub(crate) fn expire(&self, now: SystemTime) {
        let mut copies = self.copies();
        let old = |copy: &Copy| now.duration_since(copy.used).is_ok_and(|age| age > self.keep);
        let old: Vec<_> = copies.files.iter().filter(|(_, copy)| old(copy)).map(|(name, _)| name.clone()).collect();
        for name in old {
            self.remove(&mut copies, &name);
        }
    }

    /// Removes what was not used for longest and is not in use, until so many more bytes fit. False when they do not.
    fn make_room(&self, copies: &mut Copies, bytes: u64) -> bool {
        if bytes > self.most {
            return false;
        }
        let fits = |copies: &Copies| copies.bytes + copies.promised + bytes <= self.most;
        if !fits(copies) {
            let mut oldest: Vec<_> = copies.files.iter().map(|(name, copy)| (copy.used, name.clone())).collect();
            oldest.sort_by_key(|(used, _)| *used);
            for (_, name) in oldest {
                if fits(copies) {
                    break;
                }
                let used = fs::metadata(self.path(&name)).is_ok_and(|m| m.nlink() > 1);
                if !used {
                    self.remove(copies, &name);
                }
            }
        }
        fits(copies)
    }

    fn remove(&self, copies: &mut Copies, name: &CopyName) {
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(error = %e, "a copy cannot be removed from the cache");
            }
            _ => self.strike(copies, name),
        }
    }

    fn strike(&self, copies: &mut Copies, name: &CopyName) {
        if let Some(copy) = copies.files.remove(name) {
            copies.bytes -= copy.bytes;
        }
    }
}

/// Makes `target` the same file, or a copy where it lies on another file system. What was there is replaced.
pub(crate) fn place(path: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let spot = tempfile::Builder::new().prefix(INCOMING).tempdir_in(folder)?;
    let fresh = spot.path().join("file");
    match fs::hard_link(path, &fresh) {
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(path, &fresh)?;
        }
        linked => linked?,
    }
    fs::rename(&fresh, target)
}

/// Fetches of the same key wait for each other, so that the first one's copy serves all.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<BlobKey, Weak<tokio::sync::Mutex<()>>>>);

impl Flights {
    pub(crate) async fn enter(&self, key: &BlobKey) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            flights.retain(|_, flight| flight.strong_count() > 0);
            let held = flights.get(key).and_then(Weak::upgrade);
            held.unwrap_or_else(|| {
                let lock = Arc::default();
                flights.insert(key.clone(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
