//! Placement: which worker takes a session.
//!
//! A pure question with a pure answer: [`better`] orders two workers for one session. [`Slots`](crate::control) keeps
//! indexes so that the best is found among ten thousand without looking at all of them; a property test holds it to the
//! plain order given here.

use crate::ids::WorkerId;
use std::cmp::Ordering;

/// A worker that could take the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The worker that this is about.
    pub worker: WorkerId,
    /// It takes new sessions: heard of lately, not draining.
    pub open: bool,
    /// Free slots among those that it measured that it can serve.
    pub free: u8,
    /// It holds the avatar in memory.
    pub resident: bool,
}

/// `Less` when `a` is the better place.
///
/// 1. A worker that holds the avatar: nothing has to be fetched or prepared.
/// 2. The fullest: what stays empty can be given back.
/// 3. The oldest id, so that the answer is always the same and the youngest machines empty first.
pub fn better(a: &Candidate, b: &Candidate) -> Ordering {
    let key = |c: &Candidate| (!c.resident, c.free, c.worker);
    key(a).cmp(&key(b))
}

/// The best of `candidates` that can take a session at all.
pub fn choose(candidates: impl IntoIterator<Item = Candidate>) -> Option<WorkerId> {
    candidates.into_iter().filter(|c| c.open && c.free > 0).min_by(better).map(|c| c.worker)
}

/// How many workers are wanted: enough for the open sessions, and `warm` idle ones beside them, at most `most`.
pub fn desired_workers(open_sessions: u32, slots_per_worker: u8, warm: u32, most: u32) -> u32 {
    open_sessions.div_ceil(u32::from(slots_per_worker.max(1))).saturating_add(warm).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (any::<bool>(), 0u8..4, any::<bool>());
        proptest::collection::vec(one, 0..12).prop_map(|list| {
            let worker = |n: usize| WorkerId(n as u128);
            list.into_iter()
                .enumerate()
                .map(|(n, (open, free, resident))| Candidate { worker: worker(n), open, free, resident })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_chosen_worker_can_take_it(list in candidates()) {
            let usable = |c: &&Candidate| c.open && c.free > 0;
            match choose(list.iter().copied()) {
                None => prop_assert_eq!(list.iter().filter(usable).count(), 0),
                Some(id) => {
                    let c = list.iter().find(|c| c.worker == id).unwrap();
                    prop_assert!(usable(&c));
                    // Nobody is passed over who holds the avatar, nor a fuller one of the same kind.
                    for other in list.iter().filter(usable) {
                        prop_assert!(c.resident || !other.resident);
                        prop_assert!(c.resident != other.resident || c.free <= other.free);
                    }
                }
            }
        }

        #[test]
        fn the_order_of_asking_does_not_matter(mut list in candidates()) {
            let first = choose(list.iter().copied());
            list.reverse();
            prop_assert_eq!(choose(list), first);
        }

        #[test]
        fn all_sessions_fit_and_the_pool_stays_warm(open in 0u32..1000, slots in 1u8..5, warm in 0u32..5) {
            let workers = desired_workers(open, slots, warm, u32::MAX);
            prop_assert!(workers * u32::from(slots) >= open);
            prop_assert!(workers >= warm);
            prop_assert!(desired_workers(open, slots, warm, 7) <= 7);
        }
    }
}
