//! One `mouthpiece up` as a child process.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::api::Api;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder that outlives the processes on it, and the settings that they are started with.
pub struct Place {
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
    key: Option<String>,
}

/// A running farm. Dropping it kills it.
pub struct Farm {
    child: Child,
    /// What it wrote on standard error so far.
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    /// Its API, with the first key.
    pub api: Api,
    /// The secret of the link that it printed.
    pub link: String,
}

/// How a process ended that was not to become a farm.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// An empty one; `settings` are keys such as `coordinator.queue_limit` with their values.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        // All slots are offered, however busy this machine is just now, unless a test wants it otherwise.
        let settings = [&[("worker.measure", "false")], settings].concat();
        let variable = |(key, value): (&str, &str)| {
            (format!("MOUTHPIECE_{}", key.to_uppercase().replace('.', "__")), value.to_owned())
        };
        let settings = settings.into_iter().map(variable).collect();
        Self { folder: tempfile::tempdir().unwrap(), settings, key: None }
    }

    /// Tells the key that another place's farm printed.
    #[cfg(feature = "cloud")]
    pub fn knows_key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    /// A file of the data folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The command with these settings, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mouthpiece"));
        command.args(args).arg("--data").arg(self.data()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.settings.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        let done = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) }
    }

    /// Starts the farm and waits until it says where it is.
    pub fn up(&mut self) -> Farm {
        let command = self.command(&["up", "--port", "0"]);
        self.start(command)
    }

    /// Starts a command that becomes a farm.
    pub fn start(&mut self, mut command: Command) -> Farm {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let reader = std::thread::spawn({
            let (log, mut stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
            move || {
                let mut piece = [0; 4096];
                while let Ok(n @ 1..) = stderr.read(&mut piece) {
                    log.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..n]));
                }
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut address, mut link) = (None, None);
        while link.is_none() {
            let Some(Ok(line)) = lines.next() else {
                let status = child.wait().unwrap();
                panic!("it ended before it was ready: {status}: {}", log.lock().unwrap());
            };
            address = address.or_else(|| line.strip_prefix("Mouthpiece is ready: ").map(str::to_owned));
            link = line.split_once("/#open=").map(|(_, secret)| secret.to_owned());
            self.key = self.key.take().or_else(|| secret(&line));
        }
        let key = self.key.clone().expect("the first start printed a key");
        Farm { child, log, reader: Some(reader), api: Api::new(&address.unwrap(), &key), link: link.unwrap() }
    }
}

impl Farm {
    /// What it wrote on standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(kill.success());
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended, and returns how and what it logged.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let status = eventually("the process ends", async || self.child.try_wait().unwrap()).await;
        self.reader.take().unwrap().join().unwrap();
        (status, self.log.lock().unwrap().clone())
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap();
            // What tests poll is most of a log and tells nothing.
            let telling = log.lines().filter(|line| !line.contains("answered status=200"));
            println!("the farm's log:\n{}", telling.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The first API key's secret in a text.
pub fn secret(text: &str) -> Option<String> {
    let secret = &text[text.find("mp_")?..];
    Some(secret.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect())
}

/// Asks again and again until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The files below a folder, by their paths.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
