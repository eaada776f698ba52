//! Two coordinators over the same ports.

use crate::harness::{Rig, accepted, quick, session};
use crate::worker::{Conduct, DELIVERED, Entry};
use futures_util::future::join_all;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{EndReason, Fence, Phase};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Period;
use std::collections::HashMap;
use std::time::Duration;

const SESSIONS: usize = 200;

#[actix_rt::test]
async fn every_session_ends_once_and_no_slot_has_two() {
    let rig = Rig::start(quick()).await;
    let other = rig.another();
    let start_workers = (0..10).map(|n| rig.worker(2, Conduct::Work(Duration::from_millis(1 + n % 5))));
    let workers = join_all(start_workers).await;
    let submit = (0..SESSIONS).map(|n| accepted(if n % 2 == 0 { &rig.farm } else { &other }, session()));
    let ids = join_all(submit).await;

    for id in &ids {
        let ended = rig.reaches(*id, Phase::Ended).await;
        assert_eq!((ended.fence, ended.end.unwrap().reason), (Fence::FIRST, EndReason::Completed));
    }
    let mut completed: HashMap<SessionId, u32> = HashMap::new();
    for entry in workers.iter().flat_map(|worker| worker.log()) {
        match entry {
            Entry::Completed(hold) => *completed.entry(hold.session).or_default() += 1,
            Entry::Collided(hold) => panic!("a taken slot was given to {hold:?}"),
            _ => {}
        }
    }
    assert_eq!(completed.len(), SESSIONS);
    assert!(completed.values().all(|times| *times == 1), "some ran twice: {completed:?}");
    let ever = Period { from: Wall(0), to: Wall(i64::MAX / 2).hour() };
    let delivered: Duration = rig.books.usage(ever).await.unwrap().iter().map(|entry| entry.delivered).sum();
    assert_eq!(delivered, DELIVERED * SESSIONS as u32);
    other.stop().await;
    rig.farm.stop().await;
}
