//! An HTTP server in this process, for stand-ins of services: whole requests in, whole answers out.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// What a service or a body may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;
/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;
/// Answers requests; `None` for no answer at all.
pub(crate) type Handler = Arc<dyn Fn(Parts, Bytes) -> BoxFuture<'static, Option<Answer>> + Send + Sync>;

/// A port of 127.0.0.1 that a service listens at. It stops when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct LocalPort {
    /// 0 until it listened for the first time; the same one from then on.
    pub(crate) number: u16,
    running: Option<JoinHandle<()>>,
}

impl LocalPort {
    /// Cuts all connections and listens no longer.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Listens, or listens again.
    pub(crate) async fn serve<S, B>(&mut self, service: S) -> Result<()>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<Failure>, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
    {
        self.stop().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.number)).await.context("no port")?;
        self.number = listener.local_addr()?.port();
        self.running = Some(tokio::spawn(accept(listener, service)));
        Ok(())
    }
}

impl Drop for LocalPort {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

async fn accept<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<Failure>, Future: Send>,
    S: Clone + Send + 'static,
    B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
                    connections.spawn(async move {
                        // A client that goes away is its own affair.
                        let _ = connection.await;
                    });
                }
                // Out of file descriptors, for example: it may pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
}

/// A server on a free port of 127.0.0.1. It stops when it is dropped.
pub(crate) struct LocalHttp {
    handler: Handler,
    port: LocalPort,
}

impl std::fmt::Debug for LocalHttp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalHttp").field("port", &self.port).finish_non_exhaustive()
    }
}

impl LocalHttp {
    pub(crate) async fn start(handler: Handler) -> Result<Self> {
        let mut server = Self { handler, port: LocalPort::default() };
        server.start_again().await?;
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number)
    }

    /// Cuts all connections and listens no longer.
    pub(crate) async fn stop(&mut self) {
        self.port.stop().await;
    }

    /// Listens again, on the same port.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        let handler = Arc::clone(&self.handler);
        self.port.serve(service_fn(move |request| answer(Arc::clone(&handler), request))).await
    }
}

async fn answer(handler: Handler, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => std::future::pending().await,
    };
    match handler(head, body).await {
        Some(answer) => Ok(answer),
        None => std::future::pending().await,
    }
}

/// An answer with a status and a text.
pub(crate) fn told(status: u16, kind: &str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(kind) = kind.parse() {
        answer.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    }
    answer
}

/// A file in the form of `~/.aws/credentials`.
pub(crate) fn credentials_text(access_key: &str, secret_key: &str) -> String {
    format!("[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n")
}
