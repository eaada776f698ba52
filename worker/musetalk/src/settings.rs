//! How the engine is set up.

use crate::face::CropOptions;
use crate::launch::LaunchChoice;
use crate::networks::{DecoderChoice, NetworkSettings};
use crate::sound::ListeningWindow;
use std::path::PathBuf;

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
    /// Sessions that are drawn at once: what is measured after a fallback.
    pub sessions: usize,
    /// The tiny decoder is taken instead of the full one when that does not hold 30 frames a second for so many sessions;
    /// `None`: the decoder is what it is said to be.
    pub hold: Option<usize>,
    /// Mouths are restored, as far as there is time.
    pub restores: bool,
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
            launch: LaunchChoice::default(),
            builds: false,
        };
        Self {
            networks,
            live: ListeningWindow::LIVE,
            recording: ListeningWindow::RECORDING,
            crop: CropOptions::default(),
            sessions: 1,
            hold: None,
            restores: false,
        }
    }
}
