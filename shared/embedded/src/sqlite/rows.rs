//! Rows to records and back.

use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionKind, SlotIndex};
use mouthpiece_domain::time::Wall;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};
use std::sync::Arc;
use std::time::Duration;

/// The columns of [`session`].
pub(super) const SESSION: &str = "id, kind, api_key, avatar, spec, metadata, queue_timeout_ms, max_duration_ms, fence, \
     phase, worker, slot, moved_worker, moved_slot, moves, losses, before_ms, frames_done, frames_total, ending, created, updated";

/// Ids as the file holds them.
pub(super) fn blob(id: u128) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

/// Whole milliseconds as the file holds them.
pub(super) fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A count as the file holds it.
pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What a column holds is not what it should be.
pub(super) fn wrong(column: &str, what: impl std::fmt::Display) -> Error {
    Error::Decode(format!("column {column}: {what}").into())
}

pub(super) fn id(row: &SqliteRow, column: &str) -> Result<u128, Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map(u128::from_be_bytes).map_err(|_| wrong(column, "not 16 bytes"))
}

pub(super) fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, Error> {
    let n: i64 = row.try_get(column)?;
    u64::try_from(n).map_err(|e| wrong(column, e))
}

pub(super) fn small<T: TryFrom<u64>>(row: &SqliteRow, column: &str) -> Result<T, Error> {
    T::try_from(unsigned(row, column)?).map_err(|_| wrong(column, "too large"))
}

pub(super) fn span(row: &SqliteRow, column: &str) -> Result<Duration, Error> {
    unsigned(row, column).map(Duration::from_millis)
}

pub(super) fn wall(row: &SqliteRow, column: &str) -> Result<Wall, Error> {
    row.try_get(column).map(Wall)
}

pub(super) fn json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| wrong(column, e))
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Encode(e.into()))
}

pub(super) fn kind(row: &SqliteRow) -> Result<SessionKind, Error> {
    let word: &str = row.try_get("kind")?;
    let known = SessionKind::ALL.into_iter().find(|k| k.name() == word);
    known.ok_or_else(|| wrong("kind", word))
}

pub(super) fn end_reason(row: &SqliteRow) -> Result<Option<EndReason>, Error> {
    let word: Option<&str> = row.try_get("end_reason")?;
    let known = |w: &str| EndReason::ALL.into_iter().find(|r| r.name() == w).ok_or_else(|| wrong("end_reason", w));
    word.map(known).transpose()
}

fn place(row: &SqliteRow, worker: &str, slot: &str) -> Result<Option<(WorkerId, SlotIndex)>, Error> {
    Ok(match (row.try_get::<Option<&[u8]>, _>(worker)?, row.try_get::<Option<i64>, _>(slot)?) {
        (Some(_), Some(_)) => Some((WorkerId(id(row, worker)?), SlotIndex(small(row, slot)?))),
        _ => None,
    })
}

pub(super) fn session(row: &SqliteRow) -> Result<Session, Error> {
    let text = |column: &str| row.try_get::<&str, _>(column);
    let rank: u8 = small(row, "phase")?;
    let place = place(row, "worker", "slot")?;
    let moved_from = self::place(row, "moved_worker", "moved_slot")?;
    let ending: Option<&str> = row.try_get("ending")?;
    Ok(Session {
        id: SessionId(id(row, "id")?),
        kind: kind(row)?,
        key: KeyId(id(row, "api_key")?),
        avatar: AvatarId(id(row, "avatar")?),
        spec: Arc::new(json("spec", text("spec")?)?),
        metadata: json("metadata", text("metadata")?)?,
        queue_timeout: span(row, "queue_timeout_ms")?,
        max_duration: span(row, "max_duration_ms")?,
        fence: Fence(small(row, "fence")?),
        phase: Phase::from_rank(rank).ok_or_else(|| wrong("phase", rank))?,
        place,
        moved_from,
        moves: small(row, "moves")?,
        losses: small(row, "losses")?,
        delivered_before: span(row, "before_ms")?,
        progress: FrameProgress { done: unsigned(row, "frames_done")?, total: unsigned(row, "frames_total")? },
        end: ending.map(|text| json("ending", text)).transpose()?,
        created: wall(row, "created")?,
        updated: wall(row, "updated")?,
    })
}
