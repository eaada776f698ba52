//! The store against a real S3 server in this process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod contract;
mod links;
mod local;
mod outages;
mod reads;
mod refusals;
mod rig;
mod uploads;
