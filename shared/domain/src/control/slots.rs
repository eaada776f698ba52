//! The brain's view of workers and their slots, with indexes for placement.

use super::placement_index::{PlacementIndex, content_key};
use super::tally::FleetTally;
use crate::fleet::{Capability, Heartbeat};
use crate::id_map::IdMap;
use crate::ids::{SessionId, WorkerId};
use crate::placement::{Candidate, better};
use crate::session::SlotIndex;
use crate::time::Mono;
use std::collections::BTreeSet;
use std::time::Duration;

/// Workers that hold an avatar are compared up to this many; beyond that any of them is as good.
const RESIDENT_COMPARED: usize = 64;

/// One worker.
#[derive(Debug)]
pub(super) struct KnownWorker {
    pub(super) capability: Capability,
    pub(super) draining: bool,
    /// Since when, as far as this brain heard.
    pub(super) drains_since: Option<Mono>,
    /// Not heard of for longer than a lease, or a command could not be sent to it, or it could not keep a lease lately.
    pub(super) lost: bool,
    /// It could not keep a lease: nothing is placed there until then.
    shunned: Option<Mono>,
    pub(super) heard: Mono,
    pub(super) uptime: Duration,
    pub(super) busy: Duration,
    pub(super) booked: Option<Mono>,
    /// When it was last told to drain, by this brain.
    pub(super) told_to_drain: Option<Mono>,
    pub(super) resident: Vec<String>,
    slots: Vec<SlotState>,
    /// Its instance type's place in the tally.
    pub(super) type_index: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotState {
    Free,
    Taken(SessionId),
    /// Somebody else has it; seen as free again when a heartbeat no longer lists it.
    Foreign,
}

impl KnownWorker {
    pub(super) fn free(&self) -> u8 {
        self.slots.iter().filter(|p| **p == SlotState::Free).count() as u8
    }

    /// It takes new sessions.
    pub(super) fn open(&self) -> bool {
        !self.draining && !self.lost
    }

    fn candidate(&self, worker: WorkerId, content: u128) -> Candidate {
        let resident = self.resident.iter().any(|c| content_key(c) == content);
        Candidate { worker, open: self.open(), free: self.free(), resident }
    }

    /// Slots and what this brain believes to be in them.
    pub(super) fn slots(&self) -> impl Iterator<Item = (SlotIndex, Option<SessionId>)> + '_ {
        self.slots.iter().enumerate().map(|(n, place)| match place {
            SlotState::Taken(session) => (SlotIndex(n as u8), Some(*session)),
            SlotState::Free | SlotState::Foreign => (SlotIndex(n as u8), None),
        })
    }

    /// All of its slots.
    pub(super) fn offered(&self) -> u8 {
        self.slots.len() as u8
    }

    /// Slots that are taken, by anybody.
    pub(super) fn taken(&self) -> u8 {
        self.slots.len() as u8 - self.free()
    }

    /// True when no slot is taken, by anybody.
    pub(super) fn idle(&self) -> bool {
        self.slots.iter().all(|p| *p == SlotState::Free)
    }
}

/// All workers.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Each apart, so that a look through the map touches ids only.
    workers: IdMap<WorkerId, Box<KnownWorker>>,
    draining: BTreeSet<WorkerId>,
    index: PlacementIndex,
}

impl Slots {
    pub(super) fn get(&self, id: WorkerId) -> Option<&KnownWorker> {
        self.workers.get(&id).map(AsRef::as_ref)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkerId, &KnownWorker)> {
        self.workers.iter().map(|(id, w)| (*id, w.as_ref()))
    }

    /// Slots of workers that take new sessions.
    pub(super) fn offered(&self) -> u32 {
        self.index.offered
    }

    /// Those of them that are free.
    pub(super) fn free(&self) -> u32 {
        self.index.free
    }

    /// Workers that take nothing new and have not left.
    pub(super) fn draining(&self) -> &BTreeSet<WorkerId> {
        &self.draining
    }

    /// Sums and lists over all workers.
    pub(super) fn tally(&self) -> &FleetTally {
        &self.index.tally
    }

    /// Changes a worker and keeps the indexes true.
    fn change<T>(&mut self, id: WorkerId, act: impl FnOnce(&mut KnownWorker) -> T) -> Option<T> {
        let worker = self.workers.get_mut(&id)?;
        self.index.unlist(id, worker);
        let done = act(worker);
        self.index.list(id, worker);
        Some(done)
    }

    /// Changes what is in a slot to what `to` makes of it, if anything.
    fn change_slot(&mut self, id: WorkerId, slot: SlotIndex, to: impl FnOnce(SlotState) -> Option<SlotState>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some((place, to)) = worker.slots.get(usize::from(slot.0)).and_then(|place| Some((*place, to(*place)?)))
        else {
            return;
        };
        if place != to {
            self.index.unlist(id, worker);
            worker.slots[usize::from(slot.0)] = to;
            self.index.list(id, worker);
        }
    }

