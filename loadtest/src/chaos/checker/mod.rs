//! The checker: what a history says against the rules of a session's life.
//!
//! 1. **Lost**: a request that was accepted is on record, and its session has ended.
//! 2. **Double**: no session is served twice at a time, no slot serves two, no fence is served twice or after a later one, no
//!    request made two sessions.
//! 3. **Billing**: what is billed is what was delivered, but for one report interval of each placement that was cut off.
//! 4. **Reason**: every end has one reason, the same for everybody who was told.
//! 5. **Answer**: every request is answered, with a session or with when to come back; a try without an answer is one's that asked
//!    a coordinator that was down.
//!
//! Pure: a history in, a verdict out. "At a time" is judged by what the workers themselves say, by one clock.

mod answers;
mod billing;
mod counts;
mod processes;
mod serving;
#[cfg(test)]
mod tests;

pub use counts::{ChaosCounts, Spread};

use super::history::HistoryEvent;
use serde::Serialize;
use std::fmt;

/// How strict the checker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckTerms {
    /// Two accounts may overlap by so much, milliseconds: what workers say takes a moment to be heard.
    pub overlap_ms: u64,
    /// A process that was paused finds out within this that its time is over, milliseconds.
    pub waking_ms: u64,
    /// A placement that was handed over may go on for its viewers for so long, milliseconds.
    pub handover_ms: u64,
    /// What is billed may differ by so much for each placement, milliseconds: frames are counted, not time.
    pub rounding_ms: u64,
    /// Workers report so often, milliseconds.
    pub report_ms: u64,
    /// A coordinator that was away may fail to answer for so long before and after, milliseconds.
    pub recovery_ms: u64,
}

impl Default for CheckTerms {
    fn default() -> Self {
        Self {
            overlap_ms: 300,
            waking_ms: 1000,
            handover_ms: 15_000,
            rounding_ms: 50,
            report_ms: 1000,
            recovery_ms: 2000,
        }
    }
}

/// One of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChaosRule {
    /// Nothing that was accepted vanishes.
    Lost,
    /// Nothing runs twice.
    Double,
    /// Billed is delivered.
    Billing,
    /// Every end has a reason.
    Reason,
    /// Every request is answered.
    Answer,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChaosViolation {
    /// Which.
    pub rule: ChaosRule,
    /// How, with the times to look for in the history.
    pub what: String,
}

impl fmt::Display for ChaosViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What the checker found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChaosVerdict {
    /// Every rule that was broken, each time.
    pub violations: Vec<ChaosViolation>,
    /// What happened, in numbers.
    pub counts: ChaosCounts,
}

/// Where violations are gathered.
#[derive(Default)]
struct Findings(Vec<ChaosViolation>);

impl Findings {
    fn add(&mut self, rule: ChaosRule, what: String) {
        self.0.push(ChaosViolation { rule, what });
    }
}

/// Checks a history. It is complete: the run is over, records and bills were read.
pub fn check(history: &[HistoryEvent], terms: &CheckTerms) -> ChaosVerdict {
    let mut findings = Findings::default();
    let processes = processes::Processes::of(history);
    let stints = serving::stints(history, &processes);
    answers::check(history, &processes, terms, &mut findings);
    serving::check(&stints, &processes, terms, &mut findings);
    billing::check(history, terms, &mut findings);
    ChaosVerdict { violations: findings.0, counts: counts::of(history, &stints) }
}
