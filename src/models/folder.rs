//! The folder of fetched files, and the hashes that were recorded in it.

use super::manifest::{Sha256Hex, WeightsFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where the hashes stand of files whose hash the manifest does not tell.
const RECORDS: &str = "recorded.toml";
/// Held while files are fetched or graphs made.
const LOCK: &str = ".lock";
/// Behind the name of a file that is not whole yet.
const PART: &str = ".part";

/// The folder of models cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Reading or writing failed.
    #[error("{} cannot be {doing}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else fetches or exports into it.
    #[error("another `mouthpiece models` is at work in {}: wait for it, or end it", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The recorded hashes cannot be understood.
    #[error("{} is damaged ({reason}): remove it, and what was recorded there is fetched and recorded anew", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no home to keep a cache in.
    #[error("no folder for models: set models.folder, or HOME")]
    NoHome,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Not there.
    Absent,
    /// There, and what it must be.
    Right {
        /// Whether the manifest tells the hash, or it was recorded here.
        pinned: bool,
    },
    /// There, but nobody knows what it must be: it was put there by hand.
    Unknown {
        /// What it is.
        found: Sha256Hex,
    },
    /// There, and something else.
    Other {
        /// What it must be.
        wanted: Sha256Hex,
        /// What it is.
        found: Sha256Hex,
    },
}

/// The folder of fetched files.
#[derive(Debug)]
pub struct ModelsFolder {
    path: PathBuf,
}

impl ModelsFolder {
    /// The folder that is named, or `mouthpiece/models` in the user's cache.
    ///
    /// # Errors
    /// [`FolderError::NoHome`] when none is named and there is no cache.
    pub fn new(named: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, FolderError> {
        if !named.as_os_str().is_empty() {
            return Ok(Self { path: named.to_owned() });
        }
        let set = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        cache.map(|cache| Self { path: cache.join("mouthpiece/models") }).ok_or(FolderError::NoHome)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file lies.
    pub fn file(&self, file: &WeightsFile) -> PathBuf {
        self.path.join(&file.file)
    }

    /// Where it lies while it is fetched.
    pub fn part(&self, file: &WeightsFile) -> PathBuf {
        let mut name = self.file(file).into_os_string();
        name.push(PART);
        name.into()
    }

    /// Makes the folder and keeps others from fetching or exporting into it until the file is closed.
    ///
    /// # Errors
    /// [`FolderError::Busy`], or [`FolderError::Io`].
    pub fn lock(&self) -> Result<File, FolderError> {
        make(&self.path)?;
        let path = self.path.join(LOCK);
        let lock = File::create(&path).map_err(written(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(FolderError::Busy { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(written(&path)(source)),
        }
    }

    /// The hash that a file must have, and whether the manifest tells it; `None` if nobody knows.
    ///
    /// # Errors
    /// [`FolderError`] when what was recorded cannot be read.
    pub fn wanted(&self, file: &WeightsFile) -> Result<Option<(Sha256Hex, bool)>, FolderError> {
        match &file.sha256 {
            Some(pinned) => Ok(Some((pinned.clone(), true))),
            None => Ok(self.records()?.remove(&file.name).map(|recorded| (recorded, false))),
        }
    }

    /// What a file is. Reads all of it.
    ///
    /// # Errors
    /// [`FolderError`] when it, or what was recorded, cannot be read.
    pub fn state(&self, file: &WeightsFile) -> Result<FileState, FolderError> {
        let Some(found) = sha256(&self.file(file))? else { return Ok(FileState::Absent) };
        Ok(match self.wanted(file)? {
            None => FileState::Unknown { found },
            Some((wanted, pinned)) if wanted == found => FileState::Right { pinned },
            Some((wanted, _)) => FileState::Other { wanted, found },
        })
    }

    /// Puts a whole file in its place, and its hash on record where the manifest tells none.
    ///
    /// # Errors
    /// [`FolderError::Io`]; the file is in its place only after its hash is on record.
    pub fn keep(&self, file: &WeightsFile, found: &Sha256Hex) -> Result<(), FolderError> {
        if file.sha256.is_none() {
            self.put_on_record(file, found)?;
        }
        let place = self.file(file);
        fs::rename(self.part(file), &place).map_err(written(&place))
    }

    /// Puts on record what a file is from now on.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn put_on_record(&self, file: &WeightsFile, found: &Sha256Hex) -> Result<(), FolderError> {
        let mut records = self.records()?;
        records.insert(file.name.clone(), found.clone());
        self.record(&records)
    }

    fn records(&self) -> Result<BTreeMap<String, Sha256Hex>, FolderError> {
        let path = self.path.join(RECORDS);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(FolderError::Io { path, doing: "read", source }),
        };
        let damaged = |reason: String| FolderError::Records { path: path.clone(), reason };
        let told: BTreeMap<String, String> = toml::from_str(&text).map_err(|e| damaged(e.message().to_owned()))?;
        let read = |(name, digits): (String, String)| match Sha256Hex::parse(&digits) {
            Some(hash) => Ok((name, hash)),
            None => Err(damaged(format!("what stands for {name} is no SHA-256"))),
        };
        told.into_iter().map(read).collect()
    }

    fn record(&self, records: &BTreeMap<String, Sha256Hex>) -> Result<(), FolderError> {
        let head =
            "# SHA-256 of files whose hash the manifest does not tell, as they were when they were first fetched.\n";
        let lines = records.iter().map(|(name, hash)| format!("{name} = \"{}\"\n", hash.as_str()));
        let path = self.path.join(RECORDS);
        let new = self.path.join(format!("{RECORDS}{PART}"));
        fs::write(&new, lines.fold(head.to_owned(), |text, line| text + &line)).map_err(written(&new))?;
        fs::rename(&new, &path).map_err(written(&path))
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// [`FolderError::Io`].
pub fn make(folder: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(folder).map_err(written(folder))
}

/// An error while writing `path`.
pub fn written(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, doing: "written", source }
}

/// The hash of a file; `None` if it is not there.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be read.
pub fn sha256(path: &Path) -> Result<Option<Sha256Hex>, FolderError> {
    let failed = |source| FolderError::Io { path: path.to_owned(), doing: "read", source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(Some(Sha256Hex::of(&hash.finalize()))),
            n => hash.update(&piece[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_named_one_or_lies_in_the_cache() {
        let at = |named: &str, variables: &[(&'static str, &str)]| {
            let variables: BTreeMap<_, _> = variables.iter().map(|(k, v)| (*k, PathBuf::from(v))).collect();
            ModelsFolder::new(Path::new(named), |name| variables.get(name).cloned())
                .map(|f| f.path().display().to_string())
        };
        assert_eq!(at("/models", &[("HOME", "/me")]).unwrap(), "/models");
        assert_eq!(at("", &[("HOME", "/me")]).unwrap(), "/me/.cache/mouthpiece/models");
        assert_eq!(at("", &[("HOME", "/me"), ("XDG_CACHE_HOME", "/cache")]).unwrap(), "/cache/mouthpiece/models");
        assert_eq!(
            at("", &[("HOME", "")]).unwrap_err().to_string(),
            "no folder for models: set models.folder, or HOME"
        );
    }
}
