//! A farm of the scenario's own: `mouthpiece up` as a child process with data of its own, gone when the run is over.

use crate::processes::{address_in, give_settings, secret_in, up_command};
use crate::{LoadError, setup};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use tempfile::TempDir;

/// It is ready within this.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// So much of what it logged is told when it does not become ready.
const TOLD: usize = 2000;

/// A running farm. Dropping it ends it.
pub(super) struct OwnFarm {
    child: Child,
    /// Where it is.
    pub(super) url: String,
    /// Its first key.
    pub(super) key: String,
    _folder: TempDir,
}

impl OwnFarm {
    /// Starts one with so many slots, and waits until it says where it is.
    pub(super) fn start(program: &Path, slots: u32) -> Result<Self, LoadError> {
        let folder = tempfile::tempdir().map_err(setup)?;
        let mut command = up_command(program);
        // All slots are offered, whatever the machine sustains: what becomes of that is what is measured.
        let settings = [("worker.slots", slots.to_string()), ("worker.measure", "false".to_owned())];
        let settings = settings.map(|(key, value)| (key.to_owned(), value));
        give_settings(&mut command, folder.path(), &settings);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| setup(format!("{} cannot be started: {e}", program.display())))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(setup("a farm whose output cannot be read"));
        };
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more once it is ready; it goes on being read, so that it can go on writing.
                let _ = told.send(line);
            }
        });
        let log = std::thread::spawn(move || last_of(stderr));
        let (mut url, mut key) = (None, None);
        while url.is_none() || key.is_none() {
            match lines.recv_timeout(READY_WITHIN) {
                Ok(line) => {
                    url = url.or_else(|| address_in(&line).map(str::to_owned));
                    key = key.or_else(|| secret_in(&line));
                }
                Err(reason) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    let log = log.join().unwrap_or_default();
                    let why = match reason {
                        RecvTimeoutError::Timeout => "did not become ready",
                        RecvTimeoutError::Disconnected => "ended before it was ready",
                    };
                    return Err(setup(format!("the farm {why}: {}", log.trim())));
                }
            }
        }
        match (url, key) {
            (Some(url), Some(key)) => Ok(Self { child, url, key, _folder: folder }),
            _ => Err(setup("a farm without an address")),
        }
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for OwnFarm {
    fn drop(&mut self) {
        // Its data goes with it: there is nothing to be finished.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of what a process writes.
fn last_of(mut from: impl Read) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut piece) {
        kept.extend_from_slice(&piece[..length]);
        let too_many = kept.len().saturating_sub(TOLD);
        kept.drain(..too_many);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
