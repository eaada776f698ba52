//! What is said to a session.

use super::caller_logs::Settlement;
use super::speech::NotSaid;
use super::{CallerChoice, LiveOutput, LiveSession};
use crate::live::voice::MessageRef;
use mouthpiece_domain::live::{CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput, LiveStatus};
use mouthpiece_transport::StreamEvent;
use std::time::{Duration, Instant};
use tracing::info;

/// Callers are told at most so often which of their messages are done with: so much is said twice when a worker is lost.
const SETTLED_EVERY: Duration = Duration::from_millis(100);

impl LiveSession {
    /// The transport has news.
    pub fn stream_event(&mut self, event: StreamEvent, now: Instant) {
        match event {
            StreamEvent::Joined { viewer, after } => {
                self.audience.joined(viewer, now);
                info!(session_id = %self.setting.session, viewers = self.audience.endings.viewers(), "a viewer came");
                self.speech.voice.release();
                self.measures.metrics.viewers(1);
                self.measures.metrics.connected(after);
            }
            StreamEvent::Left { viewer, why } => {
                // It is also told of who never came.
                if !self.audience.endings.is_here(viewer) {
                    return;
                }
                self.measures.metrics.viewers(-1);
                info!(session_id = %self.setting.session, why = ?why, "a viewer went");
                if self.audience.endings.left(viewer, now) {
                    self.measures.pause();
                    self.audience.newcomer = None;
                }
            }
            StreamEvent::KeyFrameWanted => self.audience.key_wanted = true,
            // The transport keeps it within the terms' bounds.
            StreamEvent::Bitrate(bits) => self.outputs.push(LiveOutput::Bitrate(bits)),
            StreamEvent::Microphone { viewer, data, time, .. } => {
                self.speech.hear_microphone(viewer, &data, time, now);
            }
            StreamEvent::MicrophoneGone { .. } => self.speech.microphone = None,
            StreamEvent::Sent { pts, at } => self.left(pts, at),
        }
    }

    /// The encoder was set to so many bits a second.
    pub fn encodes_at(&mut self, bits: u32) {
        self.bitrate = bits;
    }

    /// A caller's line opened: it is told at once what the face does, and from where it hears everything.
    pub fn line_opened(&mut self, line: u64) {
        self.callers.opened(line);
        self.tell_line(line, LineOutput::Mood { mood: self.speech.mood, event: None });
        self.tell_line(line, LineOutput::Position { position: self.recent.position() });
    }

    /// Somebody asked to keep it alive.
    pub fn keep_alive(&mut self, now: Instant) {
        self.audience.endings.active(now);
    }

    /// Silence at once; true when something was being said.
    pub fn interrupt(&mut self, now: Instant) -> bool {
        self.audience.endings.active(now);
        self.speech.interrupt()
    }

    /// A caller's line is gone.
    pub fn line_closed(&mut self, line: u64) {
        self.callers.closed(line);
    }

    /// A caller said something on its line.
    pub fn up(&mut self, line: u64, up: LineInput, now: Instant) {
        let counted = match &up {
            LineInput::Identify(who) => Some(MessageRef { caller: who.caller, number: 0 }),
            _ => self.callers.received(line),
        };
        let Some(from) = counted else { return };
        match up {
            LineInput::Identify(who) => self.identify(line, who, now),
            LineInput::Speak { event, rate, samples } => {
                self.audience.endings.active(now);
                self.speak(line, event, rate, (&samples, from), now);
            }
            LineInput::SpeakEnd { event } => {
                self.audience.endings.active(now);
                self.callers.waits(from);
                if !self.speech.end_utterance(event.clone(), from, now) {
                    self.callers.done(from);
                    self.tell_line(line, LineOutput::Ended { event, played_ms: 0 });
                }
            }
            LineInput::Interrupt { event } => {
                if !self.interrupt(now) {
                    self.tell_line(line, LineOutput::Interrupted { event: event.clone(), played_ms: 0 });
                }
                self.answer(line, event, now);
            }
            LineInput::StartListening { event } => {
                self.speech.listened_to = true;
                self.answer(line, event, now);
            }
            LineInput::StopListening { event } => {
                self.speech.listened_to = false;
                self.answer(line, event, now);
            }
            LineInput::KeepAlive { event } => {
                self.audience.endings.active(now);
                self.tell_line(line, LineOutput::Kept { event });
            }
        }
    }

    /// A caller says who it is. What it said elsewhere goes on here, unless it was here before.
    fn identify(&mut self, line: u64, who: CallerIntroduction, now: Instant) {
        let CallerIntroduction { caller, next, after, listening, begun } = who;
        if self.callers.identified(line, caller, next) {
            self.speech.listened_to |= listening;
            if let Some(begun) = begun {
                self.speech.voice.go_on(begun, caller, now);
            }
        }
        self.settled_told = None;
        if let Some(after) = after {
            self.resume(line, after, now);
        }
    }

