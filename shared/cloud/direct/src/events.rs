//! What is worth counting.

use crate::ticket::TicketRefusal;
use mouthpiece_speech::RelayNews;

/// Something that an operator wants to know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectEvent {
    /// A worker refused a ticket.
    Refused(TicketRefusal),
    /// A connection to a worker's listener came to nothing before a ticket was seen: a scan, a wrong path, a slow peer.
    Stranger,
    /// A connection to a worker's listener was dropped, as there were too many.
    Crowded,
    /// What answered at a worker's address did not prove that it is that worker. Nothing was said to it.
    Impostor,
    /// A connection that was up was lost without a farewell.
    Lost,
}

impl DirectEvent {
    /// The words in metrics: what, and why where there is a why.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Refused(why) => ("ticket_refused", why.name()),
            Self::Stranger => ("stranger", ""),
            Self::Crowded => ("crowded", ""),
            Self::Impostor => ("impostor", ""),
            Self::Lost => ("lost", ""),
        }
    }
}

/// Counts what happens. Must not block.
pub trait DirectObserver: Send + Sync {
    /// That happened.
    fn saw(&self, event: DirectEvent);

    /// That happened on the socket of a caller that came straight to a worker.
    fn caller(&self, news: RelayNews) {
        let _ = news;
    }
}

/// Counts nothing.
impl DirectObserver for () {
    fn saw(&self, _event: DirectEvent) {}
}
