//! How the engine is set up.

use crate::face::CropOptions;
use crate::networks::{DecoderChoice, NetworkSettings};
use crate::sound::ListeningWindow;
use mouthpiece_engine::EngineError;
use std::env;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// There is nowhere to look for graphs.
#[derive(Debug, Error)]
#[error("no folder of graphs: set neural.graphs, or HOME")]
struct NoHome;

/// The folder of graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFolder(pub PathBuf);

impl GraphFolder {
    /// The folder that is named, or `mouthpiece/models/graphs` in the user's cache, where `models/export` puts them.
    ///
    /// # Errors
    /// [`EngineError::Load`] when none is named and there is no cache.
    pub fn named_or_cached(named: &Path) -> Result<Self, EngineError> {
        Self::of(named, |name| env::var_os(name).map(PathBuf::from)).ok_or_else(|| EngineError::Load(NoHome.into()))
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

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct MuseTalkSettings {
    /// Graphs and what runs them.
    pub networks: NetworkSettings,
    /// How somebody is listened to who speaks just now.
    pub live: ListeningWindow,
    /// How a recording is listened to.
    pub recording: ListeningWindow,
    /// How faces are cut out and put back.
    pub crop: CropOptions,
    /// The tiny decoder is taken instead of the full one when that does not hold 30 frames a second for so many sessions;
    /// `None`: the decoder is what it is said to be.
    pub hold: Option<usize>,
}

impl MuseTalkSettings {
    /// The graphs in `folder`, the full decoder, the first GPU or the processor with two threads, the windows that were chosen by
    /// measuring, the original's margins.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let networks = NetworkSettings {
            graphs: folder.into(),
            provider: None,
            device: 0,
            threads: 2,
            decoder: DecoderChoice::Full,
            builds: false,
        };
        Self {
            networks,
            live: ListeningWindow::LIVE,
            recording: ListeningWindow::RECORDING,
            crop: CropOptions::default(),
            hold: None,
        }
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
