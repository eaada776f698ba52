//! An engine whose device fails.

use super::tests::{Deaf, SOON};
use super::*;
use crate::{Artist, EngineError, EngineRecovery, EngineTick, Expression, SpeechLevel};
use mouthpiece_frame::{I420, Reference};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Paints its cue, until its device fails; draws again when the test lets it.
#[derive(Clone)]
struct Frail {
    fails: Arc<Mutex<bool>>,
    called: Sender<()>,
    mends: Arc<Mutex<Receiver<bool>>>,
}

const RESTARTED: EngineRecovery = EngineRecovery::Restarted { on: "glass" };

impl Engine for Frail {
    type Avatar = ();
    type Cue = u8;
    type Seat = I420;
    type Ear = Deaf;

    fn id(&self) -> &'static str {
        "frail/1"
    }

    fn prepare(&self, _: Reference) -> Result<(), EngineError> {
        Ok(())
    }

    fn bytes((): &()) -> usize {
        0
    }

    fn seat((): &()) -> I420 {
        I420::new(2, 2).unwrap()
    }

    fn ear(&self, _: SpeechLevel) -> Deaf {
        Deaf
    }

    fn live_ear(&self) -> Deaf {
        Deaf
    }

    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        if *self.fails.lock().unwrap() {
            return Err(EngineError::Device("it broke".into()));
        }
        ticks.iter_mut().for_each(|tick| tick.seat.y.fill(*tick.cue));
        Ok(())
    }

    fn recover(&mut self) -> Result<EngineRecovery, EngineError> {
        self.called.send(()).unwrap();
        if self.mends.lock().unwrap().recv_timeout(SOON).unwrap() {
            *self.fails.lock().unwrap() = false;
            Ok(RESTARTED)
        } else {
            Err(EngineError::Load("it stays broken".into()))
        }
    }

    fn rest((): &(), seat: &mut I420, _: usize, _: Expression) -> Result<(), EngineError> {
        seat.y.fill(0);
        Ok(())
    }

    fn picture(seat: &I420) -> &I420 {
        seat
    }
}

struct Rig {
    engine: EngineThread<Frail>,
    /// The engine is being recovered.
    called: Receiver<()>,
    /// Lets it be recovered, or fail at that.
    mend: Sender<bool>,
    news: Receiver<String>,
}

fn rig() -> Rig {
    let ((said, called), (mend, mends), (tell, news)) = (channel(), channel(), channel());
    let frail = Frail { fails: Arc::new(Mutex::new(true)), called: said, mends: Arc::new(Mutex::new(mends)) };
    let heard = move |news: EngineNews<'_>| {
        let words = match news {
            EngineNews::Failed(why) => format!("failed: {why}"),
            EngineNews::Recovered(how) => how.to_string(),
            EngineNews::Broken(why) => format!("broken: {why}"),
        };
        tell.send(words).unwrap();
    };
    Rig { engine: EngineThread::start_watched(frail, heard, |_| {}).unwrap(), called, mend, news }
}

impl Rig {
    /// A film's frame, drawn in a thread of its own.
    fn film(&self, cue: u8) -> JoinHandle<Result<u8, EngineError>> {
        let mut desk = self.engine.desks().desk(Arc::new(()));
        thread::spawn(move || desk.draw(0, cue, Expression::default()).map(|picture| picture.y[3]))
    }
}

#[test]
fn a_film_waits_for_its_frame_and_a_live_session_rests_meanwhile() {
    let rig = rig();
    let mut live = rig.engine.desks().live_desk(Arc::new(()));
    let first = rig.film(7);
    rig.called.recv_timeout(SOON).unwrap();
    // Recovering: a live session is told at once, and draws its face at rest without the engine.
    assert!(matches!(live.draw(0, 9, Expression::default()), Err(EngineError::Recovering)));
    assert_eq!(live.rest(0, Expression::default()).unwrap().y[3], 0);
    let second = rig.film(8);
    rig.mend.send(true).unwrap();
    assert_eq!((first.join().unwrap().unwrap(), second.join().unwrap().unwrap()), (7, 8), "no frame is lost");
    assert_eq!(live.draw(0, 9, Expression::default()).unwrap().y[3], 9, "and it goes on");
    let news: Vec<String> = rig.news.try_iter().collect();
    assert_eq!(news, ["failed: what the engine runs on failed: it broke", "glass failed and was started again"]);
}

#[test]
fn a_live_tick_that_the_device_failed_at_is_answered_before_the_engine_is_recovered() {
    let rig = rig();
    let mut live = rig.engine.desks().live_desk(Arc::new(()));
    assert!(matches!(live.draw(0, 9, Expression::default()), Err(EngineError::Recovering)));
    assert_eq!(live.rest(0, Expression::default()).unwrap().y[3], 0, "its seat came back");
    rig.mend.send(true).unwrap();
}

#[test]
fn nobody_waits_for_a_broken_engine_and_live_sessions_go_on_resting() {
    let rig = rig();
    let mut live = rig.engine.desks().live_desk(Arc::new(()));
    let film = rig.film(7);
    rig.called.recv_timeout(SOON).unwrap();
    rig.mend.send(false).unwrap();
    assert!(matches!(film.join().unwrap(), Err(EngineError::Broken)));
    assert!(matches!(rig.film(8).join().unwrap(), Err(EngineError::Broken)));
    assert!(matches!(live.draw(0, 9, Expression::default()), Err(EngineError::Broken)));
    assert_eq!(live.rest(0, Expression::default()).unwrap().y[3], 0);
    let news: Vec<String> = rig.news.try_iter().collect();
    assert_eq!(news.last().unwrap(), "broken: the engine cannot be loaded: it stays broken");
}

#[test]
fn an_engine_of_ones_own_is_recovered_where_it_draws() {
    let ((said, _called), (mend, mends)) = (channel(), channel());
    let frail = Frail { fails: Arc::new(Mutex::new(true)), called: said, mends: Arc::new(Mutex::new(mends)) };
    mend.send(true).unwrap();
    let mut own = crate::OwnEngine::new(frail, Arc::new(()));
    assert_eq!(own.draw(0, 5, Expression::default()).unwrap().y[3], 5);
}
