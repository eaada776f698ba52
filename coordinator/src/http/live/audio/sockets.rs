//! How many audio sockets are open: bounded for a session and in all.

use crate::http::problem::{Kind, Problem};
use mouthpiece_domain::ids::SessionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Sockets of one session.
const OF_A_SESSION: usize = 8;

/// The sockets that are open.
#[derive(Debug, Clone)]
pub struct Sockets {
    open: Arc<Mutex<HashMap<SessionId, usize>>>,
    most: usize,
}

/// One socket, open until this is dropped.
#[derive(Debug)]
pub struct Place(Sockets, SessionId);

impl Sockets {
    /// None yet, and never more than `most`.
    pub fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// The right to open one.
    ///
    /// # Errors
    /// 429 when the session has as many as it may have, 503 when all sessions together have.
    pub fn take(&self, session: SessionId) -> Result<Place, Problem> {
        let retry = Duration::from_secs(2);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&session).is_some_and(|n| *n >= OF_A_SESSION) {
            let detail = format!("the session has {OF_A_SESSION} audio sockets already: close one first");
            return Err(Problem::new(Kind::OverQuota, detail).after(retry));
        }
        if open.values().sum::<usize>() >= self.most {
            return Err(Problem::new(Kind::NoCapacity, "too many audio sockets are open: come back later").after(retry));
        }
        *open.entry(session).or_default() += 1;
        Ok(Place(self.clone(), session))
    }
}

impl Drop for Place {
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
    fn sockets_are_bounded_and_given_back() {
        let sockets = Sockets::new(10);
        let mut places: Vec<_> = (0..8).map(|_| sockets.take(SessionId(1)).unwrap()).collect();
        assert_eq!(sockets.take(SessionId(1)).unwrap_err().kind, Kind::OverQuota);
        places.extend((0..2).map(|_| sockets.take(SessionId(2)).unwrap()));
        assert_eq!(sockets.take(SessionId(2)).unwrap_err().kind, Kind::NoCapacity);
        places.remove(0);
        assert!(sockets.take(SessionId(1)).is_ok());
        drop(places);
        assert!(sockets.open.lock().unwrap().is_empty());
    }
}
