//! How callers speak in a live session.
//!
//! A caller holds a WebSocket: to a coordinator, or straight to the worker that runs the session. Either end of it is a shell that
//! knows HTTP, tickets and tokens; what is said over it stands here, once:
//!
//! ```text
//! caller <--SpeechSocket--> Relay<dialect> <--CallerLine--> session
//!                             |   PushedLog: what was said and is not done with
//!                             `-- SpeechHost: where the session goes on, who may speak, what is counted
//! ```
//! [`SpeechDialect`] is a language of messages, [`AgentDialect`] this API's own. [`Relay`] knows neither a language nor a socket.

mod agent_dialect;
mod dialect;
mod halves;
mod host;
mod message;
mod pushed_log;
mod relay;
mod said;
mod socket;
mod timeouts;
pub mod words;

pub use agent_dialect::AgentDialect;
pub use dialect::{MessageRefusal, NO_ROOM, RefusalCode, SpeechDialect, SpeechEvent};
pub use host::{RelayNews, SessionFound, SpeechHost, SpeechRight};
pub use message::{LARGEST, USUAL_RATE};
pub use relay::{Relay, RelayStart};
pub use said::read_position;
pub use socket::{SocketClose, SocketInput, SpeechSocket};
pub use timeouts::SocketTimeouts;

/// Sockets of one session, at most, at one process.
pub const SOCKETS_OF_A_SESSION: usize = 8;
