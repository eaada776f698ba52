//! A worker's scratch folder: a folder a session, removed with it; what a crash left is swept at the next start.

use mouthpiece_domain::ids::WorkerId;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tracing::{info, warn};

/// Held locked while the worker lives: how another tells what a crash left.
const LOCK: &str = "lock";
/// Folders that are not locked yet begin with this, and are nobody's business.
const NEW: &str = ".new-";

/// One worker's folder, removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes the worker's folder in `root` (which is made too), after removing those of workers that are gone.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(root: &Path, worker: WorkerId) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        sweep(root)?;
        // Locked before it has its name, so that nobody takes it for left over.
        let fresh = root.join(format!("{NEW}{worker}"));
        fs::create_dir(&fresh)?;
        let lock = File::create(fresh.join(LOCK))?;
        lock.lock()?;
        let folder = root.join(worker.to_string());
        fs::rename(&fresh, &folder)?;
        Ok(Self { folder, _lock: lock })
    }

    /// A new folder for one session, removed when it is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn session(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("session-").tempdir_in(&self.folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_dir_all(&self.folder) {
            warn!(error = %e, "the scratch folder could not be removed: the next start will");
        }
    }
}

/// Removes the folders of workers that are gone.
fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.parse::<WorkerId>().is_ok());
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        if is_ours && lock.try_lock().is_ok() {
            info!(folder = %entry.path().display(), "removing what a worker left that is gone");
            // Another worker may sweep at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_left_over_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let left = root.path().join(WorkerId(1).to_string());
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), b"").unwrap();
        fs::write(left.join("half.mp4"), b"x").unwrap();
        fs::write(root.path().join("notes"), b"somebody's").unwrap();
        let alive = Scratch::open(root.path(), WorkerId(2)).unwrap();
        let session = alive.session().unwrap();
        assert!(!left.exists());
        let other = Scratch::open(root.path(), WorkerId(3)).unwrap();
        assert!(session.path().exists());
        let path = session.path().to_owned();
        drop(session);
        assert!(!path.exists());
        drop((alive, other));
        let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["notes"]);
    }
}
