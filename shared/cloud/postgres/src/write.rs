//! A batch of conditional writes, carried out by one call of `ledger_write` (see `migrations/postgres`): one round trip and one
//! transaction, however many writes there are.

use crate::rows::{self, Id, count, ms, text, to_json};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::Session;
use serde::{Serialize, Serializer};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, Row as _};
use std::borrow::Cow;

/// An id in JSON, in a form that a uuid is read from.
struct Hex(u128);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

/// A write as `ledger_write` reads it; what a kind of write does not have is left out.
#[derive(Serialize)]
struct Item<'a> {
    n: usize,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
enum What<'a> {
    Create {
        session: Hex,
        fence: u32,
        kind: &'static str,
        api_key: Hex,
        avatar: Hex,
        spec: String,
        portrait: &'a str,
        speech: Option<&'a str>,
        metadata: String,
        queue_timeout_ms: i64,
        max_duration_ms: i64,
        created: i64,
        at: i64,
        caller: Option<Hex>,
        token: Option<Cow<'a, str>>,
        fingerprint: Option<Cow<'a, str>>,
    },
    Assign {
        session: Hex,
        fence: u32,
        worker: Hex,
        slot: u8,
        at: i64,
    },
    Requeue {
        session: Hex,
        fence: u32,
        worker: Hex,
        slot: u8,
        lost: bool,
        at: i64,
    },
    Move {
        session: Hex,
        fence: u32,
        worker: Hex,
        slot: u8,
        to_worker: Hex,
        to_slot: u8,
        at: i64,
    },
    #[serde(rename = "handed_over")]
    HandedOver {
        session: Hex,
        fence: u32,
        worker: Hex,
        delivered_ms: i64,
        sent_bytes: i64,
        hour: i64,
    },
    Advance {
        session: Hex,
        fence: u32,
        worker: Hex,
        phase: u8,
        done: i64,
        total: i64,
        delivered_ms: i64,
        at: i64,
        hour: i64,
    },
    End {
        session: Hex,
        fence: u32,
        reason: &'static str,
        ending: String,
        done: Option<i64>,
        total: Option<i64>,
        worker: Option<Hex>,
        delivered_ms: Option<i64>,
        at: i64,
        hour: i64,
    },
    Egress {
        session: Hex,
        fence: u32,
        worker: Hex,
        sent_bytes: i64,
        hour: i64,
    },
    Machine {
        worker: Hex,
        name: Cow<'a, str>,
        engine: Cow<'a, str>,
        instance_type: Cow<'a, str>,
        slots: i64,
        up_ms: i64,
        busy_ms: i64,
        hour: i64,
    },
}

