//! A private Postgres from Debian's packages.

use crate::command::{done, kept, unprivileged};
use crate::{ServerProcess, free_port};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// A start is tried again so often while children of a killed server are about to end.
const STILL_IN_USE: u32 = 50;

/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who owns the server's databases.
const ROLE: &str = "farm";

/// A server on a free port and in a folder of its own. It runs as the user `postgres` when the test runs as root, which the
/// server refuses.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    tls: bool,
    /// What is answered is on the disk.
    durable: bool,
    databases: AtomicU32,
    running: Option<Running>,
}

/// The process, and the thread that started it: the kernel kills a server whose starter ends, and a test's thread ends while
/// other tests still use the server.
#[derive(Debug)]
struct Running {
    process: ServerProcess,
    _keeper: mpsc::Sender<()>,
}

impl PostgresServer {
    /// The password of the role that owns the databases. It is asked for on the network and not on the socket.
    pub const PASSWORD: &'static str = "s3cret/&of the-farm";
    /// The same as it stands in a URL.
    pub const PASSWORD_IN_URL: &'static str = "s3cret%2F%26of%20the-farm";

    /// Makes a server and starts it; nothing in it outlives it, so nothing is flushed to the disk.
    ///
    /// # Errors
    /// Its programs are missing, or it does not start: the end of its log is told.
    pub async fn start() -> Result<Self> {
        Self::make(false, false).await
    }

    /// The same, but what it answers is on the disk before, as in production: for measurements.
    ///
    /// # Errors
    /// As [`PostgresServer::start`].
    pub async fn start_durable() -> Result<Self> {
        Self::make(false, true).await
    }

    /// The same, with TLS and a certificate for `localhost` of an authority of its own, see [`PostgresServer::authority`].
    ///
    /// # Errors
    /// As [`PostgresServer::start`]; `openssl` is missing.
    pub async fn start_with_tls() -> Result<Self> {
        Self::make(true, false).await
    }

