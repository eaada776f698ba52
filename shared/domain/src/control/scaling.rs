//! The number of workers, and which of them are given back.
//!
//! Every brain works the number out from what all of them know: the sessions in the records, the workers in the pool. What a
//! brain knows may be seconds old, and no two know quite the same; so one at a time decides ([`ControlEvent::Decides`]) and
//! the others only show what they would say. They have watched the same sessions for as long, so that another one which goes
//! on with it has no reason to want something else at once.
//!
//! The number that is said counts every worker that is there, those included that are leaving: it does not fall below them
//! because sessions ended, only because a worker that was chosen has left. So the fleet is never asked to choose itself.
//!
//! [`ControlEvent::Decides`]: super::ControlEvent::Decides

use super::slots::{KnownWorker, Slots};
use super::{Control, ControlEffect, ControlSettings};
use crate::cost::pool_or_type;
use crate::ids::{KeyId, WorkerId};
use crate::placement::desired_workers;
use crate::time::Mono;
use crate::warm_pool::{
    ArrivalRate, ScalingMode, Spending, StartUpTime, SteadyMax, SteadyMin, Surplus, expected_sessions, give_back,
};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How often all workers are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The number is said again after this.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// What keys were turned away with is counted anew after this.
const TURNED_AWAY_EVERY: Duration = Duration::from_secs(30);
/// Workers given back at one look.
const GIVEN_BACK: usize = 16;

/// What the number of workers is made of, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScalingCounts {
    /// This brain decides on the fleet.
    pub decides: bool,
    /// At most so many workers may be there, by their number and by what they cost.
    pub ceiling: u32,
    /// How long a machine takes until its worker is there.
    pub start_up: Duration,
    /// Sessions that come in a second.
    pub arrivals_per_second: f64,
    /// What the machines cost an hour, in millionths of a US dollar. `None` where some price is not known.
    pub micro_usd_per_hour: Option<u64>,
}

/// What the brain remembers of it.
#[derive(Debug)]
pub(super) struct Scaling {
    arrivals: ArrivalRate,
    start_up: StartUpTime,
    wanted: SteadyMax,
    affordable: SteadyMin,
    /// `None` until they were told.
    prices: Option<BTreeMap<String, u64>>,
    decides_until: Option<Mono>,
    /// Those that were there when it began to decide are kept as if they had been wanted.
    took_over: bool,
    /// How many turned-away sessions of a key were counted, since when.
    turned_away: (Mono, HashMap<KeyId, u32>),
    looked: Option<Mono>,
    /// What the number was worked out from last: open sessions, and how many had been asked for.
    worked_out: Option<(usize, u64)>,
    asked_for: u64,
    fleet: FleetSeen,
    said: Option<(u32, Mono)>,
    /// Since it was said, a machine was given back.
    given_back: bool,
    /// As it is shown, said or not.
    shown: u32,
}

/// The workers as they were at the last look.
#[derive(Debug, Clone, Copy, Default)]
struct FleetSeen {
    open: u32,
    /// Of the open ones, those with a session.
    busy: u32,
    draining: u32,
    ceiling: u32,
    micro_usd_per_hour: Option<u64>,
}

impl Scaling {
    pub(super) fn new(settings: &ControlSettings) -> Self {
        let span = settings.shrink_after.max(settings.start_up);
        Self {
            arrivals: ArrivalRate::over(settings.arrival_window),
            start_up: StartUpTime::believed(settings.start_up),
            wanted: SteadyMax::over(span),
            affordable: SteadyMin::over(span),
            prices: None,
            decides_until: None,
            took_over: false,
            turned_away: (Mono(0), HashMap::new()),
            looked: None,
            worked_out: None,
            asked_for: 0,
            fleet: FleetSeen { ceiling: settings.max_workers, ..FleetSeen::default() },
            said: None,
            given_back: false,
            shown: 0,
        }
    }

    pub(super) fn wanted(&self) -> u32 {
        self.shown
    }

    pub(super) fn start_up(&self) -> Duration {
        self.start_up.mean()
    }