    /// Takes a heartbeat in. `ours` tells whether this brain knows a session to hold that slot. True when the worker is
    /// new or looks different than before to whoever watches.
    pub(super) fn heard(&mut self, beat: Heartbeat, now: Mono, ours: impl Fn(SessionId, SlotIndex) -> bool) -> bool {
        let id = beat.worker;
        let slots = usize::from(beat.capability.slots);
        let mut listed = vec![false; slots];
        for r in &beat.running {
            if let Some(l) = listed.get_mut(usize::from(r.slot.0)) {
                *l = true;
            }
        }
        let is_new = if let Some(w) = self.workers.get_mut(&id) {
            // The usual case, nothing but times: the indexes need no work.
            let is_shunned = w.shunned.is_some_and(|until| now < until);
            let same = w.lost == is_shunned
                && w.draining == beat.draining
                && w.capability == beat.capability
                && w.resident == beat.resident
                && w.slots.iter().zip(&listed).all(|(p, l)| match p {
                    SlotState::Free => !l,
                    SlotState::Taken(_) => true,
                    SlotState::Foreign => *l,
                });
            w.heard = now;
            w.uptime = w.uptime.max(beat.uptime);
            w.busy = w.busy.max(beat.busy);
            if same {
                return false;
            }
            false
        } else {
            let worker = KnownWorker {
                capability: beat.capability.clone(),
                draining: false,
                drains_since: None,
                lost: true,
                shunned: None,
                heard: now,
                uptime: beat.uptime,
                busy: beat.busy,
                booked: None,
                told_to_drain: None,
                resident: Vec::new(),
                slots: vec![SlotState::Free; slots],
                type_index: 0,
            };
            self.workers.insert(id, Box::new(worker));
            true
        };
        let type_index = self.index.tally.type_index(&beat.capability.instance_type);
        self.index.tally.came_to(beat.capability.machine.clone());
        if beat.draining {
            self.drain(id, now);
        }
        let before = self.change(id, |w| {
            w.lost = w.shunned.is_some_and(|until| now < until);
            let before = std::mem::replace(&mut w.capability, beat.capability);
            w.type_index = type_index;
            w.resident = beat.resident;
            w.slots.resize(slots, SlotState::Free);
            for (place, listed) in w.slots.iter_mut().zip(&listed) {
                match (*place, listed) {
                    (SlotState::Free, true) => *place = SlotState::Foreign,
                    (SlotState::Foreign, false) => *place = SlotState::Free,
                    _ => {}
                }
            }
            for r in &beat.running {
                match w.slots.get_mut(usize::from(r.slot.0)) {
                    Some(place) if *place == SlotState::Foreign && ours(r.session, r.slot) => {
                        *place = SlotState::Taken(r.session);
                    }
                    _ => {}
                }
            }
            before
        });
        if !is_new {
            self.index.tally.left(before.and_then(|before| before.machine).as_ref());
        }
        true
    }

    /// Finds a slot for a session of this content and takes it.
    pub(super) fn take_best(&mut self, session: SessionId, content: &str) -> Option<(WorkerId, SlotIndex)> {
        let content = content_key(content);
        let resident = self.index.holding(content).take(RESIDENT_COMPARED);
        let resident = resident.filter_map(|id| Some(self.workers.get(id)?.candidate(*id, content)));
        let best = resident.min_by(better).map(|c| c.worker);
        let id = best.or_else(|| self.index.first_with_a_free_slot())?;
        let slot = self.workers.get(&id)?.slots.iter().position(|p| *p == SlotState::Free)?;
        let slot = SlotIndex(slot as u8);
        self.take(id, slot, session);
        Some((id, slot))
    }

    /// Notes that a session is in a slot, wherever that was learned.
    pub(super) fn take(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        self.change_slot(id, slot, |_| Some(SlotState::Taken(session)));
    }

    /// The session has left its slot.
    pub(super) fn give_back(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        self.change_slot(id, slot, |place| (place == SlotState::Taken(session)).then_some(SlotState::Free));
    }

    /// The session did not get the slot: somebody else has it.
    pub(super) fn not_ours(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        self.change_slot(id, slot, |place| (place == SlotState::Taken(session)).then_some(SlotState::Foreign));
    }

    /// Once draining, always draining: an older heartbeat on its way changes nothing.
    pub(super) fn drain(&mut self, id: WorkerId, now: Mono) {
        let known = self.change(id, |w| {
            w.draining = true;
            w.drains_since.get_or_insert(now);
        });
        if known.is_some() {
            self.draining.insert(id);
        }
    }

    pub(super) fn told_to_drain(&mut self, id: WorkerId, now: Mono) {
        if let Some(w) = self.workers.get_mut(&id) {
            w.told_to_drain = Some(now);
        }
    }

    pub(super) fn lose(&mut self, id: WorkerId) {
        self.change(id, |w| w.lost = true);
    }

