//! A file on its way in: written beside the store while it is counted, hashed and recognised.

use super::IntakeRefusal;
use crate::office::hex;
use mouthpiece_domain::file_kind::{FileKind, FileUse, HEAD, NotTaken};
use sha2::{Digest, Sha256};
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::time::Duration;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

/// What staged files are called.
const PREFIX: &str = "upload-";
/// What they are called before their process has locked them.
const NEW_PREFIX: &str = "new-";
/// Whoever finds that nothing can be written comes back after this.
const NO_DISK: Duration = Duration::from_secs(30);
const WRITE_AT_ONCE: usize = 256 * 1024;

/// A file that arrived whole. It is removed when this is dropped.
#[derive(Debug)]
pub struct StagedFile {
    path: TempPath,
    /// Open, and with that locked: nobody takes it for one that was left behind.
    _locked: std::fs::File,
    /// SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// What it is.
    pub media_type: &'static str,
    /// What the caller calls it: its file name without folder and ending, for people to read; may be empty.
    pub called: String,
}

impl StagedFile {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// A file that is arriving. What was written is removed when this is dropped.
#[derive(Debug)]
pub struct IncomingFile {
    field: String,
    given_as: FileUse,
    limit: u64,
    file: BufWriter<File>,
    path: TempPath,
    hash: Sha256,
    head: Vec<u8>,
    bytes: u64,
}

impl IncomingFile {
    /// An empty file in the staging folder, which becomes no larger than `limit` bytes. Refusals name `field`.
    pub(super) fn new(folder: &Path, field: &str, given_as: FileUse, limit: u64) -> Result<Self, IntakeRefusal> {
        let (file, path) = locked(folder).map_err(|e| cannot_stage(&e))?;
        Ok(Self {
            field: field.to_owned(),
            given_as,
            limit,
            file: BufWriter::with_capacity(WRITE_AT_ONCE, File::from_std(file)),
            path,
            hash: Sha256::new(),
            head: Vec::new(),
            bytes: 0,
        })
    }

    /// The most that it may become.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Adds bytes. Refuses as soon as it is known that the file will not do.
    ///
    /// # Errors
    /// [`IntakeRefusal`]: beyond the limit, of a kind that is not taken, not to be written.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), IntakeRefusal> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.limit {
            return Err(self.too_large());
        }
        let missing = HEAD - self.head.len();
        if missing > 0 {
            self.head.extend_from_slice(&chunk[..missing.min(chunk.len())]);
            if let Some(kind) = FileKind::early(&self.head) {
                kind.taken_as(self.given_as).map_err(|no| self.refuse(no))?;
            }
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).await.map_err(|e| cannot_stage(&e))
    }

    /// Its refusal when it is known to be larger than its limit.
    pub(super) fn too_large(&self) -> IntakeRefusal {
        IntakeRefusal::TooLarge { field: self.field.clone(), limit: self.limit }
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// [`IntakeRefusal`]: empty, of a kind that is not taken, not to be written.
    pub async fn finish(mut self) -> Result<StagedFile, IntakeRefusal> {
        let media_type = FileKind::of(&self.head).taken_as(self.given_as).map_err(|no| self.refuse(no))?;
        self.file.flush().await.map_err(|e| cannot_stage(&e))?;
        let sha256 = hex(&self.hash.finalize());
        let locked = self.file.into_inner().into_std().await;
        Ok(StagedFile {
            path: self.path,
            _locked: locked,
            sha256,
            bytes: self.bytes,
            media_type,
            called: String::new(),
        })
    }

    fn refuse(&self, why: NotTaken) -> IntakeRefusal {
        IntakeRefusal::NotTaken { field: self.field.clone(), why }
    }
}

fn cannot_stage(error: &io::Error) -> IntakeRefusal {
    tracing::error!(%error, "an upload cannot be staged");
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    IntakeRefusal::Disk { full, retry_after: NO_DISK }
}

/// A new file that this process holds locked. It gets the name that is cleared only then.
fn locked(folder: &Path) -> io::Result<(std::fs::File, TempPath)> {
    let made = tempfile::Builder::new().prefix(NEW_PREFIX).tempfile_in(folder)?;
    let (file, path) = made.into_parts();
    match file.try_lock() {
        Ok(()) => {}
        // A file system without locks: it is left to whoever cleans that folder.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok((file, path)),
        Err(error) => return Err(error.into()),
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().replacen(NEW_PREFIX, PREFIX, 1);
    let path = path.keep().map_err(|error| error.error)?;
    let renamed = folder.join(name);
    std::fs::rename(&path, &renamed)?;
    Ok((file, TempPath::try_from_path(renamed)?))
}

/// Makes the staging folder and removes what killed processes left there: what no living process holds locked.
///
/// # Errors
/// It cannot be made or read.
pub fn clear_staging(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_staged = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let is_left = || std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_staged && is_left() {
            // Another process may have been faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_cleared_and_what_arrives_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("staging");
        clear_staging(&inner).unwrap();
        for name in ["upload-left", "other"] {
            fs::write(inner.join(name), "a portrait").unwrap();
        }
        let mut arriving = IncomingFile::new(&inner, "image", FileUse::Portrait, 100).unwrap();
        arriving.push(b"\x89PNG\r\n\x1a\n and more").await.unwrap();
        clear_staging(&inner).unwrap();
        let left = names(&inner);
        assert!(left.len() == 2 && left[0] == "other" && left[1].starts_with(PREFIX), "{left:?}");
        let staged = arriving.finish().await.unwrap();
        clear_staging(&inner).unwrap();
        assert_eq!(fs::read(staged.path()).unwrap(), b"\x89PNG\r\n\x1a\n and more");
        drop(staged);
        assert_eq!(names(&inner), ["other"]);
    }
}
