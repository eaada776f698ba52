//! What handlers share.

use super::auth::cache::KeyCache;
use super::files::{Fetcher, clear_staging};
use super::health::Checked;
use super::live::audio::Sockets;
use super::live::{IceServerError, ice};
use super::problem::{Kind, Problem};
use super::settings::HttpSettings;
use super::submission::Submitting;
use crate::farm::Farm;
use crate::metrics::Metrics;
use bytes::Bytes;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::lines::Lines;
use mouthpiece_ports::passes::Passes;
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::records::Records;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What the HTTP side works with.
#[derive(Clone)]
pub struct Ports {
    /// The farm.
    pub farm: Arc<dyn Farm>,
    /// Sessions, avatars, keys.
    pub records: Arc<dyn Records>,
    /// Links to the page, and its sessions.
    pub passes: Arc<dyn Passes>,
    /// Uploads and results.
    pub blobs: Arc<dyn Blobs>,
    /// Questions to workers about live sessions.
    pub bus: Arc<dyn Bus>,
    /// Speech to live sessions.
    pub lines: Arc<dyn Lines>,
    /// Asked for its health only.
    pub pool: Arc<dyn Pool>,
}

/// Why the HTTP side cannot be set up.
#[derive(Debug, Error)]
pub enum ApiError {
    /// Nothing can be written where uploads shall lie.
    #[error("'{path}', where uploads lie while they arrive, cannot be used: {reason}", path = path.display())]
    Staging {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The client for fetching cannot be made.
    #[error("files cannot be fetched from addresses: {0}")]
    Fetch(#[from] reqwest::Error),
    /// Viewers cannot be told of an ICE server.
    #[error(transparent)]
    IceServers(#[from] IceServerError),
}

/// What handlers share: `web::Data<Api>`.
pub struct Api {
    /// The farm.
    pub farm: Arc<dyn Farm>,
    /// Sessions, avatars, keys.
    pub records: Arc<dyn Records>,
    /// Links to the page, and its sessions.
    pub passes: Arc<dyn Passes>,
    /// Uploads and results.
    pub blobs: Arc<dyn Blobs>,
    /// Questions to workers about live sessions.
    pub bus: Arc<dyn Bus>,
    /// Speech to live sessions.
    pub lines: Arc<dyn Lines>,
    /// Asked for its health only.
    pub pool: Arc<dyn Pool>,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// Limits and habits.
    pub settings: HttpSettings,
    pub(super) keys: KeyCache,
    pub(super) described: OnceLock<Bytes>,
    pub(super) fetcher: Fetcher,
    pub(super) submitting: Submitting,
    pub(super) checked: Checked,
    pub(super) sockets: Sockets,
    uploads: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl Api {
    /// Sets the HTTP side up. The staging folder is made, and what killed processes left there is removed.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn new(ports: Ports, metrics: Arc<Metrics>, settings: HttpSettings) -> Result<Self, ApiError> {
        ice::check(&settings.live.ice_servers)?;
        let path = &settings.staging;
        clear_staging(path).map_err(|reason| ApiError::Staging { path: path.clone(), reason })?;
        let Ports { farm, records, passes, blobs, bus, lines, pool } = ports;
        Ok(Self {
            farm,
            records,
            passes,
            blobs,
            bus,
            lines,
            pool,
            metrics,
            keys: KeyCache::default(),
            described: OnceLock::new(),
            fetcher: Fetcher::new(&settings.fetch)?,
            submitting: Submitting::default(),
            checked: Checked::default(),
            sockets: Sockets::new(settings.live.max_sockets),
            uploads: Arc::new(Semaphore::new(settings.max_uploads)),
            streams: Arc::new(Semaphore::new(settings.max_streams)),
            closing: watch::Sender::new(false),
            settings,
        })
    }

    /// The server is about to stop: streams of events and audio sockets end, and it is not ready any more.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(super) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// The right to receive or fetch a file.
    ///
    /// # Errors
    /// 503 when too many do.
    pub(super) fn upload_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        permit(&self.uploads, "too many uploads are under way: come back later")
    }

    /// The right to follow events.
    ///
    /// # Errors
    /// 503 when too many do.
    pub(super) fn stream_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        permit(&self.streams, "too many streams of events are open: ask for the state instead, or come back later")
    }
}

fn permit(of: &Arc<Semaphore>, none_left: &str) -> Result<OwnedSemaphorePermit, Problem> {
    let refused = |_| Problem::new(Kind::NoCapacity, none_left).after(Duration::from_secs(2));
    Arc::clone(of).try_acquire_owned().map_err(refused)
}
