//! A hold: which session has which slot of which worker, by which placement.

use crate::ids::{SessionId, WorkerId};
use crate::session::{Fence, SlotIndex};
use serde::{Deserialize, Serialize};

/// A session in a slot: what a lease is held on. At most one is valid for a session at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    /// The session.
    pub session: SessionId,
    /// Its placement.
    pub fence: Fence,
    /// The worker whose slot it is.
    pub worker: WorkerId,
    /// Where on it.
    pub slot: SlotIndex,
}
