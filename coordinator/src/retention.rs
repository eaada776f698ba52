//! Removes what is old: the records let go of it, then its blobs are deleted.
//!
//! Whatever happens between two calls here, the next step goes on where it stopped (see
//! [`mouthpiece_ports::retention`]). Of several coordinators one has the turn; should two do this at once, they do each other's
//! work, not harm.

use crate::metrics::{Metrics, PortName};
use crate::office::new_id;
use mouthpiece_domain::names;
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use mouthpiece_domain::session::BlobKey;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::blobs::BlobError;
use mouthpiece_ports::farm_ports::RetentionPorts;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retention::LeavingBlob;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// Things of a class that are let go of, and blobs that are deleted, in one step.
const STEP: u32 = 100;
/// Who has the turn keeps it for so long after its last step.
const TURN: Duration = Duration::from_secs(180);
/// What is kept is counted so often, and at most so many files of a class.
const COUNT_EVERY_MS: i64 = 3_600_000;
const COUNTED: usize = 100_000;
/// One call of a store takes at most so long.
const CALL: Duration = Duration::from_secs(30);

/// Why a step was not carried through. The next one goes on.
#[derive(Debug, Error)]
pub enum SweepError {
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// They did not answer in time.
    #[error("the record store did not answer within {CALL:?}")]
    Silent,
}

/// Whether there is more to be removed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepStep {
    /// A step was full: the next may follow soon.
    More,
    /// All that was old and free has been removed, or was tried.
    All,
    /// Another coordinator has the turn.
    Elsewhere,
}

/// Removes what is old, a bounded step at a time.
pub struct RetentionSweeper {
    ports: RetentionPorts,
    ages: RetentionAges,
    metrics: Arc<Metrics>,
    /// Where the next step goes on among what is leaving: what cannot be deleted does not keep the rest waiting.
    after: Option<BlobKey>,
    /// Whose turn it is, for the records.
    holder: u128,
    /// When what is kept was counted last.
    counted: Option<Wall>,
}

impl RetentionSweeper {
    /// Keeps things for these ages.
    pub fn new(ports: RetentionPorts, ages: RetentionAges, metrics: Arc<Metrics>) -> Self {
        Self { ports, ages, metrics, after: None, holder: new_id(), counted: None }
    }

    /// One step: at most 100 things of each class are let go of, at most 100 blobs deleted. Nothing when another has the turn.
    ///
    /// # Errors
    /// [`SweepError`]: the records could not be used. A blob that could not be deleted is tried again by a later step.
    pub async fn step(&mut self, now: Wall) -> Result<SweepStep, SweepError> {
        if !within(self.ports.ages.turn(self.holder, TURN)).await? {
            if self.counted.take().is_some() {
                self.metrics.kept_elsewhere();
            }
            return Ok(SweepStep::Elsewhere);
        }
        let mut swept = SweepStep::All;
        if within(self.ports.ages.finish_removals(now, STEP)).await? >= STEP {
            swept = SweepStep::More;
        }
        for class in RetentionClass::ALL {
            let Some(bound) = self.ages.bound(class, now) else { continue };
            let gone = within(self.ports.ages.let_go(class, bound, now, STEP)).await?;
            if names::folder(class).is_none() {
                self.metrics.removed(class, gone.into(), 0);
            }
            if gone >= STEP {
                swept = SweepStep::More;
            }
        }
        if self.delete().await? {
            swept = SweepStep::More;
        }
        if swept == SweepStep::All && self.counted.is_none_or(|at| now.0.saturating_sub(at.0) >= COUNT_EVERY_MS) {
            self.counted = Some(now);
            self.count().await?;
        }
        Ok(swept)
    }

    /// Counts what is kept, for the metrics.
    async fn count(&self) -> Result<(), SweepError> {
        for class in RetentionClass::ALL {
            let items = within(self.ports.ages.kept(class)).await?;
            let bytes = match names::folder(class) {
                None => None,
                Some(folder) => match answered(self.ports.blobs.list(&folder, COUNTED)).await {
                    Ok(blobs) => Some(blobs.iter().map(|(_, bytes)| bytes).sum()),
                    Err(error) => {
                        self.metrics.port_error(PortName::Blobs, "list");
                        tracing::warn!(%error, class = class.name(), "what is kept cannot be counted");
                        None
                    }
                },
            };
            self.metrics.kept(class, items, bytes);
        }
        Ok(())
    }

    /// Deletes blobs that are leaving; true when there are more.
    async fn delete(&mut self) -> Result<bool, SweepError> {
        let found = within(self.ports.ages.leaving(self.after.as_ref(), STEP)).await?;
        let mut more = found.len() == STEP as usize;
        let (mut room, mut left) = (STEP as usize, Vec::new());
        self.after = None;
        for leaving in found {
            if room == 0 {
                more = true;
                break;
            }
            match self.delete_one(&leaving, room).await {
                // The rest of a folder is the next step's first.
                Ok((_, false)) => {
                    more = true;
                    break;
                }
                Ok((blobs, true)) => {
                    room = room.saturating_sub(blobs.max(1));
                    left.push(leaving.key.clone());
                }
                Err(error) => {
                    self.metrics.port_error(PortName::Blobs, "delete");
                    tracing::warn!(%error, key = %leaving.key, "what is old cannot be removed, it will be tried again");
                }
            }
            self.after = Some(leaving.key);
        }
        if !more {
            self.after = None;
        }
        if !left.is_empty() {
            within(self.ports.ages.left(&left)).await?;
        }
        Ok(more)
    }

    /// Deletes a blob, or at most `room` of a folder: how many, and whether that was all.
    async fn delete_one(&self, leaving: &LeavingBlob, room: usize) -> Result<(usize, bool), BlobError> {
        let LeavingBlob { key, class } = leaving;
        let blobs = &self.ports.blobs;
        let found = match class {
            RetentionClass::Results | RetentionClass::Avatars => answered(blobs.list(key, room)).await?,
            RetentionClass::Uploads | RetentionClass::Tokens | RetentionClass::Sessions | RetentionClass::Usage => {
                answered(blobs.size(key)).await?.map(|bytes| (key.clone(), bytes)).into_iter().collect()
            }
        };
        for (key, bytes) in &found {
            if answered(blobs.delete(key)).await? {
                self.metrics.removed(*class, 1, *bytes);
                tracing::info!(%key, bytes, class = class.name(), "removed");
            }
        }
        Ok((found.len(), found.len() < room))
    }
}

async fn within<T>(call: impl Future<Output = Result<T, RecordsError>>) -> Result<T, SweepError> {
    timeout(CALL, call).await.map_err(|_| SweepError::Silent)?.map_err(SweepError::from)
}

async fn answered<T>(call: impl Future<Output = Result<T, BlobError>>) -> Result<T, BlobError> {
    let silent = |_| Err(BlobError::Unavailable(format!("no answer within {CALL:?}")));
    timeout(CALL, call).await.unwrap_or_else(silent)
}
