//! Waiting for a live session to run.

use crate::farm::News;
use crate::http::Api;
use crate::http::problem::{Kind, Problem};
use crate::http::sessions::current;
use mouthpiece_domain::control::Change;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{self, Phase, Session};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// Whoever is told to come back does so after this.
pub const COME_BACK: Duration = Duration::from_secs(1);

/// Where a live session is, for whoever wants to watch it or speak in it.
#[derive(Debug, Clone)]
pub enum Whereabouts {
    /// It runs there.
    Runs(Hold),
    /// It does not run yet, or not any more where it ran.
    Waits(Box<Change>),
    /// It has ended.
    Ended(Box<Session>),
}

impl Whereabouts {
    /// What a state of a session means.
    pub fn of(change: Change) -> Self {
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
    /// 409, with a time to come back unless it has ended.
    pub fn hold(self) -> Result<Hold, Problem> {
        match self {
            Self::Runs(hold) => Ok(hold),
            Self::Waits(change) => Err(not_yet(&change)),
            Self::Ended(session) => Err(ended(&session)),
        }
    }
}

/// 409: it does not run yet.
pub fn not_yet(change: &Change) -> Problem {
    let phase = change.session.phase;
    let queue = match (phase, change.queue_position) {
        (Phase::Requested, Some(n)) => format!(", number {n} in the queue for a slot"),
        _ => String::new(),
    };
    let detail = format!("the session is {}{queue}: come back when it is live", phase.name());
    Problem::new(Kind::Conflict, detail).after(COME_BACK)
}

/// 409: it is over.
pub fn ended(session: &Session) -> Problem {
    let reason = session.end.as_ref().map_or("lost", |end| end.reason.name());
    Problem::new(Kind::Conflict, format!("the session has ended ({reason}): make a new one"))
}

/// 409 for what is no live session.
pub fn must_be_live(session: &Session) -> Result<(), Problem> {
    if session.kind == session::Kind::Live {
        return Ok(());
    }
    let detail = format!("this is a session of kind {}: only live ones can be watched", session.kind.name());
    Err(Problem::new(Kind::Conflict, detail))
}

/// Waits until a session runs or has ended, at most until `until`; the last state seen otherwise. `enough` says whether a
/// place where it runs will do.
///
/// # Errors
/// 404 when there is no such session, 503 when the server stops or the state cannot be read.
pub async fn settled(
    api: &Api,
    id: SessionId,
    until: Instant,
    enough: impl Fn(&Hold) -> bool,
) -> Result<Whereabouts, Problem> {
    let mut news = api.farm.watch(); // before the state is read, so that nothing falls between
    let mut closing = api.closing();
    let done = |seen: &Whereabouts| match seen {
        Whereabouts::Runs(hold) => enough(hold),
        Whereabouts::Ended(_) => true,
        Whereabouts::Waits(_) => false,
    };
    let mut seen = look(api, id).await?;
    while !done(&seen) {
        let heard = async {
            loop {
                match news.recv().await {
                    Ok(News::Session(change)) if change.session.id == id => return,
                    Ok(_) => {}
                    // What was lost may have been about it; that there will be no more is found out by looking.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                }
            }
        };
        let in_time = tokio::select! {
            heard = timeout_at(until, heard) => heard.is_ok(),
            _ = closing.wait_for(|closing| *closing) => return Err(stopping()),
        };
        // Looked at in either case: what another coordinator does makes no news here, and news may be old.
        seen = look(api, id).await?;
        if !in_time {
            break;
        }
    }
    Ok(seen)
}

async fn look(api: &Api, id: SessionId) -> Result<Whereabouts, Problem> {
    let change = current(api, id).await?.ok_or_else(|| Problem::not_found(format!("session {id}")))?;
    Ok(Whereabouts::of(change))
}

fn stopping() -> Problem {
    Problem::new(Kind::NoCapacity, "the server is about to stop: come back later").after(Duration::from_secs(5))
}
