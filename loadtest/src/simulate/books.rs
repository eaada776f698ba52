//! What is paid and what is delivered, hour by hour, brought together by the farm's own books.

use super::SimulateOptions;
use super::part::Part;
use mouthpiece_domain::cost::{CostAccount, CostRow, GroupBy, MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::session::SessionKind;
use mouthpiece_domain::time::{HOUR_MS, Mono, Wall};
use std::time::Duration;

const TYPE: &str = "simulated";

/// How many of what there are now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FarmLevel {
    /// Machines that are paid for.
    pub(super) machines: u32,
    /// Of these, those whose worker is not there yet.
    pub(super) starting: u32,
    /// Slots that are taken.
    pub(super) taken: u32,
    /// Sessions that are delivered.
    pub(super) running: u32,
}

/// Levels over time. Everything before the measurement is left out.
pub(super) struct Books {
    pub(super) level: FarmLevel,
    /// Each level times milliseconds of this hour.
    hour: [u64; 4],
    counted: Mono,
    slots: u8,
    /// What was measured so far.
    booked: Vec<BookedHour>,
}

/// What an hour was paid for and what it delivered.
pub(super) type BookedHour = (UsageHour, MachineHour);

impl Books {
    pub(super) fn new(options: &SimulateOptions) -> Self {
        Self { level: FarmLevel::default(), hour: [0; 4], counted: Mono(0), slots: options.slots, booked: Vec::new() }
    }

    /// To be called before a level changes.
    pub(super) fn count(&mut self, now: Mono) {
        let span = now.0.saturating_sub(self.counted.0);
        if span > 0 {
            let FarmLevel { machines, starting, taken, running } = self.level;
            for (sum, level) in self.hour.iter_mut().zip([machines, starting, taken, running]) {
                *sum += u64::from(level) * span;
            }
            self.counted = now;
        }
    }

    /// An hour of this part is full.
    pub(super) fn close_hour(&mut self, now: Mono, part: &Part) {
        self.count(now);
        let [up, starting, busy, delivered] = std::mem::take(&mut self.hour).map(Duration::from_millis);
        let Some(number) = part.hour_before(now) else { return };
        let hour = Wall(i64::from(number) * HOUR_MS);
        let slots = self.slots;
        let instance_type = || TYPE.to_owned();
        let machines =
            MachineHour { hour, worker: WorkerId(0), instance_type: instance_type(), slots, up, starting, busy };
        // Whose they are makes no difference to the total.
        let usage = UsageHour {
            hour,
            session: SessionId(0),
            kind: SessionKind::Live,
            key: KeyId(0),
            avatar: AvatarId(0),
            worker: WorkerId(0),
            instance_type: instance_type(),
            delivered,
            sent_bytes: 0,
            end: None,
        };
        self.booked.push((usage, machines));
    }

    /// All that was measured.
    pub(super) fn close(self) -> Vec<BookedHour> {
        self.booked
    }
}

/// What all that was measured cost.
pub(super) fn total(options: &SimulateOptions, booked: &[BookedHour]) -> CostRow {
    let price = |(hour, price): (u32, &u64)| Price {
        instance_type: TYPE.to_owned(),
        from: Wall(i64::from(hour) * HOUR_MS),
        micro_usd_per_hour: *price,
    };
    let prices: Vec<Price> = (0..options.hours).zip(options.micro_usd_per_hour.iter().cycle()).map(price).collect();
    let mut account = CostAccount::new(GroupBy::None, &prices);
    for (usage, machines) in booked {
        account.add(std::slice::from_ref(usage), std::slice::from_ref(machines));
    }
    account.close().total
}
