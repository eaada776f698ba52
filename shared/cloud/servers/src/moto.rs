//! A private moto: the nearest thing to AWS that there is without AWS (Auto Scaling, EC2, and the rest of what it needs).

use crate::process::{ServerProcess, free_port};
use anyhow::Result;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Whether Python has it.
const PROBE: &str = "import moto.server, flask, flask_cors";

/// A running `moto.server` on 127.0.0.1. It knows any key, and checks no signature.
#[derive(Debug)]
pub struct MotoServer {
    _process: ServerProcess,
    _folder: TempDir,
    port: u16,
}

impl MotoServer {
    /// Whether it is installed (`pip install 'moto[server]'`).
    pub fn is_installed() -> bool {
        let probe = Command::new("python3").args(["-c", PROBE]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    }

    /// Starts one without anything in it.
    ///
    /// # Errors
    /// It is not installed or does not get ready.
    pub async fn start() -> Result<Self> {
        let folder = TempDir::with_prefix("mouthpiece-moto-")?;
        let log = folder.path().join("log");
        let port = free_port()?;
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]).current_dir(folder.path());
        let mut process = ServerProcess::start(command, &log)?;
        process.wait_until(&log, async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        Ok(Self { _process: process, _folder: folder, port })
    }

    /// Where it listens, for all services.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
