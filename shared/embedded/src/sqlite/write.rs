//! Conditional writes: each is one call whose first statement carries the condition that `domain::ledger` states.
//!
//! A call costs two hand-overs between threads, which is most of a small statement's time; so what follows from a write
//! (booking usage, keeping a token) goes along in the same call and asks by `changes()` whether the write was applied.

use super::rows::{blob, count, ms, to_json};
use super::sessions;
use mouthpiece_domain::fleet::Capability;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, UsageDelivery, WriteOutcome};
use mouthpiece_domain::session::{Fence, Session};
use mouthpiece_domain::time::Wall;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Error, Sqlite as Db, SqliteConnection};
use std::time::Duration;

/// Books what is new of `?5` delivered in all to session `?1` at fence `?2` by worker `?4`, in the hour `?3`; nothing unless
/// the statement before it changed something.
macro_rules! book {
    () => {
        "INSERT INTO delivered (api_key, hour, delivered_ms) SELECT s.api_key, ?3, ?5 - b.ms FROM sessions AS s, \
         (SELECT COALESCE(SUM(delivered_ms), 0) AS ms FROM usage WHERE session = ?1 AND fence = ?2) AS b \
         WHERE s.id = ?1 AND changes() > 0 AND ?5 > b.ms \
         ON CONFLICT (api_key, hour) DO UPDATE SET delivered_ms = delivered_ms + excluded.delivered_ms; \
         INSERT INTO usage (session, fence, hour, worker, delivered_ms) SELECT ?1, ?2, ?3, ?4, ?5 - b.ms FROM \
         (SELECT COALESCE(SUM(delivered_ms), 0) AS ms FROM usage WHERE session = ?1 AND fence = ?2) AS b \
         WHERE changes() > 0 \
         ON CONFLICT (session, fence, hour, worker) DO UPDATE SET delivered_ms = delivered_ms + excluded.delivered_ms"
    };
}

/// Books what is new of `$sent` bytes sent in all by worker `?4` for session `?1` at fence `?2`, in the hour `?3`; nothing unless
/// the statement before it changed something.
macro_rules! book_egress {
    ($sent:literal) => {
        concat!(
            "INSERT INTO usage (session, fence, hour, worker, delivered_ms, sent_bytes) SELECT ?1, ?2, ?3, ?4, 0, ",
            $sent,
            " - b.sent FROM (SELECT COALESCE(SUM(sent_bytes), 0) AS sent FROM usage WHERE session = ?1 AND fence = ?2) AS b \
             WHERE changes() > 0 AND ",
            $sent,
            " > b.sent \
             ON CONFLICT (session, fence, hour, worker) DO UPDATE SET sent_bytes = sent_bytes + excluded.sent_bytes"
        )
    };
}

/// The first statement changes nothing: it tells whether the condition holds.
const EGRESS: &str =
    concat!("UPDATE sessions SET phase = phase WHERE id = ?1 AND fence = ?2 AND worker = ?4; ", book_egress!("?5"));

/// What was delivered to a row's session up to this fence.
macro_rules! delivered_until {
    ($fence:literal) => {
        concat!(
            "(SELECT COALESCE(SUM(u.delivered_ms), 0) FROM usage AS u WHERE u.session = sessions.id AND u.fence <= sessions.",
            $fence,
            ")"
        )
    };
}

/// Changes nothing: tells whether session `?1` was moved away from worker `?4`, where it ran under the fence `?2`.
macro_rules! was_moved {
    () => {
        "UPDATE sessions SET phase = phase WHERE id = ?1 AND fence = ?2 + 1 AND moved_worker = ?4; "
    };
}
const HANDED_OVER: &str = concat!(
    was_moved!(),
    book!(),
    "; ",
    was_moved!(),
    book_egress!("?6"),
    "; UPDATE sessions SET before_ms = ",
    delivered_until!("fence - 1"),
    " WHERE id = ?1 AND fence = ?2 + 1 AND moved_worker = ?4"
);

/// Carries a batch out within the transaction that is open.
pub(super) async fn all(c: &mut SqliteConnection, batch: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, Error> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for write in batch {
        outcomes.push(one(c, write).await?);
    }
    Ok(outcomes)
}

