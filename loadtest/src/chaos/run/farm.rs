//! The farm of a run: its processes, its servers, and what breaks of them.

use super::client::FarmClient;
use super::process::FarmProcess;
use super::recorder::Recorder;
use super::servers::{Links, Servers};
use super::{ChaosLease, ChaosOptions};
use crate::chaos::history::Happening;
use crate::chaos::plan::{ChaosFault, PlannedFault, ProcessName, ProcessRole};
use crate::{LoadError, setup};
use bytes::Bytes;
use mouthpiece_servers::free_port;
use reqwest::Method;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Settings of all processes: a place that a killed process held is given up fast, and nothing ends for want of patience.
const SETTINGS: [(&str, &str); 16] = [
    ("coordinator.max_attempts", "50"),
    ("coordinator.sweep_every", "3s"),
    ("coordinator.book_every", "2s"),
    ("sessions.queue_timeout", "5m"),
    ("keys.max_open", "1000"),
    ("worker.measure", "false"),
    ("worker.grace", "3s"),
    ("worker.drain_timeout", "8s"),
    ("rtc.bind", "127.0.0.1"),
    ("farm.secret", "a-secret-of-this-run-that-nobody-else-has"),
    ("http.max_streams", "4096"),
    ("http.shutdown_timeout", "2s"),
    ("log.format", "json"),
    ("log.level", "info,placements=debug,actix_server=warn,lapin=off,io_loop=off"),
    ("retention.results", "1d"),
    ("live.queue_timeout", "1m"),
];

/// Leases that are lost fast.
const SHORT_LEASE: [(&str, &str); 4] = [
    ("lease.renew", "250ms"),
    ("lease.soft_stop", "1200ms"),
    ("lease.hard_stop", "1500ms"),
    ("lease.expiry", "2500ms"),
];

/// A running farm.
pub(super) struct ChaosFarm {
    pub(super) recorder: Recorder,
    pub(super) client: FarmClient,
    /// The avatar that sessions use.
    pub(super) avatar: String,
    pub(super) portrait: Bytes,
    servers: Servers,
    processes: BTreeMap<ProcessName, Mutex<FarmProcess>>,
    links: BTreeMap<ProcessName, Links>,
    over: AtomicBool,
}

