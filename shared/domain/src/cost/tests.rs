//! What every report keeps, and the design's reference points.

use super::*;
use crate::time::{HOUR_MS, as_millis};
use proptest::prelude::*;

const T4: &str = "g4dn.xlarge";

fn usage(hour: i64, session: u128, instance_type: &str, delivered: Duration, end: Option<EndReason>) -> UsageHour {
    UsageHour {
        hour: Wall(hour * HOUR_MS),
        session: SessionId(session),
        kind: if session.is_multiple_of(5) { SessionKind::Prepare } else { SessionKind::Render },
        key: KeyId(session % 3),
        avatar: AvatarId(session % 4),
        worker: WorkerId(1),
        instance_type: instance_type.to_owned(),
        delivered,
        sent_bytes: as_millis(delivered).saturating_mul(187),
        end,
    }
}

fn machine(hour: i64, worker: u128, instance_type: &str, up: Duration, busy: Duration) -> MachineHour {
    MachineHour {
        hour: Wall(hour * HOUR_MS),
        worker: WorkerId(worker),
        instance_type: instance_type.to_owned(),
        slots: 2,
        up,
        starting: up / 16,
        busy,
    }
}

fn price(instance_type: &str, micro_usd_per_hour: u64) -> Price {
    Price { instance_type: instance_type.to_owned(), from: Wall(0), micro_usd_per_hour }
}

fn report(by: GroupBy, prices: &[Price], usage: &[UsageHour], machines: &[MachineHour]) -> CostReport {
    let mut books = CostAccount::new(by, prices).with_egress(90_000);
    books.add(usage, machines);
    books.close()
}

const H: Duration = Duration::from_secs(3600);
const M: Duration = Duration::from_secs(60);

fn near(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-12)
}

/// `sessions` live sessions for an hour, two a machine, and two idle machines kept warm.
fn warm_pool_of_two(sessions: u32, micro_usd_per_hour: u64) -> f64 {
    let busy = sessions.div_ceil(2);
    let machines: Vec<_> =
        (0..busy + 2).map(|n| machine(1, n.into(), T4, H, H * if n < busy { 2 } else { 0 })).collect();
    let usage: Vec<_> = (0..sessions).map(|n| usage(1, n.into(), T4, H, None)).collect();
    report(GroupBy::None, &[price(T4, micro_usd_per_hour)], &usage, &machines).total.usd_per_minute.unwrap()
}

#[test]
fn a_full_machine_costs_its_marginal_price() {
    let usage = [usage(1, 1, T4, H, None), usage(1, 2, T4, H, None)];
    let total = report(GroupBy::None, &[price(T4, 157_000)], &usage, &[machine(1, 1, T4, H, 2 * H)]).total;
    assert_eq!(total.nano_usd, Some(157_000_000));
    assert!(near(total.usd_per_minute, 0.157 / 120.0), "{total:?}");
    assert!(near(total.marginal_usd_per_minute, 0.157 / 120.0), "{total:?}");
    assert_eq!(format!("{:.4}", total.usd_per_minute.unwrap()), "0.0013");
    assert_eq!((total.busy_share, total.sessions), (Some(1.0), 2));
}

/// The design's table was computed with the spot price rounded to 16 cents: ceil(n / 2) + 2 machines for n sessions.
#[test]
fn idle_machines_are_paid_by_those_who_are_served() {
    let shown = |n| format!("{:.5}", warm_pool_of_two(n, 160_000));
    assert_eq!([shown(1), shown(10), shown(100)], ["0.00800", "0.00187", "0.00139"]);
    let exact = |n: u32, machines: f64| (warm_pool_of_two(n, 157_000) - machines * 0.157 / 60.0 / f64::from(n)).abs();
    assert!(exact(1, 3.0) < 1e-12 && exact(10, 7.0) < 1e-12 && exact(100, 52.0) < 1e-12);
}

