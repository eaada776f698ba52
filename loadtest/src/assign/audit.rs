//! The audit: what the records say against what callers and workers saw.

use super::seen::SessionTrace;
use crate::{LoadError, setup};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::session::{EndReason, Phase, Session};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::records::{Period, Records, SessionFilter};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

const PAGE: u32 = 500;
/// Shorter than a lease: a hold that is gone after this was given back, it did not expire.
const MOMENT: Duration = Duration::from_secs(1);

/// What was checked; an audit that fails is an error, not a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Sessions that were accepted; each is on record once, ended once, as completed.
    pub sessions: u64,
    /// Times that one was placed again; each placement ran at most once.
    pub placed_again: u64,
    /// Milliseconds that workers delivered; the same is booked.
    pub delivered_ms: u64,
}

/// Checks sessions, holds and books; the first thing found wrong is the error. On records that have more in them, only what is of
/// this key is looked at.
pub(super) async fn audit(
    seen: &HashMap<SessionId, SessionTrace>,
    records: &dyn Records,
    pool: &dyn Pool,
    of_key: Option<KeyId>,
) -> Result<Audit, LoadError> {
    let mut on_record = everything(records, of_key).await?;
    let mut audit = Audit { sessions: 0, placed_again: 0, delivered_ms: 0 };
    let mut booked = booked(records).await?;
    booked.retain(|id, _| of_key.is_none() || on_record.contains_key(id));
    for (id, seen) in seen.iter().filter(|(_, s)| s.accepted.is_some()) {
        let Some(session) = on_record.remove(id) else {
            return wrong(format!("{id} was accepted but is not on record"));
        };
        check(&session, seen).map_or(Ok(()), |what| wrong(format!("{id}: {what}")))?;
        for hold in &seen.ran {
            if !given_back(pool, hold).await? {
                return wrong(format!("{id} has ended but still holds a slot of {}", hold.worker));
            }
        }
        let booked = booked.remove(id).unwrap_or_default();
        if booked != seen.delivered {
            return wrong(format!("{id}: workers delivered {:?}, {booked:?} is booked", seen.delivered));
        }
        audit.sessions += 1;
        audit.placed_again += seen.ran.len() as u64 - 1;
        audit.delivered_ms += seen.delivered.as_millis() as u64;
    }
    if let Some(id) = on_record.keys().chain(booked.keys()).next() {
        return wrong(format!("{id} is on record but was never accepted"));
    }
    Ok(audit)
}

/// What a coordinator still believes to be there must be nothing.
pub(super) fn nothing_left(taken: usize, waiting: u32) -> Result<(), LoadError> {
    match (taken, waiting) {
        (0, 0) => Ok(()),
        _ => wrong(format!("all sessions have ended, but {taken} slots are taken and {waiting} wait")),
    }
}

/// True when a hold is gone. The end may be on record a moment before the slot is given back.
async fn given_back(pool: &dyn Pool, hold: &Hold) -> Result<bool, LoadError> {
    let patience = Instant::now();
    while pool.remaining(hold).await.map_err(setup)?.is_some() {
        if patience.elapsed() > MOMENT {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(true)
}

/// What is wrong with one accepted session.
fn check(session: &Session, seen: &SessionTrace) -> Option<String> {
    let fences: BTreeSet<_> = seen.ran.iter().map(|hold| hold.fence).collect();
    let last = seen.ran.iter().max_by_key(|hold| hold.fence);
    let reason = session.end.as_ref().map(|end| end.reason);
    if session.phase != Phase::Ended || reason != Some(EndReason::Completed) {
        return Some(format!("is on record as {} ({reason:?}), not as completed", session.phase.name()));
    }
    if seen.ends != 1 {
        return Some(format!("ended {} times in the news", seen.ends));
    }
    if fences.len() != seen.ran.len() {
        return Some("ran twice by the same right".to_owned());
    }
    if last.is_none_or(|hold| (session.fence, session.place) != (hold.fence, Some((hold.worker, hold.slot)))) {
        return Some(format!("ran as {last:?}, on record as {:?} at {:?}", session.fence, session.place));
    }
    let (made, recorded) = (seen.frames, session.progress.done);
    (made != recorded).then(|| format!("made {made} frames, {recorded} on record"))
}

async fn everything(records: &dyn Records, of_key: Option<KeyId>) -> Result<HashMap<SessionId, Session>, LoadError> {
    let mut all = HashMap::new();
    let mut filter = SessionFilter { limit: PAGE, key: of_key, ..SessionFilter::default() };
    loop {
        let page = records.sessions(&filter).await.map_err(setup)?;
        let Some(last) = page.last() else { return Ok(all) };
        filter.before = Some(last.id);
        for session in page {
            let id = session.id;
            if all.insert(id, session).is_some() {
                return wrong(format!("{id} is on record twice"));
            }
        }
    }
}

async fn booked(records: &dyn Records) -> Result<HashMap<SessionId, Duration>, LoadError> {
    // From the beginning of time to the year 2200.
    let period = Period { from: Wall(0), to: Wall(2_016_000 * HOUR_MS) };
    let mut sums = HashMap::new();
    for usage in records.usage(period).await.map_err(setup)? {
        *sums.entry(usage.session).or_insert(Duration::ZERO) += usage.delivered;
    }
    Ok(sums)
}

fn wrong<T>(what: String) -> Result<T, LoadError> {
    Err(LoadError::Audit(what))
}
