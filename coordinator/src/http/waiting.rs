//! What is served before the stores are open: the process is there, and can do nothing yet. Whoever asks hears that at once
//! instead of waiting at a door behind which nobody is.

use super::health::{self, Readiness};
use super::problem::Problem;
use super::request_id;
use crate::metrics::Metrics;
use actix_web::dev::Server;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// Whoever finds it waiting comes back after this.
const COME_BACK: Duration = Duration::from_secs(2);
/// Connections at a time.
const CONNECTIONS: usize = 256;

const WAITING: &str = "the stores are not open yet: the log says what is waited for";

/// Serves until its handle is told to stop: `/healthz` answers, `/readyz` says that it waits, `/metrics` shows what is
/// counted so far, and all else is 503 with `Retry-After`. It does not listen to signals.
///
/// # Errors
/// The listener cannot be used.
pub fn serve_while_waiting(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<Server> {
    let app = move || {
        let metrics = Arc::clone(&metrics);
        App::new().wrap(from_fn(request_id::observe)).configure(|cfg| configure(cfg, metrics))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .shutdown_timeout(0)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

fn configure(cfg: &mut ServiceConfig, metrics: Arc<Metrics>) {
    cfg.app_data(Data::from(metrics))
        .route("/healthz", web::get().to(health::health))
        .route("/readyz", web::get().to(unready))
        .route("/metrics", web::get().to(measured))
        .default_service(web::to(refuse));
}

async fn unready() -> HttpResponse {
    let checks = BTreeMap::from([("server", WAITING.to_owned())]);
    HttpResponse::ServiceUnavailable().json(Readiness { status: "not_ready", checks })
}

async fn measured(metrics: Data<Metrics>) -> HttpResponse {
    let text = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    HttpResponse::Ok().insert_header(text).body(metrics.render())
}

async fn refuse() -> Result<HttpResponse, Problem> {
    Err(Problem::store_unavailable(WAITING, COME_BACK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service, read_body_json};

    #[actix_web::test]
    async fn who_comes_too_early_hears_so_in_the_usual_form() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let app = App::new().wrap(from_fn(request_id::observe)).configure(|cfg| configure(cfg, metrics));
        let app = init_service(app).await;
        let asked = TestRequest::get().uri("/v1/sessions").insert_header(("x-request-id", "mine"));
        let answer = call_service(&app, asked.to_request()).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("retry-after").as_deref(), Some("2"));
        assert_eq!(header("x-request-id").as_deref(), Some("mine"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        let told: serde_json::Value = read_body_json(answer).await;
        assert_eq!((&told["status"], &told["request_id"]), (&503.into(), &"mine".into()));
        let ready = call_service(&app, TestRequest::get().uri("/readyz").to_request()).await;
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(ready.headers().contains_key("content-security-policy"));
        let checks: serde_json::Value = read_body_json(ready).await;
        assert_eq!(checks["checks"]["server"], WAITING);
    }
}
