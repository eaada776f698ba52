//! The callers that are connected by a line.

use super::session::CallerChoice;
use mouthpiece_domain::live::LineOutput;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Lines of one session, at most.
const MOST: usize = 16;

/// One caller.
struct Caller {
    line: u64,
    down: Sender<LineOutput>,
}

/// All callers. One that does not read its events is dropped: a line that lies about what happened is worse than none.
#[derive(Default)]
pub struct Callers(Vec<Caller>);

impl Callers {
    /// A line opened; one too many is dropped at once.
    pub fn add(&mut self, line: u64, down: Sender<LineOutput>) {
        if self.0.len() < MOST {
            self.0.push(Caller { line, down });
        }
    }

    /// A line is gone.
    pub fn remove(&mut self, line: u64) {
        self.0.retain(|caller| caller.line != line);
    }

    /// Tells whom it concerns.
    pub fn tell(&mut self, whom: CallerChoice, event: &LineOutput) {
        self.0.retain(|caller| {
            let concerned = match whom {
                CallerChoice::All => true,
                CallerChoice::AllBut(line) => caller.line != line,
                CallerChoice::Line(line) => caller.line == line,
            };
            !concerned
                || !matches!(caller.down.try_send(event.clone()), Err(TrySendError::Closed(_) | TrySendError::Full(_)))
        });
    }
}
