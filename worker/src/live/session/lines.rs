//! The callers that are connected by a line.

use mouthpiece_domain::live::Down;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Lines of one session, at most.
const MOST: usize = 16;

/// One caller.
struct Caller {
    line: u64,
    down: Sender<Down>,
}

/// All callers. One that does not read its events is dropped: a line that lies about what happened is worse than none.
#[derive(Default)]
pub(super) struct Callers(Vec<Caller>);

impl Callers {
    /// A line opened; one too many is dropped at once.
    pub(super) fn add(&mut self, line: u64, down: Sender<Down>) {
        if self.0.len() < MOST {
            self.0.push(Caller { line, down });
        }
    }

    /// A line is gone.
    pub(super) fn remove(&mut self, line: u64) {
        self.0.retain(|caller| caller.line != line);
    }

    /// Tells everybody.
    pub(super) fn tell(&mut self, event: &Down) {
        self.tell_but(None, event);
    }

    /// Tells everybody but one.
    pub(super) fn tell_but(&mut self, line: Option<u64>, event: &Down) {
        self.0.retain(|caller| {
            Some(caller.line) == line
                || !matches!(caller.down.try_send(event.clone()), Err(TrySendError::Closed(_) | TrySendError::Full(_)))
        });
    }

    /// Tells one.
    pub(super) fn tell_one(&mut self, line: u64, event: Down) {
        let told = self.0.iter().find(|caller| caller.line == line).map(|caller| caller.down.try_send(event));
        if let Some(Err(_)) = told {
            self.remove(line);
        }
    }

    /// The last word.
    pub(super) fn over(&mut self, reason: &str) {
        self.tell(&Down::Over { reason: reason.to_owned() });
        self.0.clear();
    }
}
