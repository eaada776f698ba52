//! Lines on standard output and standard error, for readers who may have gone away.

use anyhow::Context;
use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Prints a line of the command's result. A reader that has gone away (`mouthpiece ... | head -1`) is no failure: what
/// was asked for is done.
///
/// # Errors
/// When standard output cannot be written for another reason.
pub fn result(line: impl Display) -> anyhow::Result<()> {
    match writeln!(stdout(), "{line}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("standard output cannot be written"),
        _ => Ok(()),
    }
}

/// Prints a line beside the result; when nobody can read it, the work goes on.
pub fn aside(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}
