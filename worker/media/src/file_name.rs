//! What a file is called in messages.

use std::fmt;
use std::path::{Path, PathBuf};

/// What a file is to whoever cannot know where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// A picture or a short video of a person.
    Portrait,
    /// What is said.
    Speech,
    /// What is made of both.
    Result,
}

impl fmt::Display for FileRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portrait => "the portrait",
            Self::Speech => "the speech",
            Self::Result => "the result",
        })
    }
}

/// A file in a message: by its path to whoever gave it, by its role to whoever sent its content to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileName {
    /// Shown in single quotes.
    Path(PathBuf),
    /// Shown as words.
    Role(FileRole),
}

impl FileName {
    /// The same without quotes.
    pub fn bare(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Role(role) => write!(f, "{role}"),
        })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "'{}'", path.display()),
            Self::Role(role) => write!(f, "{role}"),
        }
    }
}

impl From<&Path> for FileName {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<FileRole> for FileName {
    fn from(role: FileRole) -> Self {
        Self::Role(role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_and_a_role_is_not() {
        let [path, role] = [FileName::from(Path::new("a b.wav")), FileName::from(FileRole::Speech)];
        assert_eq!([path.to_string(), role.to_string()], ["'a b.wav'", "the speech"]);
        assert_eq!([path.bare().to_string(), role.bare().to_string()], ["a b.wav", "the speech"]);
    }
}
