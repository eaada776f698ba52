//! A program that is run to its end, or until the user has had enough.

use crate::stop_flag::StopFlag;
use std::io::{self, stderr};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use thiserror::Error;

/// How often it is looked whether the program has ended or is to: the standard library waits for one of both only.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program did not do what it was run for.
#[derive(Debug, Error)]
pub enum ChildError {
    /// It cannot be started.
    #[error("'{program}' cannot be run: {source}")]
    Start {
        /// What was to be run.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It ended otherwise than with 0.
    #[error("'{program}' ended with {status}: what it said is above")]
    Status {
        /// What was run.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The user ended it.
    #[error("interrupted")]
    Interrupted,
}

/// Runs a program whose words are shown on standard error. When `stop` is set it is killed: what runs here writes beside what it
/// replaces, so that any moment will do.
///
/// # Errors
/// [`ChildError`].
pub fn run_to_end(command: &mut Command, stop: &StopFlag) -> Result<(), ChildError> {
    let program = command.get_program().display().to_string();
    let start = |source| ChildError::Start { program: program.clone(), source };
    let words = stderr().as_fd().try_clone_to_owned().map_err(start)?;
    let mut child = command.stdin(Stdio::null()).stdout(words).spawn().map_err(start)?;
    loop {
        if stop.is_set() {
            end(&mut child);
            return Err(ChildError::Interrupted);
        }
        match child.try_wait().map_err(start)? {
            // Ctrl-C on a terminal reaches both, the program perhaps first.
            Some(_) if stop.is_set() => return Err(ChildError::Interrupted),
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(ChildError::Status { program, status }),
            None => thread::sleep(LOOK_EVERY),
        }
    }
}

/// Ends it for good; one that has ended by itself is fine, too.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
