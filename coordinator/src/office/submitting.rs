//! Sessions on their way into the records.

use mouthpiece_domain::ids::SessionId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Sessions that are being asked for: not in the records yet, but on their way.
#[derive(Debug, Clone, Default)]
pub struct Submitting(Arc<Mutex<HashSet<SessionId>>>);

/// Says that a session is on its way, until this is dropped.
pub struct OnItsWay(Submitting, SessionId);

impl Submitting {
    /// Notes a session.
    pub fn begin(&self, id: SessionId) -> OnItsWay {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        OnItsWay(self.clone(), id)
    }

    pub(super) fn has(&self, id: SessionId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