#[test]
fn an_hour_is_shared_by_what_was_delivered_in_it() {
    let used = [
        usage(1, 1, T4, 30 * M, Some(EndReason::Completed)),
        usage(1, 2, T4, 10 * M, Some(EndReason::Failed)),
        usage(2, 1, T4, 5 * M, Some(EndReason::Completed)),
        usage(2, 6, "local", 7 * M, None),
    ];
    let machines = [
        machine(1, 1, T4, H, 40 * M),
        machine(2, 1, T4, 30 * M, 5 * M),
        machine(3, 1, T4, H, Duration::ZERO),
        machine(2, 2, "local", H, 7 * M),
    ];
    let all = report(GroupBy::Session, &[price(T4, 120_000), price("local", 10_000)], &used, &machines);
    let ids: Vec<_> = all.rows.iter().map(|(g, _)| g.clone()).collect();
    assert_eq!(
        ids,
        [1, 2, 6].map(|n| CostGroup::Session(SessionId(n))).into_iter().chain([CostGroup::Idle]).collect::<Vec<_>>()
    );
    // Hour 1: 12 cents, three quarters to session 1. Hour 2: 6 cents, all to session 1. Hour 3: nobody's.
    let costs: Vec<_> = all.rows.iter().map(|(_, r)| r.nano_usd).collect();
    assert_eq!(costs, [Some(150_000_000), Some(30_000_000), Some(10_000_000), Some(120_000_000)]);
    assert_eq!(all.total.nano_usd, Some(310_000_000));
    let [(_, one), (_, two), (_, six), (_, idle)] = &all.rows[..] else { panic!() };
    assert_eq!((one.delivered, one.failed, one.up), (35 * M, Duration::ZERO, 75 * M));
    assert!(near(one.usd_per_minute, 0.15 / 35.0));
    assert_eq!((two.delivered, two.failed, two.usd_per_minute), (Duration::ZERO, 10 * M, None));
    assert!(near(six.busy_share, 7.0 / 120.0));
    assert_eq!((idle.sessions, idle.busy_share, idle.up), (0, Some(0.0), H));
    // What failed and what idled is paid by what was delivered.
    assert!(near(all.total.usd_per_minute, 0.31 / 42.0));
}

#[test]
fn a_machine_without_a_price_makes_the_total_unknown_and_is_named() {
    let used = [usage(1, 1, "local", M, None), usage(1, 2, T4, M, None)];
    let machines = [machine(1, 1, "local", H, M), machine(1, 2, T4, H, M)];
    let r = report(GroupBy::InstanceType, &[price(T4, 157_000)], &used, &machines);
    assert_eq!(r.unpriced, ["local"]);
    assert_eq!(r.prices, [price(T4, 157_000)]);
    assert_eq!((r.total.nano_usd, r.total.usd_per_minute, r.total.marginal_usd_per_minute), (None, None, None));
    assert_eq!(r.total.delivered, 2 * M);
    let costs: Vec<_> = r.rows.iter().map(|(g, r)| (g.clone(), r.nano_usd)).collect();
    let group = |name: &str| CostGroup::InstanceType(name.to_owned());
    assert_eq!(costs, [(group(T4), Some(157_000_000)), (group("local"), None)]);
}

#[test]
fn a_worker_that_was_never_booked_does_not_make_costs_unknown() {
    let used = [usage(1, 1, T4, M, None), usage(1, 2, "", M, None)];
    let r = report(GroupBy::Session, &[price(T4, 157_000)], &used, &[machine(1, 1, T4, H, M)]);
    assert_eq!((r.total.nano_usd, r.total.delivered), (Some(157_000_000), 2 * M));
    assert_eq!((r.rows[1].1.nano_usd, r.rows[1].1.delivered), (Some(0), M));
}

/// The machine bill, added up in another way: for each hour and type its time by its price.
fn bill(prices: &[Price], machines: &[MachineHour]) -> u128 {
    let price = |m: &MachineHour| {
        let of_type = prices.iter().filter(|p| p.instance_type == m.instance_type);
        let valid = of_type.clone().filter(|p| p.from <= m.hour);
        // Of two with one start the later in the list counts.
        let latest = valid.map(|p| p.from).max().unwrap();
        of_type.rev().find(|p| p.from == latest).unwrap().micro_usd_per_hour
    };
    // Micro-dollars an hour times milliseconds; 3,600 of these are a billionth of a dollar.
    machines.iter().map(|m| m.up.as_millis() * u128::from(price(m))).sum::<u128>()
}

#[test]
fn start_up_is_told_apart_from_idle_time() {
    let usage = [usage(1, 1, T4, 30 * M, None)];
    let machines = [MachineHour { starting: 6 * M, ..machine(1, 1, T4, H, 30 * M) }];
    let total = report(GroupBy::None, &[price(T4, 157_000)], &usage, &machines).total;
    assert!(near(total.busy_share, 0.25) && near(total.starting_share, 0.1) && near(total.idle_share(), 0.65));
    assert_eq!(total.nano_usd, Some(157_000_000), "it is paid all the same");
}

