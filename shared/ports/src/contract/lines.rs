//! What all lines must do.

use super::sample::hold;
use super::{at_once, comes, eventually};
use crate::lines::{CallerLine, IncomingLine, IncomingLines, LineError, Lines};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{CallerId, WorkerId};
use mouthpiece_domain::live::{BegunUtterance, CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput};
use mouthpiece_domain::session::Fence;
use std::sync::Arc;

type Subject = Arc<dyn Lines>;

const WORKER: WorkerId = WorkerId(1);
/// No direction of a line holds more than so many messages that nobody takes.
const ENDLESS: usize = 10_000;

/// Runs the suite.
pub async fn lines<A: Lines + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        a_line_leads_where_its_hold_says, everything_is_carried_in_order, lines_are_each_their_own,
        without_a_taker_there_is_no_line, a_dropped_end_is_seen, a_direction_ends_by_itself, what_was_said_is_heard_before_the_end,
        a_line_that_is_not_taken_up_ends, both_ways_are_bounded, a_second_taker_takes_over, waiting_may_be_cancelled,
    );
}

fn of(session: u128) -> Hold {
    hold(session, 1, 1, 0)
}

/// Speech that can be told from other speech by its number.
fn speech(n: usize) -> LineInput {
    LineInput::Speak { event: Some(n.to_string()), rate: 24_000, samples: vec![0; 3] }
}

fn buffer(n: usize) -> LineOutput {
    LineOutput::Buffer { buffered_ms: n as u64, limit_ms: u64::MAX }
}

async fn next(calls: &mut Box<dyn IncomingLines>, why: &str) -> IncomingLine {
    match comes(why, calls.next()).await {
        Some(called) => called,
        None => panic!("rule broken: {why} (no more will come)"),
    }
}

/// A line and its other end.
async fn open(lines: &Subject, calls: &mut Box<dyn IncomingLines>, hold: Hold) -> (CallerLine, IncomingLine) {
    // A way that is a network may be opened only while the other side takes it up.
    let (line, called) =
        tokio::join!(comes("a line is opened", lines.open(&hold)), next(calls, "a line reaches its worker"));
    (line.unwrap(), called)
}

async fn a_line_leads_where_its_hold_says(lines: Subject) {
    let mut one = lines.calls(WORKER).await.unwrap();
    let mut two = lines.calls(WorkerId(2)).await.unwrap();
    let wanted = hold(u128::MAX, 7, 2, 63);
    let (_line, called) = open(&lines, &mut two, wanted).await;
    rule!(called.hold, wanted, "a worker is told which session is called, by which right");
    rule!(at_once(one.next()).await.is_none(), true, "a line leads to no other worker");
}

async fn everything_is_carried_in_order(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (mut line, mut called) = open(&lines, &mut calls, of(1)).await;
    let event = Some("\u{fc}\"".to_owned());
    let position = EventPosition { fence: Fence(7), number: u64::MAX };
    let begun = BegunUtterance { event: event.clone(), played_ms: u64::MAX };
    let samples: Vec<i16> = (0..96_000).map(|n| (n % 65_536 - 32_768) as i16).collect();
    let ups = [
        LineInput::Speak { event: event.clone(), rate: 48_000, samples },
        LineInput::Speak { event: None, rate: 16_000, samples: vec![i16::MIN, -1, 0, 1, i16::MAX] },
        LineInput::SpeakEnd { event: event.clone() },
        LineInput::Interrupt { event: event.clone() },
        LineInput::StartListening { event: None },
        LineInput::StopListening { event: event.clone() },
        LineInput::KeepAlive { event: event.clone() },
        LineInput::Identify(CallerIntroduction {
            caller: CallerId(u128::MAX),
            next: 1,
            after: None,
            listening: false,
            begun: None,
        }),
        LineInput::Identify(CallerIntroduction {
            caller: CallerId(1),
            next: u64::MAX,
            after: Some(position),
            listening: true,
            begun: Some(begun.clone()),
        }),
    ];
    let downs = [
        LineOutput::Mood { mood: FaceMood::Idle, event: event.clone() },
        LineOutput::Mood { mood: FaceMood::Listening, event: None },
        LineOutput::Mood { mood: FaceMood::Talking, event: None },
        LineOutput::Kept { event: event.clone() },
        LineOutput::Started { event: event.clone() },
        LineOutput::Ended { event: event.clone(), played_ms: u64::MAX },
        LineOutput::Interrupted { event: None, played_ms: 0 },
        buffer(3),
        LineOutput::FrameRate { fps: 20, asked: 30 },
        LineOutput::Continued { utterance: begun.clone() },
        LineOutput::Settled { through: u64::MAX, begun: Some(begun), of_next_ms: 3 },
        LineOutput::Settled { through: 0, begun: None, of_next_ms: 0 },
        LineOutput::Resumed { complete: false },
        LineOutput::Position { position },
        LineOutput::Refused { number: u64::MAX, event, retry_after_ms: 250, detail: "no room".into() },
        LineOutput::Over { reason: "completed".into() },
    ];
    for up in &ups {
        comes("a caller's message is taken", line.up.send(up.clone())).await.unwrap();
    }
    for down in &downs {
        comes("a session's message is taken", called.down.send(down.clone())).await.unwrap();
    }
    for up in ups {
        rule!(comes("a caller is heard", called.up.recv()).await, Some(up), "a session hears its caller in order");
    }
    for down in downs {
        rule!(comes("a session is heard", line.down.recv()).await, Some(down), "a caller hears its session in order");
    }
}

