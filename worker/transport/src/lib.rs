//! WebRTC for one worker: one UDP socket for all its streams and viewers.
//!
//! The crate knows nothing of the farm. [`hub::Hub`] decides everything without sockets or clocks: commands, packets and
//! the time go in; packets, events and the next deadline come out, so that loss, reordering and hours of media are tested
//! in memory. [`Transport`] is the thin shell around it: a thread with a socket.
//!
//! A stream's encoded packets are fanned out to its viewers. Audio and video carry the time at which they were due, never
//! the time at which they were handed in, so that the sender reports declare their true sync.

mod counts;
mod error;
mod events;
pub mod hub;
mod inbox;
mod media;
mod sdp;
mod settings;
mod shell;
mod stun;
mod transport;

pub use counts::TransportCounts;
pub use error::{SignalError, TransportError};
pub use events::{LeftWhy, StreamEvent};
pub use media::{AudioPacket, VideoFrame};
pub use settings::{StreamId, StreamParams, TransportSettings};
pub use transport::{Answered, OutgoingStream, Restarted, Transport};
