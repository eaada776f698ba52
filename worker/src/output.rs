//! A file that appears under its name only when it is complete.

use crate::RenderError;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// A file being written beside its final place; removed again unless it is published.
#[derive(Debug)]
pub struct OutputFile {
    target: PathBuf,
    partial: TempPath,
}

impl OutputFile {
    /// Makes an empty file in the target's folder, which shows early that it can be written.
    ///
    /// A target that is one of `inputs` is refused: it would destroy what it is made of.
    ///
    /// # Errors
    /// [`RenderError::Output`] says why nothing can be written there.
    pub fn reserve(target: &Path, inputs: &[&Path]) -> Result<Self, RenderError> {
        let refuse = |reason: String| RenderError::Output { file: target.into(), reason };
        if target.is_dir() {
            return Err(refuse("it is a folder: name a file in it".to_owned()));
        }
        // Such a place would be replaced by a file of that name.
        if target.metadata().is_ok_and(|m| !m.is_file()) {
            return Err(refuse("it is a device or a pipe: name a file".to_owned()));
        }
        if inputs.iter().any(|input| same_file(input, target)) {
            return Err(refuse("it is a file that is read for it: name another".to_owned()));
        }
        let name = target.file_name().ok_or_else(|| refuse("it names no file".to_owned()))?;
        let folder = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            let what = if folder.exists() { "is not a folder: name one" } else { "does not exist: create it first" };
            return Err(refuse(format!("'{}' {what}", folder.display())));
        }
        let prefix = format!(".{}.", name.to_string_lossy());
        let mut partial = tempfile::Builder::new();
        partial.prefix(&prefix).suffix(".partial");
        // Temporary files are private; a result is as readable as any other file that the user makes (umask).
        #[cfg(unix)]
        partial.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let partial: NamedTempFile = partial
            .tempfile_in(folder)
            .map_err(|e| refuse(format!("{}; choose another name or folder", system_words(&e))))?;
        Ok(Self { target: target.to_owned(), partial: partial.into_temp_path() })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// The file's final place.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Moves the file to its final place, replacing what was there.
    ///
    /// # Errors
    /// [`RenderError::Output`]; nothing is left then.
    pub fn publish(self) -> Result<(), RenderError> {
        let refuse = |reason: String| RenderError::Output { file: self.target.as_path().into(), reason };
        let target = self.target.clone();
        self.partial.persist(&target).map_err(|e| refuse(e.error.to_string()))
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The system's reason, without the name of the temporary file.
fn system_words(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(Error::source);
    let text = cause.map_or_else(|| error.to_string(), ToString::to_string);
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_unless_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.mp4");
        drop(OutputFile::reserve(&target, &[]).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let output = OutputFile::reserve(&target, &[]).unwrap();
        std::fs::write(output.path(), b"film").unwrap();
        output.publish().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"film");
        let other = folder.path().join("b.mp4");
        std::fs::write(&other, b"").unwrap();
        let rights = |path: &Path| path.metadata().unwrap().permissions();
        assert_eq!(rights(&target), rights(&other));
        std::fs::remove_file(other).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let message = |p: &Path| OutputFile::reserve(p, &[]).err().unwrap().to_string();
        assert!(message(folder.path()).contains("is a folder"));
        assert!(message(&folder.path().join("no/where.mp4")).contains("does not exist"));
    }
}
