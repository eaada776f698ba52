//! Where graphs lie.

use std::env;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// There is nowhere to look for graphs.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("no folder of graphs: set neural.graphs, or HOME")]
pub struct NoGraphFolder;

/// The folder of graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFolder(pub PathBuf);

impl GraphFolder {
    /// The folder that is named, or `mouthpiece/models/graphs` in the user's cache, where `mouthpiece models export` puts them.
    ///
    /// # Errors
    /// [`NoGraphFolder`] when none is named and there is no cache.
    pub fn named_or_cached(named: &Path) -> Result<Self, NoGraphFolder> {
        Self::of(named, |name| env::var_os(name).map(PathBuf::from)).ok_or(NoGraphFolder)
    }

    fn of(named: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        if !named.as_os_str().is_empty() {
            return Some(Self(named.to_owned()));
        }
        let set = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
        Some(Self(cache.join("mouthpiece/models/graphs")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_lie_where_they_are_said_to_or_in_the_cache() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/me"));
        let at = |named: &str| GraphFolder::of(Path::new(named), home).map(|folder| folder.0);
        assert_eq!(at("graphs"), Some("graphs".into()));
        assert_eq!(at(""), Some("/me/.cache/mouthpiece/models/graphs".into()));
        assert_eq!(GraphFolder::of(Path::new(""), |_| None), None);
    }
}
