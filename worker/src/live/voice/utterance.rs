//! One utterance: what a caller says from its first sound to its `speak_end`.

use super::RATE;
use super::intake::Intake;
use super::parts::{MessageParts, MessageRef};
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::{BegunUtterance, LineOutput};
use std::time::{Duration, Instant};

/// What an utterance gave when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UtteranceTake {
    /// Sound.
    Something,
    /// Nothing, though it had begun: its next sound has not come.
    RanDry,
    /// Nothing.
    Nothing,
}

/// One utterance, from what waits of it to what of it has left.
pub(super) struct Utterance {
    /// The caller's name for it: the last one given.
    pub(super) event: Option<String>,
    /// Whoever began it.
    pub(super) owner: CallerId,
    /// How much of it was played elsewhere, milliseconds.
    before_ms: u64,
    pub(super) parts: MessageParts,
    intake: Intake,
    /// Speech came for it, however little.
    spoken: bool,
    closed: bool,
    told_start: bool,
    /// Where its sound was placed: start and length of each uninterrupted run.
    runs: Vec<(u64, u64)>,
    last_came: Instant,
}

impl Utterance {
    /// `frame`: samples that are taken at a time.
    pub(super) fn new(frame: u64, owner: CallerId, now: Instant) -> Self {
        Self {
            event: None,
            owner,
            before_ms: 0,
            parts: MessageParts::default(),
            intake: Intake::new(frame),
            spoken: false,
            closed: false,
            told_start: false,
            runs: Vec::new(),
            last_came: now,
        }
    }

    /// One that was begun elsewhere: what comes now goes on with it.
    pub(super) fn continued(frame: u64, owner: CallerId, begun: BegunUtterance, now: Instant) -> Self {
        Self { event: begun.event, before_ms: begun.played_ms, ..Self::new(frame, owner, now) }
    }

    pub(super) fn take(&mut self, event: Option<String>, sound: &[f32], from: MessageRef, now: Instant) {
        self.event = event.or(self.event.take());
        self.parts.speech(from, sound.len() as u64);
        self.intake.push(sound, now);
        self.spoken = true;
        self.last_came = now;
    }

    /// Speech came for it: it is more than a `speak_end` with nothing to end.
    pub(super) fn is_spoken(&self) -> bool {
        self.spoken
    }

    /// Its last sound, and no more.
    pub(super) fn end(&mut self, event: Option<String>, rest: &[f32], from: MessageRef) {
        self.parts.end(Some(from), rest.len() as u64);
        self.intake.push(rest, self.last_came);
        self.close(event);
    }

    pub(super) fn close(&mut self, event: Option<String>) {
        self.event = event.or(self.event.take());
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.intake.waiting()
    }

    /// Some of it has its place.
    pub(super) fn is_begun(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Its first sound has left.
    pub(super) fn is_started(&self) -> bool {
        self.told_start
    }

    /// All of it has its place.
    pub(super) fn is_said(&self) -> bool {
        self.closed && self.intake.rest() == 0
    }

    /// All of it has left.
    pub(super) fn is_over(&self, played: u64) -> bool {
        self.is_said() && self.runs.last().is_none_or(|(start, length)| start + length <= played)
    }

    /// True once, when its first sound has left.
    pub(super) fn starts(&mut self, played: u64) -> bool {
        let starts = !self.told_start && self.runs.first().is_some_and(|(start, _)| *start < played);
        self.told_start |= starts;
        starts
    }

    /// Nothing came for it for so long, nobody ended it, and nothing waits, or too little to begin with: a piece of a
    /// millisecond would else wait for the next one for ever, and hold up all that comes after it.
    pub(super) fn is_forgotten(&self, now: Instant, after: Duration) -> bool {
        let waits_in_vain = || self.waiting() == 0 || self.pause(1, now) > 0;
        !self.closed && now.saturating_duration_since(self.last_came) >= after && waits_in_vain()
    }

    /// Milliseconds of it that lie before a place, and were played elsewhere.
    pub(super) fn played_ms(&self, before: u64) -> u64 {
        let played: u64 = self.runs.iter().map(|(start, length)| before.saturating_sub(*start).min(*length)).sum();
        self.before_ms + (played * 1000 + RATE / 2) / RATE
    }

    /// How it would go on elsewhere, if any of it was played.
    pub(super) fn begun(&self, played: u64) -> Option<BegunUtterance> {
        let begun = || BegunUtterance { event: self.event.clone(), played_ms: self.played_ms(played) };
        (self.told_start || self.before_ms > 0).then(begun)
    }

    /// What is told when its first sound has left.
    pub(super) fn beginning(&self) -> LineOutput {
        let event = self.event.clone();
        match self.before_ms {
            0 => LineOutput::Started { event },
            played_ms => LineOutput::Continued { utterance: BegunUtterance { event, played_ms } },
        }
    }

    /// How much of the next `left` samples lies before its first sound, or its next after it ran dry.
    pub(super) fn pause(&self, left: u64, now: Instant) -> u64 {
        self.intake.pause(left, self.closed, now)
    }

    /// A frame's worth was taken.
    pub(super) fn look(&mut self, now: Instant) {
        self.intake.look(now);
    }

    /// Appends up to `most` samples for the timeline from `at` on.
    pub(super) fn say(
        &mut self,
        at: u64,
        most: usize,
        now: Instant,
        block: &mut Vec<f32>,
        note: &mut dyn FnMut(u64, Instant),
    ) -> UtteranceTake {
        let taken = self.intake.take(at, most, self.closed, now, block, note) as u64;
        if taken == 0 {
            return if self.intake.ran_dry() { UtteranceTake::RanDry } else { UtteranceTake::Nothing };
        }
        self.parts.placed(at + taken, self.intake.waiting());
        match self.runs.last_mut() {
            Some((start, length)) if *start + *length == at => *length += taken,
            _ => self.runs.push((at, taken)),
        }
        UtteranceTake::Something
    }
}