    /// The server that the tests of a binary share: started by the first that asks, gone with the last that uses it.
    ///
    /// # Errors
    /// As [`PostgresServer::start`].
    pub async fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start().await?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    async fn make(tls: bool, durable: bool) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("pg").tempdir()?;
        let user = unprivileged("postgres")?;
        let mut server = Self {
            folder,
            programs: programs()?,
            port: free_port()?,
            user,
            tls,
            durable,
            databases: AtomicU32::new(0),
            running: None,
        };
        server.own(server.folder.path())?;
        server.init()?;
        if tls {
            server.certify()?;
        }
        server.start_again().await?;
        Ok(server)
    }

    fn init(&self) -> Result<()> {
        let password = self.folder.path().join("password");
        fs::write(&password, Self::PASSWORD)?;
        self.own(&password)?;
        let mut init = self.command("initdb");
        init.arg("-D").arg(self.data()).args(["-U", ROLE, "-E", "UTF8", "--locale=C", "--no-sync"]);
        init.args(["--auth-local=trust", "--auth-host=scram-sha-256"]).arg("--pwfile").arg(&password);
        done(init)?;
        Ok(())
    }

    /// An authority and a certificate that it signed.
    fn certify(&self) -> Result<()> {
        let at = |name: &str| self.folder.path().join(name);
        let openssl = |arguments: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(arguments).current_dir(self.folder.path());
            done(command)
        };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
        fs::write(at("names"), "subjectAltName=DNS:localhost\n")?;
        openssl(&[&["req", "-x509", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem"], &key[..]].concat())?;
        let request = ["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
        openssl(&[&request, &key[..5]].concat())?;
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        openssl(&[&sign[..], &["-days", "30", "-extfile", "names", "-out", "server.pem"]].concat())?;
        self.own(&at("server.key"))
    }

    /// Starts it on the folder and the port that it had, after [`PostgresServer::end`].
    ///
    /// # Errors
    /// It runs, or does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "the server runs");
        // A child of the one that was killed may live a moment longer: until then its memory is in use.
        for _ in 0..STILL_IN_USE {
            match self.start_once().await {
                Err(error) if format!("{error:#}").contains("is still in use") => self.running = None,
                started => return started,
            }
            sleep(Duration::from_millis(200)).await;
        }
        self.start_once().await
    }

    async fn start_once(&mut self) -> Result<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-h", "127.0.0.1"]);
        let socket = format!("unix_socket_directories={}", self.folder.path().display());
        let settings = [&socket, "max_connections=100", "shared_buffers=64MB", "deadlock_timeout=50ms"];
        let hasty = ["fsync=off", "full_page_writes=off"].into_iter().filter(|_| !self.durable);
        for setting in settings.into_iter().chain(hasty).chain(["log_min_messages=fatal"]) {
            command.args(["-c", setting]);
        }
        if self.tls {
            for (setting, file) in [("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")] {
                command.args(["-c", &format!("{setting}={}", self.folder.path().join(file).display())]);
            }
            command.args(["-c", "ssl=on"]);
        }
        let log = self.log();
        let (process, keeper) = kept(command, log.clone())?;
        let running = self.running.insert(Running { process, _keeper: keeper });
        let (programs, socket, port) = (&self.programs, self.folder.path(), self.port);
        let ready = async || {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.arg("-q").arg("-h").arg(socket).args(["-p", &port.to_string()]);
            ask.status().is_ok_and(|status| status.success())
        };
        running.process.wait_until(&log, ready).await
    }

    /// Ends it: `libc::SIGKILL` as when the machine dies, `SIGINT` (the server's fast shutdown) as an operator does.
    pub fn end(&mut self, signal: i32) {
        let Some(running) = self.running.take() else { return };
        let children = self.children();
        running.process.end(signal);
        if signal == libc::SIGKILL {
            // They would end by themselves soon; on a machine that died nobody writes any more.
            send(&children, signal);
        }
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.process.id())
    }

    /// Sends a signal to the server and its children: `libc::SIGSTOP` pauses it, `SIGCONT` lets it go on.
    pub fn signal(&self, signal: i32) {
        if let Some(running) = &self.running {
            running.process.signal(signal);
            send(&self.children(), signal);
        }
    }

    /// Its children, each of which is in a group of its own.
    fn children(&self) -> Vec<i32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(server) = file.lines().next() else { return Vec::new() };
        let parent_of = |process: &Path| {
            let stat = fs::read_to_string(process.join("stat")).ok()?;
            // After the name, which may hold anything: state, parent.
            Some(stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned())
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
            let entry = entry.ok()?;
            let process = entry.file_name().to_str()?.parse().ok()?;
            (parent_of(&entry.path())? == server).then_some(process)
        });
        processes.collect()
    }

    /// A new, empty database, by its URL.
    ///
    /// # Errors
    /// The server refuses.
    pub fn database(&self) -> Result<String> {
        let name = format!("farm{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// The URL of a database of this name.
    pub fn url(&self, database: &str) -> String {
        self.url_of(ROLE, Self::PASSWORD_IN_URL, database)
    }

    /// The URL of a database for another role; the password with `%` for special characters.
    pub fn url_of(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL as the superuser and returns what it answers, without frills.
    ///
    /// # Errors
    /// What the server says to it.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string(), "-U", ROLE, "-d", database]);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        let output = done(psql)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The port that it listens on, of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed the server's, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn own(&self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.user {
            std::os::unix::fs::chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for PostgresServer {
    /// An immediate shutdown, which gives the system's shared memory back.
    fn drop(&mut self) {
        self.signal(libc::SIGCONT);
        self.end(libc::SIGQUIT);
    }
}

fn send(processes: &[i32], signal: i32) {
    for process in processes {
        // SAFETY: sends a signal to a child of the server, which reaps its children later than this finds them.
        unsafe {
            libc::kill(*process, signal);
        }
    }
}

/// The newest version's folder.
fn programs() -> Result<PathBuf> {
    let missing = "Postgres is missing: install the package postgresql";
    let versions = fs::read_dir(VERSIONS).context(missing)?.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin"))).filter(|(_, programs)| programs.join("initdb").exists())
    });
    let newest = versions.max().context(missing)?;
    Ok(newest.1)
}
