//! A session's voice: whatever sound arrives gets its place on one timeline, once.
//!
//! The timeline counts samples at 48 kHz from the session's start. Three places on it matter:
//!
//! ```text
//!        played            committed
//! ---------|-------- line -----|------ what waits: utterances, the microphone
//!   has left       is heard by
//!                  the ear, will leave
//! ```
//! [`Voice::advance`] moves `committed` to where the frame that is begun needs to hear; what waits then gets its place, and
//! silence where nothing waits. Not sooner: what has its place is settled, and sound that is still to come can only come
//! after it. Lips that are drawn from what the ear heard leave together with the sound that it heard. Pure: time comes in.

mod intake;
mod parts;
mod runs;
mod utterance;

#[cfg(test)]
mod tests;

use intake::Intake;
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::{BegunUtterance, LineOutput, UTTERANCE_PAUSE};
pub use parts::MessageRef;
use runs::Runs;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use utterance::Utterance;

/// Samples a second of the timeline.
pub const RATE: u64 = 48_000;
/// Samples that leave at a time: 20 ms, one Opus packet.
pub const PACKET: usize = 960;
/// A cut is softened over so many samples: 5 ms.
const FADE: usize = 240;
/// More from the microphone than this is late, and skipped.
const MICROPHONE_MOST: u64 = RATE / 2;
/// What arrived is remembered for so long after it left, for measuring.
const REMEMBERED: u64 = RATE;
/// What waits longer was pushed ahead of its time.
const PUSHED_AHEAD: Duration = Duration::from_millis(100);
/// Utterances that wait at a time.
const UTTERANCES: usize = 256;
/// Messages of which utterances that wait are made: two minutes, 10 ms at a time, and some.
const MESSAGES: usize = 16_384;

/// Speech was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// When so much of what waits will have been said that it fits.
    pub retry_after: Duration,
}

/// Places sound on the timeline. See the module's text.
pub struct Voice {
    /// Samples of a frame.
    frame: u64,
    played: u64,
    committed: u64,
    /// The sound of `played..committed`.
    line: VecDeque<f32>,
    utterances: VecDeque<Utterance>,
    microphone: Intake,
    /// Where on the timeline sound of the microphone lies.
    of_microphone: Runs,
    /// Speech waits until somebody is there to hear it.
    held: bool,
    limit: u64,
    /// The quarter of the buffer that was told last.
    told_quarter: u64,
    /// Where what arrived when was placed.
    arrivals: VecDeque<(u64, Instant)>,
    events: Vec<LineOutput>,
    settled: Vec<MessageRef>,
    underruns: u64,
    waited: Option<Duration>,
    block: Vec<f32>,
}

impl Voice {
    /// Silence, with room for so much speech to wait. `frame`: how often [`Voice::advance`] is called.
    pub fn new(limit: Duration, frame: Duration) -> Self {
        let frame = samples(frame);
        Self {
            frame,
            played: 0,
            committed: 0,
            line: VecDeque::with_capacity(RATE as usize / 2),
            utterances: VecDeque::new(),
            microphone: Intake::new(frame),
            of_microphone: Runs::default(),
            held: true,
            limit: samples(limit),
            told_quarter: 0,
            arrivals: VecDeque::new(),
            events: Vec::new(),
            settled: Vec::new(),
            underruns: 0,
            waited: None,
            block: Vec::with_capacity(PACKET),
        }
    }

    /// Somebody is there: what waits may be said.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Where the next packet to leave begins, in samples.
    pub fn next(&self) -> u64 {
        self.played
    }

    /// Times that something was being said and its next sound had not come; told once.
    pub fn underruns(&mut self) -> u64 {
        std::mem::take(&mut self.underruns)
    }

    /// Speech that waits.
    pub fn buffered(&self) -> Duration {
        duration(self.waiting())
    }

    /// How long what was placed last had waited; told once.
    pub fn waited(&mut self) -> Option<Duration> {
        self.waited.take()
    }

