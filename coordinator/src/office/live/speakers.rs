//! How many speakers there are: bounded for a session and in all.

use super::LiveRefusal;
use mouthpiece_domain::ids::SessionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Speakers of one session.
const MOST_OF_A_SESSION: usize = 8;
/// Whoever finds no room comes back after this.
const FULL: Duration = Duration::from_secs(2);

/// Those that there are.
#[derive(Debug, Clone)]
pub struct Speakers {
    open: Arc<Mutex<HashMap<SessionId, usize>>>,
    most: usize,
}

/// One speaker, there until this is dropped.
#[derive(Debug)]
pub struct SpeakerSeat(Speakers, SessionId);

impl Speakers {
    /// None yet, and never more than `most`.
    pub fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// The right to be one.
    ///
    /// # Errors
    /// [`LiveRefusal::SessionSpeakers`], [`LiveRefusal::AllSpeakers`].
    pub fn take(&self, session: SessionId) -> Result<SpeakerSeat, LiveRefusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&session).is_some_and(|n| *n >= MOST_OF_A_SESSION) {
            return Err(LiveRefusal::SessionSpeakers { most: MOST_OF_A_SESSION, retry_after: FULL });
        }
        if open.values().sum::<usize>() >= self.most {
            return Err(LiveRefusal::AllSpeakers { retry_after: FULL });
        }
        *open.entry(session).or_default() += 1;
        Ok(SpeakerSeat(self.clone(), session))
    }
}

impl Drop for SpeakerSeat {
    fn drop(&mut self) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = open.get_mut(&self.1) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_are_bounded_and_given_back() {
        let speakers = Speakers::new(10);
        let mut places: Vec<_> = (0..8).map(|_| speakers.take(SessionId(1)).unwrap()).collect();
        assert!(matches!(speakers.take(SessionId(1)), Err(LiveRefusal::SessionSpeakers { .. })));
        places.extend((0..2).map(|_| speakers.take(SessionId(2)).unwrap()));
        assert!(matches!(speakers.take(SessionId(2)), Err(LiveRefusal::AllSpeakers { .. })));
        places.remove(0);
        assert!(speakers.take(SessionId(1)).is_ok());
        drop(places);
        assert!(speakers.open.lock().unwrap().is_empty());
    }
}
