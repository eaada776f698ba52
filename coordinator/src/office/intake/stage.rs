//! A file on its way in: written beside the store while it is counted, hashed and recognised.

use super::IntakeRefusal;
use crate::office::hex;
use mouthpiece_domain::file_kind::{FileKind, FileUse, HEAD, NotTaken};
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use std::time::Duration;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

/// What staged files are called.
const PREFIX: &str = "upload-";
/// A staged file this old belongs to a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);
/// Whoever finds that nothing can be written comes back after this.
const NO_DISK: Duration = Duration::from_secs(30);
const WRITE_AT_ONCE: usize = 256 * 1024;

/// A file that arrived whole. It is removed when this is dropped.
#[derive(Debug)]
pub struct StagedFile {
    path: TempPath,
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
        let made = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder);
        let (file, path) = made.map_err(|e| cannot_stage(&e))?.into_parts();
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
        Ok(StagedFile { path: self.path, sha256, bytes: self.bytes, media_type, called: String::new() })
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

/// Makes the staging folder and removes what killed processes left there.
///
/// # Errors
/// It cannot be made or read.
pub fn clear_staging(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let old =
            entry.metadata().and_then(|m| m.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_BEHIND));
        if old && entry.file_name().to_string_lossy().starts_with(PREFIX) {
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
    use std::time::SystemTime;

    #[test]
    fn only_what_was_left_behind_long_ago_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("staging");
        clear_staging(&inner).unwrap();
        for (name, days) in [("upload-old", 2), ("upload-new", 0), ("other", 9)] {
            let file = fs::File::create(inner.join(name)).unwrap();
            file.set_modified(SystemTime::now() - days * LEFT_BEHIND).unwrap();
        }
        clear_staging(&inner).unwrap();
        let mut left: Vec<_> = fs::read_dir(&inner).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["other", "upload-new"]);
    }
}
