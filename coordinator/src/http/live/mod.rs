//! Live sessions over HTTP: watching by WHEP, speaking by WebSocket, and what is said to a session that runs.

pub mod audio;
pub mod control;
pub mod cors;
mod links;
pub mod making;
pub mod whep;
