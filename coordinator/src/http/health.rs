//! Whether the process is there, whether it can work, and what it measures.

use super::Api;
use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;
use utoipa::ToSchema;

/// A store that does not answer within this is not ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// Anybody may ask, so the stores are asked at most this often.
const FRESH: Duration = Duration::from_secs(1);

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// Whether it can work, and if not, why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// By store: `ok`, or a sentence; why is in the log.
    pub checks: BTreeMap<&'static str, String>,
}

/// What was found last.
#[derive(Debug, Default)]
pub struct Checked(Mutex<Option<(Instant, Readiness)>>);

/// The process answers.
#[utoipa::path(get, operation_id = "read_health", path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = Health)))]
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// It can work: every store answers and it is not about to stop.
#[utoipa::path(
    get, operation_id = "read_readiness", path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot", body = Readiness),
    ),
)]
pub async fn ready(api: Data<Api>) -> HttpResponse {
    let found = api.checked.look(&api).await;
    let mut answer = if found.status == "ready" { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(found)
}

/// What is counted and measured, in Prometheus' text format.
#[utoipa::path(
    get, operation_id = "read_metrics", path = "/metrics", tag = "health",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)),
)]
pub async fn metrics(api: Data<Api>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(api.metrics.render())
}

impl Checked {
    /// Asks the stores, unless that was done just now. Whoever comes meanwhile waits for the same answer.
    async fn look(&self, api: &Api) -> Readiness {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = last.as_ref()
            && at.elapsed() < FRESH
            && !api.is_closing()
        {
            return found.clone();
        }
        let found = ask(api).await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

async fn ask(api: &Api) -> Readiness {
    let (records, bus, pool, blobs) = tokio::join!(
        told("records", api.records.check()),
        told("bus", api.bus.check()),
        told("pool", api.pool.check()),
        told("blobs", api.blobs.check()),
    );
    let mut checks = BTreeMap::from([("records", records), ("bus", bus), ("pool", pool), ("blobs", blobs)]);
    if api.is_closing() {
        checks.insert("server", "it is about to stop".to_owned());
    }
    let status = if checks.values().all(|c| c == "ok") { "ready" } else { "not_ready" };
    Readiness { status, checks }
}

/// Anybody may ask, so what names files and hosts is left to the log.
async fn told<E: Display>(store: &'static str, check: impl Future<Output = Result<(), E>>) -> String {
    match timeout(PATIENCE, check).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => {
            tracing::error!(store, %error, "a store is not ready");
            "it cannot be used: the log says why".to_owned()
        }
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    }
}