    /// True while the sound of an utterance leaves.
    pub fn is_talking(&self) -> bool {
        self.utterances.front().is_some_and(Utterance::is_started)
    }

    /// True while an utterance is being said, or waits to be.
    pub fn is_speaking(&self) -> bool {
        self.utterances.front().is_some_and(|u| u.is_started() || !self.held)
    }

    /// Up to where sound has its place.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// True where the microphone's sound lies on the timeline, and was not cut off.
    pub fn is_microphone(&self, place: u64) -> bool {
        self.of_microphone.holds(place)
    }

    /// True when speech begins an utterance, and does not go on with one.
    pub fn would_begin(&self) -> bool {
        self.utterances.back().is_none_or(Utterance::is_closed)
    }

    /// Passes when so many more samples of speech would be taken.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn has_room(&self, count: u64) -> Result<(), NoRoom> {
        let over = (self.waiting() + count).saturating_sub(self.limit);
        let messages: usize = self.utterances.iter().map(|utterance| utterance.parts.len()).sum();
        if over > 0 || messages >= MESSAGES || (self.would_begin() && self.utterances.len() >= UTTERANCES) {
            return Err(NoRoom { retry_after: duration(over.clamp(RATE / 10, self.limit)) });
        }
        Ok(())
    }

    /// Takes a message's speech at 48 kHz: it continues the utterance that is open, or begins one.
    ///
    /// # Errors
    /// [`NoRoom`]; nothing is taken then.
    pub fn speak(
        &mut self,
        event: Option<String>,
        sound: &[f32],
        from: MessageRef,
        now: Instant,
    ) -> Result<(), NoRoom> {
        self.has_room(sound.len() as u64)?;
        if self.would_begin() {
            self.utterances.push_back(Utterance::new(self.frame, from.caller, now));
        }
        if let Some(open) = self.utterances.back_mut() {
            open.take(event, sound, from, now);
        }
        self.tell_buffer();
        Ok(())
    }

    /// What was pushed so far, with its last sound `rest`, is all of the open utterance. Where none is open, this is one that
    /// has no sound: its end is told when all before it is over. False when there is no room for it.
    pub fn end_utterance(&mut self, event: Option<String>, rest: &[f32], from: MessageRef, now: Instant) -> bool {
        if self.would_begin() {
            if self.utterances.len() >= UTTERANCES {
                return false;
            }
            self.utterances.push_back(Utterance::new(self.frame, from.caller, now));
        }
        if let Some(open) = self.utterances.back_mut() {
            open.end(event, rest, from);
        }
        self.finish_utterances();
        true
    }

    /// What a caller was saying elsewhere goes on here, with the speech that comes next; not in the middle of another utterance.
    pub fn go_on(&mut self, begun: BegunUtterance, caller: CallerId, now: Instant) {
        if self.would_begin() && self.utterances.len() < UTTERANCES {
            self.utterances.push_back(Utterance::continued(self.frame, caller, begun, now));
        }
    }

    /// Messages that are done with since this was asked last: played or cut off.
    pub fn settled(&mut self) -> std::vec::Drain<'_, MessageRef> {
        self.settled.drain(..)
    }

    /// What a caller is saying now, and how many milliseconds of its first message that is not done with were played.
    pub fn begun(&self, caller: CallerId) -> Option<(BegunUtterance, u64)> {
        let first = self.utterances.front().filter(|first| first.owner == caller)?;
        let of_next = first.parts.next().filter(|(from, _)| from.caller == caller).map_or(0, |(_, samples)| samples);
        Some((first.begun(self.played)?, millis(of_next)))
    }

    /// Takes sound of the microphone at 48 kHz.
    pub fn hear(&mut self, sound: &[f32], now: Instant) {
        self.microphone.push(sound, now);
        let late = self.microphone.waiting().saturating_sub(MICROPHONE_MOST);
        if late > 0 {
            // The network held everything back and then gave it at once: go on with the freshest.
            self.microphone.skip(late + MICROPHONE_MOST / 2);
        }
    }

    /// Silence at once: what waits is forgotten, what was about to leave is cut. Each utterance gets its event; false when
    /// there is none.
    pub fn interrupt(&mut self) -> bool {
        let faded = FADE.min(self.line.len());
        for (i, sample) in self.line.iter_mut().enumerate() {
            *sample *= if i < faded { 1.0 - (i as f32 + 1.0) / FADE as f32 } else { 0.0 };
        }
        let cut = self.played + faded as u64;
        let anything = !self.utterances.is_empty();
        for mut utterance in self.utterances.drain(..) {
            utterance.parts.over(&mut self.settled);
            let played_ms = utterance.played_ms(cut);
            self.events.push(LineOutput::Interrupted { event: utterance.event, played_ms });
        }
        self.microphone.clear();
        self.of_microphone.clear();
        self.tell_buffer();
        anything
    }

    /// Gives everything up to `to` its place. `heard` is given what is placed, in order, in pieces.
    pub fn advance(&mut self, to: u64, now: Instant, heard: &mut dyn FnMut(&[f32])) {
        while self.committed < to {
            let mut block = std::mem::take(&mut self.block);
            block.clear();
            self.place(to - self.committed, now, &mut block);
            heard(&block);
            self.line.extend(&block);
            self.committed += block.len() as u64;
            self.block = block;
        }
        self.utterances.iter_mut().for_each(|utterance| utterance.look(now));
        self.microphone.look(now);
        self.forget(now);
    }

    /// Some of the next `left` samples, at least one, from the first that has something to say.
    fn place(&mut self, left: u64, now: Instant, block: &mut Vec<f32>) {
        let at = self.committed;
        let mut most = left.min(PACKET as u64) as usize;
        let (arrivals, longest) = (&mut self.arrivals, &mut self.waited);
        let mut note = |from: u64, arrived: Instant| {
            // Sound that waits because more was pushed than can be said is counted from when its turn came.
            let arrived = if now.saturating_duration_since(arrived) > PUSHED_AHEAD { now } else { arrived };
            arrivals.push_back((from, arrived));
            *longest = Some(now.saturating_duration_since(arrived).max(longest.unwrap_or_default()));
        };
        if !self.held
            && let Some(speaker) = self.utterances.iter_mut().find(|u| !u.is_said())
        {
            let pause = speaker.pause(left, now) as usize;
            if pause > 0 {
                most = most.min(pause);
            } else {
                match speaker.say(at, most, now, block, &mut note) {
                    utterance::UtteranceTake::Something => return self.tell_buffer(),
                    utterance::UtteranceTake::RanDry => {
                        self.underruns += 1;
                        fade_out(&mut self.line);
                    }
                    utterance::UtteranceTake::Nothing => {}
                }
            }
            if speaker_goes_on(&self.utterances) {
                // Its next sound is awaited: nobody else is let in between.
                return block.resize(most, 0.0);
            }
        }
        let pause = self.microphone.pause(left, false, now) as usize;
        if pause > 0 {
            return block.resize(most.min(pause), 0.0);
        }
        let heard = self.microphone.take(at, most, false, now, block, &mut note);
        if heard > 0 {
            self.of_microphone.add(at, heard as u64);
        } else {
            if self.microphone.ran_dry() {
                fade_out(&mut self.line);
            }
            block.resize(most, 0.0);
        }
    }

    /// Up to where sound must have its place for the next packet to leave.
    pub fn packet_end(&self) -> u64 {
        self.played + PACKET as u64
    }

    /// Forgets the first `count` samples, so that all that leaves is so much further on.
    pub fn begin_at(&mut self, count: u64) {
        self.line.drain(..(count as usize).min(self.line.len()));
        self.played = count;
    }

    /// Lets 20 ms leave: where they are on the timeline. `None` when they have no place yet.
    pub fn play(&mut self, out: &mut [f32; PACKET]) -> Option<u64> {
        if self.line.len() < PACKET {
            return None;
        }
        for (to, from) in out.iter_mut().zip(self.line.drain(..PACKET)) {
            *to = from;
        }
        let at = self.played;
        self.played += PACKET as u64;
        self.finish_utterances();
        self.of_microphone.forget(self.played.saturating_sub(REMEMBERED));
        while self.arrivals.get(1).is_some_and(|(from, _)| from + REMEMBERED < self.played) {
            self.arrivals.pop_front();
        }
        Some(at)
    }

    /// When the sound at a place arrived; `None` where nothing did. Sound comes in pieces: its first sample arrived when the
    /// piece did, and each later one as much later as it is said later, since so it was heard by whoever sent it.
    pub fn arrived(&self, at: u64) -> Option<Instant> {
        let next = self.arrivals.partition_point(|(from, _)| *from <= at);
        let (from, arrived) = self.arrivals.get(next.checked_sub(1)?)?;
        (at - from < RATE / 10).then(|| *arrived + duration(at - from))
    }

    /// What is to be told, in order.
    pub fn events(&mut self) -> std::vec::Drain<'_, LineOutput> {
        self.events.drain(..)
    }

    /// Tells what began and what is over, as far as it has left.
    fn finish_utterances(&mut self) {
        while let Some(first) = self.utterances.front_mut() {
            first.parts.left(self.played, &mut self.settled);
            if first.starts(self.played) {
                self.events.push(first.beginning());
            }
            let Some(mut over) = self.utterances.pop_front_if(|first| first.is_over(self.played)) else { return };
            over.parts.over(&mut self.settled);
            if !over.is_started() && over.is_spoken() {
                // Shorter than anything that can be heard, and still it had a beginning.
                self.events.push(over.beginning());
            }
            let played_ms = over.played_ms(self.played);
            self.events.push(LineOutput::Ended { event: over.event, played_ms });
        }
    }

    /// An open utterance that nobody continues blocks the others no longer.
    fn forget(&mut self, now: Instant) {
        if self.held {
            return;
        }
        for utterance in &mut self.utterances {
            if utterance.is_forgotten(now, UTTERANCE_PAUSE) {
                utterance.close(None);
            }
        }
        self.finish_utterances();
    }

    fn waiting(&self) -> u64 {
        self.utterances.iter().map(Utterance::waiting).sum()
    }

    fn tell_buffer(&mut self) {
        let waiting = self.waiting();
        let quarter = waiting * 4 / self.limit.max(1);
        if quarter != self.told_quarter {
            self.told_quarter = quarter;
            self.events.push(LineOutput::Buffer { buffered_ms: millis(waiting), limit_ms: millis(self.limit) });
        }
    }
}

/// Sound that stops in the middle of a wave clicks: its end is softened while it has not left yet.
fn fade_out(line: &mut VecDeque<f32>) {
    let count = line.len().min(FADE / 2);
    for (i, sample) in line.iter_mut().rev().take(count).enumerate() {
        *sample *= i as f32 / count as f32;
    }
}

/// An utterance has begun and is not all said: its next sound is awaited.
fn speaker_goes_on(utterances: &VecDeque<Utterance>) -> bool {
    utterances.iter().any(|u| u.is_begun() && !u.is_said())
}

/// Samples of a duration.
pub fn samples(of: Duration) -> u64 {
    (of.as_nanos() * u128::from(RATE) / 1_000_000_000).try_into().unwrap_or(u64::MAX)
}

/// How long so many samples last.
pub fn duration(samples: u64) -> Duration {
    Duration::from_nanos((u128::from(samples) * 1_000_000_000 / u128::from(RATE)).try_into().unwrap_or(u64::MAX))
}

fn millis(samples: u64) -> u64 {
    samples * 1000 / RATE
}
