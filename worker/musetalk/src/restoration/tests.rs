//! The thread and its desks, with networks of the tests.

use super::{MouthSlip, RestorationThread, RestoreMouths};
use crate::graph::GraphError;
use mouthpiece_engine::RestorationOutcome;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const LATER: Duration = Duration::from_secs(3600);

/// Answers with the mouth's bytes and one more each.
struct Brighter;

impl RestoreMouths for Brighter {
    fn restore(&mut self, mouth: &[u8], restored: &mut Vec<u8>) -> Result<(), GraphError> {
        restored.clear();
        restored.extend(mouth.iter().map(|byte| byte + 1));
        Ok(())
    }
}

/// Says which mouth it has, and does not go on before it is told.
struct Held {
    has: Sender<u8>,
    goes: Receiver<()>,
}

impl RestoreMouths for Held {
    fn restore(&mut self, mouth: &[u8], restored: &mut Vec<u8>) -> Result<(), GraphError> {
        let _ = self.has.send(mouth[0]);
        let _ = self.goes.recv();
        Brighter.restore(mouth, restored)
    }
}

struct Broken;

impl RestoreMouths for Broken {
    fn restore(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), GraphError> {
        // An error of ONNX Runtime's own needs its library.
        Err(GraphError::Answer { graph: "restoration", what: "as the test wants" })
    }
}

fn restore(slip: &mut MouthSlip, thread: &RestorationThread, due: Option<Instant>, byte: u8) -> Option<Vec<u8>> {
    slip.restore(&thread.desk(), due, |mouth| mouth.extend([byte; 3])).map(<[u8]>::to_vec)
}

fn counts(thread: &RestorationThread) -> [u64; 3] {
    RestorationOutcome::ALL.map(|outcome| thread.counts().count(outcome))
}

#[test]
fn mouths_come_back_restored_and_their_memory_is_used_again() {
    let (thread, mut slip) = (RestorationThread::start(Box::new(Brighter)).unwrap(), MouthSlip::default());
    for byte in 1..5 {
        assert_eq!(restore(&mut slip, &thread, None, byte), Some(vec![byte + 1; 3]));
        assert_eq!(restore(&mut slip, &thread, Some(Instant::now() + LATER), byte), Some(vec![byte + 1; 3]));
    }
    assert_eq!(counts(&thread), [8, 0, 0]);
}

#[test]
fn what_does_not_come_in_time_is_not_waited_for() {
    let ((has, _held), (go, goes)) = (channel(), channel());
    let thread = RestorationThread::start(Box::new(Held { has, goes })).unwrap();
    let mut slip = MouthSlip::default();
    assert_eq!(restore(&mut slip, &thread, Some(Instant::now()), 1), None, "it is late already");
    assert_eq!(restore(&mut slip, &thread, Some(Instant::now() + Duration::from_millis(5)), 2), None, "it hangs");
    assert_eq!(counts(&thread), [0, 2, 0]);
    // What comes of it at last is not mistaken for the next.
    (0..2).for_each(|_| go.send(()).unwrap());
    assert_eq!(restore(&mut slip, &thread, None, 7), Some(vec![8; 3]));
}

#[test]
fn the_most_urgent_comes_first_and_films_last() {
    let ((has, held), (go, goes)) = (channel(), channel());
    let thread = RestorationThread::start(Box::new(Held { has, goes })).unwrap();
    std::thread::scope(|scope| {
        let hand_in = |byte, due| {
            let thread = &thread;
            scope.spawn(move || restore(&mut MouthSlip::default(), thread, due, byte));
        };
        hand_in(0, None);
        assert_eq!(held.recv().unwrap(), 0, "it is in hand while the others come");
        let now = Instant::now();
        for (byte, due) in [(1, None), (2, Some(now + 2 * LATER)), (3, Some(now + LATER))] {
            hand_in(byte, due);
        }
        while thread.desk().waiting() < 3 {
            std::thread::yield_now();
        }
        (0..4).for_each(|_| go.send(()).unwrap());
        assert_eq!([(); 3].map(|()| held.recv().unwrap()), [3, 2, 1]);
    });
    assert_eq!(counts(&thread), [4, 0, 0]);
}

#[test]
fn a_network_that_fails_is_not_asked_again_before_it_is_replaced() {
    let (thread, mut slip) = (RestorationThread::start(Box::new(Broken)).unwrap(), MouthSlip::default());
    for _ in 0..3 {
        assert_eq!(restore(&mut slip, &thread, None, 1), None);
    }
    assert_eq!(counts(&thread), [0, 0, 3]);
    thread.replace(Box::new(Brighter));
    assert_eq!(restore(&mut slip, &thread, None, 1), Some(vec![2; 3]));
}

#[test]
fn a_desk_without_a_thread_says_so_at_once() {
    let thread = RestorationThread::start(Box::new(Brighter)).unwrap();
    let (desk, counts) = (thread.desk(), thread.counts());
    drop(thread);
    assert!(MouthSlip::default().restore(&desk, None, |mouth| mouth.extend([1; 3])).is_none());
    assert_eq!(counts.count(RestorationOutcome::Failed), 1);
}
