mod media;
mod moves;
mod world;

use super::{CallerChoice, LiveEnd, LiveOutput};
use crate::live::inbox::{LetterOutcome, Letterbox, LiveInput};
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::{
    BegunUtterance, CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput, LiveTerms,
};
use mouthpiece_domain::session::{EndReason, Fence};
use mouthpiece_transport::{LeftWhy, StreamEvent};
use world::{FENCE, LINE, MS, S, World};

fn reason(end: Option<LiveEnd>) -> Option<EndReason> {
    match end {
        Some(LiveEnd::Ended(end)) => Some(end.reason),
        Some(other) => panic!("it ended otherwise: {other:?}"),
        None => None,
    }
}

fn last_word(world: &World) -> Option<&str> {
    match world.told.last() {
        Some((CallerChoice::All, LineOutput::Over { reason })) => Some(reason),
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
    assert_eq!(world.moods(), [FaceMood::Talking, FaceMood::Idle]);
}

#[test]
fn speech_waits_until_somebody_is_there_to_hear_it() {
    let mut world = World::new();
    world.says("a", 500);
    world.until(10 * S);
    assert!(world.told.iter().all(|(_, event)| matches!(event, LineOutput::Buffer { .. })), "{:?}", world.told);
    world.joins(1);
    world.until(12 * S);
    let started = (CallerChoice::All, LineOutput::Started { event: Some("a".to_owned()) });
    let ended = (CallerChoice::All, LineOutput::Ended { event: Some("a".to_owned()), played_ms: 500 });
    let at = |event| world.told.iter().position(|told| *told == event);
    assert!(at(started).unwrap() < at(ended).unwrap());
    assert_eq!(world.moods(), [FaceMood::Talking, FaceMood::Idle]);
}

#[test]
fn an_interruption_is_silence_at_once_and_is_told_once() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.says("a", 3_000);
    world.until(2 * S);
    world.told.clear();
    world.up(LineInput::Interrupt { event: Some("stop".to_owned()) });
    let [interrupted, mood, answer] = &world.told[..] else { panic!("{:?}", world.told) };
    let (CallerChoice::All, LineOutput::Interrupted { event: Some(event), played_ms }) = interrupted else {
        panic!("{interrupted:?}")
    };
    assert!(event == "a" && (850..=1_000).contains(played_ms), "{event} {played_ms}");
    assert_eq!(*mood, (CallerChoice::AllBut(LINE), LineOutput::Mood { mood: FaceMood::Idle, event: None }));
    assert_eq!(
        *answer,
        (CallerChoice::Line(LINE), LineOutput::Mood { mood: FaceMood::Idle, event: Some("stop".to_owned()) })
    );
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
    world.up(LineInput::Interrupt { event: Some("stop".to_owned()) });
    let event = Some("stop".to_owned());
    let interrupted = (CallerChoice::Line(LINE), LineOutput::Interrupted { event: event.clone(), played_ms: 0 });
    assert_eq!(world.told, [interrupted, (CallerChoice::Line(LINE), LineOutput::Mood { mood: FaceMood::Idle, event })]);
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
    letterbox.leave(LiveInput::Stream(StreamEvent::Joined { viewer: 1, after: S }));
    world.read(&inbox);
    world.until(10 * S);
    assert_eq!(world.session.status().viewers, 1);
    // Nobody reads while speech is pushed and the viewer vanishes.
    let speech = |event: &str| LineInput::Speak { event: Some(event.to_owned()), rate: 16_000, samples: vec![0; 16] };
    while letterbox.leave(LiveInput::Up { line: LINE, up: speech("flood") }).0 == LetterOutcome::Taken {}
    let gone = StreamEvent::Left { viewer: 1, why: LeftWhy::Gone };
    assert_eq!(letterbox.leave(LiveInput::Stream(gone)).0, LetterOutcome::Taken);
    assert_eq!(letterbox.leave(LiveInput::KeepAlive).0, LetterOutcome::Full, "it is full all the same");
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
    let mood = |mood, event| LineOutput::Mood { mood, event };
    let told: Vec<_> = world.session.outputs().collect();
    let position = EventPosition { fence: FENCE, number: 0 };
    let to_line = |event| LiveOutput::Tell(CallerChoice::Line(LINE), event);
    assert_eq!(told, [to_line(mood(FaceMood::Idle, None)), to_line(LineOutput::Position { position })]);
    world.up(LineInput::StartListening { event: None });
    assert_eq!(
        world.told,
        [
            (CallerChoice::AllBut(LINE), mood(FaceMood::Listening, None)),
            (CallerChoice::Line(LINE), mood(FaceMood::Listening, None))
        ]
    );
    world.up(LineInput::KeepAlive { event: Some("k".to_owned()) });
    assert_eq!(world.told[2], (CallerChoice::Line(LINE), LineOutput::Kept { event: Some("k".to_owned()) }));
}

