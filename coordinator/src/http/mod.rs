//! The farm over HTTP: routes, callers, problems, uploads, pages, the OpenAPI description.
//!
//! Handlers see ports and [`Farm`](crate::farm::Farm), never adapters or actors. Every refusal is a [`Problem`].

mod api;
mod asked;
pub mod auth;
mod avatars;
mod download;
pub mod dto;
mod events;
mod fields;
pub mod files;
mod health;
mod keys;
mod lifeline;
pub mod live;
mod openapi;
mod options;
mod pages;
pub mod problem;
mod public_url;
mod renders;
pub mod reports;
mod request_id;
mod retention;
mod routes;
mod server;
mod sessions;
mod settings;
mod submission;
mod words;
mod workers;

pub use api::{Api, ApiError, Ports};
pub use asked::Asked;
pub use auth::{
    Caller, KeyError, LINK_HOURS, PageLink, Scope, SessionToken, Visitor, create_first_key, new_page_link, new_secret,
    secret_hash,
};
pub use live::{IceServer, IceServerError, LiveSettings, Patience};
pub use problem::Problem;
pub use public_url::{PublicUrl, PublicUrlError};
pub use request_id::{RequestId, X_REQUEST_ID};
pub use routes::configure;
pub use server::serve;
pub use settings::{FetchSettings, HttpSettings, SessionBounds};

use chrono::Utc;
use mouthpiece_domain::time::Wall;
use uuid::Uuid;

/// The calendar now.
pub fn now() -> Wall {
    Wall(Utc::now().timestamp_millis())
}

/// A number for a new id; they grow with time.
pub fn new_id() -> u128 {
    Uuid::now_v7().as_u128()
}
