//! What every warm pool must do.

use super::eventually;
use super::sample::{heartbeat, hold, ms};
use crate::pool::Pool;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use std::sync::Arc;
use std::time::Duration;

type Subject = Arc<dyn Pool>;

/// Longer than any check takes.
const LONG: Duration = Duration::from_secs(600);
/// Soon over.
const SHORT: Duration = Duration::from_millis(30);

/// Runs the suite.
pub async fn pool<A: Pool + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        a_slot_has_one_holder, slots_are_independent, only_the_holder_renews_and_releases, a_hold_lasts_as_long_as_it_says,
        a_hold_that_is_not_renewed_is_gone, a_late_holder_disturbs_nobody, one_of_many_wins, one_of_many_wins_after_expiry,
        forgetting_frees_the_slots, workers_are_what_they_said_last, an_announcement_expires, one_decides_at_a_time,
        it_can_be_asked,
    );
}

async fn gone(pool: &Subject, hold: &Hold) {
    eventually("a hold that is not renewed within its expiry is gone", async || {
        pool.remaining(hold).await.unwrap().is_none().then_some(())
    })
    .await;
}

async fn a_slot_has_one_holder(pool: Subject) {
    let mine = hold(1, 1, 1, 0);
    rule!(pool.remaining(&mine).await, Ok(None), "a free slot is held by nobody");
    rule!(pool.claim(&mine, LONG).await, Ok(true), "a free slot is granted");
    rule!(pool.claim(&mine, LONG).await, Ok(false), "a claim is refused even when the slot is held by an equal hold");
    for other in [hold(2, 1, 1, 0), hold(1, 2, 1, 0)] {
        rule!(pool.claim(&other, LONG).await, Ok(false), "a held slot is not granted to {other:?}");
        rule!(pool.remaining(&other).await, Ok(None), "remaining tells only the holder, not {other:?}");
    }
    rule!(pool.remaining(&mine).await.unwrap().is_some(), true, "refused claims leave the holder alone");
    rule!(pool.release(&mine).await, Ok(true), "the holder gives its slot back");
    rule!(pool.remaining(&mine).await, Ok(None), "a released hold is gone");
    rule!(pool.claim(&hold(2, 1, 1, 0), LONG).await, Ok(true), "a released slot is free");
}

async fn slots_are_independent(pool: Subject) {
    for one in [hold(1, 1, 1, 0), hold(2, 1, 1, 1), hold(3, 1, 2, 0), hold(4, 1, u128::MAX, u8::MAX)] {
        rule!(pool.claim(&one, LONG).await, Ok(true), "each slot of each worker is its own: {one:?}");
    }
    rule!(pool.release(&hold(1, 1, 1, 0)).await, Ok(true), "the holder gives its slot back");
    for one in [hold(2, 1, 1, 1), hold(3, 1, 2, 0), hold(4, 1, u128::MAX, u8::MAX)] {
        rule!(pool.remaining(&one).await.unwrap().is_some(), true, "releasing a slot touches no other: {one:?}");
    }
}

async fn only_the_holder_renews_and_releases(pool: Subject) {
    let mine = hold(1, 2, 1, 0);
    rule!(pool.renew(&mine, LONG).await, Ok(false), "what was never claimed is not renewed");
    rule!(pool.release(&mine).await, Ok(false), "what was never claimed is not released");
    rule!(pool.remaining(&mine).await, Ok(None), "a refused renewal claims nothing");
    rule!(pool.claim(&mine, LONG).await, Ok(true), "a free slot is granted");
    for other in [hold(2, 2, 1, 0), hold(1, 1, 1, 0), hold(1, 3, 1, 0), hold(1, 2, 1, 1), hold(1, 2, 2, 0)] {
        rule!(pool.renew(&other, SHORT).await, Ok(false), "only the holder renews, not {other:?}");
        rule!(pool.release(&other).await, Ok(false), "only the holder releases, not {other:?}");
    }
    rule!(pool.remaining(&mine).await.unwrap() > Some(LONG / 2), true, "a refused renewal changes no expiry");
    rule!(pool.renew(&mine, LONG).await, Ok(true), "the holder renews");
    rule!(pool.release(&mine).await, Ok(true), "the holder releases");
    rule!(pool.release(&mine).await, Ok(false), "a hold is released once");
}

