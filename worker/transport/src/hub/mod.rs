//! Everything that a transport decides, without sockets and clocks.
//!
//! ```text
//!  commands  --->  +-----------------------------+  --->  datagrams (pop)
//!  datagrams --->  | streams -> viewers -> str0m |  --->  events (take_events)
//!  the time  --->  +-----------------------------+  --->  when to come again (deadline)
//! ```
//! Whoever drives it calls one of the methods that take `now`, then empties [`Hub::pop`] and [`Hub::take_events`], then
//! sleeps until [`Hub::deadline`] or until something comes. Time never goes back.

mod bitrate;
mod channel;
mod deadlines;
mod flow;
mod held;
mod keyframes;
mod outbox;
mod routes;
mod rtc;
mod signals;
mod viewer;
mod wire;

pub use crate::sdp::candidates::Advertised;
pub use outbox::{Datagram, Mark};
pub use signals::{Answered, Restarted};

use crate::counts::TransportCounts;
use crate::error::TransportError;
use crate::events::StreamEvent;
use crate::settings::{StreamId, StreamParams};
use channel::Channel;
use deadlines::{Deadlines, Who};
use outbox::Outbox;
use routes::Routes;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use str0m::RtcConfig;
use viewer::{Note, Viewer};

/// Names a viewer inside a hub. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key(u64);

/// The bounds of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubSettings {
    /// ICE-lite: the advertised addresses are reachable from everywhere.
    pub lite: bool,
    /// Viewers of all streams together.
    pub max_viewers: usize,
    /// Viewers of one stream.
    pub max_viewers_per_stream: usize,
}

/// All streams and viewers behind one socket.
pub struct Hub {
    settings: HubSettings,
    config: RtcConfig,
    advertised: Vec<Advertised>,
    streams: HashMap<StreamId, Channel>,
    viewers: HashMap<Key, Viewer>,
    names: HashMap<(StreamId, u128), Key>,
    routes: Routes,
    deadlines: Deadlines,
    out: Outbox,
    events: Vec<(StreamId, StreamEvent)>,
    counts: TransportCounts,
    keys: u64,
    /// Reused: what a connection told, and whom a frame goes to.
    notes: Vec<Note>,
    crowd: Vec<Key>,
}

impl Hub {
    /// A hub whose socket is reached at these addresses, the most wanted first.
    ///
    /// # Errors
    /// [`TransportError::Certificate`] when no certificate can be made.
    pub fn new(settings: HubSettings, advertised: Vec<Advertised>) -> Result<Self, TransportError> {
        Ok(Self {
            config: rtc::common(settings.lite)?,
            settings,
            advertised,
            streams: HashMap::new(),
            viewers: HashMap::new(),
            names: HashMap::new(),
            routes: Routes::default(),
            deadlines: Deadlines::default(),
            out: Outbox::default(),
            events: Vec::new(),
            counts: TransportCounts::default(),
            keys: 0,
            notes: Vec::new(),
            crowd: Vec::new(),
        })
    }

    /// Another address under which the socket is reached. Viewers that come from now on are told.
    pub fn advertise(&mut self, address: Advertised) {
        if !self.advertised.contains(&address) {
            self.advertised.push(address);
        }
    }

    /// The addresses that viewers are told.
    pub fn advertised(&self) -> &[Advertised] {
        &self.advertised
    }

    /// A new stream.
    pub fn open(&mut self, id: StreamId, params: StreamParams) {
        self.streams.insert(id, Channel::new(params));
    }

    /// Bytes that a stream's viewers are sent are added up there from now on, headers included.
    pub fn count_into(&mut self, id: StreamId, sent_bytes: Arc<AtomicU64>) {
        if let Some(channel) = self.streams.get_mut(&id) {
            channel.sent_bytes = sent_bytes;
        }
    }

    /// Ends a stream; its viewers are told goodbye.
    pub fn close(&mut self, now: Instant, id: StreamId) {
        let keys = self.streams.get(&id).map(|channel| channel.viewers.clone()).unwrap_or_default();
        for key in keys {
            self.remove(now, key, crate::LeftWhy::HungUp, true);
        }
        self.streams.remove(&id);
        self.deadlines.set(Who::Stream(id), None);
    }

    /// Ends all streams.
    pub fn close_all(&mut self, now: Instant) {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        ids.into_iter().for_each(|id| self.close(now, id));
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        while let Some(who) = self.deadlines.due(now) {
            match who {
                Who::Viewer(key) => self.wake_viewer(now, key),
                Who::Stream(id) => self.wake_stream(now, id),
            }
        }
    }

    /// When [`Hub::tick`] is to be called next; never, while there are no viewers.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines.first()
    }

    /// The next datagram to send.
    pub fn pop(&mut self) -> Option<Datagram> {
        let datagram = self.out.pop()?;
        self.counts.packets_out += 1;
        self.counts.bytes_out += datagram.data.len() as u64;
        if let Some(channel) = self.streams.get(&datagram.stream) {
            channel.sent_bytes.fetch_add(datagram.on_the_way(), Ordering::Relaxed);
        }
        Some(datagram)
    }

    /// A marked datagram was handed to the network.
    pub fn handed(&mut self, mark: Mark, at: Instant) {
        let pts = self.streams.get_mut(&mark.stream).and_then(|channel| channel.sent(mark.time));
        if let Some(pts) = pts {
            self.events.push((mark.stream, StreamEvent::Sent { pts, at }));
        }
    }

    /// A datagram could not be sent. It is as if the network had lost it.
    pub fn unsent(&mut self) {
        self.counts.unsent += 1;
    }

    /// What happened, in order. The vector given is emptied first, so that it can be used again.
    pub fn take_events(&mut self, into: &mut Vec<(StreamId, StreamEvent)>) {
        into.clear();
        std::mem::swap(&mut self.events, into);
    }

    /// What was done so far.
    pub fn counts(&self) -> TransportCounts {
        let (streams, viewers) = (self.streams.len() as u64, self.viewers.len() as u64);
        TransportCounts { streams, viewers, unsent: self.counts.unsent + self.out.lost(), ..self.counts }
    }

    /// Entries of all tables that belong to viewers; 0 once all are gone.
    pub fn traces(&self) -> usize {
        self.viewers.len() + self.names.len() + self.routes.len() + self.deadlines.len()
    }

    /// Where a datagram from there came in, as the ICE agents know it: one socket, one address a family.
    fn local(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let mut hosts = self.advertised.iter().filter(|a| a.base.is_none()).map(|a| a.addr);
        hosts.find(|addr| addr.is_ipv4() == peer.is_ipv4())
    }
}
