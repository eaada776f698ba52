//! Commands that start servers and prepare their folders.

use crate::ServerProcess;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

/// Whom to run as where this process is root, which some servers refuse: the user of this name and its group.
pub(crate) fn unprivileged(user: &str) -> Result<Option<(u32, u32)>> {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix(user)?.strip_prefix(':')?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Ok(Some(ids.with_context(|| format!("there is no user {user}: is the server's package installed?"))?))
}

/// Starts a server from a thread that lives as long as what is returned.
pub(crate) fn kept(command: Command, log: PathBuf) -> Result<(ServerProcess, mpsc::Sender<()>)> {
    let (started, result) = mpsc::channel();
    let (keeper, until) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if started.send(ServerProcess::start(command, &log)).is_ok() {
            // Nothing is ever sent: it ends when the sender does.
            let _ = until.recv();
        }
    });
    Ok((result.recv().context("the thread that starts servers ended")??, keeper))
}

/// Runs a command to its end.
pub(crate) fn done(mut command: Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{program} cannot be run"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}
