//! The worker's actors: thin shells around what they own. Each handles one message at a time, synchronously; calls of
//! bus and pool run beside it and come back as messages.
//!
//! The agent talks with the coordinators, each slot owns what runs in it, the engine's actor owns the engine's thread.
//! Nothing else in this crate uses actors.

mod agent;
mod engine;
pub mod launch;
mod lease;
mod messages;
mod pulse;
mod seen_assignments;
mod slot;
mod tell;

pub use agent::AgentOutcome;
