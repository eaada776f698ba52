//! Bringing machine time and deliveries together.

use super::price::PriceList;
use super::share::{in_proportion, nearest, rounded};
use super::{CostGroup, CostReport, CostRow, GroupBy, MachineHour, Price, UsageHour};
use crate::ids::{AvatarId, KeyId, SessionId};
use crate::session::{EndReason, SessionKind};
use crate::time::{Wall, as_millis};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Times are summed in nanoseconds: fine enough that dividing them among sessions leaves no visible error.
const NANOS_PER_MILLI: u128 = 1_000_000;
/// Costs are summed in micro-dollars an hour times nanoseconds; so many of these are a billionth of a dollar.
const UNITS_PER_NANO_USD: u128 = 3_600_000_000;
/// What is sent costs micro-dollars a gigabyte times bytes; so many of these are a billionth of a dollar.
const EGRESS_UNITS_PER_NANO_USD: u128 = 1_000_000;
/// No entry counts for more than some 35 years: sums of damaged records must not overflow.
const MOST_MILLIS: u64 = 1 << 40;

/// Machine hours and deliveries being added up.
///
/// The cost of an hour's machines of one instance type is shared among the sessions that these delivered to in that hour,
/// in proportion to what was delivered. Where they delivered nothing it goes to the row [`CostGroup::Idle`]. The machines' time
/// is shared in the same way, so that a session's row tells how busy the machines were that it was served by.
#[derive(Debug, Clone)]
pub struct CostAccount {
    by: GroupBy,
    prices: PriceList,
    total: Account,
    rows: BTreeMap<CostGroup, Account>,
    unpriced: BTreeSet<String>,
    used: BTreeMap<(String, Wall), u64>,
    egress_price: u64,
}

/// Machine time and its cost.
#[derive(Debug, Clone, Copy, Default)]
struct Machines {
    up: u128,
    slots: u128,
    busy: u128,
    /// Time of slots of machines that were starting.
    starting: u128,
    cost: u128,
    unpriced: bool,
}

impl Machines {
    fn add(&mut self, other: Self) {
        self.up = self.up.saturating_add(other.up);
        self.slots = self.slots.saturating_add(other.slots);
        self.busy = self.busy.saturating_add(other.busy);
        self.starting = self.starting.saturating_add(other.starting);
        self.cost = self.cost.saturating_add(other.cost);
        self.unpriced |= other.unpriced;
    }
}

/// What is known of one row.
#[derive(Debug, Clone, Default)]
struct Account {
    machines: Machines,
    delivered: u128,
    failed: u128,
    sent: u64,
    sessions: BTreeSet<SessionId>,
}

impl Account {
    fn deliver(&mut self, to: &Receiver, got: &Got) {
        let sum = if to.failed { &mut self.failed } else { &mut self.delivered };
        *sum += u128::from(got.millis) * NANOS_PER_MILLI;
        self.sent = self.sent.saturating_add(got.bytes);
        self.sessions.insert(to.session);
    }
}

/// What somebody was delivered.
#[derive(Debug, Clone, Copy, Default)]
struct Got {
    millis: u64,
    bytes: u64,
}

/// Who was delivered something. Ordered, so that the order of the records never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Receiver {
    session: SessionId,
    key: KeyId,
    avatar: AvatarId,
    kind: SessionKind,
    failed: bool,
}

impl Receiver {
    fn of(usage: &UsageHour) -> Self {
        let failed = matches!(usage.end, Some(EndReason::Failed | EndReason::Lost | EndReason::BadInput));
        Self { session: usage.session, key: usage.key, avatar: usage.avatar, kind: usage.kind, failed }
    }
}

/// One hour of one instance type.
#[derive(Default)]
struct Cell {
    machines: Machines,
    delivered: BTreeMap<Receiver, Got>,
}

impl CostAccount {
    /// Empty books.
    pub fn new(by: GroupBy, prices: &[Price]) -> Self {
        Self {
            by,
            prices: PriceList::new(prices),
            total: Account::default(),
            rows: BTreeMap::new(),
            unpriced: BTreeSet::new(),
            used: BTreeMap::new(),
            egress_price: 0,
        }
    }

    /// What is sent to viewers costs this much: millionths of a US dollar a gigabyte (a thousand million bytes).
    #[must_use]
    pub fn with_egress(self, micro_usd_per_gb: u64) -> Self {
        Self { egress_price: micro_usd_per_gb, ..self }
    }

