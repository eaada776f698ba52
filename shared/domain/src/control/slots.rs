//! The brain's view of workers and their slots, with indexes for placement.

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
    fn free(&self) -> u8 {
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
    workers: IdMap<WorkerId, KnownWorker>,
    /// Open workers with a free slot, the fullest first.
    by_free: BTreeSet<(u8, WorkerId)>,
    /// Of those, the ones that hold an avatar.
    by_avatar: IdMap<u128, BTreeSet<WorkerId>>,
    draining: BTreeSet<WorkerId>,
    /// Slots of open workers, and how many of them are free.
    offered: u32,
    free: u32,
    tally: FleetTally,
}

/// A content hash, shortened: the first 32 hexadecimal digits. Placement only prefers by it, so a collision is harmless.
fn content_key(content: &str) -> u128 {
    content.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

impl Slots {
    pub(super) fn get(&self, id: WorkerId) -> Option<&KnownWorker> {
        self.workers.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkerId, &KnownWorker)> {
        self.workers.iter().map(|(id, w)| (*id, w))
    }

    /// Slots of workers that take new sessions.
    pub(super) fn offered(&self) -> u32 {
        self.offered
    }

    /// Those of them that are free.
    pub(super) fn free(&self) -> u32 {
        self.free
    }

    /// Workers that take nothing new and have not left.
    pub(super) fn draining(&self) -> &BTreeSet<WorkerId> {
        &self.draining
    }

    /// Sums and lists over all workers.
    pub(super) fn tally(&self) -> &FleetTally {
        &self.tally
    }

    /// Changes a worker and keeps the indexes true.
    fn change<T>(&mut self, id: WorkerId, act: impl FnOnce(&mut KnownWorker) -> T) -> Option<T> {
        self.unlist(id);
        let done = self.workers.get_mut(&id).map(act);
        self.list(id);
        done
    }

    fn unlist(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        self.tally.unlist(id, worker);
        if !worker.open() {
            return;
        }
        let free = worker.free();
        self.offered -= worker.slots.len() as u32;
        self.free -= u32::from(free);
        if self.by_free.remove(&(free, id)) {
            for content in &worker.resident {
                let key = content_key(content);
                if let Some(set) = self.by_avatar.get_mut(&key) {
                    set.remove(&id);
                    if set.is_empty() {
                        self.by_avatar.remove(&key);
                    }
                }
            }
        }
    }

    fn list(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        self.tally.list(id, worker);
        if !worker.open() {
            return;
        }
        let free = worker.free();
        self.offered += worker.slots.len() as u32;
        self.free += u32::from(free);
        if free > 0 {
            self.by_free.insert((free, id));
            for content in &worker.resident {
                self.by_avatar.entry(content_key(content)).or_default().insert(id);
            }
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
            self.workers.insert(id, worker);
            true
        };
        let type_index = self.tally.type_index(&beat.capability.instance_type);
        self.tally.came_to(beat.capability.machine.clone());
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
            self.tally.left(before.and_then(|before| before.machine).as_ref());
        }
        true
    }

    /// Finds a slot for a session of this content and takes it.
    pub(super) fn take_best(&mut self, session: SessionId, content: &str) -> Option<(WorkerId, SlotIndex)> {
        let content = content_key(content);
        let resident = self.by_avatar.get(&content).into_iter().flatten().take(RESIDENT_COMPARED);
        let resident = resident.filter_map(|id| Some(self.workers.get(id)?.candidate(*id, content)));
        let best = resident.min_by(better).map(|c| c.worker);
        let id = best.or_else(|| self.by_free.first().map(|(_, id)| *id))?;
        let slot = self.workers.get(&id)?.slots.iter().position(|p| *p == SlotState::Free)?;
        let slot = SlotIndex(slot as u8);
        self.set(id, slot, SlotState::Taken(session));
        Some((id, slot))
    }

    /// Notes that a session is in a slot, wherever that was learned.
    pub(super) fn take(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        self.set(id, slot, SlotState::Taken(session));
    }

    /// The session has left its slot.
    pub(super) fn give_back(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        if self.place(id, slot) == Some(SlotState::Taken(session)) {
            self.set(id, slot, SlotState::Free);
        }
    }

    /// The session did not get the slot: somebody else has it.
    pub(super) fn not_ours(&mut self, id: WorkerId, slot: SlotIndex, session: SessionId) {
        if self.place(id, slot) == Some(SlotState::Taken(session)) {
            self.set(id, slot, SlotState::Foreign);
        }
    }

    fn place(&self, id: WorkerId, slot: SlotIndex) -> Option<SlotState> {
        self.workers.get(&id)?.slots.get(usize::from(slot.0)).copied()
    }

    fn set(&mut self, id: WorkerId, slot: SlotIndex, to: SlotState) {
        if self.place(id, slot).is_some_and(|p| p != to) {
            self.change(id, |w| {
                if let Some(p) = w.slots.get_mut(usize::from(slot.0)) {
                    *p = to;
                }
            });
        }
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
        if self.free > own {
            self.change(id, |w| (w.lost, w.shunned) = (true, Some(until)));
        }
    }

    pub(super) fn remove(&mut self, id: WorkerId) -> Option<KnownWorker> {
        self.unlist(id);
        self.draining.remove(&id);
        let gone = self.workers.remove(&id)?;
        self.tally.left(gone.capability.machine.as_ref());
        Some(gone)
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
