use super::*;
use crate::{Artist, Cue, Ear, EngineError, EngineTick, Expression, HeardCue, SpeechLevel};
use mouthpiece_frame::{I420, Reference};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub(super) const SOON: Duration = Duration::from_secs(30);

/// Writes its cue into the picture. Says how many ticks each call brought and waits to be let on.
#[derive(Clone)]
pub(super) struct Gate {
    called: Sender<usize>,
    go: Arc<Mutex<Receiver<()>>>,
    helps: bool,
}

/// A cue that the engine dies of.
const DEADLY: u8 = 255;

impl Cue for u8 {
    fn is_rest(&self) -> bool {
        *self == 0
    }
}

/// Hears nothing.
pub(super) struct Deaf;

impl Ear for Deaf {
    type Cue = u8;

    fn hear(&mut self, _: &[f32]) {}

    fn finish(&mut self) {}

    fn cue(&mut self, _: f64) -> Option<HeardCue<u8>> {
        None
    }

    fn need(&self) -> f64 {
        0.0
    }
}

impl Engine for Gate {
    type Avatar = usize;
    type Cue = u8;
    type Seat = I420;
    type Ear = Deaf;

    fn id(&self) -> &'static str {
        "gate/1"
    }

    fn prepare(&self, reference: Reference) -> Result<usize, EngineError> {
        Ok(reference.frames.len())
    }

    fn bytes(_: &usize) -> usize {
        1
    }

    fn seat(_: &usize) -> I420 {
        I420::new(2, 2).unwrap()
    }

    fn ear(&self, _: SpeechLevel) -> Deaf {
        Deaf
    }

    fn live_ear(&self) -> Deaf {
        Deaf
    }

    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        // Nobody counts a helper's calls.
        let _ = self.called.send(ticks.len());
        self.go.lock().unwrap().recv_timeout(SOON).unwrap();
        for tick in ticks {
            assert_ne!(*tick.cue, DEADLY);
            if tick.reference >= *tick.avatar {
                return Err(EngineError::NoSuchFrame { asked: tick.reference, held: *tick.avatar });
            }
            tick.seat.y.fill(*tick.cue);
        }
        Ok(())
    }

    fn rest(avatar: &usize, seat: &mut I420, reference: usize, _: Expression) -> Result<(), EngineError> {
        if reference >= *avatar {
            return Err(EngineError::NoSuchFrame { asked: reference, held: *avatar });
        }
        seat.y.fill(0);
        Ok(())
    }

    /// One that nobody holds up.
    fn helper(&self) -> Option<Self> {
        let (called, _) = channel();
        let (free, go) = channel();
        (0..99).for_each(|_| free.send(()).unwrap());
        self.helps.then_some(Self { called, go: Arc::new(Mutex::new(go)), helps: true })
    }

    fn picture(seat: &I420) -> &I420 {
        seat
    }
}

struct Rig {
    engine: EngineThread<Gate>,
    called: Receiver<usize>,
    go: Sender<()>,
    ended: Receiver<bool>,
}

fn rig() -> Rig {
    rig_that(false)
}

fn rig_that(helps: bool) -> Rig {
    let (said, called) = channel();
    let (go, gone_on) = channel();
    let (end, ended) = channel();
    let gate = Gate { called: said, go: Arc::new(Mutex::new(gone_on)), helps };
    let engine = EngineThread::start(gate, move |panicked| end.send(panicked).unwrap());
    Rig { engine: engine.unwrap(), called, go, ended }
}

impl Rig {
    /// Draws in a thread of its own.
    fn draw(&self, reference: usize, cue: u8) -> JoinHandle<Result<u8, EngineError>> {
        let mut desk = self.engine.desks().desk(Arc::new(1));
        thread::spawn(move || desk.draw(reference, cue, Expression::default()).map(|picture| picture.y[3]))
    }

    /// Lets the engine draw one call, and says how many ticks it had.
    fn call(&self) -> usize {
        let ticks = self.called.recv_timeout(SOON).unwrap();
        self.go.send(()).unwrap();
        ticks
    }

    fn wait_until_waiting(&self, count: usize) {
        let from = Instant::now();
        while self.engine.shared.lock().waiting.len() < count {
            assert!(from.elapsed() < SOON);
            thread::yield_now();
        }
    }
}