    /// Adds a stretch of time. All that belongs to one hour must come in one call, because it is shared there.
    pub fn add(&mut self, usage: &[UsageHour], machines: &[MachineHour]) {
        let mut cells: BTreeMap<(Wall, &str), Cell> = BTreeMap::new();
        for m in machines {
            let up = u128::from(as_millis(m.up).min(MOST_MILLIS)) * NANOS_PER_MILLI;
            let busy = u128::from(as_millis(m.busy).min(MOST_MILLIS)) * NANOS_PER_MILLI;
            let slots = up * u128::from(m.slots);
            let starting = u128::from(as_millis(m.starting.min(m.up)).min(MOST_MILLIS)) * NANOS_PER_MILLI;
            let starting = starting * u128::from(m.slots);
            let cell = cells.entry((m.hour, &m.instance_type)).or_default();
            cell.machines.add(Machines { up, slots, busy, starting, ..Machines::default() });
        }
        for u in usage {
            let cell = cells.entry((u.hour, &u.instance_type)).or_default();
            let got = cell.delivered.entry(Receiver::of(u)).or_default();
            got.millis = got.millis.saturating_add(as_millis(u.delivered)).min(MOST_MILLIS);
            got.bytes = got.bytes.saturating_add(u.sent_bytes);
        }
        for ((hour, instance_type), mut cell) in cells {
            self.price(hour, instance_type, &mut cell);
            self.total.machines.add(cell.machines);
            for (receiver, got) in &cell.delivered {
                self.total.deliver(receiver, got);
            }
            match self.by {
                GroupBy::None => {}
                GroupBy::Day => self.add_whole(CostGroup::Day(hour.day()), &cell),
                GroupBy::Hour => self.add_whole(CostGroup::Hour(hour), &cell),
                GroupBy::InstanceType => self.add_whole(CostGroup::InstanceType(instance_type.to_owned()), &cell),
                GroupBy::Session => self.add_shared(|r| CostGroup::Session(r.session), &cell),
                GroupBy::Key => self.add_shared(|r| CostGroup::Key(r.key), &cell),
                GroupBy::Avatar => self.add_shared(|r| CostGroup::Avatar(r.avatar), &cell),
                GroupBy::Kind => self.add_shared(|r| CostGroup::Kind(r.kind), &cell),
            }
        }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    fn price(&mut self, hour: Wall, instance_type: &str, cell: &mut Cell) {
        // A worker that was gone before its machine time was ever booked has no instance type, and no cost that is known of.
        if cell.machines.up == 0 && (instance_type.is_empty() || cell.delivered.values().all(|got| got.millis == 0)) {
            return;
        }
        if let Some((from, price)) = self.prices.at(instance_type, hour) {
            cell.machines.cost = cell.machines.up.saturating_mul(u128::from(price));
            self.used.insert((instance_type.to_owned(), from), price);
        } else {
            cell.machines.unpriced = true;
            self.unpriced.insert(instance_type.to_owned());
        }
    }

    /// A row that owns its machines.
    fn add_whole(&mut self, group: CostGroup, cell: &Cell) {
        let row = self.rows.entry(group).or_default();
        row.machines.add(cell.machines);
        for (receiver, got) in &cell.delivered {
            row.deliver(receiver, got);
        }
    }

    /// Rows that share machines.
    fn add_shared(&mut self, group: impl Fn(&Receiver) -> CostGroup, cell: &Cell) {
        let weights: Vec<u64> = cell.delivered.values().map(|got| got.millis).collect();
        let Machines { up, slots, busy, starting, cost, unpriced } = cell.machines;
        let [up, slots, busy, starting, cost] =
            [up, slots, busy, starting, cost].map(|whole| in_proportion(whole, &weights));
        for (i, (receiver, got)) in cell.delivered.iter().enumerate() {
            let row = self.rows.entry(group(receiver)).or_default();
            let unpriced = unpriced && got.millis > 0;
            let (up, slots, busy, starting, cost) = (up[i], slots[i], busy[i], starting[i], cost[i]);
            row.machines.add(Machines { up, slots, busy, starting, cost, unpriced });
            row.deliver(receiver, got);
        }
        if cell.machines.up > 0 && weights.iter().all(|w| *w == 0) {
            self.rows.entry(CostGroup::Idle).or_default().machines.add(cell.machines);
        }
    }

    /// The report. Costs are rounded here and only here, to billionths of a dollar and so that rows still add up.
    pub fn close(self) -> CostReport {
        let known: Vec<u128> = self.rows.values().filter(|a| !a.machines.unpriced).map(|a| a.machines.cost).collect();
        let mut costs = rounded(&known, UNITS_PER_NANO_USD).into_iter();
        let egress = |account: &Account| u128::from(account.sent).saturating_mul(u128::from(self.egress_price));
        let sent: Vec<u128> = self.rows.values().map(egress).collect();
        let mut sent = rounded(&sent, EGRESS_UNITS_PER_NANO_USD).into_iter();
        let total_sent = nearest(egress(&self.total), EGRESS_UNITS_PER_NANO_USD);
        let mut row = |(group, account): (CostGroup, Account)| {
            let nano_usd = if account.machines.unpriced { None } else { costs.next() };
            (group, close(&account, nano_usd, sent.next().unwrap_or_default()))
        };
        let rows = self.rows.into_iter().map(&mut row).collect();
        let priced = !self.total.machines.unpriced;
        let total = priced.then(|| nearest(self.total.machines.cost, UNITS_PER_NANO_USD));
        let price = |((instance_type, from), micro_usd_per_hour)| Price { instance_type, from, micro_usd_per_hour };
        CostReport {
            total: close(&self.total, total, total_sent),
            rows,
            unpriced: self.unpriced.into_iter().collect(),
            prices: self.used.into_iter().map(price).collect(),
        }
    }
}

fn close(account: &Account, nano_usd: Option<u128>, egress_nano_usd: u128) -> CostRow {
    let Machines { up, slots, busy, starting, cost, .. } = account.machines;
    // A figure a minute: units of cost and nanoseconds to US dollars and minutes.
    let per_minute = |of: u128| {
        let usd = cost as f64 / UNITS_PER_NANO_USD as f64 / 1e9;
        (of > 0 && nano_usd.is_some()).then(|| usd / (of as f64 / 60e9))
    };
    CostRow {
        delivered: duration(account.delivered),
        failed: duration(account.failed),
        up: duration(up),
        // Slots may be booked as taken a moment before their worker is booked as up.
        busy_share: (slots > 0).then(|| (busy as f64 / slots as f64).min(1.0)),
        starting_share: (slots > 0).then(|| (starting as f64 / slots as f64).min(1.0)),
        nano_usd,
        usd_per_minute: per_minute(account.delivered),
        marginal_usd_per_minute: per_minute(slots),
        sent_bytes: account.sent,
        egress_nano_usd,
        sessions: account.sessions.len() as u64,
    }
}

fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
