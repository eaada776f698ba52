//! What cost reports are made of.

use super::rows::{self, blob, count};
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Period;
use sqlx::{Error, Row, SqliteConnection};
use std::time::Duration;

pub(super) async fn delivered_since(c: &mut SqliteConnection, key: KeyId, since: Wall) -> Result<Duration, Error> {
    let query = "SELECT COALESCE(SUM(delivered_ms), 0) AS ms FROM delivered WHERE api_key = ? AND hour >= ?";
    let row = sqlx::query(query).bind(blob(key.0)).bind(since.hour().0).fetch_one(c).await?;
    rows::span(&row, "ms")
}

pub(super) async fn add_prices(c: &mut SqliteConnection, prices: &[Price]) -> Result<(), Error> {
    for price in prices {
        sqlx::query(
            "INSERT INTO prices (instance_type, valid_from, micro_usd_per_hour) VALUES (?, ?, ?) \
             ON CONFLICT (instance_type, valid_from) DO UPDATE SET micro_usd_per_hour = excluded.micro_usd_per_hour",
        )
        .bind(&price.instance_type)
        .bind(price.from.0)
        .bind(count(price.micro_usd_per_hour))
        .execute(&mut *c)
        .await?;
    }
    Ok(())
}

pub(super) async fn prices(c: &mut SqliteConnection) -> Result<Vec<Price>, Error> {
    let found = sqlx::query("SELECT * FROM prices ORDER BY instance_type, valid_from").fetch_all(c).await?;
    let price = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Price {
            instance_type: row.try_get("instance_type")?,
            from: rows::wall(row, "valid_from")?,
            micro_usd_per_hour: rows::unsigned(row, "micro_usd_per_hour")?,
        })
    };
    found.iter().map(price).collect()
}

pub(super) async fn usage(c: &mut SqliteConnection, period: Period) -> Result<Vec<UsageHour>, Error> {
    let query = "SELECT u.hour, u.session, u.worker, SUM(u.delivered_ms) AS delivered_ms, SUM(u.sent_bytes) AS sent_bytes, s.kind, s.api_key, s.avatar, \
                 s.end_reason, COALESCE(w.instance_type, '') AS instance_type \
                 FROM usage u JOIN sessions s ON s.id = u.session LEFT JOIN workers w ON w.id = u.worker \
                 WHERE u.hour >= ? AND u.hour < ? GROUP BY u.hour, u.session, u.worker";
    let found = sqlx::query(query).bind(period.from.0).bind(period.to.0).fetch_all(c).await?;
    let hour = |row: &sqlx::sqlite::SqliteRow| {
        Ok(UsageHour {
            hour: rows::wall(row, "hour")?,
            session: SessionId(rows::id(row, "session")?),
            kind: rows::kind(row)?,
            key: KeyId(rows::id(row, "api_key")?),
            avatar: AvatarId(rows::id(row, "avatar")?),
            worker: WorkerId(rows::id(row, "worker")?),
            instance_type: row.try_get("instance_type")?,
            delivered: rows::span(row, "delivered_ms")?,
            sent_bytes: rows::unsigned(row, "sent_bytes")?,
            end: rows::end_reason(row)?,
        })
    };
    found.iter().map(hour).collect()
}

pub(super) async fn machines(c: &mut SqliteConnection, period: Period) -> Result<Vec<MachineHour>, Error> {
    let query = "SELECT m.hour, m.worker, m.up_ms, m.busy_ms, m.starting_ms, w.instance_type, w.slots FROM machine_hours m \
                 JOIN workers w ON w.id = m.worker WHERE m.hour >= ? AND m.hour < ? ORDER BY m.hour, m.worker";
    let found = sqlx::query(query).bind(period.from.0).bind(period.to.0).fetch_all(c).await?;
    let hour = |row: &sqlx::sqlite::SqliteRow| {
        Ok(MachineHour {
            hour: rows::wall(row, "hour")?,
            worker: WorkerId(rows::id(row, "worker")?),
            instance_type: row.try_get("instance_type")?,
            slots: rows::small(row, "slots")?,
            up: rows::span(row, "up_ms")?,
            starting: rows::span(row, "starting_ms")?,
            busy: rows::span(row, "busy_ms")?,
        })
    };
    found.iter().map(hour).collect()
}