    /// A session was asked for.
    pub(super) fn came(&mut self, now: Mono) {
        self.asked_for += 1;
        self.arrivals.came(1, now);
    }

    /// A session was turned away: it would be there if there were room. Of a caller that asks again and again only as many
    /// count as it may have open.
    pub(super) fn turned_away(&mut self, key: KeyId, may_have: u32, now: Mono) {
        let (since, counted) = &mut self.turned_away;
        if *since + TURNED_AWAY_EVERY <= now {
            *since = now;
            counted.clear();
        }
        let counted = counted.entry(key).or_default();
        if *counted < may_have {
            *counted += 1;
            self.came(now);
        }
    }

    pub(super) fn worker_came(&mut self, up: Duration, now: Mono) {
        self.start_up.came(up, now);
    }

    pub(super) fn prices(&mut self, now: BTreeMap<String, u64>) {
        self.prices = Some(now);
        self.looked = None;
    }

    pub(super) fn decides(&mut self, span: Option<Duration>, now: Mono) {
        if !self.may_decide(now) {
            self.took_over = false;
            self.looked = None;
        }
        self.decides_until = span.map(|span| now + span);
    }

    /// A worker's machine is given back, which makes the fleet's own number smaller.
    pub(super) fn retired(&mut self) {
        self.given_back = true;
        self.looked = None;
    }

    fn may_decide(&self, now: Mono) -> bool {
        self.decides_until.is_some_and(|until| now < until)
    }

    /// Looks at all workers. What this takes does not grow with their number, but for those that drain.
    fn look(&mut self, slots: &Slots, settings: &ControlSettings, now: Mono) -> FleetSeen {
        let tally = slots.tally();
        let mut seen = FleetSeen {
            open: tally.open(),
            busy: tally.open() - tally.empty().len() as u32,
            ceiling: settings.max_workers,
            ..FleetSeen::default()
        };
        let mut machines: Vec<(&str, u32)> = tally.open_by_type().collect();
        // A worker that leaves and was told about for the last time by another brain is not there any more.
        let is_there = |worker: &&KnownWorker| !worker.lost && now - worker.heard <= settings.lease.expiry() / 2;
        for worker in slots.draining().iter().filter_map(|id| slots.get(*id)).filter(is_there) {
            seen.draining += 1;
            machines.push((&worker.capability.instance_type, 1));
        }
        let mut spending = Spending::default();
        let (mut dearest, mut all_known) = (None, true);
        for (instance_type, count) in machines {
            let known = self.prices.as_ref();
            let price = known.and_then(|prices| pool_or_type(instance_type, |name| prices.get(name).copied()));
            (dearest, all_known) = (dearest.max(price), all_known && price.is_some());
            spending.add(count, price);
        }
        seen.micro_usd_per_hour = all_known.then(|| spending.per_hour(0));
        if let Some(most) = settings.max_micro_usd_per_hour {
            // What a further machine costs is told by those that are there; without any, by the dearest there could be.
            let next = dearest.or_else(|| self.prices.iter().flat_map(BTreeMap::values).copied().max());
            let affordable = spending.workers_for(most, next);
            // Without any price it is only a matter of time until one is told.
            let steady = if next.is_some() { self.affordable.say(affordable, now) } else { affordable };
            seen.ceiling = seen.ceiling.min(steady);
        }
        self.fleet = seen;
        self.looked = Some(now);
        seen
    }
}

