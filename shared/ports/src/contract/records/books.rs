//! What is booked: usage and machine time.

use super::super::sample::{HOUR, at, capability, completed, hold, ms, session};
use super::{ALWAYS, Subject, create, write};
use crate::records::Period;
use mouthpiece_domain::cost::{CostAccount, GroupBy, MachineHour, Price, UsageHour};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd, SessionKind};
use mouthpiece_domain::time::{HOUR_MS, Wall};

pub(super) fn hour(n: i64) -> Wall {
    Wall(HOUR.0 + n * HOUR_MS)
}

pub(super) fn report(hold: Hold, delivered: u64, at: Wall) -> LedgerWrite {
    LedgerWrite::Advance {
        hold,
        phase: Phase::Running,
        progress: FrameProgress::default(),
        delivered: ms(delivered),
        at,
    }
}

pub(super) fn end(hold: Hold, delivered: u64, at: Wall) -> LedgerWrite {
    LedgerWrite::End {
        session: hold.session,
        fence: hold.fence,
        end: Box::new(completed()),
        progress: None,
        delivered: Some((hold.worker, hold.slot, ms(delivered))),
        at,
    }
}

fn machine(worker: u128, uptime: u64, busy: u64, at: Wall) -> LedgerWrite {
    let capability = Box::new(capability("g4dn.xlarge"));
    LedgerWrite::Machine { worker: WorkerId(worker), capability, uptime: ms(uptime), busy: ms(busy), at }
}

/// A session that is assigned to a hold.
pub(super) async fn start(records: &Subject, hold: Hold) {
    create(records, [hold.session.0]).await;
    let assigned = write(records, LedgerWrite::Assign { hold, at: at(1) }).await;
    rule!(assigned, WriteOutcome::Applied, "requested -> assigned");
}

/// (hour, session, worker, delivered) of all usage, sorted.
pub(super) async fn booked(records: &Subject) -> Vec<(i64, u128, u128, u64)> {
    let row = |u: &UsageHour| {
        let hour = (u.hour.0 - HOUR.0) / HOUR_MS;
        (hour, u.session.0, u.worker.0, u64::try_from(u.delivered.as_millis()).unwrap())
    };
    let mut rows: Vec<_> = records.usage(ALWAYS).await.unwrap().iter().map(row).collect();
    rows.sort_unstable();
    rows
}

async fn machines(records: &Subject) -> Vec<MachineHour> {
    let mut rows = records.machines(ALWAYS).await.unwrap();
    rows.sort_by_key(|m| (m.hour, m.worker));
    rows
}

fn machine_hour(at: i64, worker: u128, [up, busy, starting]: [u64; 3]) -> MachineHour {
    MachineHour {
        hour: hour(at),
        worker: WorkerId(worker),
        instance_type: "g4dn.xlarge".into(),
        slots: 2,
        up: ms(up),
        starting: ms(starting),
        busy: ms(busy),
    }
}

pub(super) async fn usage_is_cumulative(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    rule!(booked(&records).await, vec![], "nothing is booked before something is delivered");
    write(&records, report(mine, 0, at(2))).await;
    rule!(booked(&records).await, vec![], "nothing delivered is nothing booked");
    for delivered in [1000, 1500, 4000] {
        write(&records, report(mine, delivered, at(10))).await;
        rule!(
            booked(&records).await,
            vec![(0, 1, 7, delivered)],
            "usage is what was delivered in all, an entry an hour"
        );
    }
}

pub(super) async fn repeats_and_late_reports_book_nothing(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    for delivered in [3000, 3000, 1000, 2999, 0, 3000] {
        rule!(
            write(&records, report(mine, delivered, at(9))).await,
            WriteOutcome::Applied,
            "a repeated report is no error"
        );
        rule!(booked(&records).await, vec![(0, 1, 7, 3000)], "repeated and reordered reports book nothing twice");
    }
    write(&records, report(mine, 2000, hour(1))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 3000)], "a late report books nothing in another hour either");
    write(&records, report(mine, 3001, hour(1))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 3000), (1, 1, 7, 1)], "what is new is booked after a late report");
}

pub(super) async fn usage_is_booked_by_hour(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    let batch = [
        report(mine, 10, hour(0)),
        report(mine, 30, Wall(hour(1).0 - 1)),
        report(mine, 70, hour(1)),
        report(mine, 150, hour(5)),
        // A clock that was set back: calendars may do that.
        report(mine, 310, hour(0)),
    ];
    records.write(&batch).await.unwrap();
    let wanted = vec![(0, 1, 7, 190), (1, 1, 7, 40), (5, 1, 7, 80)];
    rule!(booked(&records).await, wanted, "what is new is booked in the hour of its report");
}

