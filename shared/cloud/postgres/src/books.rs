//! What cost reports are made of.

use crate::rows::{self, Id, count, text};
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Period;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, Row as _};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) async fn delivered_since(c: &mut PgConnection, key: KeyId, since: Wall) -> Result<Duration, Error> {
    let query = "SELECT COALESCE(SUM(delivered_ms), 0)::bigint AS ms FROM delivered WHERE api_key = $1 AND hour >= $2";
    let row = sqlx::query(query).bind(Id(key.0)).bind(since.hour().0).fetch_one(c).await?;
    rows::span(&row, "ms")
}

pub(crate) async fn add_prices(c: &mut PgConnection, prices: &[Price]) -> Result<(), Error> {
    // Of the same type and start the last counts; and all write in the same order.
    let last: BTreeMap<_, _> =
        prices.iter().map(|p| ((text(&p.instance_type), p.from.0), count(p.micro_usd_per_hour))).collect();
    let (mut types, mut starts, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for ((instance_type, from), rate) in last {
        types.push(instance_type.into_owned());
        starts.push(from);
        rates.push(rate);
    }
    let query = "INSERT INTO prices (instance_type, valid_from, micro_usd_per_hour) \
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) \
         ON CONFLICT (instance_type, valid_from) DO UPDATE SET micro_usd_per_hour = excluded.micro_usd_per_hour";
    sqlx::query(query).bind(types).bind(starts).bind(rates).execute(c).await?;
    Ok(())
}

pub(crate) async fn prices(c: &mut PgConnection) -> Result<Vec<Price>, Error> {
    let found = sqlx::query("SELECT * FROM prices ORDER BY instance_type, valid_from").fetch_all(c).await?;
    let price = |row: &PgRow| {
        Ok(Price {
            instance_type: row.try_get("instance_type")?,
            from: rows::wall(row, "valid_from")?,
            micro_usd_per_hour: rows::unsigned(row, "micro_usd_per_hour")?,
        })
    };
    found.iter().map(price).collect()
}

pub(crate) async fn usage(c: &mut PgConnection, period: Period) -> Result<Vec<UsageHour>, Error> {
    let query = "SELECT u.hour, u.session, u.worker, u.delivered_ms, u.sent_bytes, s.kind, s.api_key, s.avatar, s.end_reason, \
         COALESCE(w.instance_type, '') AS instance_type \
         FROM (SELECT hour, session, worker, SUM(delivered_ms)::bigint AS delivered_ms, \
         SUM(sent_bytes)::bigint AS sent_bytes FROM usage \
         WHERE hour >= $1 AND hour < $2 GROUP BY hour, session, worker) AS u \
         JOIN sessions AS s ON s.id = u.session LEFT JOIN workers AS w ON w.id = u.worker \
         ORDER BY u.hour, u.session, u.worker";
    let found = sqlx::query(query).bind(period.from.0).bind(period.to.0).fetch_all(c).await?;
    let hour = |row: &PgRow| {
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

pub(crate) async fn machines(c: &mut PgConnection, period: Period) -> Result<Vec<MachineHour>, Error> {
    let query = "SELECT m.hour, m.worker, m.up_ms, m.busy_ms, m.starting_ms, w.instance_type, w.slots FROM machine_hours AS m \
         JOIN workers AS w ON w.id = m.worker WHERE m.hour >= $1 AND m.hour < $2 ORDER BY m.hour, m.worker";
    let found = sqlx::query(query).bind(period.from.0).bind(period.to.0).fetch_all(c).await?;
    let hour = |row: &PgRow| {
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