async fn a_hold_lasts_as_long_as_it_says(pool: Subject) {
    let mine = hold(1, 1, 1, 0);
    pool.claim(&mine, LONG).await.unwrap();
    let left = pool.remaining(&mine).await.unwrap().unwrap_or_default();
    rule!(
        left <= LONG && left > LONG / 2,
        true,
        "a hold lasts for the expiry that it was claimed with ({left:?} left)"
    );
    rule!(pool.renew(&mine, LONG * 3).await, Ok(true), "the holder renews");
    let left = pool.remaining(&mine).await.unwrap().unwrap_or_default();
    rule!(
        left <= LONG * 3 && left > LONG * 2,
        true,
        "a renewal counts from now and for its own expiry ({left:?} left)"
    );
    rule!(pool.renew(&mine, SHORT).await, Ok(true), "the holder renews");
    gone(&pool, &mine).await;
}

async fn a_hold_that_is_not_renewed_is_gone(pool: Subject) {
    let mine = hold(1, 1, 1, 0);
    pool.claim(&mine, SHORT).await.unwrap();
    gone(&pool, &mine).await;
    rule!(pool.renew(&mine, LONG).await, Ok(false), "an expired hold is not renewed");
    rule!(pool.release(&mine).await, Ok(false), "an expired hold is not released");
    rule!(pool.claim(&mine, LONG).await, Ok(true), "an expired slot is free, for an equal hold too");
}

async fn a_late_holder_disturbs_nobody(pool: Subject) {
    let (late, new) = (hold(1, 1, 1, 0), hold(2, 1, 1, 0));
    pool.claim(&late, SHORT).await.unwrap();
    gone(&pool, &late).await;
    rule!(pool.claim(&new, LONG).await, Ok(true), "an expired slot is free");
    rule!(pool.renew(&late, SHORT).await, Ok(false), "who lost a slot does not renew it");
    rule!(pool.release(&late).await, Ok(false), "who lost a slot does not release it");
    rule!(
        pool.remaining(&new).await.unwrap() > Some(LONG / 2),
        true,
        "a late holder does not touch its successor's lease"
    );
}

/// Sixteen claim one slot at once; a few of them with equal holds.
async fn race(pool: &Subject, round: u128) -> Vec<Hold> {
    let claims: Vec<_> = (0..16u128)
        .map(|n| {
            let (pool, mine) = (Arc::clone(pool), hold(100 * round + n / 2, 1, 1, 0));
            tokio::spawn(async move { pool.claim(&mine, LONG).await.unwrap().then_some(mine) })
        })
        .collect();
    let mut winners = Vec::new();
    for claim in claims {
        winners.extend(claim.await.unwrap());
    }
    winners
}

async fn one_of_many_wins(pool: Subject) {
    for round in 0..20 {
        let winners = race(&pool, round).await;
        rule!(winners.len(), 1, "of 16 who claim a slot at once one is granted it: {winners:?}");
        rule!(pool.release(&winners[0]).await, Ok(true), "the winner has the slot");
    }
}

async fn one_of_many_wins_after_expiry(pool: Subject) {
    let old = hold(9999, 1, 1, 0);
    pool.claim(&old, SHORT).await.unwrap();
    gone(&pool, &old).await;
    let winners = race(&pool, 0).await;
    rule!(winners.len(), 1, "of 16 who claim an expired slot at once one is granted it: {winners:?}");
}

