//! What is served before the stores are open: the process is there, and can do nothing yet. Whoever asks hears that at once
//! instead of waiting at a door behind which nobody is.

use super::health::{self, Readiness};
use super::problem::Problem;
use crate::metrics::Metrics;
use crate::office::new_id;
use actix_web::dev::Server;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
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
        App::new()
            .app_data(Data::from(Arc::clone(&metrics)))
            .route("/healthz", web::get().to(health::health))
            .route("/readyz", web::get().to(unready))
            .route("/metrics", web::get().to(measured))
            .default_service(web::to(refuse))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .shutdown_timeout(0)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn unready() -> HttpResponse {
    let checks = BTreeMap::from([("server", WAITING.to_owned())]);
    HttpResponse::ServiceUnavailable().json(Readiness { status: "not_ready", checks })
}

async fn measured(metrics: Data<Metrics>) -> HttpResponse {
    let text = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    HttpResponse::Ok().insert_header(text).body(metrics.render())
}

async fn refuse() -> HttpResponse {
    Problem::store_unavailable(WAITING, COME_BACK).answer(&format!("{:032x}", new_id()))
}
