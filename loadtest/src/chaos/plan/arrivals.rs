//! Who comes.

use super::{FaultChoice, PlanTerms, between};
use crate::dice::Dice;
use std::fmt;

/// What a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A live session, watched and spoken to for so long, then ended.
    Live {
        /// Milliseconds.
        for_ms: u64,
    },
    /// A film of a recording of so many seconds.
    Film {
        /// Of the recording.
        seconds: u16,
        /// It is cancelled so long after it was accepted, milliseconds.
        cancelled_after: Option<u64>,
    },
    /// A new face.
    Avatar,
}

impl Wanted {
    /// The kind of session, in the API's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Live { .. } => "live",
            Self::Film { .. } => "render",
            Self::Avatar => "prepare",
        }
    }
}

/// A caller at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When it comes.
    pub at_ms: u64,
    /// Its number, from 1.
    pub request: u32,
    /// What it wants.
    pub wanted: Wanted,
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}: ", self.request)?;
        match self.wanted {
            Wanted::Live { for_ms } => write!(f, "a live session for {for_ms} ms"),
            Wanted::Film { seconds, cancelled_after: None } => write!(f, "a film of {seconds} s"),
            Wanted::Film { seconds, cancelled_after: Some(ms) } => {
                write!(f, "a film of {seconds} s, cancelled after {ms} ms")
            }
            Wanted::Avatar => f.write_str("an avatar"),
        }
    }
}

/// What a session is expected to hold its slot for, roughly.
const USUAL_MS: u64 = 6000;
/// How long live sessions last that shall be there when their worker is killed.
const LONG_MS: [u64; 2] = [15_000, 35_000];

/// Films are no longer than the run, so that a short run is short on a slow machine, too.
fn longest_film_s(terms: &PlanTerms) -> u64 {
    (terms.length_ms / 1000).clamp(6, 90)
}

/// Callers that keep the slots of one worker fewer than there are about three quarters busy.
pub(super) fn arrivals(terms: &PlanTerms, dice: &mut Dice) -> Vec<Arrival> {
    let slots = u64::from(terms.workers.max(2) - 1) * u64::from(terms.slots.max(1));
    let usual = match terms.choice {
        FaultChoice::All => USUAL_MS,
        FaultChoice::WorkerKills => LONG_MS.iter().sum::<u64>() / 2,
    };
    let mean = (usual * 4 / 3 / slots).max(2);
    let mut arrivals = Vec::new();
    let mut at = 100;
    while at < terms.length_ms {
        let request = arrivals.len() as u32 + 1;
        let wanted = match (terms.choice, dice.below(10)) {
            (FaultChoice::WorkerKills, _) => Wanted::Live { for_ms: between(dice, LONG_MS) },
            (FaultChoice::All, 0..=4) => Wanted::Live { for_ms: between(dice, [4000, 20_000]) },
            (FaultChoice::All, 5..=8) => {
                let cancelled_after = dice.once_in(6).then(|| dice.below(3000));
                Wanted::Film { seconds: between(dice, [5, longest_film_s(terms)]) as u16, cancelled_after }
            }
            (FaultChoice::All, _) => Wanted::Avatar,
        };
        arrivals.push(Arrival { at_ms: at, request, wanted });
        at += between(dice, [mean / 2, mean * 3 / 2]);
    }
    arrivals
}