#[test]
fn what_gathers_while_a_batch_is_drawn_is_drawn_in_one_call() {
    let rig = rig();
    let first = rig.draw(0, 7);
    assert_eq!(rig.called.recv_timeout(SOON), Ok(1), "one is not kept waiting for others");
    let [second, third] = [rig.draw(0, 8), rig.draw(0, 9)];
    rig.wait_until_waiting(2);
    rig.go.send(()).unwrap();
    assert_eq!(first.join().unwrap().unwrap(), 7);
    assert_eq!(rig.call(), 2);
    assert_eq!((second.join().unwrap().unwrap(), third.join().unwrap().unwrap()), (8, 9));
    let drawn = rig.engine.desks().drawn();
    assert_eq!((drawn.calls, drawn.ticks, drawn.helped), (2, 3, 0));
}

#[test]
fn a_tick_that_cannot_be_drawn_fails_alone() {
    let rig = rig();
    let held = rig.draw(0, 1);
    assert_eq!(rig.called.recv_timeout(SOON), Ok(1));
    let [good, bad] = [rig.draw(0, 2), rig.draw(5, 3)];
    rig.wait_until_waiting(2);
    rig.go.send(()).unwrap();
    held.join().unwrap().unwrap();
    assert_eq!([rig.call(), rig.call(), rig.call()], [2, 1, 1], "together, then each by itself");
    assert_eq!(good.join().unwrap().unwrap(), 2);
    assert!(matches!(bad.join().unwrap(), Err(EngineError::NoSuchFrame { asked: 5, held: 1 })));
}

#[test]
fn a_panic_is_told_and_nobody_waits_for_ever() {
    let rig = rig();
    let deadly = rig.draw(0, DEADLY);
    assert_eq!(rig.called.recv_timeout(SOON), Ok(1));
    let waiting = rig.draw(0, 1);
    rig.wait_until_waiting(1);
    rig.go.send(()).unwrap();
    assert!(matches!(deadly.join().unwrap(), Err(EngineError::Gone)));
    assert!(matches!(waiting.join().unwrap(), Err(EngineError::Gone)));
    assert_eq!(rig.ended.recv_timeout(SOON), Ok(true));
    assert!(matches!(rig.draw(0, 1).join().unwrap(), Err(EngineError::Gone)));
}

#[test]
fn dropping_the_thread_ends_it() {
    let rig = rig();
    let desks = rig.engine.desks();
    drop(rig.engine);
    assert_eq!(rig.ended.recv_timeout(SOON), Ok(false));
    let mut desk = desks.desk(Arc::new(1));
    assert!(matches!(desk.draw(0, 1, Expression::default()), Err(EngineError::Gone)));
}

#[test]
fn with_a_helper_nobody_waits_for_a_running_call() {
    let rig = rig_that(true);
    let held = rig.draw(0, 1);
    assert_eq!(rig.called.recv_timeout(SOON), Ok(1));
    assert_eq!(rig.draw(0, 2).join().unwrap().unwrap(), 2, "while the engine is held up");
    assert!(matches!(rig.draw(5, 2).join().unwrap(), Err(EngineError::NoSuchFrame { asked: 5, held: 1 })));
    rig.go.send(()).unwrap();
    assert_eq!(held.join().unwrap().unwrap(), 1);
    let drawn = rig.engine.desks().drawn();
    assert_eq!((drawn.calls, drawn.ticks, drawn.helped), (1, 1, 2));
}

#[test]
fn rest_asks_nobody() {
    let rig = rig();
    let mut desk = rig.engine.desks().desk(Arc::new(1));
    let held = rig.draw(0, 1);
    assert_eq!(rig.called.recv_timeout(SOON), Ok(1));
    let drawn = rig.engine.desks().drawn();
    assert_eq!(desk.rest(0, Expression::default()).unwrap().y[3], 0, "while the engine is held up");
    assert!(matches!(desk.rest(5, Expression::default()), Err(EngineError::NoSuchFrame { asked: 5, held: 1 })));
    assert_eq!(rig.engine.desks().drawn(), drawn);
    rig.go.send(()).unwrap();
    held.join().unwrap().unwrap();
    drop(rig.engine);
    assert_eq!(desk.rest(0, Expression::default()).unwrap().y[3], 0, "it needs no engine");
    assert!(matches!(desk.draw(0, 1, Expression::default()), Err(EngineError::Gone)));
}
