//! What is to be sent, until somebody with a socket takes it.

use crate::settings::StreamId;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// Datagrams that wait at most; more are lost, as the network would lose them.
const ROOM: usize = 16 * 1024;

/// One datagram for the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The address that it is sent to.
    pub to: SocketAddr,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Whose viewer it is for.
    pub stream: StreamId,
    /// Set on the last packet of a video frame: to be given back by [`super::Hub::handed`] once it is sent.
    pub mark: Option<Mark>,
}

impl Datagram {
    /// Its bytes on the way, the headers of IP and UDP included.
    pub fn on_the_way(&self) -> u64 {
        let headers = if self.to.is_ipv4() { 20 + 8 } else { 40 + 8 };
        self.data.len() as u64 + headers
    }
}

/// Which frame a packet ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub(super) stream: StreamId,
    pub(super) time: u32,
}

/// The datagrams that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Datagram>,
    lost: u64,
}

impl Outbox {
    pub fn push(&mut self, datagram: Datagram) {
        if self.waiting.len() < ROOM {
            self.waiting.push_back(datagram);
        } else {
            self.lost += 1;
        }
    }

    pub fn pop(&mut self) -> Option<Datagram> {
        self.waiting.pop_front()
    }

    /// Datagrams lost for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}
