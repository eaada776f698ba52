//! Whether the process is there, whether it can work, and what it measures.

use super::Api;
use crate::office::readiness::ReadinessReport;
use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

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

impl From<ReadinessReport> for Readiness {
    fn from(report: ReadinessReport) -> Self {
        let status = if report.is_ready() { "ready" } else { "not_ready" };
        let mut checks: BTreeMap<_, _> =
            report.stores.into_iter().map(|(store, health)| (store, health.to_string())).collect();
        if report.closing {
            checks.insert("server", "it is about to stop".to_owned());
        }
        Self { status, checks }
    }
}

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
    let found = api.office.readiness.look().await;
    let mut answer = if found.is_ready() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(Readiness::from(found))
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
