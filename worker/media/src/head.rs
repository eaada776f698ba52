//! What a file is, by its first bytes.

use std::{fs::File, io::Read, path::Path};

use mouthpiece_domain::file_kind::{FileKind, HEAD};

/// What the file at `path` is, whatever its name.
///
/// # Errors
/// When it cannot be opened or read, or is no regular file.
pub fn file_kind(path: &Path) -> std::io::Result<FileKind> {
    // Asked of the path, not of the open file: opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(FileKind::of(&head))
}
