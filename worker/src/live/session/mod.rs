//! One live session, without hands: no clock, thread, socket, engine or encoder.
//!
//! Whoever runs it says what time it is, what came in and how long the work took. It says what is to be done next
//! ([`LiveTask`]) and whom to tell what ([`LiveOutput`]). The canonical loop:
//!
//! ```text
//! loop {
//!     match session.next(now, ear) {
//!         Sound(due)  => encode session.sound(), session.sound_sent(), send it
//!         Frame(turn) => ask the ear; session.heard() may want the frame: draw, encode, session.made(), send it
//!         Wait(until) => wait for a message until then, and say it to the session
//!         Over(end)   => leave
//!     }
//!     carry out session.outputs()
//! }
//! ```
//! A round is all sound that is due, then at most one frame, then what there is to tell; only then is waited.

mod audience;
mod caller_logs;
mod frames;
mod inputs;
mod measures;
mod recent;
mod speech;
mod task;

#[cfg(test)]
mod tests;

use super::beat::FrameBeat;
use super::listener::Hears;
use super::voice::{self, PACKET};
use crate::metrics::WorkerMetrics;
use crate::stop::SessionDuty;
use audience::Audience;
use caller_logs::CallerLogs;
use frames::MadeFrame;
use measures::Measures;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::live::{LineOutput, LiveStage, LiveTerms};
use mouthpiece_domain::session::Fence;
use recent::RecentEvents;
use speech::Speech;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub use task::{CallerChoice, FrameOrder, FrameTurn, FrameWork, HeardVoice, LiveEnd, LiveOutput, LiveTask, SoundDue};

/// A session that was moved away is shown to those who still watch for so long: the slowest of them hears of the move within
/// seconds, and connects elsewhere first.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// How a session is run.
#[derive(Debug, Clone, Copy)]
pub struct LiveSetup {
    /// Which, for the log.
    pub session: SessionId,
    /// Its placement.
    pub fence: Fence,
    /// Frame size, `[width, height]`.
    pub size: [u32; 2],
    /// Frames a second.
    pub fps: u32,
    /// Bounds.
    pub terms: LiveTerms,
    /// What it is there for to begin with.
    pub duty: SessionDuty,
    /// Where in a frame's time its frames lie, 0..1: sessions that beat at different times do not wait for each other.
    pub phase: f64,
}

/// What a round has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Sound that is due leaves.
    Sound,
    /// A frame has its turn.
    Frame,
    /// Callers are told, and it is looked whether it is over.
    Tell,
}

/// A running live session. See the module's text.
pub struct LiveSession {
    setting: LiveSetup,
    round: Round,
    beat: FrameBeat,
    speech: Speech,
    audience: Audience,
    measures: Measures,
    /// Samples by which the codec gives sound out later than it took it.
    lead: u64,
    /// The sound that leaves.
    sound: [f32; PACKET],
    /// How late the last packet of sound was handed over.
    sound_late: Duration,
    /// Frames that were handed over and not yet seen leaving.
    underway: VecDeque<MadeFrame>,
    /// Video that the encoder is set to, bits a second.
    bitrate: u32,
    outputs: Vec<LiveOutput>,
    recent: RecentEvents,
    callers: CallerLogs,
    /// When callers were told last which of their messages are done with.
    settled_told: Option<Instant>,
    duty: SessionDuty,
    /// Set once it was moved away.
    moved: Option<MovedSession>,
    stopped: bool,
}

/// A session that is shown here after it was moved away.
struct MovedSession {
    /// Frames that were sent before.
    sent: u64,
    /// It is shown until then at most.
    until: Instant,
    /// So many watched when it was moved.
    viewers: u32,
    /// Callers were let go.
    callers_gone: bool,
}

impl LiveSession {
    /// Media time begins at `now`. The codec gives sound out `lead` samples at 48 kHz later than it took it: it is given it
    /// so much earlier.
    pub fn new(
        setting: LiveSetup,
        lead: usize,
        metrics: Arc<WorkerMetrics>,
        ear: &mut dyn Hears,
        now: Instant,
    ) -> Self {
        let LiveSetup { fps, terms, phase, fence, duty, .. } = setting;
        let lead = lead as u64;
        let mut speech = Speech::new(fps);
        speech.voice.advance(lead, now, &mut |sound| ear.hear(sound));
        speech.voice.begin_at(lead);
        Self {
            setting,
            round: Round::Tell,
            beat: FrameBeat::new(now + Duration::from_secs_f64(phase.clamp(0.0, 1.0) / f64::from(fps)), fps),
            speech,
            audience: Audience::new(terms, now),
            measures: Measures::new(metrics),
            lead,
            sound: [0.0; PACKET],
            sound_late: Duration::ZERO,
            underway: VecDeque::new(),
            bitrate: terms.bitrate[1],
            outputs: Vec::new(),
            recent: RecentEvents::new(fence),
            callers: CallerLogs::default(),
            settled_told: None,
            duty,
            moved: None,
            stopped: false,
        }
    }

