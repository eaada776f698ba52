//! What a relay needs of the process that it runs in.

use crate::{SocketClose, SocketTimeouts};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_ports::lines::CallerLine;
use tokio::sync::watch;
use tokio::time::Instant;

/// Where a session goes on whose line ended without a last word.
#[derive(Debug)]
pub enum SessionFound {
    /// It runs there, and can be spoken with from here.
    Runs(Hold, CallerLine),
    /// It runs on another worker. What is not done with goes there over this line, then the caller is to follow.
    Left(Hold, CallerLine),
    /// Not yet known, or not reached. To be asked again.
    NotYet,
    /// It has ended, for this reason.
    Ended(String),
    /// This process is about to stop.
    Stopping,
}

/// Whether a caller may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeechRight {
    /// It may.
    Held,
    /// It may not any more.
    Ended(SocketClose),
    /// It is to ask for the right again, and to open another socket with it. What was said until then is taken.
    Renew(SocketClose),
}

/// What happens on a socket, to be counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RelayNews {
    /// A socket is open.
    Opened,
    /// It is not any more.
    Closed,
    /// Speech came.
    Heard {
        /// Its samples.
        samples: usize,
        /// Samples a second.
        rate: u32,
    },
    /// A message was refused.
    Refused {
        /// The stable word.
        code: &'static str,
    },
}

/// The process that a relay runs in. Clones are the same one.
#[allow(async_fn_in_trait, reason = "used by concrete types only, which are moved to their runtime as they are")]
pub trait SpeechHost: Clone {
    /// How patient its sockets are.
    fn timeouts(&self) -> SocketTimeouts;

    /// True once it is about to stop.
    fn closing(&self) -> watch::Receiver<bool>;

    /// Whether the caller may go on; asked now and then.
    async fn right(&self) -> SpeechRight;

    /// Looks for a session whose line ended, and opens another line to it; at most until about `soon`. Where it ran last may be the
    /// answer, too: only the way there may have been broken.
    async fn find(&self, before: Hold, soon: Instant) -> SessionFound;

    /// Counts what happens.
    fn saw(&self, news: RelayNews);
}
