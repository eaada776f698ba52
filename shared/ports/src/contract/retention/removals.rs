//! What somebody wants to be removed.

use super::super::sample::{at, completed};
use super::{Subject, avatar, content, place, session};
use crate::retention::{LeavingBlob, REMOVAL_GRACE};
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::names;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{Session, SessionKind};
use mouthpiece_domain::time::Wall;
use std::time::Duration;

/// When those who were about to use an upload at this time have said so.
fn after_grace(at: Wall) -> Wall {
    Wall(at.0 + i64::try_from(REMOVAL_GRACE.as_millis()).unwrap())
}

impl Subject {
    async fn finish(&self, at: Wall) -> u32 {
        self.ages.finish_removals(at, 100).await.unwrap()
    }
}

fn leaves(class: RetentionClass, n: u128) -> LeavingBlob {
    let key = match class {
        RetentionClass::Results => names::results(SessionId(n)),
        RetentionClass::Avatars => names::prepared(&content(n)),
        _ => Ok(place(n)),
    };
    LeavingBlob { key: key.unwrap(), class }
}

pub(super) async fn an_avatar_takes_all_with_it(subject: Subject) {
    for n in [1, 2, 50] {
        subject.upload(n, at(10)).await;
    }
    for n in 1..=2 {
        subject.records.add_avatar(&avatar(n, at(10))).await.unwrap();
        subject.make(session(n, n, Some(50), at(10)), None).await;
        subject.end(n, completed(), at(20)).await;
    }
    rule!(subject.finish(after_grace(at(99))).await, 0, "nothing goes that nobody wants to be removed");
    rule!(subject.records.remove_avatar(AvatarId(1)).await, Ok(true), "an avatar is removed");
    rule!(subject.records.remove_avatar(AvatarId(1)).await, Ok(false), "once");
    rule!(subject.finish(at(30)).await, 1, "the result of the render with it goes at once");
    rule!(subject.leaving().await, vec![leaves(RetentionClass::Results, 1)], "and no other one");
    rule!(subject.output(1).await.removed, Some(at(30)), "its record tells so");
    rule!(subject.output(2).await.removed, None, "the other's does not");
    rule!(
        subject.finish(Wall(after_grace(at(10)).0 - 1)).await,
        0,
        "who was about to use the portrait has time to say so"
    );
    rule!(subject.finish(after_grace(at(10))).await, 1, "then it goes, whatever its age");
    let all =
        [leaves(RetentionClass::Avatars, 1), leaves(RetentionClass::Results, 1), leaves(RetentionClass::Uploads, 1)];
    rule!(subject.leaving().await, all.to_vec(), "with what was prepared from it, and nothing of others");
    rule!(subject.finish(after_grace(at(99))).await, 0, "what went goes once");
}

pub(super) async fn what_is_used_again_stays(subject: Subject) {
    for n in 1..=2 {
        subject.upload(n, at(10)).await;
        subject.records.add_avatar(&avatar(n, at(10))).await.unwrap();
        subject.records.remove_avatar(AvatarId(n)).await.unwrap();
    }
    subject.upload(1, at(10)).await;
    // Another one's avatar of the same portrait.
    subject.records.add_avatar(&crate::records::Avatar { id: AvatarId(3), ..avatar(2, at(10)) }).await.unwrap();
    rule!(subject.finish(after_grace(at(50))).await, 0, "an upload that is used again, or by another, stays");
    subject.records.remove_avatar(AvatarId(3)).await.unwrap();
    rule!(subject.finish(after_grace(at(50))).await, 1, "until the last one is removed");
}

pub(super) async fn open_sessions_are_waited_for(subject: Subject) {
    subject.upload(1, at(10)).await;
    subject.records.add_avatar(&avatar(1, at(10))).await.unwrap();
    subject.make(session(7, 1, None, at(10)), None).await;
    subject.records.remove_avatar(AvatarId(1)).await.unwrap();
    rule!(subject.finish(after_grace(at(50))).await, 0, "what an open session needs stays");
    subject.end(7, completed(), at(60)).await;
    rule!(subject.finish(after_grace(at(70))).await, 2, "after its end its portrait and its result go");
}

pub(super) async fn a_result_goes_at_once(subject: Subject) {
    for n in [1, 2] {
        subject.upload(n, at(10)).await;
    }
    subject.make(session(7, 1, Some(2), at(10)), None).await;
    let remove = async |id: u128| subject.ages.remove_results(SessionId(id), at(30)).await;
    rule!(remove(7).await, Ok(false), "an open session has no result");
    rule!(remove(8).await, Ok(false), "nor has one that is not there");
    subject.make(Session { kind: SessionKind::Prepare, ..session(9, 1, None, at(10)) }, None).await;
    for id in [7, 9] {
        subject.end(id, completed(), at(20)).await;
    }
    rule!(remove(9).await, Ok(false), "what a preparation left is the avatar's");
    rule!(remove(7).await, Ok(true), "a render's result is removed");
    rule!(subject.output(7).await.removed, Some(at(30)), "its record tells so");
    rule!(subject.leaving().await, vec![leaves(RetentionClass::Results, 7)], "it leaves");
    rule!(remove(7).await, Ok(true), "twice is no error");
    rule!(subject.finish(after_grace(at(10))).await, 2, "what it was made of goes, too");
}

pub(super) async fn the_turn_is_kept(subject: Subject) {
    for _ in 0..2 {
        rule!(subject.ages.turn(1, Duration::from_secs(60)).await, Ok(true), "who has the turn keeps it");
    }
}