    /// Its owner wants no more: nobody is told anything.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// It is there for this from now on. True when it has just been moved away: whoever comes now comes elsewhere.
    pub fn turn_to(&mut self, duty: SessionDuty, now: Instant) -> bool {
        let before = std::mem::replace(&mut self.duty, duty);
        if before == SessionDuty::Waits && duty != before {
            self.audience.endings.begin(now);
        }
        let moves = duty == SessionDuty::HandsOver && before != duty;
        if moves {
            let viewers = self.audience.endings.viewers();
            let (sent, until) = (self.frames_sent(), now + SHOWN_FOR);
            self.moved = Some(MovedSession { sent, until, viewers, callers_gone: false });
        }
        moves
    }

    /// True once, when whoever speaks to a session that was moved away is to do so elsewhere: its first viewer has gone there, or
    /// there is none. Until then it says what it was saying, and afterwards nobody need say that again: callers were told what is
    /// done with.
    pub fn lets_callers_go(&mut self, now: Instant) -> bool {
        let viewers = self.audience.endings.viewers();
        let Some(moved) = self.moved.as_mut().filter(|moved| !moved.callers_gone) else { return false };
        if viewers > 0 && viewers >= moved.viewers && now < moved.until {
            return false;
        }
        moved.callers_gone = true;
        self.settled_told = None;
        self.tell(now);
        true
    }

    /// How it is over, if it is.
    fn ends(&mut self, now: Instant) -> Option<LiveEnd> {
        if let Some(MovedSession { until, .. }) = &self.moved {
            return (now >= *until || !self.audience.is_watching()).then_some(LiveEnd::Moved);
        }
        let end = self.audience.endings.due(now).filter(|_| self.duty == SessionDuty::Serves)?;
        self.tell_everybody(CallerChoice::All, LineOutput::Over { reason: end.reason.name().to_owned() });
        Some(LiveEnd::Ended(end))
    }

    /// What is to be done at `now`.
    pub fn next(&mut self, now: Instant, ear: &mut dyn Hears) -> LiveTask {
        if self.stopped {
            return LiveTask::Over(LiveEnd::Stopped);
        }
        if self.round == Round::Sound {
            if let Some(due) = self.next_sound(now, ear) {
                return LiveTask::Sound(due);
            }
            self.round = Round::Frame;
        }
        if self.round == Round::Frame {
            self.round = Round::Tell;
            if let Some(turn) = self.next_frame(now, ear) {
                return LiveTask::Frame(turn);
            }
        }
        self.round = Round::Sound;
        self.tell(now);
        if let Some(end) = self.ends(now) {
            return LiveTask::Over(end);
        }
        LiveTask::Wait(self.sound_due().min(self.beat.frame_due()))
    }

    /// What is to be carried out, in order.
    pub fn outputs(&mut self) -> std::vec::Drain<'_, LiveOutput> {
        self.outputs.drain(..)
    }

    /// The sound of the packet that is due.
    pub fn sound(&self) -> &[f32; PACKET] {
        &self.sound
    }

    /// A packet of sound is encoded and handed over, at `at`.
    pub fn sound_sent(&mut self, due: &SoundDue, at: Instant) {
        self.sound_late = at.saturating_duration_since(due.captured);
    }

    /// Frames that were sent, at the rate that was asked for: what is billed. At a slower pace each counts for as long as it is
    /// shown. What is shown after it was moved away is billed where it was moved to.
    pub fn frames_sent(&self) -> u64 {
        let frames = || {
            let shown = self.measures.shown.as_nanos() * u128::from(self.setting.fps) + 500_000_000;
            (shown / 1_000_000_000) as u64
        };
        self.moved.as_ref().map_or_else(frames, |moved| moved.sent)
    }

    /// When the next packet of sound leaves: whatever happened before, at its own media time.
    fn sound_due(&self) -> Instant {
        self.beat.leaves(self.heard_at(self.speech.voice.next()))
    }

    /// The media time at which a decoder gives out what begins a packet that begins there on the timeline.
    fn heard_at(&self, place: u64) -> Duration {
        voice::duration(place.saturating_sub(self.lead))
    }

    /// Lets 20 ms of sound leave, as often as they are due. Where nobody hears them they are gone.
    fn next_sound(&mut self, now: Instant, ear: &mut dyn Hears) -> Option<SoundDue> {
        while self.sound_due() <= now {
            // Frames see to this, but for few frames a second, and after a pause of this session's thread.
            self.place(self.speech.voice.packet_end(), now, ear);
            let place = self.speech.voice.play(&mut self.sound)?;
            let pts = self.heard_at(place);
            if self.audience.is_watching() {
                return Some(SoundDue { pts, captured: self.beat.leaves(pts) });
            }
        }
        None
    }

    /// Gives sound its place, and lets the ear hear it.
    fn place(&mut self, to: u64, now: Instant, ear: &mut dyn Hears) {
        let voice = &mut self.speech.voice;
        voice.advance(to, now, &mut |sound| ear.hear(sound));
        self.measures.underruns(voice.underruns());
        if let Some(waited) = voice.waited() {
            self.measures.took(LiveStage::Chunk, waited);
        }
    }
}
