//! Rows to records and back.

use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::session::{BlobKey, EndReason, Fence, FrameProgress, Phase, Session, SessionKind, SlotIndex};
use mouthpiece_domain::time::Wall;
use serde::de::DeserializeOwned;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Error, Postgres, Row, Type};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// The columns of [`session`].
pub(crate) const SESSION: &str = "id, kind, api_key, avatar, spec, metadata, queue_timeout_ms, max_duration_ms, fence, \
     phase, worker, slot, moved_worker, moved_slot, moves, losses, before_ms, frames_done, frames_total, ending, created, updated";

/// An id as the server holds it: a uuid, whose 16 bytes are the number's, the highest first. It sorts as the number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) u128);

impl Type<Postgres> for Id {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(2950))
    }
}

impl PgHasArrayType for Id {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(2951))
    }
}

impl Encode<'_, Postgres> for Id {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Id {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("an id in a text answer".into());
        }
        Ok(Self(u128::from_be_bytes(value.as_bytes()?.try_into()?)))
    }
}

/// Whole milliseconds as the server holds them.
pub(crate) fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A count as the server holds it.
pub(crate) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Text as the server takes it, which is any but the character NUL.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// What a column holds is not what it should be.
pub(crate) fn wrong(column: &str, what: impl std::fmt::Display) -> Error {
    Error::Decode(format!("column {column}: {what}").into())
}

pub(crate) fn id(row: &PgRow, column: &str) -> Result<u128, Error> {
    row.try_get::<Id, _>(column).map(|id| id.0)
}

pub(crate) fn unsigned(row: &PgRow, column: &str) -> Result<u64, Error> {
    let n: i64 = row.try_get(column)?;
    u64::try_from(n).map_err(|e| wrong(column, e))
}

pub(crate) fn small<T: TryFrom<u64>>(row: &PgRow, column: &str) -> Result<T, Error> {
    T::try_from(unsigned(row, column)?).map_err(|_| wrong(column, "too large"))
}

pub(crate) fn span(row: &PgRow, column: &str) -> Result<Duration, Error> {
    unsigned(row, column).map(Duration::from_millis)
}

pub(crate) fn wall(row: &PgRow, column: &str) -> Result<Wall, Error> {
    row.try_get(column).map(Wall)
}

pub(crate) fn json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| wrong(column, e))
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Encode(e.into()))
}

pub(crate) fn blob_key(row: &PgRow, column: &str) -> Result<BlobKey, Error> {
    BlobKey::new(row.try_get::<String, _>(column)?).map_err(|e| wrong(column, e))
}

pub(crate) fn kind(row: &PgRow) -> Result<SessionKind, Error> {
    let word: &str = row.try_get("kind")?;
    let known = SessionKind::ALL.into_iter().find(|k| k.name() == word);
    known.ok_or_else(|| wrong("kind", word))
}

pub(crate) fn end_reason(row: &PgRow) -> Result<Option<EndReason>, Error> {
    let word: Option<&str> = row.try_get("end_reason")?;
    let known = |w: &str| EndReason::ALL.into_iter().find(|r| r.name() == w).ok_or_else(|| wrong("end_reason", w));
    word.map(known).transpose()
}

fn place(row: &PgRow, worker: &str, slot: &str) -> Result<Option<(WorkerId, SlotIndex)>, Error> {
    Ok(match (row.try_get::<Option<Id>, _>(worker)?, row.try_get::<Option<i16>, _>(slot)?) {
        (Some(worker), Some(n)) => Some((WorkerId(worker.0), SlotIndex(u8::try_from(n).map_err(|e| wrong(slot, e))?))),
        _ => None,
    })
}

pub(crate) fn session(row: &PgRow) -> Result<Session, Error> {
    let text = |column: &str| row.try_get::<&str, _>(column);
    let rank: i16 = row.try_get("phase")?;
    let phase = u8::try_from(rank).ok().and_then(Phase::from_rank);
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
        phase: phase.ok_or_else(|| wrong("phase", rank))?,
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
