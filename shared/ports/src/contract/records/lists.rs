//! Lists of sessions.

use super::super::sample::{at, completed, hold, session};
use super::{Subject, create, found, write};
use crate::records::SessionFilter;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::LedgerWrite;
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, Session, SessionKind};

async fn ids(records: &Subject, filter: SessionFilter) -> Vec<u128> {
    records.sessions(&filter).await.unwrap().iter().map(|s| s.id.0).collect()
}

fn all() -> SessionFilter {
    SessionFilter { limit: 500, ..SessionFilter::default() }
}

/// Twelve sessions: key by parity, kind by thirds, avatar by halves, phase by id modulo 6.
async fn dozen(records: &Subject) -> Vec<Session> {
    let mut made = Vec::new();
    for id in [7, 3, 12, 1, 10, 5, 2, 9, 4, 11, 6, 8u128] {
        let mut one = session(id);
        one.key = KeyId(id % 2);
        one.kind = SessionKind::ALL[id as usize % 3];
        one.avatar = AvatarId(id / 7);
        let phase = Phase::from_rank((id % 6) as u8).unwrap();
        let mine = hold(id, 1, 1, 0);
        let mut batch = vec![LedgerWrite::Create { session: Box::new(one), idempotency: None }];
        if phase > Phase::Requested {
            batch.push(LedgerWrite::Assign { hold: mine, at: at(2) });
        }
        if phase == Phase::Ended {
            let (session, fence, end) = (SessionId(id), Fence::FIRST, Box::new(completed()));
            batch.push(LedgerWrite::End { session, fence, end, progress: None, delivered: None, at: at(3) });
        } else if phase > Phase::Assigned {
            let progress = FrameProgress { done: 1, total: 2 };
            batch.push(LedgerWrite::Advance { hold: mine, phase, progress, delivered: Default::default(), at: at(3) });
        }
        records.write(&batch).await.unwrap();
        made.push(found(records, id).await);
        rule!(made[made.len() - 1].phase, phase, "a session goes through its phases");
    }
    made.sort_by_key(|s| std::cmp::Reverse(s.id));
    made
}

pub(super) async fn sessions_are_listed_newest_first(records: Subject) {
    rule!(ids(&records, all()).await, vec![], "there are no sessions at first");
    let made = dozen(&records).await;
    rule!(records.sessions(&all()).await.unwrap(), made, "a list has whole records, newest first");
    create(&records, [u128::MAX, 1 << 127, 1 << 64]).await;
    let newest = ids(&records, SessionFilter { limit: 4, ..all() }).await;
    rule!(newest, vec![u128::MAX, 1 << 127, 1 << 64, 12], "ids are in the order of their numbers, however large");
}

pub(super) async fn filters_meet(records: Subject) {
    let made = dozen(&records).await;
    let keys = [None, Some(KeyId(0)), Some(KeyId(1)), Some(KeyId(77))];
    let kinds = [None, Some(SessionKind::Render), Some(SessionKind::Prepare), Some(SessionKind::Live)];
    let avatars = [None, Some(AvatarId(0)), Some(AvatarId(1)), Some(AvatarId(77))];
    let phases =
        [vec![], vec![Phase::Requested], vec![Phase::Ended], vec![Phase::Running, Phase::Ended, Phase::Assigned]];
    let befores = [None, Some(SessionId(9)), Some(SessionId(1))];
    for key in keys {
        for kind in kinds {
            for avatar in avatars {
                for phases in &phases {
                    for before in befores {
                        let filter = SessionFilter { key, kind, phases: phases.clone(), avatar, before, limit: 500 };
                        let wanted: Vec<u128> = made
                            .iter()
                            .filter(|s| key.is_none_or(|k| s.key == k) && kind.is_none_or(|k| s.kind == k))
                            .filter(|s| avatar.is_none_or(|a| s.avatar == a) && before.is_none_or(|b| s.id < b))
                            .filter(|s| phases.is_empty() || phases.contains(&s.phase))
                            .map(|s| s.id.0)
                            .collect();
                        rule!(ids(&records, filter.clone()).await, wanted, "all that is asked for holds: {filter:?}");
                    }
                }
            }
        }
    }
}

pub(super) async fn a_list_goes_on_where_it_stopped(records: Subject) {
    dozen(&records).await;
    for limit in [1, 5, 6, 12, 500] {
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let page = ids(&records, SessionFilter { key: None, before, limit, ..all() }).await;
            rule!(page.len() <= limit as usize, true, "a list has at most {limit} entries, not {}", page.len());
            let Some(last) = page.last() else { break };
            before = Some(SessionId(*last));
            pages.extend(page);
        }
        rule!(pages, (1..=12).rev().collect::<Vec<_>>(), "pages of {limit} have every session once");
    }
    create(&records, 1000..1600).await;
    let page = ids(&records, SessionFilter { limit: 500, ..all() }).await;
    rule!(page, (1100..1600).rev().collect::<Vec<_>>(), "up to 500 are listed");
}

pub(super) async fn open_sessions_are_those_that_have_not_ended(records: Subject) {
    rule!(records.open_sessions().await.unwrap(), vec![], "nothing is open at first");
    let mut made = dozen(&records).await;
    made.retain(|s| s.phase != Phase::Ended);
    made.sort_by_key(|s| s.id);
    rule!(records.open_sessions().await.unwrap(), made, "open sessions are those that have not ended, oldest first");
    create(&records, 2000..2600).await;
    let now = records.open_sessions().await.unwrap();
    rule!(now.len(), made.len() + 600, "all open sessions are told, however many");
    for one in now {
        let (session, fence, end) = (one.id, one.fence, Box::new(completed()));
        write(&records, LedgerWrite::End { session, fence, end, progress: None, delivered: None, at: at(9) }).await;
    }
    rule!(records.open_sessions().await.unwrap(), vec![], "what ended is not open");
}
