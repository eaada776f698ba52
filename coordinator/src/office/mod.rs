//! What the coordinator can do for callers, whatever dialect they speak.
//!
//! Each part of the [`Office`] does one thing: it takes what a caller wants, typed, and returns what came of it, or a refusal
//! that carries its facts (which field, which bound, after how long to come back). A front door such as [`crate::http`] only
//! translates: a request into a call, a result into a body, a refusal into the words and the status of its dialect. Nothing
//! here knows of requests, headers or status codes.

pub mod access;
pub mod avatars;
mod clock;
mod closing;
pub mod costs;
pub mod intake;
pub mod keys;
pub mod live;
pub mod options;
pub mod orders;
pub mod readiness;
mod refusal;
pub mod sessions;
mod settings;
pub mod submission;
mod submitting;

pub use access::{
    Caller, KeyError, KeyScope, LINK_HOURS, PageLink, SessionToken, Visitor, create_first_key, hex, new_page_link,
    new_secret, secret_hash,
};
pub use clock::{new_id, now};
pub use closing::Closing;
pub use live::{IceServer, IceServerError, LiveSettings, SocketTimeouts};
pub use refusal::StoreUnavailable;
pub use settings::{FetchSettings, IntakeSettings, OfficeSettings, SessionBounds};

use crate::farm::Farm;
use crate::metrics::Metrics;
use access::Access;
use avatars::Avatars;
use costs::CostBooks;
use intake::Intake;
use keys::Keys;
use live::LiveSessions;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::farm_ports::OfficePorts;
use readiness::StoreReadiness;
use sessions::Sessions;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use submission::Submissions;
use submitting::Submitting;
use thiserror::Error;

/// Why the office cannot be set up.
#[derive(Debug, Error)]
pub enum OfficeError {
    /// Nothing can be written where uploads shall lie.
    #[error("'{path}', where uploads lie while they arrive, cannot be used: {reason}", path = path.display())]
    Staging {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// The client for fetching cannot be made.
    #[error("files cannot be fetched from addresses: {0}")]
    Fetch(#[from] reqwest::Error),
    /// Viewers cannot be told of an ICE server.
    #[error(transparent)]
    IceServers(#[from] IceServerError),
}

/// What the coordinator can do.
pub struct Office {
    /// The farm itself: its state, its workers.
    pub farm: Arc<dyn Farm>,
    /// Who calls, and what they may.
    pub access: Access,
    /// API keys: made, listed, revoked.
    pub keys: Keys,
    /// Files from callers.
    pub intake: Intake,
    /// Registered portraits.
    pub avatars: Avatars,
    /// Asking for sessions.
    pub submissions: Submissions,
    /// Sessions that there are.
    pub sessions: Sessions,
    /// Live sessions that run.
    pub live: LiveSessions,
    /// What sessions cost.
    pub costs: CostBooks,
    /// Whether all this can work.
    pub readiness: Arc<StoreReadiness>,
    /// Uploads and results, to be sent.
    pub blobs: Arc<dyn Blobs>,
    /// Whether the server is about to stop.
    pub closing: Closing,
    bounds: SessionBounds,
}

impl Office {
    /// Sets it up. The staging folder is made, and what killed processes left there is removed.
    ///
    /// # Errors
    /// [`OfficeError`].
    pub fn new(
        farm: Arc<dyn Farm>,
        ports: OfficePorts,
        metrics: Arc<Metrics>,
        settings: OfficeSettings,
    ) -> Result<Self, OfficeError> {
        let OfficePorts {
            ledger,
            avatars: register,
            keys,
            books,
            passes,
            removals,
            blobs,
            bus,
            questions,
            lines,
            pool,
        } = ports;
        let OfficeSettings { intake, sessions: bounds, live, retention, egress_micro_usd_per_gb } = settings;
        let (closing, submitting) = (Closing::default(), Submitting::default());
        let sessions = Sessions::new(Arc::clone(&farm), Arc::clone(&ledger), removals);
        let access = Access::new(Arc::clone(&keys), passes, sessions.clone());
        let (shelf, files) = (Arc::clone(&register), Arc::clone(&blobs));
        let avatars = Avatars::new(shelf, files, Arc::clone(&ledger), submitting.clone(), retention);
        let checked = readiness::CheckedStores { ledger: Arc::clone(&ledger), bus, pool, blobs: Arc::clone(&blobs) };
        let readiness = Arc::new(StoreReadiness::new(checked, closing.clone()));
        let needs = submission::SubmissionNeeds {
            readiness: Arc::clone(&readiness),
            farm: Arc::clone(&farm),
            ledger,
            register: Arc::clone(&register),
            books: Arc::clone(&books),
            avatars: avatars.clone(),
        };
        let of_live = live::LiveNeeds { questions, lines, sessions: sessions.clone(), metrics };
        Ok(Self {
            keys: Keys::new(Arc::clone(&keys), access.cache(), bounds.key_max_open),
            costs: CostBooks::new(books, Arc::clone(&register), keys, egress_micro_usd_per_gb),
            intake: Intake::new(intake, register, Arc::clone(&blobs))?,
            submissions: Submissions::new(needs, submitting, closing.clone()),
            live: LiveSessions::new(live, of_live, closing.clone())?,
            readiness,
            access,
            avatars,
            blobs,
            bounds,
            closing,
            farm,
            sessions,
        })
    }
}
