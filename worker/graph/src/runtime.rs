//! Finding and loading the ONNX Runtime library, once a process.
//!
//! `ort` panics, and may hang while building its own error, when its functions are used before a fitting library is
//! loaded. So nothing of `ort` is touched here until the file exists, opens, and says a version that fits.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{LoadDynamicError, environment::Environment, logging::LogLevel};
use thiserror::Error;

/// Environment variables that name the library, in the order in which they are asked.
const VARIABLES: [&str; 2] = ["MOUTHPIECE_ONNXRUNTIME", "ORT_DYLIB_PATH"];
/// The library's name, as the system's loader knows it.
const LIBRARY: &str = "libonnxruntime.so";
/// The folder in the cache where `models/onnxruntime/fetch.sh` puts the library.
const CACHE_FOLDER: &str = "mouthpiece/onnxruntime-1.32.0";

static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The ONNX Runtime library is absent or unfit.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// Nowhere to be found.
    #[error(
        "the ONNX Runtime library is missing (looked for {tried}): \
         run 'make onnxruntime', or set MOUTHPIECE_ONNXRUNTIME=/path/to/libonnxruntime.so"
    )]
    Missing {
        /// The places that were tried, comma separated.
        tried: String,
    },
    /// A variable names a file that is not there.
    #[error("{variable} names {}, which is not a file: correct or unset it, or run 'make onnxruntime'", path.display())]
    NotAFile {
        /// The environment variable.
        variable: &'static str,
        /// The path that the variable names.
        path: PathBuf,
    },
    /// The file is there but the system cannot load it as a library.
    #[error("{} cannot be loaded as the ONNX Runtime library ({reason}): {REMEDY}", path.display())]
    Unloadable {
        /// The refused file.
        path: PathBuf,
        /// The loader's own words.
        reason: String,
    },
    /// The library is older than what this program was built for.
    #[error("{} is ONNX Runtime {version}, but at least 1.{} is needed: {REMEDY}", path.display(), ort::MINOR_VERSION)]
    TooOld {
        /// The refused file.
        path: PathBuf,
        /// The version that it says it is.
        version: String,
    },
    /// The library loaded and then failed to start.
    #[error("ONNX Runtime does not start: {source}")]
    Start {
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
}

const REMEDY: &str = "run 'make onnxruntime', or set MOUTHPIECE_ONNXRUNTIME=/path/to/libonnxruntime.so";

/// A loaded ONNX Runtime; cheap to clone, one a process.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
}

impl Runtime {
    /// The process's runtime, loaded on the first call.
    ///
    /// Looks at `MOUTHPIECE_ONNXRUNTIME`, `ORT_DYLIB_PATH`, beside the executable and in `../lib/mouthpiece`, in
    /// `${XDG_CACHE_HOME:-~/.cache}/mouthpiece/onnxruntime-1.32.0/`, and last asks the system's loader. A failure is not
    /// remembered: a later call looks again.
    ///
    /// # Errors
    /// [`RuntimeError`] with the place and the remedy when there is no usable library.
    pub fn get() -> Result<Self, RuntimeError> {
        Self::loaded_or(|| locate(|name| env::var_os(name).map(PathBuf::from), env::current_exe().ok().as_deref()))
    }

    /// Like [`Runtime::get`], but with the library at `path`; a runtime that is loaded already stays.
    ///
    /// # Errors
    /// [`RuntimeError`] when the file is no ONNX Runtime library, or too old.
    pub fn load_from(path: &Path) -> Result<Self, RuntimeError> {
        Self::loaded_or(|| Ok(LibraryLocation::File(path.to_path_buf())))
    }

    /// The file that was loaded, or the bare library name when the system's loader found it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What sessions are built from; for the engines that run graphs of their own.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    fn loaded_or(place: impl FnOnce() -> Result<LibraryLocation, RuntimeError>) -> Result<Self, RuntimeError> {
        // A panic while holding the lock leaves `None` or a whole `Runtime`, both usable.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let runtime = load(place()?)?;
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }
}

/// Where to load from.
#[derive(Debug, PartialEq)]
enum LibraryLocation {
    /// A file that exists.
    File(PathBuf),
    /// The system's loader may know it; the text lists the files that were tried before.
    System(String),
}