impl<'a> What<'a> {
    fn of(write: &'a LedgerWrite) -> Result<Self, Error> {
        Ok(match write {
            LedgerWrite::Create { session, idempotency } => Self::Create {
                session: Hex(session.id.0),
                fence: session.fence.0,
                kind: session.kind.name(),
                api_key: Hex(session.key.0),
                avatar: Hex(session.avatar.0),
                spec: to_json(&session.spec)?,
                portrait: session.spec.portrait.as_str(),
                speech: session.spec.speech.as_ref().map(|key| key.as_str()),
                metadata: to_json(&session.metadata)?,
                queue_timeout_ms: ms(session.queue_timeout),
                max_duration_ms: ms(session.max_duration),
                created: session.created.0,
                at: session.updated.0,
                caller: idempotency.as_ref().map(|i| Hex(i.key.0)),
                token: idempotency.as_ref().map(|i| text(&i.token)),
                fingerprint: idempotency.as_ref().map(|i| text(&i.fingerprint)),
            },
            LedgerWrite::Assign { hold, at } => Self::Assign {
                session: Hex(hold.session.0),
                fence: hold.fence.0,
                worker: Hex(hold.worker.0),
                slot: hold.slot.0,
                at: at.0,
            },
            LedgerWrite::Requeue { hold, lost, at } => Self::Requeue {
                session: Hex(hold.session.0),
                fence: hold.fence.0,
                worker: Hex(hold.worker.0),
                slot: hold.slot.0,
                lost: *lost,
                at: at.0,
            },
            LedgerWrite::Move { from, to: (worker, slot), at } => Self::Move {
                session: Hex(from.session.0),
                fence: from.fence.0,
                worker: Hex(from.worker.0),
                slot: from.slot.0,
                to_worker: Hex(worker.0),
                to_slot: slot.0,
                at: at.0,
            },
            LedgerWrite::HandedOver { hold, delivered, sent_bytes, at } => Self::HandedOver {
                session: Hex(hold.session.0),
                fence: hold.fence.0,
                worker: Hex(hold.worker.0),
                delivered_ms: ms(*delivered),
                sent_bytes: count(*sent_bytes),
                hour: at.hour().0,
            },
            LedgerWrite::Advance { hold, phase, progress, delivered, at } => Self::Advance {
                session: Hex(hold.session.0),
                fence: hold.fence.0,
                worker: Hex(hold.worker.0),
                phase: phase.rank(),
                done: count(progress.done),
                total: count(progress.total),
                delivered_ms: ms(*delivered),
                at: at.0,
                hour: at.hour().0,
            },
            LedgerWrite::End { session, fence, end, progress, delivered, at } => Self::End {
                session: Hex(session.0),
                fence: fence.0,
                reason: end.reason.name(),
                ending: to_json(end)?,
                done: progress.map(|p| count(p.done)),
                total: progress.map(|p| count(p.total)),
                worker: delivered.map(|(worker, ..)| Hex(worker.0)),
                delivered_ms: delivered.map(|(.., delivered)| ms(delivered)),
                at: at.0,
                hour: at.hour().0,
            },
            LedgerWrite::Egress { hold, sent_bytes, at } => Self::Egress {
                session: Hex(hold.session.0),
                fence: hold.fence.0,
                worker: Hex(hold.worker.0),
                sent_bytes: count(*sent_bytes),
                hour: at.hour().0,
            },
            LedgerWrite::Machine { worker, capability, uptime, busy, at } => Self::Machine {
                worker: Hex(worker.0),
                name: text(&capability.name),
                engine: text(&capability.engine),
                instance_type: text(&capability.instance_type),
                slots: i64::from(capability.slots),
                up_ms: ms(*uptime),
                busy_ms: ms(*busy),
                hour: at.hour().0,
            },
        })
    }
}

/// A batch as the function takes it.
pub(crate) struct Batch {
    writes: usize,
    json: String,
    /// Sessions whose rows are locked first, in the one order that all keep.
    named: Vec<Id>,
}

impl Batch {
    pub(crate) fn new(writes: &[LedgerWrite]) -> Result<Self, Error> {
        let item = |(n, write)| Ok(Item { n, what: What::of(write)? });
        let items: Vec<Item<'_>> = writes.iter().enumerate().map(item).collect::<Result<_, Error>>()?;
        let named = writes.iter().filter(|write| !matches!(write, LedgerWrite::Create { .. }));
        let mut named: Vec<Id> = named.filter_map(LedgerWrite::session).map(|id| Id(id.0)).collect();
        named.sort_unstable();
        named.dedup();
        Ok(Self { writes: writes.len(), json: to_json(&items)?, named })
    }

    /// A statement is a transaction by itself.
    pub(crate) async fn write(&self, c: &mut PgConnection) -> Result<Vec<WriteOutcome>, Error> {
        const CALL: &str = "SELECT w.n, w.outcome, (w.record).* FROM ledger_write($1::text::json, $2) AS w";
        let refused = sqlx::query(CALL).bind(&self.json).bind(&self.named).fetch_all(c).await?;
        let mut outcomes = vec![WriteOutcome::Applied; self.writes];
        for row in &refused {
            let n: i32 = row.try_get("n")?;
            let told = usize::try_from(n).ok().and_then(|n| outcomes.get_mut(n));
            *told.ok_or_else(|| rows::wrong("n", n))? = outcome(row)?;
        }
        Ok(outcomes)
    }
}

fn outcome(row: &PgRow) -> Result<WriteOutcome, Error> {
    let session = |row| rows::session(row).map(Box::<Session>::new);
    let outcome: i16 = row.try_get("outcome")?;
    let gone = || Ok::<_, Error>(row.try_get::<Option<bool>, _>("let_go")?.unwrap_or(true));
    match outcome {
        1 if gone()? => Ok(WriteOutcome::Stale(None)),
        1 => Ok(WriteOutcome::Stale(Some(session(row)?))),
        2 | 3 => Ok(WriteOutcome::Repeated { session: session(row)?, same: outcome == 2 }),
        other => Err(rows::wrong("outcome", other)),
    }
}