pub(super) async fn each_placement_books_for_itself(records: Subject) {
    let first = hold(1, 1, 7, 0);
    start(&records, first).await;
    write(&records, report(first, 5000, at(2))).await;
    for (fence, worker, delivered) in [(2, 8, 4000), (3, 7, 2000)] {
        write(
            &records,
            LedgerWrite::Requeue { hold: hold(1, fence - 1, if fence == 2 { 7 } else { 8 }, 0), lost: true, at: at(3) },
        )
        .await;
        let mine = hold(1, fence, worker, 0);
        rule!(
            write(&records, LedgerWrite::Assign { hold: mine, at: at(4) }).await,
            WriteOutcome::Applied,
            "requested -> assigned"
        );
        write(&records, report(mine, delivered, at(5))).await;
        write(&records, report(mine, delivered, at(6))).await;
    }
    let wanted = vec![(0, 1, 7, 7000), (0, 1, 8, 4000)];
    rule!(booked(&records).await, wanted, "each fence counts from zero; there is one entry a session, worker and hour");
}

pub(super) async fn refused_writes_book_nothing(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    create(&records, [1]).await;
    write(&records, report(mine, 1000, at(2))).await;
    write(&records, report(hold(2, 1, 7, 0), 1000, at(2))).await;
    rule!(booked(&records).await, vec![], "what is not assigned delivers nothing");
    write(&records, LedgerWrite::Assign { hold: mine, at: at(3) }).await;
    write(&records, report(mine, 500, at(3))).await;
    write(&records, LedgerWrite::Requeue { hold: mine, lost: true, at: at(4) }).await;
    write(&records, report(mine, 9000, at(5))).await;
    write(&records, end(mine, 9000, at(5))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 500)], "a report with an old fence books nothing");
    let again = hold(1, 2, 7, 0);
    write(&records, LedgerWrite::Assign { hold: again, at: at(6) }).await;
    write(&records, report(again, 100, at(7))).await;
    write(
        &records,
        LedgerWrite::Advance {
            hold: again,
            phase: Phase::Preparing,
            progress: FrameProgress::default(),
            delivered: ms(9000),
            at: at(7),
        },
    )
    .await;
    write(&records, end(again, 200, at(8))).await;
    write(&records, end(again, 9000, at(9))).await;
    write(&records, report(again, 9000, at(9))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 700)], "an earlier phase and what follows the end book nothing");
}

pub(super) async fn what_a_cancelled_session_delivered_last_is_booked(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    write(&records, report(mine, 1000, at(2))).await;
    let order = LedgerWrite::End {
        session: mine.session,
        fence: mine.fence,
        end: Box::new(SessionEnd::new(EndReason::Cancelled, None)),
        progress: None,
        delivered: None,
        at: at(3),
    };
    rule!(write(&records, order).await, WriteOutcome::Applied, "a session is cancelled");
    // A report that was on its way, and then the last word of it.
    write(&records, report(mine, 1500, at(3))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 1500)], "what was on its way is booked");
    for (late, said) in [(mine, 1800), (mine, 1800), (hold(1, 1, 8, 0), 9000), (hold(1, 2, 7, 0), 9000)] {
        let written = write(&records, end(late, said, at(4))).await;
        rule!(matches!(written, WriteOutcome::Stale(Some(_))), true, "it has ended already: {written:?}");
    }
    write(&records, report(hold(1, 1, 8, 0), 9000, at(5))).await;
    write(&records, report(mine, 1200, at(5))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 1800)], "its worker's last count is booked, once, and nobody else's");
}

pub(super) async fn an_end_books_what_is_new(records: Subject) {
    for (id, reported, in_all, wanted) in
        [(1, 1000, 1500, 1500), (2, 1000, 1000, 1000), (3, 1000, 10, 1000), (4, 0, 7, 7)]
    {
        let mine = hold(id, 1, 7, 0);
        start(&records, mine).await;
        write(&records, report(mine, reported, at(2))).await;
        rule!(write(&records, end(mine, in_all, at(3))).await, WriteOutcome::Applied, "an end");
        let rows = booked(&records).await;
        let found = rows.iter().find(|r| r.1 == id).map(|r| r.3);
        rule!(found, Some(wanted), "an end with {in_all} ms in all after {reported} ms books what is new");
    }
    let mine = hold(5, 1, 7, 0);
    start(&records, mine).await;
    write(&records, report(mine, 10, at(2))).await;
    write(&records, end(mine, 30, hour(2))).await;
    let rows: Vec<_> = booked(&records).await.into_iter().filter(|r| r.1 == 5).collect();
    rule!(rows, vec![(0, 5, 7, 10), (2, 5, 7, 20)], "an end books in its own hour");
}

