//! Lines and questions from a coordinator straight to a worker, with signed tickets.
//!
//! A worker opens a [`DirectListener`]; its address goes into its heartbeats. A coordinator's [`Direct`] finds it there, lets it
//! prove that it is that worker of this farm, shows a [`Ticket`], and carries speech, events, questions and answers. No
//! broker, no store and no clock has a part in it.
//!
//! ```text
//! coordinator                                        worker
//!   GET /lines, which worker, challenge C       ->
//!                                               <-   101, challenge W, proof over C, W, worker, address, path
//!   ticket {purpose, hold, W}                   ->
//!                                               <-   welcome | full | nobody
//!   speech (binary), messages (JSON), pings    <->   events (JSON), pings
//! ```
//! Callers may come straight to a worker, too, over a listener of its own ([`CallerSettings`]).
//!
//! What is between the two can be read by whoever sits on the way, unless TLS is set up ([`ClientTls`], [`ServerTls`]).

mod accept;
mod address;
mod answer;
mod ask;
mod callers;
mod challenge;
mod client;
mod clock;
mod dial;
mod directory;
mod doors;
mod events;
mod greet;
mod half_close;
mod headers;
mod link;
mod listener;
mod secrets;
mod serve;
mod socket;
mod ticket;
mod tls;
mod wire;

pub use address::{AddressError, WorkerAddress};
pub use callers::{CallerSettings, CallersUrl, CallersUrlError};
pub use challenge::Challenge;
pub use client::{DialSettings, Direct};
pub use directory::{PoolDirectory, WorkerDirectory};
pub use events::{DirectEvent, DirectObserver};
pub use link::Liveness;
pub use listener::{DirectListener, ListenError, ListenerSettings};
pub use secrets::{FarmSecrets, KeyId, MOST_SECRETS, SHORTEST_SECRET, SecretError};
pub use ticket::{CLOCK_TOLERANCE, Door, LONGEST, Ticket, TicketRefusal};
pub use tls::{ClientTls, ServerTls, TlsError};
pub use wire::{LARGEST, PROTOCOL};

pub use mouthpiece_speech::RelayNews;
