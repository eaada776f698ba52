//! The end of a run: everything is whole again, what runs comes to its end, and records and bills are read.

use super::client::{Body, Reply};
use super::farm::ChaosFarm;
use crate::chaos::history::Happening;
use crate::{LoadError, setup};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const PREPARED_WITHIN: Duration = Duration::from_secs(90);

/// Registers the avatar that sessions use, and waits until it is prepared.
pub(super) async fn prepare(farm: &ChaosFarm, body: Body) -> Result<String, LoadError> {
    let Reply { status, body, .. } =
        farm.client.ask(0, Method::POST, "/v1/avatars", Some(body), None).await.map_err(setup)?;
    let id = body.get("id").and_then(Value::as_str).filter(|_| status < 300);
    let id = id.ok_or_else(|| setup(format!("no avatar: {status}: {body}")))?.to_owned();
    let begun = Instant::now();
    while begun.elapsed() < PREPARED_WITHIN {
        let avatar = farm.client.read(&format!("/v1/avatars/{id}")).await?;
        match avatar.get("state").and_then(Value::as_str) {
            Some("ready") => return Ok(id),
            Some("failed") => return Err(setup(format!("the avatar cannot be prepared: {avatar}"))),
            _ => sleep(Duration::from_millis(200)).await,
        }
    }
    Err(setup("the avatar is not prepared"))
}

/// Waits until no session is open.
pub(super) async fn all_ended(farm: &ChaosFarm) -> Result<(), LoadError> {
    while !open_sessions(farm).await?.is_empty() {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits until nothing has changed with the open sessions for so long.
pub(super) async fn nothing_gets_further(farm: &ChaosFarm, this_long: Duration) -> Result<(), LoadError> {
    let mut seen = Vec::new();
    let mut since = Instant::now();
    while since.elapsed() < this_long {
        let open = open_sessions(farm).await?;
        if open != seen {
            (seen, since) = (open, Instant::now());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn open_sessions(farm: &ChaosFarm) -> Result<Vec<Value>, LoadError> {
    let mut page = farm.client.read("/v1/sessions?state=open&limit=500").await?;
    match page.get_mut("sessions").map(Value::take) {
        Some(Value::Array(open)) => Ok(open),
        _ => Err(setup(format!("no list of sessions: {page}"))),
    }
}

/// Reads all records and bills into the history.
pub(super) async fn read_records(farm: &ChaosFarm) -> Result<(), LoadError> {
    let mut before = String::new();
    loop {
        let page = farm.client.read(&format!("/v1/sessions?limit=500{before}")).await?;
        for session in page.get("sessions").and_then(Value::as_array).into_iter().flatten() {
            farm.recorder
                .tell(recorded(session).ok_or_else(|| setup(format!("a session without its fields: {session}")))?);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    let report = farm.client.read("/v1/reports/cost?group_by=session").await?;
    for row in report.get("rows").and_then(Value::as_array).into_iter().flatten() {
        let Some(session) = row.get("group").and_then(Value::as_str).filter(|group| group.starts_with("ses_")) else {
            continue;
        };
        let minutes = |name| row.get(name).and_then(Value::as_f64).unwrap_or_default();
        let delivered = minutes("delivered_minutes") + minutes("failed_minutes");
        let delivered_ms = (delivered * 60_000.0).round() as u64;
        farm.recorder.tell(Happening::Billed { session: session.to_owned(), delivered_ms });
    }
    Ok(())
}

fn recorded(session: &Value) -> Option<Happening> {
    let text = |name| session.get(name)?.as_str().map(str::to_owned);
    Some(Happening::Recorded {
        session: text("id")?,
        kind: text("kind")?,
        state: text("state")?,
        fence: u32::try_from(session.get("fence")?.as_u64()?).ok()?,
        reason: session.pointer("/end/reason").and_then(Value::as_str).map(str::to_owned),
        request: session.pointer("/metadata/request").and_then(Value::as_str).and_then(|n| n.parse().ok()),
    })
}