async fn one(c: &mut SqliteConnection, write: &LedgerWrite) -> Result<WriteOutcome, Error> {
    let query = match write {
        LedgerWrite::Create { session, idempotency } => return create(c, session, idempotency.as_ref()).await,
        LedgerWrite::Machine { worker, capability, uptime, busy, at } => {
            machine(*worker, capability, *uptime, *busy, *at).execute(c).await?;
            return Ok(WriteOutcome::Applied);
        }
        LedgerWrite::Egress { hold, sent_bytes, at } => sqlx::query(EGRESS)
            .bind(blob(hold.session.0))
            .bind(i64::from(hold.fence.0))
            .bind(at.hour().0)
            .bind(blob(hold.worker.0))
            .bind(count(*sent_bytes)),
        LedgerWrite::Assign { hold, at } => sqlx::query(
            "UPDATE sessions SET phase = 1, worker = ?, slot = ?, updated = ? WHERE id = ? AND fence = ? AND phase = 0",
        )
        .bind(blob(hold.worker.0))
        .bind(i64::from(hold.slot.0))
        .bind(at.0)
        .bind(blob(hold.session.0))
        .bind(i64::from(hold.fence.0)),
        LedgerWrite::Requeue { hold, lost, at } => sqlx::query(concat!(
            "UPDATE sessions SET phase = 0, fence = ?, before_ms = ",
            delivered_until!("fence"),
            ", worker = NULL, slot = NULL, moved_worker = NULL, moved_slot = NULL, losses = losses + ?, frames_done = 0, \
                 frames_total = 0, updated = ? WHERE id = ? AND fence = ? AND phase < 5 AND (phase = 0 OR (worker = ? AND slot = ?))"
        ))
        .bind(i64::from(hold.fence.next().0))
        .bind(*lost)
        .bind(at.0)
        .bind(blob(hold.session.0))
        .bind(i64::from(hold.fence.0))
        .bind(blob(hold.worker.0))
        .bind(i64::from(hold.slot.0)),
        LedgerWrite::Move { from, to: (worker, slot), at } => sqlx::query(concat!(
            "UPDATE sessions SET fence = fence + 1, before_ms = ",
            delivered_until!("fence"),
            ", worker = ?, slot = ?, moved_worker = worker, moved_slot = slot, moves = moves + 1, frames_done = 0, \
                 frames_total = 0, updated = ? WHERE id = ? AND fence = ? AND phase = 3 AND worker = ? AND slot = ?"
        ))
        .bind(blob(worker.0))
        .bind(i64::from(slot.0))
        .bind(at.0)
        .bind(blob(from.session.0))
        .bind(i64::from(from.fence.0))
        .bind(blob(from.worker.0))
        .bind(i64::from(from.slot.0)),
        LedgerWrite::HandedOver { hold, delivered, sent_bytes, at } => {
            let session = (hold.session, hold.fence);
            booking(HANDED_OVER, session, Some((hold.worker, *delivered)), *at).bind(count(*sent_bytes))
        }
        // An Advance never ends a session: that takes a reason.
        LedgerWrite::Advance { hold, phase, progress, delivered, at } => {
            let query = booking(
                concat!(
                    "UPDATE sessions SET updated = CASE WHEN phase < ?6 THEN ?7 ELSE updated END, phase = ?6, \
                     frames_done = max(frames_done, ?8), frames_total = max(frames_total, ?9) \
                     WHERE id = ?1 AND fence = ?2 AND phase BETWEEN 1 AND ?6 AND ?6 < 5; ",
                    book!()
                ),
                (hold.session, hold.fence),
                Some((hold.worker, *delivered)),
                *at,
            );
            query.bind(i64::from(phase.rank())).bind(at.0).bind(count(progress.done)).bind(count(progress.total))
        }
        LedgerWrite::End { session, fence, end, progress, delivered, at } => {
            let query = booking(
                concat!(
                    "UPDATE sessions SET phase = 5, end_reason = ?6, ending = ?7, updated = ?8, \
                     frames_done = max(frames_done, ?9), frames_total = max(frames_total, ?10) \
                     WHERE id = ?1 AND fence = ?2 AND phase < 5; ",
                    book!()
                ),
                (*session, *fence),
                delivered.map(|(worker, _, delivered)| (worker, delivered)),
                *at,
            );
            let progress = progress.unwrap_or_default();
            query
                .bind(end.reason.name())
                .bind(to_json(end)?)
                .bind(at.0)
                .bind(count(progress.done))
                .bind(count(progress.total))
        }
    };
    if query.execute(&mut *c).await?.rows_affected() > 0 {
        return Ok(WriteOutcome::Applied);
    }
    if let LedgerWrite::End { .. } | LedgerWrite::Advance { .. } = write
        && let Some(UsageDelivery { session, fence, worker, total, at }) = write.delivery()
    {
        book_late((session, fence), (worker, total), at).execute(&mut *c).await?;
    }
    stale(c, write.session()).await
}

/// What the worker of a session delivered, when it says so after the session was ended by order ([`EndReason::is_by_order`]).
///
/// [`EndReason::is_by_order`]: mouthpiece_domain::session::EndReason::is_by_order
fn book_late(
    session: (SessionId, Fence),
    delivered: (WorkerId, Duration),
    at: Wall,
) -> Query<'static, Db, SqliteArguments> {
    // It changes nothing, and `changes()` tells whether the condition held.
    const LATE: &str = concat!(
        "UPDATE sessions SET phase = phase WHERE id = ?1 AND fence = ?2 AND phase = 5 AND worker = ?4 \
         AND end_reason IN ('cancelled', 'max_duration'); ",
        book!()
    );
    booking(LATE, session, Some(delivered), at)
}

