//! A server's process: started in a group of its own, stopped, paused and killed as a test wants it.

use anyhow::{Context as _, Result, bail};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A server is ready within this, also where the machine has much else to do: usually it takes seconds.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A port of 127.0.0.1 that nothing listens on just now.
///
/// # Errors
/// The machine has none left.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?.local_addr()?.port())
}

/// A running server. It and its children are killed when this is dropped, and by the kernel when the test's own process dies.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
}

impl ServerProcess {
    /// Starts a command whose output goes to `log`.
    ///
    /// # Errors
    /// The program is missing or cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let output =
            std::fs::File::options().create(true).append(true).open(log).context("the log cannot be opened")?;
        command.stdout(output.try_clone()?).stderr(output);
        Self::spawn(command)
    }

    /// Starts a command whose standard output and standard error the caller reads, for as long as it runs.
    ///
    /// # Errors
    /// As [`ServerProcess::start`].
    pub fn start_piped(mut command: Command) -> Result<(Self, ChildStdout, ChildStderr)> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut this = Self::spawn(command)?;
        let pipes = this.child.stdout.take().zip(this.child.stderr.take());
        let (stdout, stderr) = pipes.context("a process without pipes")?;
        Ok((this, stdout, stderr))
    }

    fn spawn(mut command: Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).process_group(0);
        // SAFETY: prctl is async-signal-safe and touches nothing of the parent's memory.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child =
            command.spawn().with_context(|| format!("{program} cannot be started: is its package installed?"))?;
        Ok(Self { child })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// The process ended, or was not ready within three minutes: the end of its log is told.
    pub async fn wait_until(&mut self, log: &Path, mut ready: impl AsyncFnMut() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !ready().await {
            let ended = self.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let tail: Vec<&str> = said.lines().rev().take(15).collect();
                bail!(
                    "the server is not ready ({ended:?}):\n{}",
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Sends a signal to the server and its children: `libc::SIGSTOP` pauses it, `SIGCONT` lets it go on.
    pub fn signal(&self, signal: i32) {
        // SAFETY: sends a signal to a group that this process made and has not reaped yet.
        unsafe {
            libc::killpg(self.child.id().cast_signed(), signal);
        }
    }

    /// Its process id, which is that of its group too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// True when it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it with `signal` and waits until it is gone.
    pub fn end(mut self, signal: i32) {
        self.signal(signal);
        let _ = self.child.wait();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(libc::SIGCONT);
            self.signal(libc::SIGKILL);
            let _ = self.child.wait();
        }
    }
}
