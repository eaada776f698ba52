//! The server is about to stop: whoever waits or streams ends then.

use std::sync::Arc;
use tokio::sync::watch;

/// Told once; whoever has a clone of it hears it.
#[derive(Debug, Clone)]
pub struct Closing(Arc<watch::Sender<bool>>);

impl Default for Closing {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Closing {
    /// The server is about to stop.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// For waiting until it is.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
