//! Orders by worker: those for one worker are carried out one after the other, those for different workers side by side.

use super::errand::ErrandOrder;
use mouthpiece_domain::ids::WorkerId;
use std::collections::{HashMap, HashSet, VecDeque};

/// Lanes that run at a time.
const RUNNING: usize = 64;

/// What waits, by worker. A lane is taken whole, and not again until it is done: a stop never overtakes its assignment.
#[derive(Default)]
pub(super) struct Lanes {
    waiting: HashMap<WorkerId, Vec<ErrandOrder>>,
    /// Workers with something in `waiting` and no lane running, in order of arrival.
    ready: VecDeque<WorkerId>,
    running: HashSet<WorkerId>,
}

impl Lanes {
    /// Something for a worker.
    pub(super) fn push(&mut self, order: ErrandOrder) {
        let worker = order.worker();
        let lane = self.waiting.entry(worker).or_default();
        if lane.is_empty() && !self.running.contains(&worker) {
            self.ready.push_back(worker);
        }
        lane.push(order);
    }

    /// The next lane to run, if one may.
    pub(super) fn take(&mut self) -> Option<(WorkerId, Vec<ErrandOrder>)> {
        if self.running.len() >= RUNNING {
            return None;
        }
        let worker = self.ready.pop_front()?;
        let orders = self.waiting.remove(&worker)?;
        self.running.insert(worker);
        Some((worker, orders))
    }

    /// A lane that was taken is done.
    pub(super) fn done(&mut self, worker: WorkerId) {
        if self.running.remove(&worker) && self.waiting.contains_key(&worker) {
            self.ready.push_back(worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::fleet::Hold;
    use mouthpiece_domain::ids::SessionId;
    use mouthpiece_domain::session::{Fence, SlotIndex};

    fn order(worker: u128, n: u128) -> ErrandOrder {
        ErrandOrder::Release(Hold {
            session: SessionId(n),
            fence: Fence::FIRST,
            worker: WorkerId(worker),
            slot: SlotIndex(0),
        })
    }

    fn sessions(orders: &[ErrandOrder]) -> Vec<u128> {
        orders.iter().map(|order| if let ErrandOrder::Release(hold) = order { hold.session.0 } else { 0 }).collect()
    }

    #[test]
    fn a_worker_has_one_lane_and_keeps_its_order() {
        let mut lanes = Lanes::default();
        for n in 1..=3 {
            lanes.push(order(1, n));
        }
        let (worker, orders) = lanes.take().unwrap();
        assert_eq!((worker, sessions(&orders)), (WorkerId(1), vec![1, 2, 3]));
        lanes.push(order(1, 4));
        assert!(lanes.take().is_none(), "its lane is running");
        lanes.push(order(2, 5));
        assert_eq!(lanes.take().unwrap().0, WorkerId(2));
        lanes.done(WorkerId(1));
        assert_eq!(sessions(&lanes.take().unwrap().1), [4]);
        lanes.done(WorkerId(1));
        assert!(lanes.take().is_none());
    }

    #[test]
    fn only_so_many_lanes_run() {
        let mut lanes = Lanes::default();
        for n in 0..=RUNNING as u128 {
            lanes.push(order(n, n));
        }
        let taken = std::iter::from_fn(|| lanes.take()).count();
        assert_eq!(taken, RUNNING);
        lanes.done(WorkerId(0));
        assert_eq!(lanes.take().unwrap().0, WorkerId(RUNNING as u128));
    }
}