async fn forgetting_frees_the_slots(pool: Subject) {
    let (a, b, other) = (hold(1, 1, 1, 0), hold(2, 1, 1, 1), hold(3, 1, 2, 0));
    for one in [&a, &b, &other] {
        pool.claim(one, LONG).await.unwrap();
    }
    pool.announce(&heartbeat(1), LONG).await.unwrap();
    pool.announce(&heartbeat(2), LONG).await.unwrap();
    rule!(pool.forget(WorkerId(1)).await, Ok(()), "a worker is forgotten");
    rule!(pool.workers().await, Ok(vec![heartbeat(2)]), "a forgotten worker is not listed, others are");
    rule!(pool.remaining(&a).await, Ok(None), "forgetting a worker drops all holds on it");
    rule!(pool.remaining(&b).await, Ok(None), "forgetting a worker drops all holds on it");
    rule!(pool.renew(&b, LONG).await, Ok(false), "a dropped hold is not renewed");
    rule!(pool.remaining(&other).await.unwrap().is_some(), true, "forgetting a worker touches no other");
    rule!(pool.forget(WorkerId(1)).await, Ok(()), "forgetting is safe to repeat");
    rule!(pool.claim(&a, LONG).await, Ok(true), "the slots of a forgotten worker are free");
}

async fn workers_are_what_they_said_last(pool: Subject) {
    rule!(pool.workers().await, Ok(Vec::new()), "nobody is there who said nothing");
    let mut second = heartbeat(2);
    for beat in [heartbeat(1), second.clone(), heartbeat(u128::MAX)] {
        pool.announce(&beat, LONG).await.unwrap();
    }
    second.draining = true;
    second.uptime = ms(u64::from(u32::MAX) * 1000);
    second.resident = Vec::new();
    pool.announce(&second, LONG).await.unwrap();
    let mut found = pool.workers().await.unwrap();
    found.sort_by_key(|beat| beat.worker);
    rule!(found, vec![heartbeat(1), second, heartbeat(u128::MAX)], "workers are listed once, with what they said last");
    let mine = hold(1, 1, 1, 0);
    pool.claim(&mine, LONG).await.unwrap();
    pool.announce(&heartbeat(1), LONG).await.unwrap();
    rule!(pool.remaining(&mine).await.unwrap().is_some(), true, "an announcement touches no hold");
}

async fn an_announcement_expires(pool: Subject) {
    let mine = hold(1, 1, 1, 0);
    pool.claim(&mine, LONG).await.unwrap();
    pool.announce(&heartbeat(1), SHORT).await.unwrap();
    pool.announce(&heartbeat(2), LONG).await.unwrap();
    eventually("a worker that is silent for the expiry is not listed", async || {
        (pool.workers().await.unwrap() == [heartbeat(2)]).then_some(())
    })
    .await;
    pool.announce(&heartbeat(2), SHORT).await.unwrap();
    eventually("an announcement lasts for its own expiry", async || {
        pool.workers().await.unwrap().is_empty().then_some(())
    })
    .await;
    rule!(
        pool.remaining(&mine).await.unwrap().is_some(),
        true,
        "a silent worker's holds last as long as they were granted"
    );
}

async fn it_can_be_asked(pool: Subject) {
    rule!(pool.check().await, Ok(()), "a pool that works passes its check");
}

async fn one_decides_at_a_time(pool: Subject) {
    // A store that may have lost its data lets nobody decide for a while.
    let first = eventually("somebody may decide", async || {
        for who in [1, 2] {
            if pool.decide(who, LONG).await.unwrap() {
                return Some(who);
            }
        }
        None
    })
    .await;
    let other = 3 - first;
    rule!(pool.decide(other, LONG).await, Ok(false), "one decides at a time");
    rule!(pool.decide(first, SHORT).await, Ok(true), "who decides goes on with it");
    rule!(pool.workers().await, Ok(vec![]), "the right to decide is no worker");
    eventually("another one decides when the first has gone", async || {
        pool.decide(other, LONG).await.unwrap().then_some(())
    })
    .await;
    rule!(pool.decide(first, LONG).await, Ok(false), "who comes back finds another deciding");
}