impl ChaosFarm {
    /// Starts everything and waits until it is ready; the farm has no avatar yet.
    pub(super) async fn start(options: &ChaosOptions, folder: &Path, recorder: Recorder) -> Result<Self, LoadError> {
        let portrait =
            std::fs::read(&options.portrait).map_err(|e| setup(format!("{}: {e}", options.portrait.display())))?;
        let servers = Servers::start().await?;
        let (mut processes, mut links, mut coordinators) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let names = |role, count| (0..count).map(move |index| ProcessName { role, index });
        let all =
            names(ProcessRole::Coordinator, options.coordinators).chain(names(ProcessRole::Worker, options.workers));
        for name in all {
            let (way, mut settings) = servers.links().await?;
            let lease: &[_] = if options.lease == ChaosLease::Short { &SHORT_LEASE } else { &[] };
            settings.extend(SETTINGS.iter().chain(lease).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
            settings.push(("worker.name".to_owned(), name.to_string()));
            settings.push(("worker.slots".to_owned(), options.slots.to_string()));
            let port = free_port().map_err(setup)?;
            let own = folder.join(name.to_string());
            let (program, logs) = (options.program.clone(), options.logs.clone());
            let process = FarmProcess::new(name, program, own, logs, settings, port, recorder.clone());
            if name.role == ProcessRole::Coordinator {
                coordinators.push((name.to_string(), format!("http://127.0.0.1:{port}")));
            }
            links.insert(name, way);
            processes.insert(name, Mutex::new(process));
        }
        let mut key = None;
        for (name, process) in &processes {
            let mut process = process.lock().await;
            process.start()?;
            // The first coordinator makes the schema and the first key.
            if key.is_none() {
                if !process.is_ready().await {
                    return Err(setup(format!("{name} does not start; with --logs FOLDER its log is kept")));
                }
                key = Some(process.key().ok_or_else(|| setup("the first coordinator told no API key"))?);
            }
        }
        let client = FarmClient::new(coordinators, key.unwrap_or_default())?;
        let (avatar, over) = (String::new(), AtomicBool::new(false));
        let portrait = Bytes::from(portrait);
        let farm = Self { recorder, client, avatar, portrait, servers, processes, links, over };
        farm.is_whole().await?;
        Ok(farm)
    }

    /// True when nobody is to wait any longer.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Nobody waits any longer.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Starts what does not run, and waits until all is ready.
    pub(super) async fn is_whole(&self) -> Result<(), LoadError> {
        for (name, process) in &self.processes {
            let mut process = process.lock().await;
            let mut tries = 0;
            loop {
                process.start()?;
                if process.is_ready().await {
                    break;
                }
                tries += 1;
                if tries > 3 {
                    return Err(setup(format!("{name} does not start; with --logs FOLDER its log is kept")));
                }
            }
        }
        Ok(())
    }

    /// Carries a fault of the plan out, to its end.
    pub(super) async fn carry_out(&self, number: u32, planned: PlannedFault) -> Result<(), LoadError> {
        let PlannedFault { fault, lasts_ms, .. } = planned;
        let lasts = Duration::from_millis(lasts_ms);
        self.recorder.tell(Happening::Fault { number, fault: format!("{fault} for {lasts_ms} ms") });
        match fault {
            ChaosFault::Kill(name) => {
                let Some(process) = self.processes.get(&name) else { return Ok(()) };
                let mut process = process.lock().await;
                process.kill().await;
                sleep(lasts).await;
                process.start()?;
                process.is_ready().await;
            }
            ChaosFault::Stop(name) => {
                let Some(process) = self.processes.get(&name) else { return Ok(()) };
                let mut process = process.lock().await;
                process.stop().await;
                sleep(lasts).await;
                process.start()?;
                process.is_ready().await;
            }
            ChaosFault::Pause(name) => {
                let Some(process) = self.processes.get(&name) else { return Ok(()) };
                let process = process.lock().await;
                process.pause();
                sleep(lasts).await;
                process.resume();
            }
            ChaosFault::Drain(name) => self.drain(name).await?,
            ChaosFault::Link(name, server, harm) => {
                let Some(links) = self.links.get(&name) else { return Ok(()) };
                links.harm(server, harm);
                sleep(lasts).await;
                links.mend(server);
            }
            ChaosFault::KillServer(_) | ChaosFault::PauseServer(_) | ChaosFault::FlushPool => {
                let workers = self.workers().await;
                if !self.servers.break_one(fault, lasts, &workers).await? {
                    tracing::warn!(%fault, "this was not done");
                }
            }
        }
        self.recorder.tell(Happening::FaultOver { number });
        Ok(())
    }

    /// An operator drains a worker, through whichever coordinator takes it; it is started again when it has left.
    async fn drain(&self, name: ProcessName) -> Result<(), LoadError> {
        let Some(process) = self.processes.get(&name) else { return Ok(()) };
        let mut process = process.lock().await;
        let Some(id) = process.worker_id() else { return Ok(()) };
        let path = format!("/v1/workers/{id}/drain");
        for nth in 0..self.client.count() * 4 {
            match self.client.ask(nth, Method::POST, &path, None, None).await {
                Ok(reply) if reply.status < 300 => break,
                _ => sleep(Duration::from_millis(250)).await,
            }
        }
        if !process.has_left().await {
            process.kill().await;
        }
        process.start()?;
        process.is_ready().await;
        Ok(())
    }

    /// The ids of the workers that are ready.
    async fn workers(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for process in self.processes.values() {
            ids.extend(process.lock().await.worker_id());
        }
        ids
    }
}
