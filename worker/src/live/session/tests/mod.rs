mod media;
mod world;

use super::{LiveEnd, Output, Whom};
use crate::live::inbox::{Input, Left, Letterbox};
use mouthpiece_domain::live::{Down, LiveTerms, Mood, Up};
use mouthpiece_domain::session::EndReason;
use mouthpiece_transport::{LeftWhy, StreamEvent};
use world::{LINE, MS, S, World};

fn reason(end: Option<LiveEnd>) -> Option<EndReason> {
    match end {
        Some(LiveEnd::Ended(end)) => Some(end.reason),
        Some(other) => panic!("it ended otherwise: {other:?}"),
        None => None,
    }
}

fn last_word(world: &World) -> Option<&str> {
    match world.told.last() {
        Some((Whom::All, Down::Over { reason })) => Some(reason),
        _ => None,
    }
}

#[test]
fn nobody_comes() {
    let mut world = World::new();
    assert_eq!(reason(world.until(59 * S)), None);
    assert_eq!(reason(world.until(61 * S)), Some(EndReason::ParticipantAbsent));
    assert_eq!(last_word(&world), Some("participant_absent"));
    assert!(world.frames.is_empty() && world.sound.is_empty(), "nothing is made for nobody");
    assert!(world.now - world.start < 61 * S, "it does not end later than it is due");
}

#[test]
fn the_last_viewer_leaves_and_nobody_comes_back() {
    let mut world = World::new();
    world.joins(1);
    world.joins(2);
    world.until(10 * S);
    world.leaves(1);
    assert_eq!(reason(world.until(50 * S)), None, "one is still there");
    world.leaves(2);
    world.until(50 * S + 100 * MS);
    let (frames, sound, billed) = (world.frames.len(), world.sound.len(), world.session.frames_sent());
    assert!((1_245..=1_252).contains(&frames), "{frames} frames of 50 s");
    assert_eq!(reason(world.until(79 * S)), None);
    assert_eq!((world.frames.len(), world.sound.len()), (frames, sound), "nobody watches");
    assert_eq!(world.session.frames_sent(), billed, "and nothing is billed");
    assert_eq!(reason(world.until(81 * S)), Some(EndReason::ParticipantLeft));
    assert_eq!(last_word(&world), Some("participant_left"));
    assert_eq!(world.number("live_viewers", None), 0.0);
}

#[test]
fn a_viewer_who_comes_back_in_time_gets_a_key_frame() {
    let mut world = World::new();
    world.joins(1);
    world.until(10 * S);
    world.leaves(1);
    world.until(35 * S);
    let before = world.frames.len();
    world.joins(3);
    assert_eq!(reason(world.until(100 * S)), None);
    assert!(world.frames[before].key && world.frames[before].pts >= 35 * S, "{:?}", world.frames[before]);
    assert_eq!(world.session.status().viewers, 1);
}

#[test]
fn a_viewer_who_comes_late_gets_a_key_frame_and_the_others_go_on() {
    let mut world = World::new();
    world.until(20 * S);
    world.joins(1);
    world.until(30 * S);
    world.joins(2);
    world.until(40 * S);
    let keys: Vec<_> = world.frames.iter().filter(|frame| frame.key).map(|frame| frame.pts.as_secs()).collect();
    assert_eq!(keys, [20, 30]);
    assert!(world.frames.windows(2).all(|pair| pair[1].pts - pair[0].pts == 40 * MS));
    assert_eq!(world.number("live_first_frame_seconds", None), 2.0);
    assert_eq!(world.number("live_connect_seconds", None), 2.0);
}

#[test]
fn silence_ends_it_and_speech_does_not() {
    let mut world = World::on(LiveTerms { idle_timeout: 20 * S, ..LiveTerms::default() });
    world.joins(1);
    world.until(15 * S);
    world.says("a", 10_000);
    assert_eq!(reason(world.until(44 * S)), None, "it spoke until 25 s");
    world.session.keep_alive(world.now);
    assert_eq!(reason(world.until(63 * S)), None, "it was asked to stay");
    assert_eq!(reason(world.until(65 * S)), Some(EndReason::IdleTimeout));
    assert_eq!(last_word(&world), Some("idle_timeout"));
    assert_eq!(world.moods(), [Mood::Talking, Mood::Idle]);
}

#[test]
fn speech_waits_until_somebody_is_there_to_hear_it() {
    let mut world = World::new();
    world.says("a", 500);
    world.until(10 * S);
    assert!(world.told.iter().all(|(_, event)| matches!(event, Down::Buffer { .. })), "{:?}", world.told);
    world.joins(1);
    world.until(12 * S);
    let started = (Whom::All, Down::Started { event: Some("a".to_owned()) });
    let ended = (Whom::All, Down::Ended { event: Some("a".to_owned()), played_ms: 500 });
    let at = |event| world.told.iter().position(|told| *told == event);
    assert!(at(started).unwrap() < at(ended).unwrap());
    assert_eq!(world.moods(), [Mood::Talking, Mood::Idle]);
}