pub(super) async fn usage_tells_whose_and_where(records: Subject) {
    let mut other = session(2);
    (other.key, other.avatar, other.kind) = (KeyId(22), AvatarId(222), SessionKind::Prepare);
    create(&records, [1]).await;
    write(&records, LedgerWrite::Create { session: Box::new(other), idempotency: None }).await;
    for mine in [hold(1, 1, 7, 0), hold(2, 1, 8, 1)] {
        write(&records, LedgerWrite::Assign { hold: mine, at: at(1) }).await;
        write(&records, report(mine, 10, at(2))).await;
    }
    write(&records, machine(7, 1000, 10, at(3))).await;
    write(&records, end(hold(1, 1, 7, 0), 10, at(4))).await;
    let mut rows = records.usage(ALWAYS).await.unwrap();
    rows.sort_by_key(|u| u.session);
    let first = UsageHour {
        hour: HOUR,
        session: SessionId(1),
        kind: SessionKind::Render,
        key: KeyId(1),
        avatar: AvatarId(1),
        worker: WorkerId(7),
        instance_type: "g4dn.xlarge".into(),
        delivered: ms(10),
        sent_bytes: 0,
        end: Some(EndReason::Completed),
    };
    let second = UsageHour {
        session: SessionId(2),
        kind: SessionKind::Prepare,
        key: KeyId(22),
        avatar: AvatarId(222),
        worker: WorkerId(8),
        instance_type: String::new(),
        end: None,
        ..first.clone()
    };
    rule!(
        rows,
        vec![first, second],
        "usage tells whose it is, where it was delivered and how it ended, as it stands now"
    );
}

pub(super) async fn machine_time_is_cumulative(records: Subject) {
    let steps = [
        ((1000, 100), (1000, 100)),
        ((1000, 100), (1000, 100)),
        ((2500, 700), (2500, 700)),
        ((1000, 100), (2500, 700)),
        ((0, 0), (2500, 700)),
        ((3000, 650), (3000, 700)),
        ((2900, 800), (3000, 800)),
        ((3000, 900), (3000, 900)),
        ((3500, 1000), (3500, 1000)),
    ];
    for ((up, busy), (up_in_all, busy_in_all)) in steps {
        let outcome = write(&records, machine(7, up, busy, at(5))).await;
        rule!(outcome, WriteOutcome::Applied, "machine time is always applied");
        let wanted = vec![machine_hour(0, 7, [up_in_all, busy_in_all, 1000])];
        rule!(
            machines(&records).await,
            wanted,
            "machine time is cumulative: {up} ms up, {busy} ms busy; what is smaller changes nothing"
        );
    }
    write(&records, machine(8, 10, 0, at(6))).await;
    let wanted = vec![machine_hour(0, 7, [3500, 1000, 1000]), machine_hour(0, 8, [10, 0, 10])];
    rule!(machines(&records).await, wanted, "each worker has its own machine time");
}

pub(super) async fn machine_time_is_booked_by_hour(records: Subject) {
    let batch = [
        machine(7, 100, 1, hour(0)),
        machine(7, 300, 2, Wall(hour(1).0 - 1)),
        machine(7, 700, 4, hour(1)),
        machine(7, 600, 3, hour(2)),
        machine(7, 1500, 8, hour(4)),
    ];
    records.write(&batch).await.unwrap();
    let wanted =
        vec![machine_hour(0, 7, [300, 2, 100]), machine_hour(1, 7, [400, 2, 0]), machine_hour(4, 7, [800, 4, 0])];
    rule!(machines(&records).await, wanted, "what is new is booked in the hour of its report, and nothing elsewhere");
}

