//! The history while it is written.

use crate::chaos::history::{Happening, HistoryEvent};
use crate::{LoadError, setup};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Takes events from everybody, each with the time at which it came. Clones write into one history.
#[derive(Clone)]
pub(super) struct Recorder(Arc<Inner>);

struct Inner {
    origin: Instant,
    told: Mutex<Told>,
}

struct Told {
    events: Vec<HistoryEvent>,
    file: Option<BufWriter<File>>,
}

impl Recorder {
    /// A history that begins now, and is written into a file as well if one is given.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, LoadError> {
        let cannot = |path: &Path, e| setup(format!("the history {} cannot be written: {e}", path.display()));
        let file = file.map(|path| File::create(path).map(BufWriter::new).map_err(|e| cannot(path, e))).transpose()?;
        let told = Mutex::new(Told { events: Vec::new(), file });
        Ok(Self(Arc::new(Inner { origin: Instant::now(), told })))
    }

    /// Milliseconds since the history began.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.0.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When a time of the history comes.
    pub(super) fn at(&self, ms: u64) -> tokio::time::Instant {
        (self.0.origin + std::time::Duration::from_millis(ms)).into()
    }

    pub(super) fn tell(&self, what: Happening) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the order is that of the times.
        let event = HistoryEvent { at_ms: self.now_ms(), what };
        if let Some(file) = &mut told.file
            && serde_json::to_writer(&mut *file, &event)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .is_err()
        {
            tracing::warn!("the history's file cannot be written any more");
            told.file = None;
        }
        told.events.push(event);
    }

    /// All of it; what comes later is no part of it any more.
    pub(super) fn finish(&self) -> Vec<HistoryEvent> {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut file) = told.file.take()
            && file.flush().is_err()
        {
            tracing::warn!("the history's file cannot be written any more");
        }
        told.events.clone()
    }
}
