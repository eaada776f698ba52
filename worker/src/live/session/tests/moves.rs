//! A session that waits to be moved here, and one that was moved away.

use super::world::{MS, S, World};
use super::{last_word, reason};
use crate::live::session::LiveEnd;
use crate::stop::SessionDuty;
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::EndReason;

#[test]
fn what_waits_to_be_moved_here_waits_for_its_viewers_from_when_it_is_here() {
    let terms = LiveTerms { absent_timeout: S, ..LiveTerms::default() };
    let mut world = World::with_duty(terms, SessionDuty::Waits);
    assert_eq!(reason(world.until(50 * S)), None, "it runs elsewhere");
    assert!(world.frames.is_empty() && world.sound.is_empty(), "nothing is made for nobody");
    assert!(!world.session.turn_to(SessionDuty::Serves, world.now));
    assert_eq!(reason(world.until(64 * S)), None, "who watches elsewhere needs time to come, whatever others get");
    assert_eq!(reason(world.until(66 * S)), Some(EndReason::ParticipantAbsent));
}

#[test]
fn a_viewer_who_comes_to_where_it_was_moved_sees_it_at_once() {
    let mut world = World::with_duty(LiveTerms::default(), SessionDuty::Waits);
    world.until(5 * S);
    world.session.turn_to(SessionDuty::Serves, world.now);
    world.joins(1);
    world.until(10 * S);
    let first = &world.frames[0];
    assert!(first.key && first.pts <= 5 * S + 100 * MS, "{first:?}");
    assert!(world.session.frames_sent() > 120);
}

#[test]
fn what_was_moved_away_is_shown_until_the_last_viewer_has_gone_and_not_billed() {
    let mut world = World::new();
    world.joins(1);
    world.joins(2);
    world.until(10 * S);
    let billed = world.session.frames_sent();
    assert!(world.session.turn_to(SessionDuty::HandsOver, world.now), "it was moved");
    assert!(!world.session.turn_to(SessionDuty::HandsOver, world.now), "once");
    world.until(12 * S);
    world.leaves(1);
    assert!(world.until(13 * S).is_none(), "one still watches");
    let frames = world.frames.len();
    assert!(frames > 320, "{frames} frames of 13 s");
    world.leaves(2);
    let end = world.until(14 * S);
    assert!(matches!(end, Some(LiveEnd::Moved)), "{end:?}");
    assert!(world.now - world.start < 13 * S + 100 * MS);
    assert_eq!((world.session.frames_sent(), last_word(&world)), (billed, None), "nobody is told that it is over");
}

#[test]
fn a_viewer_who_never_leaves_is_left() {
    let mut world = World::new();
    world.joins(1);
    world.says("a", 60_000);
    world.until(S);
    world.session.turn_to(SessionDuty::HandsOver, world.now);
    assert!(world.until(10 * S + 500 * MS).is_none());
    assert!(matches!(world.until(12 * S), Some(LiveEnd::Moved)));
}

#[test]
fn without_viewers_what_was_moved_away_is_over_at_once() {
    let mut world = World::new();
    world.until(S);
    world.session.turn_to(SessionDuty::HandsOver, world.now);
    assert!(matches!(world.until(2 * S), Some(LiveEnd::Moved)));
    assert!(world.now - world.start < S + 100 * MS);
}

#[test]
fn callers_of_what_was_moved_go_with_the_first_viewer() {
    let mut world = World::new();
    world.joins(1);
    world.joins(2);
    world.says("a", 60_000);
    world.until(2 * S);
    assert!(!world.session.lets_callers_go(world.now));
    world.session.turn_to(SessionDuty::HandsOver, world.now);
    assert!(!world.session.lets_callers_go(world.now), "what is being said is heard here for now");
    world.until(3 * S);
    world.leaves(2);
    assert!(world.session.lets_callers_go(world.now));
    assert!(!world.session.lets_callers_go(world.now), "once");

    let mut world = World::new();
    world.until(S);
    world.session.turn_to(SessionDuty::HandsOver, world.now);
    assert!(world.session.lets_callers_go(world.now), "there is nobody to hear it");
}
