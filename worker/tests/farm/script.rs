//! Work that does what a test says.

use mouthpiece_domain::fleet::Assignment;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{SessionEnd, SessionOutput};
use mouthpiece_worker::{ProgressBoard, SessionDuty, SessionRunner, Stop, WorkError, WorkState};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sessions run until they are let go or stopped; some panic.
#[derive(Default)]
pub struct Script {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    started: Vec<(SessionId, u32)>,
    stopped: Vec<(SessionId, u32)>,
    done: HashSet<SessionId>,
    panicking: HashSet<SessionId>,
}

impl Script {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Lets a session complete.
    pub fn finish(&self, session: u128) {
        self.state.lock().unwrap().done.insert(SessionId(session));
    }

    /// A session that will panic.
    pub fn panic_in(&self, session: u128) {
        self.state.lock().unwrap().panicking.insert(SessionId(session));
    }

    /// (session, fence) of everything that was begun.
    pub fn started(&self) -> Vec<(u128, u32)> {
        self.state.lock().unwrap().started.iter().map(|(s, f)| (s.0, *f)).collect()
    }

    /// Waits until work saw that it was stopped.
    pub async fn saw_stop(&self, session: u128, fence: u32) {
        let saw = async {
            while !self.state.lock().unwrap().stopped.contains(&(SessionId(session), fence)) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(crate::farm::SOON, saw).await.expect("the work was never stopped");
    }
}

impl SessionRunner for Script {
    fn run(&self, assignment: &Assignment, board: &ProgressBoard, stop: &Stop) -> Result<SessionEnd, WorkError> {
        let (session, fence) = (assignment.hold.session, assignment.hold.fence.0);
        self.state.lock().unwrap().started.push((session, fence));
        if self.state.lock().unwrap().panicking.contains(&session) {
            panic!("as the test wants");
        }
        board.expect(100);
        board.enter(WorkState::Running);
        board.made(25, 25);
        loop {
            if stop.is_set() {
                self.state.lock().unwrap().stopped.push((session, fence));
                return Err(WorkError::Stopped);
            }
            let is_done = self.state.lock().unwrap().done.contains(&session);
            if is_done && stop.duty() == SessionDuty::HandsOver {
                return Err(WorkError::Stopped);
            }
            if is_done {
                board.made(100, 25);
                return Ok(SessionEnd::completed(SessionOutput { frames: 100, ..SessionOutput::default() }));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn resident(&self) -> Vec<String> {
        vec!["a face".to_owned()]
    }
}
