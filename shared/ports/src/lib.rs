//! What the farm asks of stores and brokers.
//!
//! A port is a trait; an adapter implements it (SQLite or Postgres, a channel or RabbitMQ, memory or Redis, a directory or
//! S3). HTTP handlers and actors see ports only; the wiring alone names adapters. With the feature `contract` the suites
//! that every adapter must pass are here too.

pub mod blobs;
pub mod bus;
#[cfg(feature = "contract")]
pub mod contract;
pub mod farm_ports;
pub mod fleet;
pub mod lines;
pub mod passes;
pub mod pool;
pub mod questions;
pub mod readiness;
pub mod records;
pub mod retention;
pub mod retry;
pub mod seats;
pub mod wire;
