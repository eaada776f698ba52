//! Lines and questions over real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "what is measured by hand is printed")]

mod callers;
mod contract;
mod directory;
mod faults;
mod figures;
mod net;
mod pressure;
mod proxy;
mod strangers;
mod tls;
