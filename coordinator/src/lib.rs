//! The coordinator: accepts sessions over HTTP, places them on workers, keeps the books, serves the pages.

pub mod actors;
pub mod farm;
mod fleet_calls;
pub mod http;
mod machines;
pub mod metrics;
pub mod office;
pub mod retention;
