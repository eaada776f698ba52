//! What leaves, and when.

use super::world::{MS, S, World};
use crate::live::session::CallerChoice;
use mouthpiece_domain::live::LineOutput;
use mouthpiece_transport::StreamEvent;
use std::time::Duration;

#[test]
fn sound_leaves_every_20_ms_at_its_own_time_and_was_heard_before() {
    let mut world = World::new();
    world.joins(1);
    world.until(10 * S);
    assert_eq!(world.sound[0].0, Duration::ZERO, "the codec's delay is in what it is given");
    assert!(world.sound.windows(2).all(|pair| pair[1].0 - pair[0].0 == 20 * MS));
    assert!((499..=501).contains(&world.sound.len()), "{}", world.sound.len());
    assert_eq!(world.number("live_underruns_total", None), 0.0);
}

#[test]
fn frames_are_begun_in_time_and_leave_at_their_own() {
    let mut world = World::new();
    world.joins(1);
    world.until(10 * S);
    assert!(world.frames.windows(2).all(|pair| pair[1].pts - pair[0].pts == 40 * MS));
    assert!(world.frames.iter().all(|frame| frame.is_calm), "silence needs no engine");
    // For the first there was no time before. For the others the work of 4 ms and a quarter of it are kept free.
    assert!(world.frames[1..].iter().all(|frame| (MS / 2..=MS).contains(&frame.early)), "{:?}", world.frames[1]);
    assert_eq!(world.number("live_frames_total", None), world.session.frames_sent() as f64);
    assert_eq!(world.session.status().missed, 0);
    assert!((24.9..=25.1).contains(&world.session.status().fps), "{}", world.session.status().fps);
}

#[test]
fn a_frame_shows_the_sound_that_leaves_with_it() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.says("a", 1_000);
    world.until(3 * S);
    let sounds: Vec<_> = world.sound.iter().filter(|(_, loudest)| *loudest > 0.01).map(|(pts, _)| *pts).collect();
    let moves: Vec<_> = world.frames.iter().filter(|frame| !frame.is_calm).map(|frame| frame.pts).collect();
    let (from, to) = (sounds[0], *sounds.last().unwrap() + 20 * MS);
    assert!(from >= S && from <= S + 120 * MS, "after what had its place: {from:?}");
    assert!(moves.iter().all(|pts| *pts + 40 * MS > from && *pts < to), "{from:?} {to:?} {moves:?}");
    assert!((24..=26).contains(&moves.len()), "{moves:?}");
    assert!(world.number("live_stage_seconds", Some("total")) >= 1.0, "what arrived just before is measured");
}

#[test]
fn a_machine_that_is_too_slow_skips_frames_and_counts_them() {
    let mut world = World::new();
    world.joins(1);
    world.drawing = 100 * MS;
    world.until(10 * S);
    let late = world.number("live_frames_missed_total", Some("late"));
    let made = world.frames.len() as f64;
    assert!((95.0..=105.0).contains(&made), "{made}");
    assert!((late + made - 250.0).abs() <= 3.0, "{late} and {made}");
    assert!(world.sound.windows(2).all(|pair| pair[1].0 - pair[0].0 == 20 * MS), "the voice does not wait for them");
    assert_eq!(world.session.status().missed as f64, late);
}

#[test]
fn nothing_is_missed_while_nobody_watches() {
    let mut world = World::new();
    world.until(S);
    world.now += 5 * S;
    world.until(10 * S);
    assert_eq!(world.session.status().missed, 0);
}

#[test]
fn frames_of_which_too_little_was_heard_are_counted() {
    let mut world = World::new();
    world.joins(1);
    world.is_deaf = true;
    world.until(S);
    assert!(world.frames.is_empty());
    let unheard = world.number("live_frames_missed_total", Some("sound"));
    assert!((25.0..=26.0).contains(&unheard), "{unheard}");
}

#[test]
fn a_frame_that_the_transport_refuses_is_followed_by_a_key_frame() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.is_clogged = true;
    world.until(S + 100 * MS);
    world.is_clogged = false;
    let before = world.frames.len();
    world.until(2 * S);
    assert!(world.frames[before].key && !world.frames[before + 1].key);
    assert!(world.number("live_frames_missed_total", Some("transport")) >= 2.0);
}

#[test]
fn a_key_frame_comes_when_it_is_asked_for() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    let before = world.frames.len();
    world.session.stream_event(StreamEvent::KeyFrameWanted, world.now);
    world.until(2 * S);
    let keys: Vec<_> = world.frames[before..].iter().map(|frame| frame.key).collect();
    assert!(keys[0] && keys[1..].iter().all(|key| !key), "{keys:?}");
}

#[test]
fn the_encoder_follows_the_network() {
    let mut world = World::new();
    assert_eq!(world.session.status().bitrate, 1_500_000);
    world.session.stream_event(StreamEvent::Bitrate(400_000), world.now);
    world.until(S);
    assert_eq!((world.bitrates.as_slice(), world.session.status().bitrate), (&[400_000][..], 400_000));
}

#[test]
fn at_a_slower_pace_frames_are_even_everybody_is_told_and_the_same_time_is_billed() {
    let mut world = World::new();
    world.joins(1);
    world.until(10 * S);
    world.session.set_pace(20);
    world.session.set_pace(20);
    world.until(20 * S);
    world.session.set_pace(25);
    world.until(30 * S);
    let apart = |from: Duration, to: Duration| {
        let there = world.frames.iter().map(|frame| frame.pts).filter(move |pts| *pts >= from && *pts < to);
        let pts: Vec<_> = there.collect();
        pts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect::<Vec<_>>()
    };
    assert!(apart(S, 10 * S).iter().all(|ms| *ms == 40));
    assert!(apart(11 * S, 20 * S).iter().all(|ms| *ms == 50));
    assert!(apart(21 * S, 30 * S).iter().all(|ms| *ms == 40));
    let rates: Vec<_> = world.told.iter().filter(|(_, told)| matches!(told, LineOutput::FrameRate { .. })).collect();
    assert_eq!(rates.len(), 2, "{rates:?}");
    assert_eq!(rates[0], &(CallerChoice::All, LineOutput::FrameRate { fps: 20, asked: 25 }));
    assert_eq!(world.number("live_frame_rate_changes_total", None), 2.0);
    assert_eq!(world.session.status().missed, 0);
    // 30 s at 25 a second, whatever was shown.
    assert!((747..=751).contains(&world.session.frames_sent()), "{}", world.session.frames_sent());
    assert!((697..=701).contains(&world.frames.len()), "{}", world.frames.len());
}
