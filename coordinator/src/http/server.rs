//! The server itself.

use super::{Api, lifeline, request_id, routes};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use std::io;
use std::net::TcpListener;

/// Connections that wait in the system.
const BACKLOG: u32 = 1024;

/// Serves on a bound listener, on threads of its own, until its handle is told to stop. It does not listen to signals.
/// Call [`Api::close`] before stopping it gracefully: streams of events and audio sockets end then, instead of being waited
/// for.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(listener: TcpListener, api: Data<Api>) -> io::Result<Server> {
    let settings = api.settings.clone();
    let threads = settings.threads.max(1);
    let app = move || {
        let api = Data::clone(&api);
        App::new().wrap(from_fn(request_id::observe)).configure(|cfg| routes::configure(cfg, api))
    };
    let server = HttpServer::new(app)
        .workers(threads)
        .max_connections(settings.max_connections.div_ceil(threads))
        .backlog(BACKLOG)
        .on_connect(lifeline::attach)
        .keep_alive(settings.keep_alive)
        .client_request_timeout(settings.head_timeout)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
