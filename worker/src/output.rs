//! A file that appears under its name only when it is complete.

use crate::RenderError;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// A file being written beside its final place; removed again unless it is published.
pub(crate) struct Output {
    target: PathBuf,
    partial: TempPath,
}

impl Output {
    /// Makes an empty file in the target's folder, which shows early that it can be written.
    pub(crate) fn reserve(target: &Path) -> Result<Self, RenderError> {
        let refuse = |reason: String| RenderError::Output { path: target.to_owned(), reason };
        if target.is_dir() {
            return Err(refuse("it is a folder: name a file in it".to_owned()));
        }
        let name = target.file_name().ok_or_else(|| refuse("it names no file".to_owned()))?;
        let folder = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(refuse(format!("the folder '{}' does not exist: create it first", folder.display())));
        }
        let partial: NamedTempFile = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy()))
            .suffix(".partial")
            .tempfile_in(folder)
            .map_err(|e| refuse(e.to_string()))?;
        Ok(Self { target: target.to_owned(), partial: partial.into_temp_path() })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.partial
    }

    /// Moves the file to its final place, replacing what was there.
    pub(crate) fn publish(self) -> Result<(), RenderError> {
        let refuse = |reason: String| RenderError::Output { path: self.target.clone(), reason };
        // Temporary files are private; a result is as readable as any other file that the user makes.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&self.partial, mode).map_err(|e| refuse(e.to_string()))?;
        }
        let target = self.target.clone();
        self.partial.persist(&target).map_err(|e| refuse(e.error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_unless_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.mp4");
        drop(Output::reserve(&target).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let output = Output::reserve(&target).unwrap();
        std::fs::write(output.path(), b"film").unwrap();
        output.publish().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"film");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let message = |p: &Path| Output::reserve(p).err().unwrap().to_string();
        assert!(message(folder.path()).contains("is a folder"));
        assert!(message(&folder.path().join("no/where.mp4")).contains("does not exist"));
    }
}