pub(super) async fn a_caller_is_told_what_was_delivered(records: Subject) {
    let mut other = session(3);
    other.key = KeyId(2);
    write(&records, LedgerWrite::Create { session: Box::new(other), idempotency: None }).await;
    create(&records, [1, 2]).await;
    for (mine, steps) in [
        (hold(1, 1, 7, 0), vec![(10, hour(0)), (30, hour(1))]),
        (hold(2, 1, 7, 1), vec![(400, Wall(hour(2).0 + 5)), (400, hour(3))]),
        (hold(3, 1, 8, 0), vec![(5000, hour(1))]),
    ] {
        write(&records, LedgerWrite::Assign { hold: mine, at: at(1) }).await;
        for (delivered, at) in steps {
            write(&records, report(mine, delivered, at)).await;
        }
    }
    let first = hold(1, 1, 7, 0);
    write(&records, LedgerWrite::Requeue { hold: first, lost: true, at: hour(1) }).await;
    write(&records, report(first, 100_000, hour(2))).await;
    for (key, since, wanted) in
        [(1, 0, 430), (1, 1, 420), (1, 2, 400), (1, 3, 0), (2, 0, 5000), (2, 1, 5000), (2, 2, 0), (3, 0, 0)]
    {
        let told = records.delivered_since(KeyId(key), hour(since)).await.unwrap();
        rule!(told, ms(wanted), "what the sessions of key {key} delivered since the start of hour {since}");
    }
}

pub(super) async fn periods_are_half_open(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    for n in 0..4 {
        let so_far = 10 * (n as u64 + 1);
        records.write(&[report(mine, so_far, hour(n)), machine(7, so_far, 0, hour(n))]).await.unwrap();
    }
    for (from, to) in [(0, 4), (1, 3), (1, 2), (2, 2), (3, 4), (4, 9), (-5, 0), (3, 1)] {
        let period = Period { from: hour(from), to: hour(to) };
        let wanted: Vec<_> = (from.max(0)..to.min(4)).map(hour).collect();
        let mut usage: Vec<_> = records.usage(period).await.unwrap().iter().map(|u| u.hour).collect();
        let mut machines: Vec<_> = records.machines(period).await.unwrap().iter().map(|m| m.hour).collect();
        usage.sort_unstable();
        machines.sort_unstable();
        rule!(usage, wanted, "a period of usage begins with its first hour and ends before its last ({from} to {to})");
        rule!(
            machines,
            wanted,
            "a period of machines begins with its first hour and ends before its last ({from} to {to})"
        );
    }
}

fn egress(hold: Hold, sent_bytes: u64, at: Wall) -> LedgerWrite {
    LedgerWrite::Egress { hold, sent_bytes, at }
}

/// (hour, session, worker, bytes) of what was sent, sorted.
pub(super) async fn sent(records: &Subject) -> Vec<(i64, u128, u128, u64)> {
    let usage = records.usage(ALWAYS).await.unwrap();
    let mut rows: Vec<_> =
        usage.iter().map(|u| ((u.hour.0 - HOUR.0) / HOUR_MS, u.session.0, u.worker.0, u.sent_bytes)).collect();
    rows.sort_unstable();
    rows
}

pub(super) async fn what_was_sent_is_cumulative(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    create(&records, [1]).await;
    let early = write(&records, egress(mine, 500, at(1))).await;
    rule!(matches!(early, WriteOutcome::Stale(Some(_))), true, "who has no session sends nothing for it");
    write(&records, LedgerWrite::Assign { hold: mine, at: at(1) }).await;
    for (bytes, in_all) in [(0, None), (1000, Some(1000)), (1000, Some(1000)), (400, Some(1000)), (2500, Some(2500))] {
        rule!(write(&records, egress(mine, bytes, at(2))).await, WriteOutcome::Applied, "an old count is no error");
        let wanted: Vec<_> = in_all.map(|in_all| (0, 1, 7, in_all)).into_iter().collect();
        rule!(sent(&records).await, wanted, "what was sent is counted in all, also after {bytes} were told");
    }
    write(&records, report(mine, 10, at(3))).await;
    write(&records, egress(mine, 3000, hour(1))).await;
    rule!(sent(&records).await, vec![(0, 1, 7, 2500), (1, 1, 7, 500)], "what is new is booked in its own hour");
    rule!(booked(&records).await, vec![(0, 1, 7, 10), (1, 1, 7, 0)], "what was sent is not what was delivered");
    let told = records.delivered_since(KeyId(1), hour(0)).await.unwrap();
    rule!(told, ms(10), "bytes are not counted as minutes");
    for other in [hold(1, 1, 8, 0), hold(1, 2, 7, 0), hold(2, 1, 7, 0)] {
        let refused = write(&records, egress(other, 9000, at(4))).await;
        rule!(matches!(refused, WriteOutcome::Stale(_)), true, "only who holds it sends something: {other:?}");
    }
    write(&records, end(mine, 10, at(5))).await;
    rule!(
        write(&records, egress(mine, 3100, hour(1))).await,
        WriteOutcome::Applied,
        "what was sent last may come late"
    );
    rule!(sent(&records).await, vec![(0, 1, 7, 2500), (1, 1, 7, 600)], "and is booked");
}

