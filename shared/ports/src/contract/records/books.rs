//! What is booked: usage and machine time.

use super::super::sample::{HOUR, at, capability, completed, hold, ms, session};
use super::{ALWAYS, Subject, create, write};
use crate::records::Period;
use mouthpiece_domain::cost::{MachineHour, UsageHour};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::{End, EndReason, Phase, Progress, SessionKind};
use mouthpiece_domain::time::{HOUR_MS, Wall};

fn hour(n: i64) -> Wall {
    Wall(HOUR.0 + n * HOUR_MS)
}

fn report(hold: Hold, delivered: u64, at: Wall) -> Write {
    Write::Advance { hold, phase: Phase::Running, progress: Progress::default(), delivered: ms(delivered), at }
}

fn end(hold: Hold, delivered: u64, at: Wall) -> Write {
    Write::End {
        session: hold.session,
        fence: hold.fence,
        end: Box::new(completed()),
        progress: None,
        delivered: Some((hold.worker, hold.slot, ms(delivered))),
        at,
    }
}

fn machine(worker: u128, uptime: u64, busy: u64, at: Wall) -> Write {
    let capability = Box::new(capability("g4dn.xlarge"));
    Write::Machine { worker: WorkerId(worker), capability, uptime: ms(uptime), busy: ms(busy), at }
}

/// A session that is assigned to a hold.
async fn start(records: &Subject, hold: Hold) {
    create(records, [hold.session.0]).await;
    let assigned = write(records, Write::Assign { hold, at: at(1) }).await;
    rule!(assigned, Written::Applied, "requested -> assigned");
}

/// (hour, session, worker, delivered) of all usage, sorted.
async fn booked(records: &Subject) -> Vec<(i64, u128, u128, u64)> {
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

fn machine_hour(at: i64, worker: u128, up: u64, busy: u64) -> MachineHour {
    let instance_type = "g4dn.xlarge".into();
    MachineHour { hour: hour(at), worker: WorkerId(worker), instance_type, slots: 2, up: ms(up), busy: ms(busy) }
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
        rule!(write(&records, report(mine, delivered, at(9))).await, Written::Applied, "a repeated report is no error");
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
        write(&records, Write::Requeue { hold: hold(1, fence - 1, if fence == 2 { 7 } else { 8 }, 0), at: at(3) })
            .await;
        let mine = hold(1, fence, worker, 0);
        rule!(
            write(&records, Write::Assign { hold: mine, at: at(4) }).await,
            Written::Applied,
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
    write(&records, Write::Assign { hold: mine, at: at(3) }).await;
    write(&records, report(mine, 500, at(3))).await;
    write(&records, Write::Requeue { hold: mine, at: at(4) }).await;
    write(&records, report(mine, 9000, at(5))).await;
    write(&records, end(mine, 9000, at(5))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 500)], "a report with an old fence books nothing");
    let again = hold(1, 2, 7, 0);
    write(&records, Write::Assign { hold: again, at: at(6) }).await;
    write(&records, report(again, 100, at(7))).await;
    write(
        &records,
        Write::Advance {
            hold: again,
            phase: Phase::Preparing,
            progress: Progress::default(),
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
    let order = Write::End {
        session: mine.session,
        fence: mine.fence,
        end: Box::new(End::new(EndReason::Cancelled, None)),
        progress: None,
        delivered: None,
        at: at(3),
    };
    rule!(write(&records, order).await, Written::Applied, "a session is cancelled");
    for (late, said) in [(mine, 1800), (mine, 1800), (hold(1, 1, 8, 0), 9000), (hold(1, 2, 7, 0), 9000)] {
        let written = write(&records, end(late, said, at(4))).await;
        rule!(matches!(written, Written::Stale(Some(_))), true, "it has ended already: {written:?}");
    }
    write(&records, report(mine, 9000, at(5))).await;
    rule!(booked(&records).await, vec![(0, 1, 7, 1800)], "its worker's last count is booked, once, and nobody else's");
}

pub(super) async fn an_end_books_what_is_new(records: Subject) {
    for (id, reported, in_all, wanted) in
        [(1, 1000, 1500, 1500), (2, 1000, 1000, 1000), (3, 1000, 10, 1000), (4, 0, 7, 7)]
    {
        let mine = hold(id, 1, 7, 0);
        start(&records, mine).await;
        write(&records, report(mine, reported, at(2))).await;
        rule!(write(&records, end(mine, in_all, at(3))).await, Written::Applied, "an end");
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
    write(&records, Write::Create { session: Box::new(other), idempotency: None }).await;
    for mine in [hold(1, 1, 7, 0), hold(2, 1, 8, 1)] {
        write(&records, Write::Assign { hold: mine, at: at(1) }).await;
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
        rule!(outcome, Written::Applied, "machine time is always applied");
        let wanted = vec![machine_hour(0, 7, up_in_all, busy_in_all)];
        rule!(
            machines(&records).await,
            wanted,
            "machine time is cumulative: {up} ms up, {busy} ms busy; what is smaller changes nothing"
        );
    }
    write(&records, machine(8, 10, 0, at(6))).await;
    let wanted = vec![machine_hour(0, 7, 3500, 1000), machine_hour(0, 8, 10, 0)];
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
    let wanted = vec![machine_hour(0, 7, 300, 2), machine_hour(1, 7, 400, 2), machine_hour(4, 7, 800, 4)];
    rule!(machines(&records).await, wanted, "what is new is booked in the hour of its report, and nothing elsewhere");
}

pub(super) async fn a_caller_is_told_what_was_delivered(records: Subject) {
    let mut other = session(3);
    other.key = KeyId(2);
    write(&records, Write::Create { session: Box::new(other), idempotency: None }).await;
    create(&records, [1, 2]).await;
    for (mine, steps) in [
        (hold(1, 1, 7, 0), vec![(10, hour(0)), (30, hour(1))]),
        (hold(2, 1, 7, 1), vec![(400, Wall(hour(2).0 + 5)), (400, hour(3))]),
        (hold(3, 1, 8, 0), vec![(5000, hour(1))]),
    ] {
        write(&records, Write::Assign { hold: mine, at: at(1) }).await;
        for (delivered, at) in steps {
            write(&records, report(mine, delivered, at)).await;
        }
    }
    let first = hold(1, 1, 7, 0);
    write(&records, Write::Requeue { hold: first, at: hour(1) }).await;
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