    /// It could not keep a lease, as one that is cut off from the pool: while others have room nothing is placed there until then.
    pub(super) fn shun(&mut self, id: WorkerId, until: Mono) {
        let own = self.workers.get(&id).filter(|worker| worker.open()).map_or(0, |worker| u32::from(worker.free()));
        if self.index.free > own {
            self.change(id, |w| (w.lost, w.shunned) = (true, Some(until)));
        }
    }

    pub(super) fn remove(&mut self, id: WorkerId) -> Option<KnownWorker> {
        let gone = self.workers.remove(&id)?;
        self.index.unlist(id, &gone);
        self.draining.remove(&id);
        self.index.tally.left(gone.capability.machine.as_ref());
        Some(*gone)
    }

    pub(super) fn booked(&mut self, id: WorkerId, now: Mono) {
        if let Some(w) = self.workers.get_mut(&id) {
            w.booked = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::MachineId;
    use crate::placement::choose;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn beat(id: u128, slots: u8, resident: &[&str]) -> Heartbeat {
        Heartbeat {
            worker: WorkerId(id),
            capability: Capability {
                name: String::new(),
                engine: "none/1".into(),
                instance_type: ["local", "g4dn.xlarge"][id as usize % 2].into(),
                slots,
                frames_per_second: 60,
                impaired: None,
                machine: (slots > 0).then(|| MachineId(format!("i-{}", (id + u128::from(slots)) % 3))),
            },
            address: None,
            draining: false,
            uptime: Duration::ZERO,
            busy: Duration::ZERO,
            resident: resident.iter().map(|r| format!("{r:0<64}")).collect(),
            running: Vec::new(),
            ended: Vec::new(),
        }
    }

    proptest! {
        /// The indexes answer what the plain order over all workers answers, whatever happened before.
        #[test]
        fn the_index_finds_what_the_plain_order_finds(
            steps in proptest::collection::vec((0u8..7, 0u128..6, 0u8..3, 0u8..3), 1..80)
        ) {
            let mut slots = Slots::default();
            let mut next = 0;
            let mut taken: Vec<(WorkerId, SlotIndex, SessionId)> = Vec::new();
            for (what, worker, n, avatar) in steps {
                let id = WorkerId(worker);
                let names = ["a", "b", "c"];
                match what {
                    0 | 1 => {
                        slots.heard(beat(worker, n, &names[..usize::from(avatar)]), Mono(0), |_, _| false);
                        taken.retain(|(w, s, _)| *w != id || s.0 < n);
                    }
                    2 => slots.drain(id, Mono(0)),
                    3 if n == 0 => slots.shun(id, Mono(1)),
                    3 => slots.lose(id),
                    4 => { slots.remove(id); taken.retain(|(w, ..)| *w != id); }
                    5 => if let Some((w, s, session)) = taken.pop() { slots.give_back(w, s, session) },
                    _ => {
                        let content = format!("{:0<64}", names[usize::from(avatar)]);
                        let key = content_key(&content);
                        let plain = choose(slots.iter().map(|(id, w)| w.candidate(id, key)));
                        next += 1;
                        let session = SessionId(next);
                        let got = slots.take_best(session, &content);
                        prop_assert_eq!(got.map(|(w, _)| w), plain);
                        taken.extend(got.map(|(w, s)| (w, s, session)));
                    }
                }
                let open: Vec<_> = slots.iter().filter(|(_, w)| w.open()).collect();
                prop_assert_eq!(slots.offered(), open.iter().map(|(_, w)| w.slots.len() as u32).sum::<u32>());
                prop_assert_eq!(slots.free(), open.iter().map(|(_, w)| u32::from(w.free())).sum::<u32>());
                prop_assert_eq!(slots.tally().open() as usize, open.len());
                let ids = |of: Vec<WorkerId>| of.into_iter().collect::<BTreeSet<_>>();
                let empty = open.iter().filter(|(_, w)| w.taken() == 0).map(|(id, _)| *id).collect();
                prop_assert_eq!(slots.tally().empty().clone(), ids(empty));
                let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
                for (_, w) in &open {
                    *by_type.entry(w.capability.instance_type.as_str()).or_default() += 1;
                }
                prop_assert_eq!(slots.tally().open_by_type().collect::<BTreeMap<_, _>>(), by_type);
                let has_session = |w: &KnownWorker| w.slots().any(|(_, session)| session.is_some());
                let leaving = slots.iter().filter(|(_, w)| w.draining && !w.lost && has_session(w)).map(|(id, _)| id);
                prop_assert_eq!(ids(leaving.collect()), slots.tally().leaving().clone());
                for n in 0..3 {
                    let machine = MachineId(format!("i-{n}"));
                    let there = slots.iter().filter(|(_, w)| w.capability.machine.as_ref() == Some(&machine)).count();
                    prop_assert_eq!(slots.tally().is_alone_on(&machine), there < 2);
                }
            }
        }
    }
}