    fn speak(
        &mut self,
        line: u64,
        event: Option<String>,
        rate: u32,
        (samples, from): (&[i16], MessageRef),
        now: Instant,
    ) {
        let (retry_after, detail) = match self.speech.push(event.clone(), rate, samples, from, now) {
            Ok(()) => return self.callers.waits(from),
            Err(NotSaid::NoRoom(full)) => (full.retry_after, "so much speech waits already: send this again later"),
            Err(NotSaid::Rate) => (Duration::ZERO, "the speech has a rate that is not taken here"),
        };
        let (number, retry_after_ms) = (from.number, retry_after.as_millis() as u64);
        self.tell_line(line, LineOutput::Refused { number, event, retry_after_ms, detail: detail.to_owned() });
    }

    /// Tells callers now and then which of their messages are done with.
    fn tell_settled(&mut self, now: Instant) {
        let voice = &mut self.speech.voice;
        for message in voice.settled() {
            self.callers.done(message);
        }
        if self.settled_told.is_some_and(|told| now.saturating_duration_since(told) < SETTLED_EVERY) {
            return;
        }
        self.settled_told = Some(now);
        let voice = &self.speech.voice;
        for (line, Settlement { through, begun, of_next_ms }) in self.callers.news(|caller| voice.begun(caller)) {
            let settled = LineOutput::Settled { through, begun, of_next_ms };
            self.outputs.push(LiveOutput::Tell(CallerChoice::Line(line), settled));
        }
    }

    /// Answers with the mood.
    fn answer(&mut self, line: u64, event: Option<String>, now: Instant) {
        self.tell_but(CallerChoice::AllBut(line), now);
        self.tell_line(line, LineOutput::Mood { mood: self.speech.mood, event });
    }

    /// Tells callers what happened.
    pub(super) fn tell(&mut self, now: Instant) {
        self.tell_but(CallerChoice::All, now);
        self.tell_settled(now);
    }

    /// The same; a change of mood is told to `whom` only, as one line is about to be told the mood as an answer.
    fn tell_but(&mut self, whom: CallerChoice, now: Instant) {
        for event in self.speech.voice.events() {
            self.recent.keep(&event);
            self.outputs.push(LiveOutput::Tell(CallerChoice::All, event));
        }
        let mood = self.speech.mood_now();
        if mood == FaceMood::Talking {
            self.audience.endings.active(now);
        }
        if mood != self.speech.mood {
            self.speech.mood = mood;
            self.tell_everybody(whom, LineOutput::Mood { mood, event: None });
        }
        if let Some(position) = self.recent.take_position() {
            self.outputs.push(LiveOutput::Tell(CallerChoice::All, LineOutput::Position { position }));
        }
    }

    /// Tells what concerns everybody, also who comes back later. A line that is told the same as an answer is left out.
    pub(super) fn tell_everybody(&mut self, whom: CallerChoice, event: LineOutput) {
        self.recent.keep(&event);
        self.outputs.push(LiveOutput::Tell(whom, event));
    }

    /// Tells a caller that comes back what it missed, and up to where it has heard everything then.
    fn resume(&mut self, line: u64, after: EventPosition, now: Instant) {
        // What is not told yet is told to everybody first, so that nothing is told twice.
        self.tell(now);
        let (complete, missed) = self.recent.after(after);
        let missed = missed.cloned();
        self.outputs.push(LiveOutput::Tell(CallerChoice::Line(line), LineOutput::Resumed { complete }));
        self.outputs.extend(missed.map(|event| LiveOutput::Tell(CallerChoice::Line(line), event)));
        self.tell_line(line, LineOutput::Position { position: self.recent.position() });
    }

    fn tell_line(&mut self, line: u64, event: LineOutput) {
        self.outputs.push(LiveOutput::Tell(CallerChoice::Line(line), event));
    }

    /// How it is.
    pub fn status(&self) -> LiveStatus {
        let measures = &self.measures;
        LiveStatus {
            mood: self.speech.mood,
            viewers: self.audience.endings.viewers(),
            fps: measures.rate(),
            ticks: measures.sent + measures.missed,
            missed: measures.missed,
            bitrate: self.bitrate,
            buffered_ms: self.speech.voice.buffered().as_millis() as u64,
            stages: measures.stages(),
        }
    }

    /// It runs from now on, as the worker's numbers say.
    pub fn opened(&self) {
        self.measures.metrics.sessions(1);
    }

    /// It runs no more, and nobody watches it.
    pub fn closed(&self) {
        self.measures.metrics.sessions(-1);
        self.measures.metrics.viewers(-i64::from(self.audience.endings.viewers()));
    }
}
