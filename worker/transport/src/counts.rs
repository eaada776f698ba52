//! What a transport has done so far.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start, and what there is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportCounts {
    /// Streams that are open.
    pub streams: u64,
    /// Viewers that have an answer and are not gone.
    pub viewers: u64,
    /// Datagrams that came in, noise included.
    pub packets_in: u64,
    /// Datagrams that went out.
    pub packets_out: u64,
    /// Their bytes, without IP and UDP headers.
    pub bytes_out: u64,
    /// Datagrams that belong to no viewer.
    pub noise: u64,
    /// Frames and packets of media refused because too much was waiting.
    pub dropped: u64,
    /// Datagrams that the system would not take in time.
    pub unsent: u64,
    /// Viewers that ever had an answer.
    pub answered: u64,
    /// Viewers that ever connected.
    pub joined: u64,
}

/// The same, shared between the transport's thread and whoever asks. Each count is true, all together need not be of one
/// moment.
#[derive(Debug, Default)]
pub(crate) struct SharedCounts {
    streams: AtomicU64,
    viewers: AtomicU64,
    packets_in: AtomicU64,
    packets_out: AtomicU64,
    bytes_out: AtomicU64,
    noise: AtomicU64,
    dropped: AtomicU64,
    unsent: AtomicU64,
    answered: AtomicU64,
    joined: AtomicU64,
}

impl SharedCounts {
    /// What the thread has counted. `dropped` is counted by those whose media was refused.
    pub fn publish(&self, counts: &TransportCounts) {
        let pairs = [
            (&self.streams, counts.streams),
            (&self.viewers, counts.viewers),
            (&self.packets_in, counts.packets_in),
            (&self.packets_out, counts.packets_out),
            (&self.bytes_out, counts.bytes_out),
            (&self.noise, counts.noise),
            (&self.unsent, counts.unsent),
            (&self.answered, counts.answered),
            (&self.joined, counts.joined),
        ];
        for (shared, value) in pairs {
            shared.store(value, Ordering::Relaxed);
        }
    }

    /// Media was refused.
    pub fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them.
    pub fn read(&self) -> TransportCounts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        TransportCounts {
            streams: get(&self.streams),
            viewers: get(&self.viewers),
            packets_in: get(&self.packets_in),
            packets_out: get(&self.packets_out),
            bytes_out: get(&self.bytes_out),
            noise: get(&self.noise),
            dropped: get(&self.dropped),
            unsent: get(&self.unsent),
            answered: get(&self.answered),
            joined: get(&self.joined),
        }
    }
}