impl Control {
    /// Works out the number of workers, says it, and gives back who is not needed: at each look, and whenever a session comes or goes.
    /// Most events change nothing of that.
    pub(super) fn scale(&mut self) {
        let now = self.now.mono;
        let looks = self.begun && self.scaling.looked.is_none_or(|at| at + LOOK_EVERY <= now);
        let from = Some((self.sessions.len(), self.scaling.asked_for));
        if !looks && std::mem::replace(&mut self.scaling.worked_out, from) == from {
            return;
        }
        if looks {
            let seen = self.scaling.look(&self.slots, &self.settings, now);
            if !self.scaling.took_over && seen.open > 0 {
                self.scaling.took_over = true;
                self.scaling.wanted.say(seen.open, now);
            }
            let span = self.settings.shrink_after.max(self.scaling.start_up.mean());
            self.scaling.wanted.set_span(span);
        }
        let wanted = self.wanted_workers();
        let may_decide = self.begun && self.scaling.may_decide(now);
        if looks && may_decide && self.settings.scaling == ScalingMode::Own {
            self.give_back_surplus(wanted);
        }
        let FleetSeen { open, busy, draining, ceiling, .. } = self.scaling.fleet;
        let number = match self.settings.scaling {
            ScalingMode::Fixed => wanted,
            ScalingMode::Announced => wanted.max(busy),
            ScalingMode::Own => (wanted + draining).min(ceiling).max(open + draining),
        };
        if looks {
            // Whoever does not decide does not know what was asked for, and would take a wish of its own for it.
            let coming = match self.settings.scaling {
                ScalingMode::Own if may_decide => number.saturating_sub(open + draining),
                ScalingMode::Announced => number.saturating_sub(open),
                ScalingMode::Own | ScalingMode::Fixed => 0,
            };
            self.scaling.start_up.expects(coming, now);
        }
        self.say(number, may_decide);
    }

    /// The number of workers that shall take sessions.
    fn wanted_workers(&mut self) -> u32 {
        let (now, s) = (self.now.mono, &self.settings);
        let open = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        let ceiling = self.scaling.fleet.ceiling;
        if s.scaling == ScalingMode::Fixed {
            // Nobody can come in time.
            return desired_workers(open, s.slots_per_worker, s.warm_workers, ceiling);
        }
        let rate = self.scaling.arrivals.per_second(now);
        let expected = expected_sessions(open, rate, self.service.mean(), self.scaling.start_up.mean());
        let needed = desired_workers(expected, s.slots_per_worker, s.warm_workers, s.max_workers);
        self.scaling.wanted.say(needed, now).min(ceiling)
    }

    fn give_back_surplus(&mut self, wanted: u32) {
        let surplus = self.scaling.fleet.open.saturating_sub(wanted) as usize;
        if surplus == 0 {
            return;
        }
        let of = |id: &WorkerId| {
            let worker = self.slots.get(*id)?;
            let uptime = worker.uptime + (self.now.mono - worker.heard);
            Some(Surplus { worker: *id, taken: worker.taken(), uptime })
        };
        let empty = self.slots.tally().empty().iter().filter_map(of);
        for id in give_back(empty, surplus.min(GIVEN_BACK), self.settings.billing_period) {
            self.drain(id);
            self.scaling.fleet.open -= 1;
            self.scaling.fleet.draining += 1;
        }
    }

    fn say(&mut self, number: u32, may_decide: bool) {
        let now = self.now.mono;
        self.scaling.shown = number;
        let due = match (self.settings.scaling, self.scaling.said) {
            (ScalingMode::Own, _) if !may_decide => {
                // Whoever decides next begins by saying it.
                self.scaling.said = None;
                return;
            }
            (ScalingMode::Own, Some((said, at))) => said != number || self.scaling.given_back || at + SAY_EVERY <= now,
            (_, Some((said, _))) => said != number,
            (_, None) => true,
        };
        if due {
            self.scaling.said = Some((number, now));
            self.scaling.given_back = false;
            self.out.push(ControlEffect::Desired(number));
        }
    }

    /// Slots that machines would bring which may still be started.
    pub(super) fn further_slots(&self) -> u32 {
        if self.settings.scaling == ScalingMode::Fixed {
            return 0;
        }
        let FleetSeen { open, draining, ceiling, .. } = self.scaling.fleet;
        ceiling.saturating_sub(open + draining).saturating_mul(self.settings.slots_per_worker.into())
    }

    /// What the number of workers is made of.
    pub fn scaling_counts(&self, now: Mono) -> ScalingCounts {
        ScalingCounts {
            decides: self.scaling.may_decide(now),
            ceiling: self.scaling.fleet.ceiling,
            start_up: self.scaling.start_up.mean(),
            arrivals_per_second: self.scaling.arrivals.per_second(now),
            micro_usd_per_hour: self.scaling.fleet.micro_usd_per_hour,
        }
    }
}
