//! What handlers share.

use super::problem::{Problem, ProblemKind};
use super::settings::HttpSettings;
use crate::farm::Farm;
use crate::metrics::Metrics;
use crate::office::{Office, OfficeError};
use bytes::Bytes;
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_ports::farm_ports::OfficePorts;
use mouthpiece_ports::seats::{BoundedSeat, BoundedSeats, SeatsFull};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Streams of events of one session, or of the farm for one key: whoever has the token of one session shall not take all.
const STREAMS_OF_ONE: usize = 32;

/// Whose events a stream tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StreamOf {
    /// A session's.
    Session(SessionId),
    /// The farm's, to this key.
    Farm(KeyId),
}

/// What handlers share: `web::Data<Api>`.
pub struct Api {
    /// What the coordinator can do.
    pub office: Office,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// Limits and habits.
    pub settings: HttpSettings,
    pub(super) described: OnceLock<Bytes>,
    streams: BoundedSeats<StreamOf>,
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
            streams: BoundedSeats::new(STREAMS_OF_ONE, settings.max_streams),
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
    /// 429 when that one has as many followers as it may have, 503 when too many follow in all.
    pub(super) fn stream_seat(&self, of: StreamOf) -> Result<BoundedSeat<StreamOf>, Problem> {
        self.streams.take(of).map_err(|full| {
            match full {
                SeatsFull::One { most } => {
                    let detail = format!("{most} such streams of events are open already: close one first");
                    Problem::new(ProblemKind::OverQuota, detail)
                }
                SeatsFull::All => {
                    let detail = "too many streams of events are open: ask for the state instead, or come back later";
                    Problem::new(ProblemKind::NoCapacity, detail)
                }
            }
            .after(Duration::from_secs(2))
        })
    }
}
