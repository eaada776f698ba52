//! A Python with the packages that the scripts need: the user's, or one in a folder of its own.

use super::child::{ChildError, run_to_end};
use super::folder::{FolderError, ModelsFolder, written};
use super::manifest::Sha256Hex;
use super::scripts::{REQUIREMENTS, REQUIREMENTS_FILE};
use crate::say;
use crate::stop_flag::StopFlag;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, ErrorKind, IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use thiserror::Error;

/// What the pinned packages run on.
const LEAST: (u32, u32) = (3, 11);
/// What is installed, in words.
const COST: &str = "PyTorch with CUDA's libraries and five smaller packages: about 3 GB to download, 6 GB on the disk";
/// Written last: without it an environment is not whole.
const COMPLETE: &str = "complete";
/// How names of environments begin.
const PREFIX: &str = "export-python-";

/// There is no Python that the scripts can be run with.
#[derive(Debug, Error)]
pub enum PythonError {
    /// None is installed.
    #[error("python3 is missing: apt-get install python3 python3-venv, or name one with --python")]
    Missing,
    /// The one that was named cannot be run.
    #[error("'{}' cannot be run as a Python: {reason}", path.display())]
    Unusable {
        /// What was named.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It is too old for the packages.
    #[error("{} is Python {found}; the packages need 3.11 or newer: name one with --python", path.display())]
    Old {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// The named one lacks packages.
    #[error(
        "{} lacks packages: {missing}. Install them there, or leave --python out, and they are installed into a folder of their own",
        path.display()
    )]
    Packages {
        /// Which.
        path: PathBuf,
        /// What it lacks, with the versions that are wanted.
        missing: String,
    },
    /// The user was not there to agree, or did not.
    #[error("nothing was installed: {cost}. Agree with --yes, or name a Python that has the packages with --python", cost = COST)]
    NotAgreed,
    /// Installing failed.
    #[error(
        "the packages were not installed: {source}. Check the network or pip's settings, then run this again: what came is kept"
    )]
    Install {
        /// What went wrong.
        source: ChildError,
    },
    /// It cannot make environments.
    #[error("python3 cannot make an environment: apt-get install python3-venv ({source})")]
    Environment {
        /// What went wrong.
        source: ChildError,
    },
    /// The user ended it.
    #[error("interrupted: the packages are not whole yet; what came is kept for the next time")]
    Interrupted,
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl PythonError {
    /// True when other words on the command line would help.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::Old { .. } | Self::Packages { .. } | Self::NotAgreed)
    }
}

/// The named Python, once it is known to have what `scripts` need.
///
/// # Errors
/// [`PythonError`] with what it lacks.
pub fn named(path: &Path, scripts: &Path) -> Result<PathBuf, PythonError> {
    let unusable = |reason: String| PythonError::Unusable { path: path.to_owned(), reason };
    let done = Command::new(path).arg("-B").arg(scripts.join("packages.py")).stdin(Stdio::null()).output();
    let done = done.map_err(|e| unusable(e.to_string()))?;
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    match done.status.code() {
        Some(0) => {
            said.lines().for_each(say::aside);
            Ok(path.to_owned())
        }
        Some(3) => Err(PythonError::Packages { path: path.to_owned(), missing: said }),
        Some(4) => Err(PythonError::Old { path: path.to_owned(), found: said }),
        _ => {
            let words = String::from_utf8_lossy(&done.stderr);
            Err(unusable(words.lines().last().unwrap_or("it said nothing").to_owned()))
        }
    }
}

/// The Python in the folder of models; makes it when it is not there and the user agrees.
///
/// # Errors
/// [`PythonError`]. What is not whole is made anew the next time.
pub fn own(folder: &ModelsFolder, scripts: &Path, agreed: bool, stop: &StopFlag) -> Result<PathBuf, PythonError> {
    let version = Sha256Hex::of(&Sha256::digest(REQUIREMENTS.as_bytes()));
    let version = version.as_str().get(..12).unwrap_or_default();
    let home = folder.path().join(format!("{PREFIX}{version}"));
    let python = home.join("bin/python");
    if home.join(COMPLETE).is_file() && python.exists() {
        return Ok(python);
    }
    let system = system_python()?;
    if !agreed && !agrees(&home) {
        return Err(PythonError::NotAgreed);
    }
    remove_older(folder, &home);
    say::aside(format_args!("making a Python environment in {}", home.display()));
    let mut venv = Command::new(&system);
    venv.args(["-m", "venv", "--clear"]).arg(&home);
    run_to_end(&mut venv, stop)
        .map_err(|source| interrupted_or(source, |source| PythonError::Environment { source }))?;
    say::aside(format_args!("installing {COST}"));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--retries", "5", "--only-binary=:all:", "-r"]);
    pip.arg(scripts.join(REQUIREMENTS_FILE));
    run_to_end(&mut pip, stop).map_err(|source| interrupted_or(source, |source| PythonError::Install { source }))?;
    let complete = home.join(COMPLETE);
    fs::write(&complete, REQUIREMENTS).map_err(written(&complete))?;
    Ok(python)
}

fn interrupted_or(error: ChildError, other: impl FnOnce(ChildError) -> PythonError) -> PythonError {
    match error {
        ChildError::Interrupted => PythonError::Interrupted,
        error => other(error),
    }
}

/// The first `python3` of the path, new enough.
fn system_python() -> Result<PathBuf, PythonError> {
    let path = PathBuf::from("python3");
    let told = "import sys; print(*sys.version_info[:2])";
    let done = match Command::new(&path).args(["-c", told]).stdin(Stdio::null()).output() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Err(PythonError::Missing),
        Err(e) => return Err(PythonError::Unusable { path, reason: e.to_string() }),
        Ok(done) => String::from_utf8_lossy(&done.stdout).trim().replace(' ', "."),
    };
    let version = done.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match version {
        Some(version) if version >= LEAST => Ok(path),
        _ => Err(PythonError::Old { path, found: done }),
    }
}

/// Asks on a terminal; nobody else can agree this way.
fn agrees(home: &Path) -> bool {
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        return false;
    }
    say::aside(format_args!("the scripts need {COST}, in {}", home.display()));
    let _ = write!(stderr(), "install? [y/N] ");
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Environments of other lists go: each takes gigabytes.
fn remove_older(folder: &ModelsFolder, home: &Path) {
    for entry in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
        let older = entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.path() != home;
        if older && let Err(e) = fs::remove_dir_all(entry.path()) {
            say::aside(format_args!("{} of an earlier version cannot be removed: {e}", entry.path().display()));
        }
    }
}
