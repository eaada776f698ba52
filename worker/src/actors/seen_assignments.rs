//! Which assignments were seen, so that one that is delivered twice runs once.

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::Fence;
use std::collections::{HashMap, VecDeque};

/// Sessions that are remembered.
const MOST: usize = 1024;

/// The highest fence of each of the sessions seen last.
#[derive(Debug, Default)]
pub(super) struct SeenAssignments {
    fences: HashMap<SessionId, Fence>,
    order: VecDeque<SessionId>,
}

impl SeenAssignments {
    /// Whether this placement of a session was seen, or a newer one.
    pub(super) fn knows(&self, session: SessionId, fence: Fence) -> bool {
        self.fences.get(&session).is_some_and(|seen| *seen >= fence)
    }

    /// Notes a placement; true when it is newer than all that were seen of its session.
    pub(super) fn is_news(&mut self, session: SessionId, fence: Fence) -> bool {
        match self.fences.get_mut(&session) {
            Some(seen) if *seen >= fence => return false,
            Some(seen) => *seen = fence,
            None => {
                self.fences.insert(session, fence);
                self.order.push_back(session);
            }
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.fences.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_higher_fence_is_news() {
        let mut seen = SeenAssignments::default();
        let tries = [(1, 1), (1, 1), (1, 3), (1, 2), (2, 1)];
        let news: Vec<bool> = tries.map(|(s, f)| seen.is_news(SessionId(s), Fence(f))).to_vec();
        assert_eq!(news, [true, false, true, false, true]);
        for n in 10..10 + MOST as u128 {
            assert!(seen.is_news(SessionId(n), Fence(1)));
        }
        assert_eq!((seen.fences.len(), seen.order.len()), (MOST, MOST));
    }
}