async fn stale(c: &mut SqliteConnection, id: Option<SessionId>) -> Result<WriteOutcome, Error> {
    let Some(id) = id else { return Ok(WriteOutcome::Stale(None)) };
    Ok(WriteOutcome::Stale(sessions::one(c, id).await?.map(Box::new)))
}

/// A statement on session `?1` at fence `?2` followed by `book!`, with the arguments `?1` to `?5` in place.
fn booking(
    sql: &'static str,
    (session, fence): (SessionId, Fence),
    delivered: Option<(WorkerId, Duration)>,
    at: Wall,
) -> Query<'static, Db, SqliteArguments> {
    let (worker, delivered) = delivered.unwrap_or((WorkerId(0), Duration::ZERO));
    sqlx::query(sql)
        .bind(blob(session.0))
        .bind(i64::from(fence.0))
        .bind(at.hour().0)
        .bind(blob(worker.0))
        .bind(ms(delivered))
}

async fn create(
    c: &mut SqliteConnection,
    session: &Session,
    idempotency: Option<&Idempotency>,
) -> Result<WriteOutcome, Error> {
    const INSERT: &str = "INSERT INTO sessions (id, api_key, kind, avatar, spec, metadata, queue_timeout_ms, \
         max_duration_ms, fence, phase, frames_done, frames_total, created, updated) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?11 \
         WHERE NOT EXISTS (SELECT 1 FROM idempotency WHERE api_key = ?13 AND token = ?12) ON CONFLICT (id) DO NOTHING; \
         INSERT INTO idempotency (api_key, token, fingerprint, session, created) SELECT ?13, ?12, ?14, ?1, ?10 \
         WHERE changes() > 0 AND ?12 IS NOT NULL";
    let query = sqlx::query(INSERT)
        .bind(blob(session.id.0))
        .bind(blob(session.key.0))
        .bind(session.kind.name())
        .bind(blob(session.avatar.0))
        .bind(to_json(&session.spec)?)
        .bind(to_json(&session.metadata)?)
        .bind(ms(session.queue_timeout))
        .bind(ms(session.max_duration))
        .bind(i64::from(session.fence.0))
        .bind(session.created.0)
        .bind(session.updated.0)
        .bind(idempotency.map(|i| i.token.clone()))
        .bind(idempotency.map(|i| blob(i.key.0)))
        .bind(idempotency.map(|i| i.fingerprint.clone()));
    if query.execute(&mut *c).await?.rows_affected() > 0 {
        return Ok(WriteOutcome::Applied);
    }
    if let Some(i) = idempotency
        && let Some((fingerprint, id)) = sessions::repeated(c, i.key, &i.token).await?
        && let Some(session) = sessions::one(c, id).await?
    {
        return Ok(WriteOutcome::Repeated { session: Box::new(session), same: fingerprint == i.fingerprint });
    }
    stale(c, Some(session.id)).await
}

fn machine(
    worker: WorkerId,
    capability: &Capability,
    uptime: Duration,
    busy: Duration,
    at: Wall,
) -> Query<'static, Db, SqliteArguments> {
    // What a worker is it measured at boot and never again; what it was up when it was heard of first it needed to start.
    sqlx::query(
        "INSERT INTO machine_hours (worker, hour, up_ms, busy_ms, starting_ms) SELECT ?1, ?2, max(0, ?3 - was.up), \
         max(0, ?4 - was.busy), CASE was.known WHEN 0 THEN ?3 ELSE 0 END \
         FROM (SELECT COALESCE(SUM(up_ms), 0) AS up, COALESCE(SUM(busy_ms), 0) AS busy, COUNT(*) AS known FROM workers \
         WHERE id = ?1) AS was WHERE ?3 > was.up OR ?4 > was.busy \
         ON CONFLICT (worker, hour) DO UPDATE SET up_ms = up_ms + excluded.up_ms, busy_ms = busy_ms + excluded.busy_ms, \
         starting_ms = starting_ms + excluded.starting_ms; \
         INSERT INTO workers (id, up_ms, busy_ms, name, engine, instance_type, slots) VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (id) DO UPDATE SET up_ms = max(up_ms, excluded.up_ms), busy_ms = max(busy_ms, excluded.busy_ms)",
    )
    .bind(blob(worker.0))
    .bind(at.hour().0)
    .bind(ms(uptime))
    .bind(ms(busy))
    .bind(capability.name.clone())
    .bind(capability.engine.clone())
    .bind(capability.instance_type.clone())
    .bind(i64::from(capability.slots))
}