#[test]
fn an_interruption_is_silence_at_once_and_is_told_once() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.says("a", 3_000);
    world.until(2 * S);
    world.told.clear();
    world.up(Up::Interrupt { event: Some("stop".to_owned()) });
    let [interrupted, mood, answer] = &world.told[..] else { panic!("{:?}", world.told) };
    let (Whom::All, Down::Interrupted { event: Some(event), played_ms }) = interrupted else {
        panic!("{interrupted:?}")
    };
    assert!(event == "a" && (850..=1_000).contains(played_ms), "{event} {played_ms}");
    assert_eq!(*mood, (Whom::AllBut(LINE), Down::Mood { mood: Mood::Idle, event: None }));
    assert_eq!(*answer, (Whom::Line(LINE), Down::Mood { mood: Mood::Idle, event: Some("stop".to_owned()) }));
    let loud = world.sound.len();
    world.until(4 * S);
    assert!(world.sound[loud + 1..].iter().all(|(_, loudest)| *loudest == 0.0), "it goes on speaking");
    assert!(world.frames.last().unwrap().is_calm, "the mouth is closed");
    assert_eq!(world.told.len(), 3, "{:?}", world.told);
}

#[test]
fn whoever_interrupts_silence_is_told_so() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.up(Up::Interrupt { event: Some("stop".to_owned()) });
    let event = Some("stop".to_owned());
    let interrupted = (Whom::Line(LINE), Down::Interrupted { event: event.clone(), played_ms: 0 });
    assert_eq!(world.told, [interrupted, (Whom::Line(LINE), Down::Mood { mood: Mood::Idle, event })]);
}

#[test]
fn one_that_is_moved_says_nothing_more() {
    let mut world = World::new();
    world.joins(1);
    world.says("a", 5_000);
    world.until(2 * S);
    world.told.clear();
    world.session.stop();
    assert!(matches!(world.until(3 * S), Some(LiveEnd::Stopped)));
    assert!(world.told.is_empty(), "it goes on elsewhere: {:?}", world.told);
    world.session.closed();
    assert_eq!([world.number("live_sessions", None), world.number("live_viewers", None)], [0.0; 2]);
}

#[test]
fn a_stop_is_no_end_even_where_one_is_due() {
    let mut world = World::new();
    world.until(59 * S);
    world.now = world.start + 70 * S;
    world.session.stop();
    assert!(matches!(world.until(80 * S), Some(LiveEnd::Stopped)));
}

#[test]
fn the_last_viewer_is_missed_however_much_speech_fills_the_inbox() {
    let (letterbox, inbox) = Letterbox::new();
    let mut world = World::new();
    letterbox.leave(Input::Stream(StreamEvent::Joined { viewer: 1, after: S }));
    world.read(&inbox);
    world.until(10 * S);
    assert_eq!(world.session.status().viewers, 1);
    // Nobody reads while speech is pushed and the viewer vanishes.
    let speech = |event: &str| Up::Speak { event: Some(event.to_owned()), rate: 16_000, samples: vec![0; 16] };
    while letterbox.leave(Input::Up { line: LINE, up: speech("flood") }).0 == Left::Taken {}
    let gone = StreamEvent::Left { viewer: 1, why: LeftWhy::Gone };
    assert_eq!(letterbox.leave(Input::Stream(gone)).0, Left::Taken);
    assert_eq!(letterbox.leave(Input::KeepAlive).0, Left::Full, "it is full all the same");
    world.read(&inbox);
    assert_eq!(world.session.status().viewers, 0);
    assert_eq!(reason(world.until(39 * S)), None);
    assert_eq!(reason(world.until(41 * S)), Some(EndReason::ParticipantLeft));
}

#[test]
fn a_viewer_who_never_came_does_not_leave() {
    let mut world = World::new();
    world.leaves(7);
    assert_eq!(reason(world.until(61 * S)), Some(EndReason::ParticipantAbsent));
    assert_eq!(world.number("live_viewers", None), 0.0);
}

#[test]
fn a_line_is_told_the_mood_when_it_opens_and_as_an_answer() {
    let mut world = World::new();
    world.session.line_opened(LINE);
    let mood = |mood, event| Down::Mood { mood, event };
    let told: Vec<_> = world.session.outputs().collect();
    assert_eq!(told, [Output::Tell(Whom::Line(LINE), mood(Mood::Idle, None))]);
    world.up(Up::StartListening { event: None });
    assert_eq!(
        world.told,
        [(Whom::AllBut(LINE), mood(Mood::Listening, None)), (Whom::Line(LINE), mood(Mood::Listening, None))]
    );
    world.up(Up::KeepAlive { event: Some("k".to_owned()) });
    assert_eq!(world.told[2], (Whom::Line(LINE), Down::Kept { event: Some("k".to_owned()) }));
}

#[test]
fn speech_that_is_not_taken_is_refused_to_its_line() {
    let mut world = World::new();
    let speak =
        |rate, seconds: u64| Up::Speak { event: None, rate, samples: vec![0; (u64::from(rate) * seconds) as usize] };
    world.up(speak(16_000, 100));
    world.up(speak(16_000, 100));
    world.up(speak(4_000, 1));
    let refused = world.told.iter().filter_map(|(whom, event)| match event {
        Down::Refused { retry_after_ms, .. } => Some((*whom, *retry_after_ms)),
        _ => None,
    });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 2, "{:?}", world.told);
    assert!(refused[0].0 == Whom::Line(LINE) && (79_000..=81_000).contains(&refused[0].1), "{refused:?}");
    assert_eq!(refused[1], (Whom::Line(LINE), 0));
    assert_eq!(world.session.status().buffered_ms, 99_999);
}
