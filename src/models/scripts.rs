//! The scripts that make graphs, built into the program: it exports where no checkout of the repository is.

use super::folder::{FolderError, written};
use std::fs;
use std::path::Path;

macro_rules! scripts {
    ($($name:literal),+) => { [$(($name, include_str!(concat!("../../models/export/", $name)))),+] };
}

/// Name and text of each.
pub const SCRIPTS: [(&str, &str); 12] = scripts!(
    "export.py",
    "extras.py",
    "graphs.py",
    "inception.py",
    "networks.py",
    "onnx_file.py",
    "packages.py",
    "restoration.py",
    "syncnet.py",
    "twins.py",
    "weights.py",
    "whisper.py"
);

/// The packages that they need, as pip reads them.
pub const REQUIREMENTS: &str = include_str!("../../models/export/requirements.txt");
/// The requirements' file.
pub const REQUIREMENTS_FILE: &str = "requirements.txt";

/// Writes them all into a folder.
///
/// # Errors
/// [`FolderError::Io`].
pub fn write_scripts(folder: &Path) -> Result<(), FolderError> {
    for (name, text) in SCRIPTS.into_iter().chain([(REQUIREMENTS_FILE, REQUIREMENTS)]) {
        let path = folder.join(name);
        fs::write(&path, text).map_err(written(&path))?;
    }
    Ok(())
}
