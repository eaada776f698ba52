//! A private RabbitMQ node.

use crate::command::{done, kept, unprivileged};
use crate::{ServerProcess, free_port};
use anyhow::{Result, ensure};
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use tempfile::TempDir;

/// Where Debian puts the node's own scripts: the ones on the path change the user and the log's place.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
/// Whom the node runs as when a test runs as root.
const USER: &str = "rabbitmq";

/// A broker in a folder of its own, with its own name, cookie, ports and port mapper. The user `guest` may do everything, the
/// user `stranger` nothing; both have their name as their password.
#[derive(Debug)]
pub struct RabbitServer {
    // Dropped in this order: the node before what it stands on.
    node: Option<Kept>,
    _mapper: Kept,
    user: Option<(u32, u32)>,
    port: u16,
    tls_port: u16,
    mapper_port: u16,
    distribution_port: u16,
    folder: TempDir,
}

/// A process and the thread that started it, with which it ends.
type Kept = (ServerProcess, mpsc::Sender<()>);

impl RabbitServer {
    /// Starts a node and waits until it takes connections: some seconds.
    ///
    /// # Errors
    /// RabbitMQ or OpenSSL is not installed, or the node does not start: the end of its log is told.
    pub async fn start() -> Result<Self> {
        ensure!(Path::new(SCRIPTS).exists(), "RabbitMQ is not installed: its Debian package is rabbitmq-server");
        let folder = tempfile::Builder::new().prefix("mouthpiece-rabbitmq-").tempdir()?;
        let (port, tls_port, mapper_port, distribution_port) = (free_port()?, free_port()?, free_port()?, free_port()?);
        let at = folder.path();
        certificates(at)?;
        let shown = at.display();
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\nlisteners.ssl.1 = 127.0.0.1:{tls_port}\n\
             ssl_options.cacertfile = {shown}/ca.pem\nssl_options.certfile = {shown}/server.pem\n\
             ssl_options.keyfile = {shown}/server.key\nssl_options.verify = verify_none\n\
             log.console = true\nlog.console.level = info\nlog.file = false\n\
             load_definitions = {shown}/definitions.json\n\
             # Tests kill it at once after a confirm, and machines of tests have little space.\n\
             disk_free_limit.absolute = 1MB\n"
        );
        std::fs::write(at.join("rabbitmq.conf"), settings)?;
        std::fs::write(at.join("enabled_plugins"), "[].")?;
        std::fs::write(at.join("definitions.json"), DEFINITIONS)?;
        let user = unprivileged(USER)?;
        if let Some((uid, gid)) = user {
            for entry in std::fs::read_dir(at)? {
                chown(entry?.path(), Some(uid), Some(gid))?;
            }
            chown(at, Some(uid), Some(gid))?;
        }
        let mut mapper = as_user(Command::new("epmd"), user);
        mapper.args(["-address", "127.0.0.1", "-port", &mapper_port.to_string()]);
        let mut server = Self {
            node: None,
            _mapper: kept(mapper, at.join("epmd.log"))?,
            user,
            port,
            tls_port,
            mapper_port,
            distribution_port,
            folder,
        };
        server.start_again().await?;
        Ok(server)
    }

    /// The broker's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address for the user who may do everything, on the usual virtual host.
    pub fn url(&self) -> String {
        self.url_of("guest", "guest", "%2f")
    }

    /// The address for somebody.
    pub fn url_of(&self, user: &str, password: &str, vhost: &str) -> String {
        format!("amqp://{user}:{password}@127.0.0.1:{}/{vhost}", self.port)
    }

    /// The address over TLS. The certificate is signed by [`Self::authority`] and names `localhost`.
    pub fn tls_url(&self) -> String {
        format!("amqps://guest:guest@localhost:{}/%2f", self.tls_port)
    }

    /// The authority that signed the broker's certificate, a PEM file.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    /// Kills the node, as the kernel would: nothing is written any more.
    pub fn kill(&mut self) {
        if let Some((node, _starter)) = self.node.take() {
            node.end(libc::SIGKILL);
        }
    }

    /// Starts the node with the data that it had, and waits until it takes connections.
    ///
    /// # Errors
    /// It does not start: the end of its log is told.
    pub async fn start_again(&mut self) -> Result<()> {
        self.kill();
        let node = self.command("rabbitmq-server");
        let log = self.log();
        let mut node = kept(node, log.clone())?;
        let ports = [self.port, self.tls_port];
        node.0
            .wait_until(&log, async || {
                for port in ports {
                    if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                        return false;
                    }
                }
                true
            })
            .await?;
        self.node = Some(node);
        Ok(())
    }

    /// True when the node's list of quorum queues on disk has `queue`. Until some seconds after a queue is made the list has it
    /// in memory only, and a node that is killed then (seen on 3.10) starts again with a queue that never answers.
    ///
    /// # Errors
    /// The node's folder cannot be read.
    pub fn is_listed_on_disk(&self, queue: &str) -> Result<bool> {
        let list = self.folder.path().join("data/private@localhost/quorum/private@localhost/names.dets");
        let list = std::fs::read(list)?;
        Ok(list.windows(queue.len()).any(|part| part == queue.as_bytes()))
    }

    /// The node answers nothing and keeps its connections, as on a machine that hangs.
    pub fn pause(&self) {
        self.signal(libc::SIGSTOP);
    }

    /// The node goes on.
    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
    }

    /// The node's process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.node.as_ref().map(|(node, _)| node.id())
    }

    fn signal(&self, signal: i32) {
        if let Some((node, _)) = &self.node {
            node.signal(signal);
        }
    }

    /// Runs `rabbitmqctl` with arguments and returns what it says; it takes a second or two.
    ///
    /// # Errors
    /// It failed: what it said is told.
    pub async fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.command("rabbitmqctl");
        command.arg("--quiet").args(arguments);
        let output = tokio::task::spawn_blocking(|| done(command)).await??;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// One of RabbitMQ's scripts, for this node.
    fn command(&self, script: &str) -> Command {
        let at = self.folder.path();
        let mut command = as_user(Command::new(Path::new(SCRIPTS).join(script)), self.user);
        command
            .current_dir(at)
            .env("HOME", at)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            // Erlang takes its cookie from the home folder; the name is told from others by the port mapper.
            .env("RABBITMQ_NODENAME", "private@localhost")
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", at.join("data"))
            .env("RABBITMQ_LOG_BASE", at.join("log"))
            .env("RABBITMQ_PID_FILE", at.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", at.join("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at.join("enabled_plugins"))
            // Two schedulers are enough for tests, and leave the machine to others.
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2")
            // The script becomes the node instead of watching it, so that signals and this process's end reach the node.
            .env("RABBITMQ_ALLOW_INPUT", "1")
            .env("RABBITMQ_SERVER_START_ARGS", "-noinput");
        command
    }
}

/// The command, run by an unprivileged user when this process is root.
fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// An authority, and a certificate of it for `localhost`, as PEM files.
fn certificates(folder: &Path) -> Result<()> {
    let openssl = |arguments: &str| -> Result<()> {
        let mut command = Command::new("openssl");
        command.current_dir(folder).args(arguments.split(' '));
        done(command).map(drop)
    };
    std::fs::write(folder.join("server.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /CN=tests"))?;
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"))?;
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 30 -extfile server.ext",
    )?;
    // Made for root's eyes, read by the broker's user.
    Ok(std::fs::set_permissions(folder.join("server.key"), std::fs::Permissions::from_mode(0o644))?)
}

const DEFINITIONS: &str = r#"{
  "users": [
    {"name": "guest", "password": "guest", "tags": ["administrator"], "limits": {}},
    {"name": "stranger", "password": "stranger", "tags": [], "limits": {}}
  ],
  "vhosts": [{"name": "/"}],
  "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
  "exchanges": [], "queues": [], "bindings": []
}"#;
