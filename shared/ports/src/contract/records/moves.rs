//! Sessions that move while they run.

use super::super::sample::{at, hold, ms};
use super::books::{booked, end, hour, report, sent, start};
use super::{Subject, found, write};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, SlotIndex};
use mouthpiece_domain::time::Wall;

fn move_it(from: Hold, worker: u128, slot: u8, at: Wall) -> LedgerWrite {
    LedgerWrite::Move { from, to: (WorkerId(worker), SlotIndex(slot)), at }
}

fn handed_over(hold: Hold, delivered: u64, sent_bytes: u64, at: Wall) -> LedgerWrite {
    LedgerWrite::HandedOver { hold, delivered: ms(delivered), sent_bytes, at }
}

pub(super) async fn a_running_session_moves_once(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&records, mine).await;
    let early = write(&records, move_it(mine, 8, 1, at(2))).await;
    rule!(matches!(early, WriteOutcome::Stale(Some(_))), true, "what does not run yet is not moved");
    write(&records, report(mine, 1000, at(3))).await;
    for other in [hold(1, 1, 7, 1), hold(1, 1, 8, 0), hold(1, 2, 7, 0), hold(2, 1, 7, 0)] {
        let refused = write(&records, move_it(other, 8, 1, at(4))).await;
        rule!(matches!(refused, WriteOutcome::Stale(_)), true, "only from where it is: {other:?}");
    }
    rule!(write(&records, move_it(mine, 8, 1, at(5))).await, WriteOutcome::Applied, "running -> running elsewhere");
    let moved = found(&records, 1).await;
    rule!(
        (moved.version(), moved.place, moved.moved_from, moved.moves, moved.progress),
        (
            (Fence(2), Phase::Running),
            Some((WorkerId(8), SlotIndex(1))),
            Some((WorkerId(7), SlotIndex(0))),
            1,
            FrameProgress::default()
        ),
        "it runs there under the next fence"
    );
    let second = write(&records, move_it(mine, 9, 0, at(6))).await;
    rule!(matches!(second, WriteOutcome::Stale(Some(_))), true, "of two that move it one wins");
    let old = write(&records, report(mine, 2000, at(6))).await;
    rule!(matches!(old, WriteOutcome::Stale(Some(_))), true, "reports of the old place change nothing");
    let there = hold(1, 2, 8, 1);
    rule!(write(&records, report(there, 10, at(7))).await, WriteOutcome::Applied, "those of the new one count");
    rule!(write(&records, move_it(there, 7, 0, at(8))).await, WriteOutcome::Applied, "it moves again");
    rule!(found(&records, 1).await.placements(), 1, "it was never lost");
    let requeue = LedgerWrite::Requeue { hold: hold(1, 3, 7, 0), lost: true, at: at(9) };
    rule!(write(&records, requeue).await, WriteOutcome::Applied, "running -> requested");
    let waits = found(&records, 1).await;
    rule!((waits.moved_from, waits.moves, waits.placements()), (None, 2, 2), "what waits has no place to come from");
    rule!(waits.losses, 1, "it was lost");
    let elsewhere = hold(1, 4, 9, 0);
    write(&records, LedgerWrite::Assign { hold: elsewhere, at: at(10) }).await;
    let agreed = LedgerWrite::Requeue { hold: elsewhere, lost: false, at: at(11) };
    rule!(write(&records, agreed).await, WriteOutcome::Applied, "assigned -> requested");
    rule!(found(&records, 1).await.losses, 1, "what is given up by agreement is not lost");
}

pub(super) async fn what_was_handed_over_is_booked_once(records: Subject) {
    let (mine, there) = (hold(1, 1, 7, 0), hold(1, 2, 8, 1));
    start(&records, mine).await;
    let batch = [
        report(mine, 1000, at(3)),
        LedgerWrite::Egress { hold: mine, sent_bytes: 300, at: at(3) },
        move_it(mine, 8, 1, at(4)),
        report(there, 200, at(5)),
        handed_over(mine, 1800, 500, at(6)),
        handed_over(mine, 1800, 500, at(6)),
        handed_over(mine, 900, 900, at(6)),
    ];
    let outcomes = records.write(&batch).await.unwrap();
    rule!(outcomes, vec![WriteOutcome::Applied; 7], "each is in its turn");
    let wanted = vec![(0, 1, 7, 1800), (0, 1, 8, 200)];
    rule!(booked(&records).await, wanted, "what was told before the move is not booked again after it");
    rule!(sent(&records).await, vec![(0, 1, 7, 900), (0, 1, 8, 0)], "nor what was sent");
    for other in [hold(1, 1, 8, 1), there, hold(1, 0, 7, 0), hold(2, 1, 7, 0)] {
        let refused = write(&records, handed_over(other, 9000, 9000, at(7))).await;
        rule!(matches!(refused, WriteOutcome::Stale(_)), true, "only who had it tells: {other:?}");
    }
    write(&records, end(there, 400, at(8))).await;
    let late = write(&records, handed_over(mine, 1900, 900, hour(1))).await;
    rule!(late, WriteOutcome::Applied, "the last word may come after the end");
    let wanted = vec![(0, 1, 7, 1800), (0, 1, 8, 400), (1, 1, 7, 100)];
    rule!(booked(&records).await, wanted, "and is booked in its own hour");
}
