//! The data folder: where it is, and that one process has it.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The file that a process on the folder holds locked; in it, the process's number and the address that it serves at.
const LOCK: &str = "mouthpiece.lock";

/// Whom the folder lets in at most: its owner, and its group to read.
const WIDEST: u32 = 0o750;

/// The file has no more bytes than this.
const NOTED: u64 = 4096;

/// The data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// Nothing says where it is.
    #[error("no data folder is named and HOME is not set: give --data DIR")]
    Nowhere,
    /// It is to be there, and is not.
    #[error(
        "there is no farm in '{0}': give the --data DIR that `mouthpiece up` was started with (`make run`: out/data); \
         `mouthpiece keys create` begins a new one"
    )]
    NoFarm(String),
    /// Another process has it.
    #[error("the data folder '{folder}' is used by another mouthpiece{process}: stop that, or give another --data DIR")]
    Taken {
        /// The data folder.
        folder: String,
        /// Its number, in words.
        process: String,
    },
    /// It cannot be made or locked.
    #[error("the data folder '{folder}' cannot be used: {reason}; give another --data DIR")]
    Unusable {
        /// The data folder.
        folder: String,
        /// What the operating system said.
        reason: std::io::Error,
    },
}

/// A data folder.
#[derive(Debug)]
pub struct DataFolder {
    folder: PathBuf,
}

/// Holds the folder; dropping it gives it back. So does the end of the process, however it comes.
#[derive(Debug)]
#[must_use = "the folder is held as long as this lives"]
pub struct DataFolderLock(File);

impl DataFolderLock {
    /// Leaves word for other commands on this folder where this process serves.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn serves_at(&mut self, address: &str) -> std::io::Result<()> {
        writeln!(self.0, "{address}")
    }
}

impl DataFolder {
    /// The named folder (none if it is empty), else `mouthpiece` in the user's folder for data. It is made where it is
    /// missing, readable by its owner only: it holds what people uploaded, and the keys' hashes. One that lets others in is
    /// narrowed to its owner and group, as service managers make it wide.
    pub fn open(named: &Path) -> Result<Self, DataError> {
        let data = Self::named(named)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&data.folder).map_err(|e| data.unusable(e))?;
        let mode = std::fs::metadata(&data.folder).map_err(|e| data.unusable(e))?.permissions().mode();
        if mode & !WIDEST & 0o777 != 0 {
            let narrow = Permissions::from_mode(mode & WIDEST);
            if let Err(error) = std::fs::set_permissions(&data.folder, narrow) {
                tracing::warn!(folder = %data.folder.display(), %error, "others can read the data folder, and it cannot be changed");
            }
        }
        Ok(data)
    }

    /// The same folder, which must be there: for commands that look at a farm and make none.
    pub fn existing(named: &Path) -> Result<Self, DataError> {
        let data = Self::named(named)?;
        if !data.folder.is_dir() {
            return Err(DataError::NoFarm(data.folder.display().to_string()));
        }
        Self::open(named)
    }

    fn named(named: &Path) -> Result<Self, DataError> {
        let folder = if named.as_os_str().is_empty() { usual().ok_or(DataError::Nowhere)? } else { named.to_owned() };
        Ok(Self { folder })
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes it for this process alone.
    pub fn hold(&self) -> Result<DataFolderLock, DataError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(self.folder.join(LOCK)).map_err(|e| self.unusable(e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(e)) => return Err(self.unusable(e)),
            Err(TryLockError::WouldBlock) => {
                let process = noted(file).lines().next().and_then(|number| number.parse::<u32>().ok());
                let process = process.map(|n| format!(" (process {n})")).unwrap_or_default();
                return Err(DataError::Taken { folder: self.folder.display().to_string(), process });
            }
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|e| self.unusable(e))?;
        Ok(DataFolderLock(file))
    }

    /// Where another process on this folder serves, if one does.
    pub fn served_at(&self) -> Option<String> {
        let file = File::open(self.folder.join(LOCK)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => noted(file).lines().nth(1).map(str::to_owned),
            _ => None,
        }
    }

    fn unusable(&self, reason: std::io::Error) -> DataError {
        DataError::Unusable { folder: self.folder.display().to_string(), reason }
    }
}

/// What whoever holds the file noted in it.
fn noted(file: File) -> String {
    let mut text = String::new();
    let _ = file.take(NOTED).read_to_string(&mut text);
    text
}

/// `$XDG_DATA_HOME/mouthpiece`, or `~/.local/share/mouthpiece`. As its rules say, a relative value does not count.
fn usual() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
    Some(shared.join("mouthpiece"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("a/b")).unwrap();
        assert_eq!(data.served_at(), None);
        let mut held = data.hold().unwrap();
        assert_eq!(data.served_at(), None);
        held.serves_at("http://127.0.0.1:8000/").unwrap();
        assert_eq!(data.served_at().as_deref(), Some("http://127.0.0.1:8000/"));
        let told = DataFolder::open(data.folder()).unwrap().hold().unwrap_err().to_string();
        assert!(told.contains(&format!("(process {})", std::process::id())), "{told}");
        drop(held);
        assert_eq!(data.served_at(), None, "it serves no more");
        let _held = data.hold().unwrap();
    }

    #[test]
    fn others_are_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |data: &DataFolder| std::fs::metadata(data.folder()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&DataFolder::open(&folder.path().join("new")).unwrap()), 0o700);
        for (made, kept) in [(0o755, 0o750), (0o777, 0o750), (0o750, 0o750), (0o700, 0o700)] {
            let wide = folder.path().join(format!("{made:o}"));
            std::fs::create_dir(&wide).unwrap();
            std::fs::set_permissions(&wide, Permissions::from_mode(made)).unwrap();
            assert_eq!(mode(&DataFolder::open(&wide).unwrap()), kept, "{made:o}");
        }
    }

    #[test]
    fn who_only_looks_makes_no_farm() {
        let folder = tempfile::tempdir().unwrap();
        let mistyped = folder.path().join("mistyped");
        let told = DataFolder::existing(&mistyped).unwrap_err().to_string();
        assert!(told.contains("mistyped") && told.contains("--data"), "{told}");
        assert!(!mistyped.exists());
        assert!(DataFolder::existing(folder.path()).is_ok());
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let told = DataFolder::open(&file.path().join("data")).unwrap_err().to_string();
        assert!(told.contains("cannot be used") && told.contains("--data"), "{told}");
    }
}
