//! Where a live session is, and waiting for it to run.

use super::{LiveRefusal, LiveSessions};
use crate::farm::FarmNews;
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{Phase, Session};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// Where a live session is, for whoever wants to watch it or speak in it.
#[derive(Debug, Clone)]
pub enum Whereabouts {
    /// It runs there.
    Runs(Hold),
    /// It does not run yet, or not any more where it ran.
    Waits(Box<SessionChange>),
    /// It has ended.
    Ended(Box<Session>),
}

impl Whereabouts {
    /// What a state of a session means.
    pub fn of(change: SessionChange) -> Self {
        let Session { id, phase, fence, place, .. } = change.session;
        match (phase, place) {
            (Phase::Ended, _) => Self::Ended(Box::new(change.session)),
            (Phase::Running, Some((worker, slot))) => Self::Runs(Hold { session: id, fence, worker, slot }),
            _ => Self::Waits(Box::new(change)),
        }
    }

    /// Where it runs.
    ///
    /// # Errors
    /// [`LiveRefusal::NotRunning`], [`LiveRefusal::Ended`].
    pub fn hold(self) -> Result<Hold, LiveRefusal> {
        match self {
            Self::Runs(hold) => Ok(hold),
            Self::Waits(change) => Err(LiveRefusal::NotRunning(change)),
            Self::Ended(session) => Err(LiveRefusal::Ended(session)),
        }
    }
}

impl LiveSessions {
    /// Waits until a session runs or has ended, at most until `until`; the last state seen otherwise. `enough` says whether a
    /// place where it runs will do.
    ///
    /// # Errors
    /// [`LiveRefusal`]: there is no such session, the server stops, or the state cannot be read.
    pub async fn settled(
        &self,
        id: SessionId,
        until: Instant,
        enough: impl Fn(&Hold) -> bool,
    ) -> Result<Whereabouts, LiveRefusal> {
        let mut news = self.sessions.farm().watch(); // before the state is read, so that nothing falls between
        let mut closing = self.closing.watch();
        let done = |seen: &Whereabouts| match seen {
            Whereabouts::Runs(hold) => enough(hold),
            Whereabouts::Ended(_) => true,
            Whereabouts::Waits(_) => false,
        };
        let mut seen = self.look(id).await?;
        while !done(&seen) {
            let heard = async {
                loop {
                    match news.recv().await {
                        Ok(FarmNews::Session(change)) if change.session.id == id => return,
                        Ok(_) => {}
                        // What was lost may have been about it; that there will be no more is found out by looking.
                        Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                    }
                }
            };
            let in_time = tokio::select! {
                heard = timeout_at(until, heard) => heard.is_ok(),
                _ = closing.wait_for(|closing| *closing) => return Err(LiveRefusal::Closing { retry_after: super::STOPPING }),
            };
            // Looked at in either case: what another coordinator does makes no news here, and news may be old.
            seen = self.look(id).await?;
            if !in_time {
                break;
            }
        }
        Ok(seen)
    }

    async fn look(&self, id: SessionId) -> Result<Whereabouts, LiveRefusal> {
        let change = self.sessions.current(id).await?.ok_or(LiveRefusal::NoSuchSession(id))?;
        Ok(Whereabouts::of(change))
    }
}
