//! The cost report over HTTP, on SQLite: figures that can be checked by hand.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod books;
mod harness;
mod requests;