#[test]
fn a_caller_that_comes_back_is_told_what_it_missed_and_nothing_twice() {
    let mut world = World::new();
    world.joins(1);
    world.until(S);
    world.says("a", 500);
    world.until(2 * S);
    let seen = world.positions.last().unwrap().1;
    world.told.clear();
    world.says("b", 500);
    world.until(4 * S);
    let missed: Vec<LineOutput> = world.told.drain(..).map(|(_, event)| event).collect();
    let ended = LineOutput::Ended { event: Some("b".to_owned()), played_ms: 500 };
    assert!(
        missed.contains(&ended) && missed.contains(&LineOutput::Started { event: Some("b".to_owned()) }),
        "{missed:?}"
    );
    let now = world.positions.last().unwrap().1;
    assert_eq!(now.number - seen.number, missed.len() as u64);

    let mut resume = |after, complete| {
        world.told.clear();
        world.positions.clear();
        let (caller, after) = (CallerId(5), Some(after));
        world.up(LineInput::Identify(CallerIntroduction { caller, next: 1, after, listening: false, begun: None }));
        world.told.retain(|(_, event)| !matches!(event, LineOutput::Settled { .. }));
        assert!(world.told.iter().all(|(whom, _)| *whom == CallerChoice::Line(LINE)), "{:?}", world.told);
        let mut told: Vec<LineOutput> = world.told.drain(..).map(|(_, event)| event).collect();
        assert_eq!(told.remove(0), LineOutput::Resumed { complete });
        assert_eq!(world.positions, [(CallerChoice::Line(LINE), now)]);
        told
    };
    assert_eq!(resume(seen, true), missed);
    assert_eq!(resume(now, true), []);
    let moved = EventPosition { fence: Fence(FENCE.0 - 1), ..seen };
    assert_eq!(resume(moved, false).len() as u64, now.number, "all that is known of this placement");
}

#[test]
fn speech_that_is_not_taken_is_refused_to_its_line() {
    let mut world = World::new();
    let speak = |rate, seconds: u64| LineInput::Speak {
        event: None,
        rate,
        samples: vec![0; (u64::from(rate) * seconds) as usize],
    };
    world.up(speak(16_000, 100));
    world.up(speak(16_000, 100));
    world.up(speak(4_000, 1));
    let refused = world.told.iter().filter_map(|(whom, event)| match event {
        LineOutput::Refused { retry_after_ms, .. } => Some((*whom, *retry_after_ms)),
        _ => None,
    });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 2, "{:?}", world.told);
    assert!(refused[0].0 == CallerChoice::Line(LINE) && (79_000..=81_000).contains(&refused[0].1), "{refused:?}");
    assert_eq!(refused[1], (CallerChoice::Line(LINE), 0));
    assert_eq!(world.session.status().buffered_ms, 99_999);
}

#[test]
fn a_caller_is_told_what_is_done_with_and_says_the_rest_elsewhere() {
    let caller = CallerId(5);
    let identify = |next, begun: Option<BegunUtterance>| {
        LineInput::Identify(CallerIntroduction { caller, next, after: None, listening: begun.is_some(), begun })
    };
    let mut world = World::new();
    world.joins(1);
    world.session.line_opened(LINE);
    world.up(identify(1, None));
    world.says("a", 2000);
    world.until(S);
    let settled = |world: &World| {
        let mut told = world.told.iter().rev();
        told.find_map(|(_, event)| match event {
            LineOutput::Settled { through, begun, of_next_ms } => Some((*through, begun.clone(), *of_next_ms)),
            _ => None,
        })
    };
    let (through, begun, of_next_ms) = settled(&world).unwrap();
    assert_eq!(through, 0);
    let begun = begun.unwrap();
    assert!((500..1000).contains(&begun.played_ms) && begun.played_ms.abs_diff(of_next_ms) <= 40, "{begun:?}");
    // The line breaks, and the caller says all of it anew: it is not said twice.
    world.session.line_closed(LINE);
    world.session.line_opened(LINE);
    world.up(identify(1, Some(begun.clone())));
    world.says("a", 2000);
    world.until(4 * S);
    let ends = world.told.iter().filter(|(_, event)| matches!(event, LineOutput::Ended { .. })).count();
    assert_eq!((ends, settled(&world)), (1, Some((2, None, 0))));

    let mut elsewhere = World::new();
    elsewhere.joins(1);
    elsewhere.up(identify(1, Some(begun.clone())));
    elsewhere.says("a", 2000 - begun.played_ms as usize);
    elsewhere.until(4 * S);
    let told: Vec<_> = elsewhere.told.iter().map(|(_, event)| event).collect();
    assert!(told.contains(&&LineOutput::Continued { utterance: begun }), "{told:?}");
    let ended = LineOutput::Ended { event: Some("a".to_owned()), played_ms: 2000 };
    assert!(told.contains(&&ended), "{told:?}");
    assert_eq!(elsewhere.moods()[0], FaceMood::Listening, "it was listening elsewhere");
}