async fn lines_are_each_their_own(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let mut pairs = Vec::new();
    for session in [1, 1, 2] {
        pairs.push(open(&lines, &mut calls, of(session)).await);
    }
    for (n, (line, _)) in pairs.iter().enumerate() {
        line.up.send(speech(n)).await.unwrap();
    }
    for (n, (line, called)) in pairs.iter_mut().enumerate() {
        rule!(comes("a caller is heard", called.up.recv()).await, Some(speech(n)), "lines to one session do not mix");
        called.down.send(buffer(n)).await.unwrap();
        rule!(comes("a session is heard", line.down.recv()).await, Some(buffer(n)), "lines to one session do not mix");
    }
}

async fn without_a_taker_there_is_no_line(lines: Subject) {
    let nobody = |found: Result<CallerLine, LineError>| matches!(found, Err(LineError::Unroutable(WORKER)));
    rule!(nobody(lines.open(&of(1)).await), true, "a worker that never took lines cannot be called");
    drop(lines.calls(WORKER).await.unwrap());
    rule!(nobody(lines.open(&of(2)).await), true, "a worker whose taker is gone cannot be called");
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (_line, called) = open(&lines, &mut calls, of(3)).await;
    rule!(called.hold, of(3), "no line that was refused comes up later");
}

async fn a_dropped_end_is_seen(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (line, mut called) = open(&lines, &mut calls, of(1)).await;
    drop(line);
    rule!(comes("a session sees its caller go", called.up.recv()).await, None, "a session sees its caller go");
    comes("a session that speaks to nobody is told", called.down.closed()).await;
    let (mut line, called) = open(&lines, &mut calls, of(2)).await;
    drop(called);
    rule!(comes("a caller sees its session go", line.down.recv()).await, None, "a caller sees its session go");
    comes("a caller that speaks to nobody is told", line.up.closed()).await;
}

async fn a_direction_ends_by_itself(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (CallerLine { up, down }, IncomingLine { up: mut of_caller, down: to_caller, .. }) =
        open(&lines, &mut calls, of(1)).await;
    drop(down);
    comes("a session that speaks to nobody is told", to_caller.closed()).await;
    up.send(speech(1)).await.unwrap();
    rule!(comes("a caller is heard", of_caller.recv()).await, Some(speech(1)), "who hears no more may speak");
    let (CallerLine { up, mut down }, IncomingLine { up: of_caller, down: to_caller, .. }) =
        open(&lines, &mut calls, of(2)).await;
    drop(of_caller);
    comes("a caller that speaks to nobody is told", up.closed()).await;
    to_caller.send(buffer(1)).await.unwrap();
    rule!(comes("a session is heard", down.recv()).await, Some(buffer(1)), "who hears no more may speak");
}

