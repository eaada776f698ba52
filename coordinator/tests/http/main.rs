//! The HTTP side over ports in memory and a farm that follows a script, through real connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod auth;
mod avatars;
mod behind;
mod described;
mod embedded;
mod events;
mod fetch;
mod health;
mod keys;
mod live;
mod memory;
mod pages;
mod refusals;
mod results;
mod retention;
mod rig;
mod script;
mod sessions;
mod sockets;
mod stage;
mod tokens;
mod uploads;
mod whep;
mod ws;
