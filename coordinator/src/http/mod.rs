//! The office over HTTP: routes, headers, bodies, problems, pages, the OpenAPI description.
//!
//! This is translation only: a handler reads a request into a call of the [`Office`](crate::office::Office) and writes what
//! comes of it. Every refusal is a [`Problem`] ([`refusals`]). Handlers do not know one another; what several need is in the
//! office, or in a room of its own such as [`fields`].

mod ages;
mod answers;
mod api;
pub mod auth;
mod avatars;
mod download;
pub mod dto;
mod events;
mod fields;
mod files;
mod health;
mod idempotency;
mod keys;
mod lifeline;
pub mod live;
mod openapi;
mod options;
mod pages;
pub mod problem;
mod public_url;
mod refusals;
mod renders;
pub mod reports;
mod request_id;
mod request_path;
mod retention;
mod routes;
mod server;
mod sessions;
mod settings;
mod waiting;
mod words;
mod workers;

pub use api::Api;
pub use problem::Problem;
pub use public_url::{PublicUrl, PublicUrlError};
pub use request_id::{RequestId, X_REQUEST_ID};
pub use request_path::RequestPath;
pub use routes::configure;
pub use server::serve;
pub use settings::HttpSettings;
pub use waiting::serve_while_waiting;

use actix_web::HttpRequest;
use actix_web::web::Data;

/// The shared state of a request.
fn shared_state(req: &HttpRequest) -> Result<Data<Api>, Problem> {
    req.app_data::<Data<Api>>().cloned().ok_or_else(|| Problem::internal("the shared state is missing"))
}
