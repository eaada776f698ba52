//! Conditional writes: each is a statement whose condition is the rule in `domain::ledger`.

use super::rows::{blob, count, ms, to_json};
use super::sessions::{one_on, repeated_on};
use mouthpiece_domain::fleet::Capability;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, Write, Written};
use mouthpiece_domain::session::{Fence, Session};
use mouthpiece_domain::time::Wall;
use sqlx::{Error, Row, SqliteConnection};
use std::time::Duration;

/// Carries one write out within the transaction that is open.
pub(super) async fn apply(c: &mut SqliteConnection, write: &Write) -> Result<Written, Error> {
    let done = match write {
        Write::Create { session, idempotency } => return create(c, session, idempotency.as_ref()).await,
        Write::Assign { hold, at } => sqlx::query(
            "UPDATE sessions SET phase = 1, worker = ?, slot = ?, updated = ? WHERE id = ? AND fence = ? AND phase = 0",
        )
        .bind(blob(hold.worker.0))
        .bind(i64::from(hold.slot.0))
        .bind(at.0)
        .bind(blob(hold.session.0))
        .bind(i64::from(hold.fence.0))
        .execute(&mut *c)
        .await?,
        Write::Requeue { hold, at } => sqlx::query(
            "UPDATE sessions SET phase = 0, fence = ?, worker = NULL, slot = NULL, frames_done = 0, frames_total = 0, \
                 updated = ? WHERE id = ? AND fence = ? AND phase < 5 AND (phase = 0 OR (worker = ? AND slot = ?))",
        )
        .bind(i64::from(hold.fence.next().0))
        .bind(at.0)
        .bind(blob(hold.session.0))
        .bind(i64::from(hold.fence.0))
        .bind(blob(hold.worker.0))
        .bind(i64::from(hold.slot.0))
        .execute(&mut *c)
        .await?,
        Write::Advance { hold, phase, progress, delivered, at } => {
            let done = sqlx::query(
                "UPDATE sessions SET phase = ?, frames_done = max(frames_done, ?), frames_total = max(frames_total, ?), \
                 updated = ? WHERE id = ? AND fence = ? AND phase > 0 AND phase <= ? AND phase < 5",
            )
            .bind(i64::from(phase.rank()))
            .bind(count(progress.done))
            .bind(count(progress.total))
            .bind(at.0)
            .bind(blob(hold.session.0))
            .bind(i64::from(hold.fence.0))
            .bind(i64::from(phase.rank()))
            .execute(&mut *c)
            .await?;
            if done.rows_affected() > 0 {
                book(c, hold.session, hold.fence, hold.worker, *delivered, *at).await?;
            }
            done
        }
        Write::End { session, fence, end, progress, delivered, at } => {
            let done = sqlx::query(
                "UPDATE sessions SET phase = 5, end_reason = ?, ending = ?, frames_done = max(frames_done, ?), \
                 frames_total = max(frames_total, ?), updated = ? WHERE id = ? AND fence = ? AND phase < 5",
            )
            .bind(end.reason.name())
            .bind(to_json(end)?)
            .bind(count(progress.map_or(0, |p| p.done)))
            .bind(count(progress.map_or(0, |p| p.total)))
            .bind(at.0)
            .bind(blob(session.0))
            .bind(i64::from(fence.0))
            .execute(&mut *c)
            .await?;
            if let (true, Some((worker, _, delivered))) = (done.rows_affected() > 0, delivered) {
                book(c, *session, *fence, *worker, *delivered, *at).await?;
            }
            done
        }
        Write::Machine { worker, capability, uptime, busy, at } => {
            machine(c, *worker, capability, *uptime, *busy, *at).await?;
            return Ok(Written::Applied);
        }
    };
    match write.session() {
        Some(id) if done.rows_affected() == 0 => Ok(Written::Stale(one_on(c, id).await?.map(Box::new))),
        _ => Ok(Written::Applied),
    }
}

