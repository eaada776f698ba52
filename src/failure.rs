//! How the command ends.

use mouthpiece_worker::RenderError;
use std::process::ExitCode;

/// The exit code for what was given but cannot be used.
const BAD_INPUT: u8 = 2;
/// The shells' exit code for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Prints an error, if there is one, and says how the process should end.
#[allow(clippy::print_stderr)] // errors are what standard error is for
pub fn exit_code(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    if let Some(RenderError::Cancelled) = error.downcast_ref() {
        eprintln!("interrupted: nothing was written");
        return ExitCode::from(INTERRUPTED);
    }
    eprintln!("error: {error:#}");
    let input = error.downcast_ref().is_some_and(RenderError::is_input);
    if input { ExitCode::from(BAD_INPUT) } else { ExitCode::FAILURE }
}
