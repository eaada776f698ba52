//! Who watches.

use crate::live::endings::Endings;
use mouthpiece_domain::live::LiveTerms;
use std::time::Instant;

/// The viewers, and what they wait for.
pub(super) struct Audience {
    pub endings: Endings,
    /// The next frame must be one that decoding can start with.
    pub key_wanted: bool,
    /// When somebody came who has not got a frame yet.
    pub newcomer: Option<Instant>,
}

impl Audience {
    /// Nobody is there yet.
    pub fn new(terms: LiveTerms, now: Instant) -> Self {
        Self { endings: Endings::new(terms, now), key_wanted: true, newcomer: None }
    }

    /// True while frames and sound are for somebody.
    pub fn is_watching(&self) -> bool {
        self.endings.viewers() > 0
    }

    /// A viewer came.
    pub fn joined(&mut self, viewer: u128, now: Instant) {
        self.endings.joined(viewer, now);
        self.key_wanted = true;
        self.newcomer.get_or_insert(now);
    }
}
