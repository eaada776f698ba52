//! A process of the farm: started, killed, paused and asked to end; what it says of itself goes into the history.

use super::recorder::Recorder;
use crate::chaos::history::Happening;
use crate::chaos::log_line;
use crate::chaos::plan::{ProcessName, ProcessRole};
use crate::processes::{coordinator_command, give_settings, says_ready, secret_in, worker_command, worker_in};
use crate::{LoadError, setup};
use mouthpiece_servers::ServerProcess;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// A process is ready within this, also while the machine is busy and servers are away.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// One that was asked to end, or killed, is gone within this.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// A place in the farm, and what runs there.
pub(super) struct FarmProcess {
    pub(super) name: ProcessName,
    /// The command `mouthpiece`.
    pub(super) program: PathBuf,
    /// A folder of its own.
    pub(super) folder: PathBuf,
    /// Where its logs are kept, if they are.
    pub(super) logs: Option<PathBuf>,
    /// Settings by their keys.
    pub(super) settings: Vec<(String, String)>,
    /// Of a coordinator: where it listens.
    pub(super) port: u16,
    pub(super) recorder: Recorder,
    /// How often it was started.
    starts: u32,
    running: Option<Running>,
}

/// What a process has said on its standard output.
#[derive(Debug, Clone, Default)]
struct Said {
    ready: bool,
    /// The first API key.
    key: Option<String>,
    /// The worker's id.
    worker: Option<String>,
}

struct Running {
    label: String,
    process: ServerProcess,
    said: watch::Receiver<Said>,
    gone: watch::Receiver<bool>,
}

impl FarmProcess {
    pub(super) fn new(
        name: ProcessName,
        program: PathBuf,
        folder: PathBuf,
        logs: Option<PathBuf>,
        settings: Vec<(String, String)>,
        port: u16,
        recorder: Recorder,
    ) -> Self {
        Self { name, program, folder, logs, settings, port, recorder, starts: 0, running: None }
    }

    fn command(&self) -> Command {
        let mut command = match self.name.role {
            ProcessRole::Coordinator => coordinator_command(&self.program, self.port),
            ProcessRole::Worker => worker_command(&self.program),
        };
        give_settings(&mut command, &self.folder, &self.settings);
        command
    }

    /// Starts it, unless it runs, and does not wait.
    pub(super) fn start(&mut self) -> Result<(), LoadError> {
        if self.running.as_mut().is_some_and(|running| !*running.gone.borrow() && !running.process.has_ended()) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).map_err(setup)?;
        self.starts += 1;
        let label = format!("{}#{}", self.name, self.starts);
        let log = self.logs.as_ref().map(|folder| File::create(folder.join(format!("{label}.log")))).transpose();
        let log = log.map_err(|e| setup(format!("the logs cannot be kept: {e}")))?;
        let (process, stdout, stderr) = ServerProcess::start_piped(self.command()).map_err(setup)?;
        let (tell_said, said) = watch::channel(Said::default());
        let (tell_gone, gone) = watch::channel(false);
        let (of_stdout, recorder) = (label.clone(), self.recorder.clone());
        std::thread::spawn(move || listen(stdout, &of_stdout, &tell_said, &recorder));
        let (of_log, recorder) = (label.clone(), self.recorder.clone());
        std::thread::spawn(move || {
            follow(stderr, log, &of_log, &recorder);
            recorder.tell(Happening::Died { process: of_log });
            tell_gone.send_replace(true);
        });
        self.running = Some(Running { label, process, said, gone });
        Ok(())
    }

    /// Waits until it is ready. False when it ended before, or is not after a long time.
    pub(super) async fn is_ready(&mut self) -> bool {
        let Some(Running { said, gone, .. }) = &mut self.running else { return false };
        let ready = async {
            tokio::select! {
                ready = said.wait_for(|said| said.ready) => ready.is_ok(),
                _ = gone.wait_for(|gone| *gone) => false,
            }
        };
        timeout(READY_WITHIN, ready).await.unwrap_or(false)
    }

    /// The API key that it printed, if it did.
    pub(super) fn key(&self) -> Option<String> {
        self.running.as_ref()?.said.borrow().key.clone()
    }

    /// The id of the worker that runs there and is ready.
    pub(super) fn worker_id(&self) -> Option<String> {
        let running = self.running.as_ref().filter(|running| !*running.gone.borrow())?;
        running.said.borrow().worker.clone()
    }

    /// `kill -9`; returns when it is gone.
    pub(super) async fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.process.end(libc::SIGKILL);
            let mut gone = running.gone;
            let _ = timeout(GONE_WITHIN, gone.wait_for(|gone| *gone)).await;
        }
    }

    /// Asks it to end; whether it did in time. It is killed otherwise.
    pub(super) async fn stop(&mut self) -> bool {
        if let Some(running) = &self.running {
            running.process.signal(libc::SIGTERM);
        }
        let ended = self.has_left().await;
        self.kill().await;
        ended
    }

    /// Waits until it has ended by itself.
    pub(super) async fn has_left(&mut self) -> bool {
        let Some(running) = &mut self.running else { return true };
        timeout(GONE_WITHIN, running.gone.wait_for(|gone| *gone)).await.is_ok()
    }

    /// Stops it in the middle of whatever it does.
    pub(super) fn pause(&self) {
        if let Some(running) = &self.running {
            running.process.signal(libc::SIGSTOP);
            self.recorder.tell(Happening::Paused { process: running.label.clone() });
        }
    }

    /// It goes on.
    pub(super) fn resume(&self) {
        if let Some(running) = &self.running {
            self.recorder.tell(Happening::Resumed { process: running.label.clone() });
            running.process.signal(libc::SIGCONT);
        }
    }
}

/// Reads what a process says until it is gone.
fn listen(stdout: impl Read, label: &str, said: &watch::Sender<Said>, recorder: &Recorder) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let ready = says_ready(&line);
        if ready {
            recorder.tell(Happening::Started { process: label.to_owned() });
        }
        said.send_modify(|said| {
            said.ready |= ready;
            said.key = said.key.take().or_else(|| secret_in(&line));
            said.worker = said.worker.take().or_else(|| worker_in(&line));
        });
    }
}

/// Reads a log until its process is gone; what tells of placements goes into the history.
fn follow(stderr: impl Read, mut log: Option<File>, label: &str, recorder: &Recorder) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = lines.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        if let Some(what) = log_line::happening(label, text.trim_end()) {
            recorder.tell(what);
        }
        if let Some(file) = &mut log
            && writeln!(file, "{:>8} {}", recorder.now_ms(), text.trim_end()).is_err()
        {
            log = None;
        }
        line.clear();
    }
}
