//! The coordinators of a load test: processes of their own.

use crate::processes::{coordinator_command, give_settings};
use crate::usage::MeteredProcess;
use crate::{LoadError, setup};
use mouthpiece_servers::{ServerProcess, free_port};
use reqwest::{Client, StatusCode};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A coordinator that is asked whether it is ready answers within this.
const READY: Duration = Duration::from_secs(5);

/// Settings of all coordinators: none of their bounds is what is measured.
const SETTINGS: [(&str, &str); 8] = [
    ("keys.max_open", "1000000"),
    ("coordinator.queue_limit", "50000"),
    ("coordinator.max_workers", "10000"),
    ("live.queue_timeout", "10m"),
    ("farm.secret", "a-secret-of-this-run-that-nobody-else-has"),
    ("http.max_connections", "16384"),
    ("http.shutdown_timeout", "1s"),
    ("log.level", "warn,actix_server=error,lapin=off,io_loop=off"),
];

struct Coordinator {
    name: String,
    url: String,
    process: ServerProcess,
}

/// Running coordinators. They are killed when this is dropped.
pub(super) struct Coordinators(Vec<Coordinator>);

impl Coordinators {
    /// Starts so many and waits until they are ready. They die with the thread that calls this.
    pub(super) async fn start(
        program: &Path,
        count: u8,
        folder: &Path,
        stores: &[(String, String)],
    ) -> Result<Self, LoadError> {
        let client = Client::builder().no_proxy().timeout(READY).build().map_err(setup)?;
        let mut all = Vec::new();
        for n in 0..count {
            let (name, port) = (format!("coordinator-{n}"), free_port().map_err(setup)?);
            let own = folder.join(&name);
            std::fs::create_dir_all(&own).map_err(setup)?;
            let mut settings: Vec<(String, String)> =
                SETTINGS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            settings.extend_from_slice(stores);
            settings.push(("stores.blobs".to_owned(), format!("file:{}", folder.join("blobs").display())));
            let mut command = coordinator_command(program, port);
            give_settings(&mut command, &own, &settings);
            let log: PathBuf = own.join("log");
            let mut process = ServerProcess::start(command, &log).map_err(|e| setup(format!("{e:#}")))?;
            let url = format!("http://127.0.0.1:{port}");
            let ready = async || {
                let asked = client.get(format!("{url}/readyz")).send().await;
                asked.is_ok_and(|answer| answer.status() == StatusCode::OK)
            };
            process.wait_until(&log, ready).await.map_err(|e| setup(format!("{name}: {e:#}")))?;
            all.push(Coordinator { name, url, process });
        }
        Ok(Self(all))
    }

    /// Where they are.
    pub(super) fn urls(&self) -> Vec<String> {
        self.0.iter().map(|coordinator| coordinator.url.clone()).collect()
    }

    /// Their processes.
    pub(super) fn processes(&self) -> Vec<MeteredProcess> {
        let metered = |Coordinator { name, process, .. }: &Coordinator| MeteredProcess {
            name: name.clone(),
            id: process.id(),
            with_children: false,
        };
        self.0.iter().map(metered).collect()
    }

    /// Asks all of them to end, and waits until they have.
    pub(super) fn end(self) {
        for Coordinator { process, .. } in self.0 {
            process.end(libc::SIGTERM);
        }
    }
}