pub(super) async fn each_placement_sends_for_itself(records: Subject) {
    let first = hold(1, 1, 7, 0);
    start(&records, first).await;
    let again = hold(1, 2, 8, 1);
    let batch = [
        egress(first, 700, at(2)),
        egress(first, 900, at(2)),
        LedgerWrite::Requeue { hold: first, lost: true, at: at(3) },
        egress(first, 5000, at(3)),
        LedgerWrite::Assign { hold: again, at: at(4) },
        egress(again, 400, at(5)),
        egress(again, 450, at(5)),
    ];
    records.write(&batch).await.unwrap();
    rule!(sent(&records).await, vec![(0, 1, 7, 900), (0, 1, 8, 450)], "each fence counts from zero");
}

/// Whatever the rows of a report stand for, they add up to what the machines cost, which is worked out here anew.
pub(super) async fn every_grouping_adds_up_to_the_machines_bill(records: Subject) {
    let price = |instance_type: &str, from: i64, micro_usd_per_hour| Price {
        instance_type: instance_type.into(),
        from: hour(from),
        micro_usd_per_hour,
    };
    let prices = [price("g4dn.xlarge", 0, 157_000), price("g4dn.xlarge", 2, 163_333), price("g5.xlarge", 0, 433_337)];
    records.add_prices(&prices).await.unwrap();
    let types = ["g4dn.xlarge", "g5.xlarge", "g4dn.xlarge"];
    // Micro-dollars an hour times milliseconds.
    let mut bill = 0;
    for (n, instance_type) in types.into_iter().enumerate() {
        let (id, mut up) = (n as u128 + 7, 0);
        for h in 0..4 {
            let more = 1_234_567 + 700_001 * ((n as u64 + h) % 3);
            up += more;
            let capability = Box::new(capability(instance_type));
            let (worker, at) = (WorkerId(id), hour(h as i64));
            write(&records, LedgerWrite::Machine { worker, capability, uptime: ms(up), busy: ms(up / 2), at }).await;
            bill += more
                * if instance_type == "g5.xlarge" { 433_337 } else { [157_000, 157_000, 163_333, 163_333][h as usize] };
        }
    }
    for n in 0..9u128 {
        let mut new = session(n + 1);
        (new.key, new.avatar) = (KeyId(n % 2 + 1), AvatarId(n % 4 + 1));
        new.kind = [SessionKind::Live, SessionKind::Render, SessionKind::Prepare][n as usize % 3];
        write(&records, LedgerWrite::Create { session: Box::new(new), idempotency: None }).await;
        let mine = hold(n + 1, 1, 7 + n % 3, 0);
        let when = hour(n as i64 % 3);
        let batch = [
            LedgerWrite::Assign { hold: mine, at: when },
            report(mine, 100_003 * (n as u64 + 1), when),
            egress(mine, 77_777_777 * (n as u64 + 1), when),
            end(mine, 200_017 * (n as u64 + 1), hour(n as i64 % 3 + (n as i64 % 2))),
        ];
        records.write(&batch).await.unwrap();
    }
    let (usage, machines) = (records.usage(ALWAYS).await.unwrap(), records.machines(ALWAYS).await.unwrap());
    let prices = records.prices().await.unwrap();
    for by in GroupBy::ALL.into_iter().filter(|by| *by != GroupBy::None) {
        let mut account = CostAccount::new(by, &prices).with_egress(90_000);
        account.add(&usage, &machines);
        let report = account.close();
        let rows = report.rows.iter().map(|(_, row)| row.nano_usd.unwrap()).sum::<u128>();
        let told = report.total.nano_usd.unwrap();
        rule!(rows, told, "rows by {} add up to the total", by.name());
        let off = (told * 3600).abs_diff(u128::from(bill));
        rule!(
            off < 3600,
            true,
            "the total by {} is the machines' bill: {told} billionths of a dollar, {off} off",
            by.name()
        );
        let sent = report.rows.iter().map(|(_, row)| row.egress_nano_usd).sum::<u128>();
        rule!(sent, report.total.egress_nano_usd, "what sending costs adds up by {}", by.name());
        rule!(report.total.sent_bytes, 77_777_777 * 45, "what was sent is counted by {}", by.name());
    }
}