async fn what_was_said_is_heard_before_the_end(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (CallerLine { up, mut down }, IncomingLine { up: mut of_caller, down: to_caller, .. }) =
        open(&lines, &mut calls, of(1)).await;
    for n in 0..10 {
        up.send(speech(n)).await.unwrap();
        to_caller.send(buffer(n)).await.unwrap();
    }
    drop((up, to_caller));
    for n in 0..10 {
        let heard = comes("what was said is heard", of_caller.recv()).await;
        rule!(heard, Some(speech(n)), "what a caller said before it went is heard");
        let heard = comes("what was said is heard", down.recv()).await;
        rule!(heard, Some(buffer(n)), "what a session said before it went is heard");
    }
    rule!(comes("an end comes", of_caller.recv()).await, None, "after that comes the end");
    rule!(comes("an end comes", down.recv()).await, None, "after that comes the end");
}

async fn a_line_that_is_not_taken_up_ends(lines: Subject) {
    let calls = lines.calls(WORKER).await.unwrap();
    let Some(opened) = at_once(lines.open(&of(1))).await else { return };
    drop(calls);
    if let Ok(mut line) = opened {
        let end = comes("a line that nobody takes up ends", line.down.recv()).await;
        rule!(end, None, "a line that nobody takes up ends");
    }
}

async fn both_ways_are_bounded(lines: Subject) {
    let mut calls = lines.calls(WORKER).await.unwrap();
    let (mut line, mut called) = open(&lines, &mut calls, of(1)).await;
    let (mut up, mut down) = (0, 0);
    while at_once(line.up.send(speech(up))).await.is_some_and(|sent| sent.is_ok()) {
        up += 1;
        rule!(up < ENDLESS, true, "a caller waits when its session does not listen");
    }
    while at_once(called.down.send(buffer(down))).await.is_some_and(|sent| sent.is_ok()) {
        down += 1;
        rule!(down < ENDLESS, true, "a session waits when its caller does not listen");
    }
    rule!(up > 0 && down > 0, true, "some messages may wait");
    for n in 0..up {
        rule!(comes("a caller is heard", called.up.recv()).await, Some(speech(n)), "the bound loses nothing");
    }
    for n in 0..down {
        rule!(comes("a session is heard", line.down.recv()).await, Some(buffer(n)), "the bound loses nothing");
    }
    eventually("there is room again", async || line.up.try_send(speech(up)).ok()).await;
    eventually("there is room again", async || called.down.try_send(buffer(down)).ok()).await;
}

async fn a_second_taker_takes_over(lines: Subject) {
    let mut first = lines.calls(WORKER).await.unwrap();
    let (mut early, mut early_called) = open(&lines, &mut first, of(1)).await;
    let mut second = lines.calls(WORKER).await.unwrap();
    let (_late, called) = open(&lines, &mut second, of(2)).await;
    rule!(called.hold, of(2), "a second taker takes over");
    drop(first);
    let (_later, called) = open(&lines, &mut second, of(3)).await;
    rule!(called.hold, of(3), "a taker stays when the one before it goes");
    // Lines that are up are nobody's business any more.
    early.up.send(speech(1)).await.unwrap();
    rule!(comes("a line stays up", early_called.up.recv()).await, Some(speech(1)), "a line outlives its taker");
    early_called.down.send(buffer(1)).await.unwrap();
    rule!(comes("a line stays up", early.down.recv()).await, Some(buffer(1)), "a line outlives its taker");
}

async fn waiting_may_be_cancelled(lines: Subject) {
    const LINES: u128 = 50;
    let mut calls = lines.calls(WORKER).await.unwrap();
    rule!(at_once(calls.next()).await.is_none(), true, "a taker waits while nobody calls");
    let caller = {
        let lines = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut opened = Vec::new();
            for n in 0..LINES {
                opened.push(lines.open(&of(n)).await.unwrap());
                tokio::task::yield_now().await;
            }
            opened
        })
    };
    let mut taken = Vec::new();
    comes("no line is lost by giving up waiting", async {
        while (taken.len() as u128) < LINES {
            match at_once(calls.next()).await {
                Some(called) => taken.push(called.unwrap()),
                None => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let wanted: Vec<_> = (0..LINES).map(of).collect();
    rule!(taken.iter().map(|c| c.hold).collect::<Vec<_>>(), wanted, "giving up waiting loses no line, in order");
    drop(caller.await.unwrap());
}