#[test]
fn what_is_sent_has_a_price_of_its_own() {
    let used = [
        UsageHour { sent_bytes: 1_500_000_000, ..usage(1, 1, T4, 30 * M, None) },
        UsageHour { sent_bytes: 500_000_000, ..usage(1, 2, T4, 30 * M, None) },
    ];
    let r = report(GroupBy::Session, &[price(T4, 157_000)], &used, &[machine(1, 1, T4, H, H)]);
    assert_eq!((r.total.sent_bytes, r.total.egress_nano_usd), (2_000_000_000, 180_000_000));
    assert_eq!(r.rows.iter().map(|(_, row)| row.egress_nano_usd).collect::<Vec<_>>(), [135_000_000, 45_000_000]);
    assert_eq!(r.total.nano_usd, Some(157_000_000), "the machines' bill is theirs alone");
}

#[test]
fn nothing_is_nothing() {
    let r = report(GroupBy::Key, &[price(T4, 157_000)], &[], &[]);
    assert_eq!(r, CostReport { total: CostRow { nano_usd: Some(0), ..CostRow::default() }, ..CostReport::default() });
}

fn a_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![T4, "g5.xlarge", "local"])
}

fn an_end() -> impl Strategy<Value = Option<EndReason>> {
    prop::option::of(prop::sample::select(EndReason::ALL.to_vec()))
}

prop_compose! {
    fn some_usage()(hour in 0i64..60, session in 0u128..12, on in a_type(), ms in 0u64..5_000_000) -> UsageHour {
        // A session has one end, whichever hour is looked at.
        let end = [None, Some(EndReason::Completed), Some(EndReason::Failed)][session as usize % 3];
        usage(hour, session, on, Duration::from_millis(ms), end)
    }
}

prop_compose! {
    fn some_machine()(hour in 0i64..60, worker in 0u128..6, on in a_type(), up in 0u64..=3_600_000, busy in 0u64..=7_200_000)
        -> MachineHour
    {
        machine(hour, worker, on, Duration::from_millis(up), Duration::from_millis(busy))
    }
}

fn some_prices() -> impl Strategy<Value = Vec<Price>> {
    let one = (a_type(), 0i64..60 * HOUR_MS, 0u64..3_000_000)
        .prop_map(|(on, from, p)| Price { from: Wall(from), ..price(on, p) });
    prop::collection::vec(one, 0..6)
}

/// Prices from the beginning of time for all types.
fn all_priced(mut more: Vec<Price>) -> Vec<Price> {
    more.extend([price(T4, 157_000), price("g5.xlarge", 433_333), price("local", 1)]);
    more
}

