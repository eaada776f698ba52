//! A worker's own small listener: whether it is there, whether it can work, and what it measures.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_ports::readiness::{RecentHealth, StoreHealth, store_health};
use prometheus::{Registry, TextEncoder};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use tokio::sync::watch;

/// Probes and a scraper: no more is needed.
const CONNECTIONS: usize = 64;

/// How far the worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerStage {
    /// It measures itself, or waits for its servers.
    Starting,
    /// It takes sessions.
    Running,
    /// It takes nothing new.
    Draining,
}

impl WorkerStage {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Draining => "draining",
        }
    }
}

struct Probed {
    ports: WorkerPorts,
    stage: watch::Receiver<WorkerStage>,
    registry: Registry,
    recent: RecentHealth,
}

/// The listener; it ends with the process.
pub struct Health {
    stage: watch::Sender<WorkerStage>,
    address: SocketAddr,
}

impl Health {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be had.
    pub fn serve(bind: SocketAddr, ports: WorkerPorts, registry: Registry) -> anyhow::Result<Self> {
        let remedy = || format!("{bind} cannot be listened at: set health.port, or --health-port (0 takes a free one)");
        let listener = TcpListener::bind(bind).with_context(remedy)?;
        let address = listener.local_addr()?;
        let (stage, watched) = watch::channel(WorkerStage::Starting);
        let probed = web::Data::new(Probed { ports, stage: watched, registry, recent: RecentHealth::default() });
        let app = move || {
            App::new()
                .app_data(web::Data::clone(&probed))
                .route("/healthz", web::get().to(|| async { HttpResponse::Ok().json(json!({"status": "ok"})) }))
                .route("/readyz", web::get().to(ready))
                .route("/metrics", web::get().to(metrics))
        };
        let server = HttpServer::new(app).workers(1).max_connections(CONNECTIONS).disable_signals().listen(listener)?;
        actix_rt::spawn(server.run());
        Ok(Self { stage, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells how far the worker is from now on.
    pub fn is_now(&self, stage: WorkerStage) {
        self.stage.send_replace(stage);
    }
}

async fn ready(probed: web::Data<Probed>) -> HttpResponse {
    let stage = *probed.stage.borrow();
    let found = probed.recent.look(async || probed.ask().await).await;
    let is_ready = stage == WorkerStage::Running && found.values().all(|health| *health == StoreHealth::Well);
    let mut answer = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    let checks: BTreeMap<_, _> = found.into_iter().map(|(store, health)| (store, health.to_string())).collect();
    let status = if is_ready { "ready" } else { "not_ready" };
    answer.json(json!({"status": status, "worker": stage.name(), "checks": checks}))
}

async fn metrics(probed: web::Data<Probed>) -> HttpResponse {
    match TextEncoder::new().encode_to_string(&probed.registry.gather()) {
        Ok(text) => {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(text)
        }
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

impl Probed {
    async fn ask(&self) -> BTreeMap<&'static str, StoreHealth> {
        let WorkerPorts { bus, pool, blobs, .. } = &self.ports;
        let (bus, pool, blobs) = tokio::join!(
            store_health("bus", bus.check()),
            store_health("pool", pool.check()),
            store_health("blobs", blobs.check()),
        );
        BTreeMap::from([("bus", bus), ("pool", pool), ("blobs", blobs)])
    }
}
