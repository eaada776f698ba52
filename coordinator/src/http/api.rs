//! What handlers share.

use super::problem::{Kind, Problem};
use super::settings::HttpSettings;
use crate::farm::Farm;
use crate::metrics::Metrics;
use crate::office::{Office, OfficeError};
use bytes::Bytes;
use mouthpiece_ports::farm_ports::OfficePorts;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What handlers share: `web::Data<Api>`.
pub struct Api {
    /// What the coordinator can do.
    pub office: Office,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// Limits and habits.
    pub settings: HttpSettings,
    pub(super) described: OnceLock<Bytes>,
    streams: Arc<Semaphore>,
}

impl Api {
    /// Sets the HTTP side up, and the office behind it.
    ///
    /// # Errors
    /// [`OfficeError`].
    pub fn new(
        farm: Arc<dyn Farm>,
        ports: OfficePorts,
        metrics: Arc<Metrics>,
        settings: HttpSettings,
    ) -> Result<Self, OfficeError> {
        Ok(Self {
            office: Office::new(farm, ports, Arc::clone(&metrics), settings.office())?,
            metrics,
            described: OnceLock::new(),
            streams: Arc::new(Semaphore::new(settings.max_streams)),
            settings,
        })
    }

    /// The server is about to stop: streams of events and audio sockets end, and it is not ready any more.
    pub fn close(&self) {
        self.office.closing.begin();
    }

    /// The right to follow events.
    ///
    /// # Errors
    /// 503 when too many do.
    pub(super) fn stream_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let none_left = "too many streams of events are open: ask for the state instead, or come back later";
        let refused = |_| Problem::new(Kind::NoCapacity, none_left).after(Duration::from_secs(2));
        Arc::clone(&self.streams).try_acquire_owned().map_err(refused)
    }
}