proptest! {
    #[test]
    fn rows_add_up_to_the_total(
        used in prop::collection::vec(some_usage(), 0..40),
        machines in prop::collection::vec(some_machine(), 0..40),
        prices in some_prices(),
    ) {
        let prices = all_priced(prices);
        let bill = bill(&prices, &machines);
        for by in GroupBy::ALL.into_iter().filter(|by| *by != GroupBy::None) {
            let r = report(by, &prices, &used, &machines);
            let sum = |f: fn(&CostRow) -> Duration| r.rows.iter().map(|(_, row)| f(row)).sum::<Duration>();
            prop_assert_eq!(r.rows.iter().map(|(_, row)| row.nano_usd.unwrap()).sum::<u128>(), r.total.nano_usd.unwrap());
            let told = r.total.nano_usd.unwrap() * 3600;
            prop_assert!(told.abs_diff(bill) <= 1800, "the total is the machines' bill to half a billionth of a dollar");
            prop_assert_eq!(sum(|row| row.up), r.total.up);
            prop_assert_eq!(sum(|row| row.delivered), r.total.delivered);
            prop_assert_eq!(sum(|row| row.failed), r.total.failed);
            prop_assert_eq!(r.rows.iter().map(|(_, row)| row.sent_bytes).sum::<u64>(), r.total.sent_bytes);
            prop_assert_eq!(r.rows.iter().map(|(_, row)| row.egress_nano_usd).sum::<u128>(), r.total.egress_nano_usd);
            for (_, row) in r.rows.iter().chain([&(CostGroup::Idle, r.total.clone())]) {
                prop_assert!(row.idle_share().is_none_or(|idle| (0.0..=1.0).contains(&idle)));
            }
            prop_assert!(r.rows.iter().all(|(_, row)| row.busy_share.is_none_or(|b| (0.0..=1.0).contains(&b))));
        }
    }

    /// The total and what each machine cost do not depend on how rows are made or in how many pieces the hours come.
    #[test]
    fn groupings_and_pieces_agree(
        used in prop::collection::vec(some_usage(), 0..40),
        machines in prop::collection::vec(some_machine(), 0..40),
        prices in some_prices(),
        cut in 0i64..60,
    ) {
        let whole = report(GroupBy::Session, &prices, &used, &machines);
        for by in GroupBy::ALL {
            prop_assert_eq!(&report(by, &prices, &used, &machines).total, &whole.total);
        }
        let mut books = CostAccount::new(GroupBy::Session, &prices).with_egress(90_000);
        for early in [true, false] {
            let used: Vec<_> = used.iter().filter(|u| (u.hour.0 < cut * HOUR_MS) == early).cloned().collect();
            let machines: Vec<_> = machines.iter().filter(|m| (m.hour.0 < cut * HOUR_MS) == early).cloned().collect();
            books.add(&used, &machines);
        }
        prop_assert_eq!(books.close(), whole);
    }

    #[test]
    fn the_order_of_records_does_not_matter(
        (used, shuffled) in prop::collection::vec(some_usage(), 0..40).prop_flat_map(|u| (Just(u.clone()), Just(u).prop_shuffle())),
        (machines, mixed) in prop::collection::vec(some_machine(), 0..20).prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        prices in some_prices(),
    ) {
        for by in GroupBy::ALL {
            prop_assert_eq!(report(by, &prices, &used, &machines), report(by, &prices, &shuffled, &mixed));
        }
    }

    #[test]
    fn more_idle_never_makes_a_minute_cheaper(
        used in prop::collection::vec(some_usage(), 1..40),
        mut machines in prop::collection::vec(some_machine(), 0..20),
        idle in some_machine(),
    ) {
        let prices = all_priced(Vec::new());
        let before = report(GroupBy::None, &prices, &used, &machines).total;
        machines.push(MachineHour { busy: Duration::ZERO, ..idle });
        let after = report(GroupBy::None, &prices, &used, &machines).total;
        prop_assert!(after.nano_usd >= before.nano_usd);
        prop_assert!(after.usd_per_minute >= before.usd_per_minute);
    }

    #[test]
    fn more_delivered_never_makes_a_minute_dearer(
        mut used in prop::collection::vec(some_usage(), 1..40),
        machines in prop::collection::vec(some_machine(), 0..20),
        more in some_usage(),
    ) {
        let prices = all_priced(Vec::new());
        let before = report(GroupBy::None, &prices, &used, &machines).total;
        used.push(UsageHour { end: Some(EndReason::Completed), session: SessionId(1), ..more });
        let after = report(GroupBy::None, &prices, &used, &machines).total;
        prop_assert_eq!(after.nano_usd, before.nano_usd);
        if let Some(price) = before.usd_per_minute {
            prop_assert!(after.usd_per_minute.unwrap() <= price * (1.0 + 1e-12));
        }
    }

    /// A cost is unknown exactly where a machine or a delivery without a price is part of it, and the machine is named.
    #[test]
    fn no_price_is_never_a_price_of_zero(
        used in prop::collection::vec(some_usage(), 0..20),
        machines in prop::collection::vec(some_machine(), 0..20),
        prices in some_prices(),
    ) {
        let r = report(GroupBy::InstanceType, &prices, &used, &machines);
        prop_assert_eq!(r.total.nano_usd.is_none(), !r.unpriced.is_empty());
        for (group, row) in &r.rows {
            let CostGroup::InstanceType(name) = group else { panic!() };
            prop_assert_eq!(row.nano_usd.is_none(), r.unpriced.contains(name));
        }
    }

    /// Damaged records give odd figures, never a panic.
    #[test]
    fn absurd_records_are_survived(
        ms in any::<u64>(), busy in any::<u64>(), p in any::<u64>(), hour in any::<i64>(), n in 1usize..20, end in an_end(),
    ) {
        let prices = [Price { from: Wall(hour), ..price(T4, p) }];
        let ms = Duration::from_millis(ms);
        let used: Vec<_> = (0..n).map(|s| UsageHour { hour: Wall(hour), ..usage(0, s as u128, T4, ms, end) }).collect();
        let machines =
            vec![MachineHour { hour: Wall(hour), ..machine(0, 1, T4, ms, Duration::from_millis(busy)) }; n];
        for by in GroupBy::ALL {
            let _ = report(by, &prices, &used, &machines);
        }
    }
}