fn locate(
    variable: impl Fn(&str) -> Option<PathBuf>,
    executable: Option<&Path>,
) -> Result<LibraryLocation, RuntimeError> {
    let set = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
    for name in VARIABLES {
        if let Some(path) = set(name) {
            return if path.is_file() {
                Ok(LibraryLocation::File(path))
            } else {
                Err(RuntimeError::NotAFile { variable: name, path })
            };
        }
    }
    let beside = executable.and_then(Path::parent).map(|folder| folder.to_path_buf());
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let files = [
        beside.as_ref().map(|folder| folder.join(LIBRARY)),
        beside.as_ref().map(|folder| folder.join("../lib/mouthpiece").join(LIBRARY)),
        cache.map(|folder| folder.join(CACHE_FOLDER).join(LIBRARY)),
    ];
    let mut tried = Vec::new();
    for file in files.into_iter().flatten() {
        if file.is_file() {
            return Ok(LibraryLocation::File(file));
        }
        tried.push(file.display().to_string());
    }
    Ok(LibraryLocation::System(tried.join(", ")))
}

fn load(place: LibraryLocation) -> Result<Runtime, RuntimeError> {
    let (path, tried) = match place {
        // Absolute, for a bare file name would be searched elsewhere.
        LibraryLocation::File(path) => (std::path::absolute(&path).unwrap_or(path), None),
        LibraryLocation::System(tried) => (PathBuf::from(LIBRARY), Some(tried)),
    };
    let builder = ort::init_from(&path).map_err(|error| match (error, tried) {
        (LoadDynamicError::Dlopen { .. }, Some(tried)) => {
            RuntimeError::Missing { tried: format!("{tried}, and {LIBRARY} in the system's library folders") }
        }
        (LoadDynamicError::BadVersion { version_str, path }, _) => RuntimeError::TooOld { path, version: version_str },
        (LoadDynamicError::Dlopen { error, path }, None) => {
            // The loader's own words are one level down.
            let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            RuntimeError::Unloadable { path, reason }
        }
        (LoadDynamicError::MissingApi { path }, _) => {
            RuntimeError::Unloadable { path, reason: "it is some other library".to_owned() }
        }
        (LoadDynamicError::InvalidVersionString, _) => {
            RuntimeError::Unloadable { path: path.clone(), reason: "its version is unreadable".to_owned() }
        }
    })?;
    let environment = builder
        .with_name("mouthpiece")
        .with_telemetry(false)
        .build()
        .map_err(|source| RuntimeError::Start { source })?;
    // Its notices about absent GPUs belong in nobody's terminal; failures come back as errors anyway.
    environment.set_log_level(LogLevel::Error);
    Ok(Runtime { environment, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, PathBuf)]) -> impl Fn(&str) -> Option<PathBuf> {
        let pairs = pairs.to_vec();
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn places_are_tried_in_the_documented_order() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"x").unwrap();
            path
        };
        let first = make("first.so");
        let second = make("second.so");
        let beside = make("bin/libonnxruntime.so");
        make("lib/mouthpiece/libonnxruntime.so");
        let cached = make("cache/mouthpiece/onnxruntime-1.32.0/libonnxruntime.so");
        let executable = folder.path().join("bin/mouthpiece");
        let cache = ("XDG_CACHE_HOME", folder.path().join("cache"));
        let ours = ("MOUTHPIECE_ONNXRUNTIME", first.clone());
        let theirs = ("ORT_DYLIB_PATH", second.clone());
        let at = |pairs: &[_]| locate(with(pairs), Some(&executable)).unwrap();
        assert_eq!(at(&[ours, theirs.clone(), cache.clone()]), LibraryLocation::File(first));
        assert_eq!(at(&[theirs, cache.clone()]), LibraryLocation::File(second));
        assert_eq!(at(std::slice::from_ref(&cache)), LibraryLocation::File(beside.clone()));
        std::fs::remove_file(beside).unwrap();
        assert!(
            matches!(at(std::slice::from_ref(&cache)), LibraryLocation::File(p) if p.ends_with("lib/mouthpiece/libonnxruntime.so"))
        );
        assert_eq!(locate(with(&[cache]), None).unwrap(), LibraryLocation::File(cached));
    }

    #[test]
    fn a_variable_that_names_nothing_is_an_error_not_a_fallback() {
        let error = locate(with(&[("ORT_DYLIB_PATH", PathBuf::from("/nowhere/x.so"))]), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ORT_DYLIB_PATH names /nowhere/x.so, which is not a file: correct or unset it, or run 'make onnxruntime'"
        );
    }

    #[test]
    fn with_nothing_around_the_system_is_asked() {
        let place = locate(with(&[("HOME", PathBuf::from("/nowhere"))]), Some(Path::new("/nowhere/bin/x"))).unwrap();
        let LibraryLocation::System(tried) = place else { panic!("{place:?}") };
        assert!(tried.contains("/nowhere/.cache/mouthpiece/onnxruntime-1.32.0/libonnxruntime.so"), "{tried}");
    }
}
