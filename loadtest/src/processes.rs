//! The farm's processes as tests start them: their command lines, their settings, and what they say of themselves.

#[cfg(feature = "cloud")]
use crate::{LoadError, setup};
use std::path::Path;
use std::process::Command;
#[cfg(feature = "cloud")]
use tokio::signal::unix::{SignalKind, signal};

/// What they say when they are ready.
const COORDINATOR_READY: &str = "Mouthpiece is ready: ";
#[cfg(feature = "cloud")]
const WORKER_READY: &str = " is ready: http://";

/// Waits until this process is asked to end (Ctrl-C, SIGTERM), and says so.
#[cfg(feature = "cloud")]
pub(crate) async fn until_asked_to_end() -> LoadError {
    let signals = signal(SignalKind::interrupt()).and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
    let (mut interrupt, mut terminate) = match signals {
        Ok(signals) => signals,
        Err(error) => return setup(format!("requests to end cannot be heard: {error}")),
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    LoadError::Interrupted
}

/// `mouthpiece coordinator` at a port.
#[cfg(feature = "cloud")]
pub(crate) fn coordinator_command(program: &Path, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["coordinator", "--port", &port.to_string()]);
    command
}

/// `mouthpiece up` at a free port.
pub(crate) fn up_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["up", "--port", "0"]);
    command
}

/// `mouthpiece worker`.
#[cfg(feature = "cloud")]
pub(crate) fn worker_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["worker", "--health-port", "0"]);
    command
}

/// Has a process work in a folder of its own under these settings alone, whatever those of whoever started the test are.
pub(crate) fn give_settings(command: &mut Command, folder: &Path, settings: &[(String, String)]) {
    command.arg("--data").arg(folder.join("data")).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOUTHPIECE_") {
            command.env_remove(name);
        }
    }
    for (key, value) in settings {
        command.env(format!("MOUTHPIECE_{}", key.to_uppercase().replace('.', "__")), value);
    }
}

/// The address in a line that says that a coordinator is ready.
pub(crate) fn address_in(line: &str) -> Option<&str> {
    line.strip_prefix(COORDINATOR_READY)
}

/// Whether a line says that its process is ready.
#[cfg(feature = "cloud")]
pub(crate) fn says_ready(line: &str) -> bool {
    line.starts_with(COORDINATOR_READY) || line.contains(WORKER_READY)
}

/// The API key in a line.
pub(crate) fn secret_in(line: &str) -> Option<String> {
    let from = &line[line.find("mp_")?..];
    Some(from.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect())
}

/// The worker's id in a line.
#[cfg(feature = "cloud")]
pub(crate) fn worker_in(line: &str) -> Option<String> {
    let (said, _) = line.strip_prefix("worker ")?.split_once(WORKER_READY)?;
    Some(said.to_owned())
}

#[cfg(all(test, feature = "cloud"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_start_says_is_read() {
        let line = "API key \"first\", for programs, printed this once: mp_ab-c_1";
        assert_eq!((secret_in(line).as_deref(), worker_in(line)), (Some("mp_ab-c_1"), None));
        let line = "worker wrk_01 is ready: http://127.0.0.1:8001/readyz";
        assert_eq!((secret_in(line), worker_in(line).as_deref()), (None, Some("wrk_01")));
        assert!(says_ready(line) && says_ready("Mouthpiece is ready: http://127.0.0.1:8000/") && !says_ready("ready"));
    }
}
