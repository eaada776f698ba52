//! A private Redis server.

use crate::process::{ServerProcess, free_port};
use anyhow::{Context as _, Result, bail};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Another process may take a port between its choice and its use.
const TRIES: u32 = 5;
/// The longest that an answer to a command of a test is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `redis-server` on 127.0.0.1, with a folder of its own. It keeps nothing on disk unless it is told to.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<ServerProcess>,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
}

impl RedisServer {
    /// Starts one without persistence.
    ///
    /// # Errors
    /// The program is missing or does not get ready.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts one that writes each change to a file before it answers.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub async fn start_append_only() -> Result<Self> {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"]).await
    }

    /// Starts one with further settings, as on its command line: `["--maxmemory", "10mb"]`.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub async fn start_with(settings: &[&str]) -> Result<Self> {
        let folder = TempDir::with_prefix("mouthpiece-redis-").context("no folder for the server")?;
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        let mut server = Self { process: None, folder, port: 0, settings };
        let mut tries = 1;
        loop {
            server.port = free_port()?;
            match server.start_again().await {
                Ok(()) => return Ok(server),
                Err(_) if tries < TRIES && server.port_was_taken() => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts it after [`RedisServer::kill`] or [`RedisServer::stop`], on the same port and folder.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub async fn start_again(&mut self) -> Result<()> {
        let log = self.log();
        let mut command = Command::new("redis-server");
        command.current_dir(self.folder.path());
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(self.folder.path()).args(&self.settings);
        let mut process = ServerProcess::start(command, &log)?;
        let port = self.port;
        process
            .wait_until(&log, async || {
                // One that asks for a password is ready too. Another server on this port is not this one.
                matches!(ask(port, &["PING"]).await, Ok(answer) if answer == "PONG" || answer.starts_with("-NOAUTH"))
            })
            .await?;
        self.process = Some(process);
        Ok(())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Its folder, where it finds files that its settings name.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        self.end(libc::SIGKILL);
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self) {
        self.end(libc::SIGTERM);
    }

    /// It runs no further, and its connections stay.
    pub fn pause(&self) {
        self.signal(libc::SIGSTOP);
    }

    /// It runs on.
    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
    }

    /// Empties all its databases.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn flush_all(&self) -> Result<()> {
        match self.command(&["FLUSHALL"]).await?.as_str() {
            "OK" => Ok(()),
            other => bail!("FLUSHALL: {other}"),
        }
    }

    /// Runs a command on a connection of its own. Errors of the server come back as its text, with their leading `-`; lists are not
    /// read.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn command(&self, words: &[&str]) -> Result<String> {
        ask(self.port, words).await
    }

    fn end(&mut self, signal: i32) {
        if let Some(process) = self.process.take() {
            process.end(signal);
        }
    }

    fn signal(&self, signal: i32) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    fn port_was_taken(&self) -> bool {
        std::fs::read_to_string(self.log()).is_ok_and(|log| log.contains("Address already in use"))
    }
}

/// One command and its answer, in Redis's protocol.
async fn ask(port: u16, words: &[&str]) -> Result<String> {
    let asking = async {
        let mut line = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        line.write_all(command.as_bytes()).await?;
        let mut head = String::new();
        line.read_line(&mut head).await?;
        let head = head.trim_end();
        if let Some(length) = head.strip_prefix('$').and_then(|n| n.parse().ok()) {
            let mut body = vec![0; length];
            line.read_exact(&mut body).await?;
            return Ok(String::from_utf8_lossy(&body).into_owned());
        }
        if head.is_empty() {
            bail!("the server closed the connection");
        }
        Ok(head.trim_start_matches(['+', ':']).to_owned())
    };
    timeout(PATIENCE, asking).await.context("the server does not answer")?
}