async fn create(
    c: &mut SqliteConnection,
    session: &Session,
    idempotency: Option<&Idempotency>,
) -> Result<Written, Error> {
    if let Some(i) = idempotency {
        if let Some((fingerprint, id)) = repeated_on(c, i.key, &i.token).await? {
            if let Some(session) = one_on(c, id).await? {
                return Ok(Written::Repeated { session: Box::new(session), same: fingerprint == i.fingerprint });
            }
        }
    }
    let done = sqlx::query(
        "INSERT INTO sessions (id, kind, api_key, avatar, spec, metadata, queue_timeout_ms, max_duration_ms, fence, phase, \
         frames_done, frames_total, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(blob(session.id.0))
    .bind(session.kind.name())
    .bind(blob(session.key.0))
    .bind(blob(session.avatar.0))
    .bind(to_json(&session.spec)?)
    .bind(to_json(&session.metadata)?)
    .bind(ms(session.queue_timeout))
    .bind(ms(session.max_duration))
    .bind(i64::from(session.fence.0))
    .bind(session.created.0)
    .bind(session.updated.0)
    .execute(&mut *c)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(Written::Stale(one_on(c, session.id).await?.map(Box::new)));
    }
    if let Some(i) = idempotency {
        sqlx::query("INSERT OR REPLACE INTO idempotency (api_key, token, fingerprint, session) VALUES (?, ?, ?, ?)")
            .bind(blob(i.key.0))
            .bind(&i.token)
            .bind(&i.fingerprint)
            .bind(blob(session.id.0))
            .execute(c)
            .await?;
    }
    Ok(Written::Applied)
}

/// Books what is new of a cumulative report in the hour of `at`.
async fn book(
    c: &mut SqliteConnection,
    session: SessionId,
    fence: Fence,
    worker: WorkerId,
    delivered: Duration,
    at: Wall,
) -> Result<(), Error> {
    if delivered.is_zero() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO usage (session, fence, hour, worker, delivered_ms) \
         SELECT ?1, ?2, ?3, ?4, ?5 - booked.ms FROM (SELECT COALESCE(SUM(delivered_ms), 0) AS ms FROM usage \
         WHERE session = ?1 AND fence = ?2) AS booked WHERE ?5 > booked.ms \
         ON CONFLICT (session, fence, hour) DO UPDATE SET delivered_ms = delivered_ms + excluded.delivered_ms",
    )
    .bind(blob(session.0))
    .bind(i64::from(fence.0))
    .bind(at.hour().0)
    .bind(blob(worker.0))
    .bind(ms(delivered))
    .execute(c)
    .await?;
    Ok(())
}

async fn machine(
    c: &mut SqliteConnection,
    worker: WorkerId,
    capability: &Capability,
    uptime: Duration,
    busy: Duration,
    at: Wall,
) -> Result<(), Error> {
    let id = blob(worker.0);
    let known =
        sqlx::query("SELECT up_ms, busy_ms FROM workers WHERE id = ?").bind(&id).fetch_optional(&mut *c).await?;
    let (was_up, was_busy): (i64, i64) = match &known {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, 0),
    };
    let (up, busy) = (ms(uptime).max(was_up), ms(busy).max(was_busy));
    sqlx::query(
        "INSERT INTO workers (id, name, engine, instance_type, slots, up_ms, busy_ms) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, engine = excluded.engine, \
         instance_type = excluded.instance_type, slots = excluded.slots, up_ms = excluded.up_ms, busy_ms = excluded.busy_ms",
    )
    .bind(&id)
    .bind(&capability.name)
    .bind(&capability.engine)
    .bind(&capability.instance_type)
    .bind(i64::from(capability.slots))
    .bind(up)
    .bind(busy)
    .execute(&mut *c)
    .await?;
    if up > was_up || busy > was_busy {
        sqlx::query(
            "INSERT INTO machine_hours (worker, hour, up_ms, busy_ms) VALUES (?, ?, ?, ?) ON CONFLICT (worker, hour) \
             DO UPDATE SET up_ms = up_ms + excluded.up_ms, busy_ms = busy_ms + excluded.busy_ms",
        )
        .bind(&id)
        .bind(at.hour().0)
        .bind(up - was_up)
        .bind(busy - was_busy)
        .execute(c)
        .await?;
    }
    Ok(())
}
