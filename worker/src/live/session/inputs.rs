//! What is said to a session.

use super::speech::NotSaid;
use super::{LiveSession, Output, Whom};
use mouthpiece_domain::live::{Down, LiveStatus, Mood, Up};
use mouthpiece_transport::StreamEvent;
use std::time::{Duration, Instant};
use tracing::info;

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
            StreamEvent::Bitrate(bits) => self.outputs.push(Output::Bitrate(bits)),
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

    /// A caller's line opened: it is told at once what the face does.
    pub fn line_opened(&mut self, line: u64) {
        self.tell_line(line, Down::Mood { mood: self.speech.mood, event: None });
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

    /// A caller said something on its line.
    pub fn up(&mut self, line: u64, up: Up, now: Instant) {
        match up {
            Up::Speak { event, rate, samples } => {
                self.audience.endings.active(now);
                self.speak(line, event, rate, &samples, now);
            }
            Up::SpeakEnd { event } => {
                self.audience.endings.active(now);
                if !self.speech.end_utterance(event.clone(), now) {
                    self.tell_line(line, Down::Ended { event, played_ms: 0 });
                }
            }
            Up::Interrupt { event } => {
                if !self.interrupt(now) {
                    self.tell_line(line, Down::Interrupted { event: event.clone(), played_ms: 0 });
                }
                self.answer(line, event, now);
            }
            Up::StartListening { event } => {
                self.speech.listened_to = true;
                self.answer(line, event, now);
            }
            Up::StopListening { event } => {
                self.speech.listened_to = false;
                self.answer(line, event, now);
            }
            Up::KeepAlive { event } => {
                self.audience.endings.active(now);
                self.tell_line(line, Down::Kept { event });
            }
        }
    }

    fn speak(&mut self, line: u64, event: Option<String>, rate: u32, samples: &[i16], now: Instant) {
        let (retry_after, detail) = match self.speech.push(event.clone(), rate, samples, now) {
            Ok(()) => return,
            Err(NotSaid::NoRoom(full)) => (full.retry_after, "so much speech waits already: send this again later"),
            Err(NotSaid::Rate) => (Duration::ZERO, "the speech has a rate that is not taken here"),
        };
        let retry_after_ms = retry_after.as_millis() as u64;
        self.tell_line(line, Down::Refused { event, retry_after_ms, detail: detail.to_owned() });
    }

    /// Answers with the mood.
    fn answer(&mut self, line: u64, event: Option<String>, now: Instant) {
        self.tell_but(Whom::AllBut(line), now);
        self.tell_line(line, Down::Mood { mood: self.speech.mood, event });
    }

    /// Tells callers what happened.
    pub(super) fn tell(&mut self, now: Instant) {
        self.tell_but(Whom::All, now);
    }

    /// The same; a change of mood is told to `whom` only, as one line is about to be told the mood as an answer.
    fn tell_but(&mut self, whom: Whom, now: Instant) {
        self.outputs.extend(self.speech.voice.events().map(|event| Output::Tell(Whom::All, event)));
        let mood = self.speech.mood_now();
        if mood == Mood::Talking {
            self.audience.endings.active(now);
        }
        if mood != self.speech.mood {
            self.speech.mood = mood;
            self.outputs.push(Output::Tell(whom, Down::Mood { mood, event: None }));
        }
    }

    fn tell_line(&mut self, line: u64, event: Down) {
        self.outputs.push(Output::Tell(Whom::Line(line), event));
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
