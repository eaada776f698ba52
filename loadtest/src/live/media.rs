//! What a viewer has seen and heard.

use super::LipSkew;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A packet louder than this is speech.
const LOUD: f32 = 0.01;
/// So long without speech is silence.
const QUIET: Duration = Duration::from_millis(300);
/// Skews that are kept of the start and of the end.
const START: usize = 250;
/// Frames that are remembered.
const RECENT: usize = 16;

/// When a caller did something whose effect a viewer looks for.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The first sound after a silence was pushed.
    pub(super) spoke: Option<Instant>,
    /// An interruption was sent.
    pub(super) interrupted: Option<Instant>,
}

/// Seconds that are kept: a day of them.
const SECONDS: usize = 86_400;

/// What one viewer saw in a second.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SecondSeen {
    pub(super) frames: u32,
    /// Video against sound, the last frame's, milliseconds.
    pub(super) skew_ms: Option<f64>,
}

/// What one viewer has seen.
#[derive(Debug, Default)]
pub(super) struct ViewerTrace {
    /// What seconds are counted from.
    origin: Option<Instant>,
    /// From each offer to a connection over which media can come.
    pub(super) joins: Vec<Duration>,
    /// Second by second since the origin.
    pub(super) seconds: Vec<SecondSeen>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) first_key: Option<Instant>,
    pub(super) last_frame: Option<Instant>,
    pub(super) voice: Vec<Duration>,
    pub(super) lips: Vec<Duration>,
    pub(super) silence: Vec<Duration>,
    last_loud: Option<Instant>,
    cut: Option<Instant>,
    /// Times (the sender's, seconds) at which sound began, with when it was pushed: their frames are looked for.
    begun: VecDeque<(f64, Instant)>,
    /// The last frames: the sender's time, and when they came.
    recent: VecDeque<(f64, Instant)>,
    /// How late the last sound arrived after the time that its sender declares, seconds.
    sound_lag: Option<f64>,
    frame_time: f64,
    early: Vec<f64>,
    late: VecDeque<f64>,
    all: Vec<f64>,
    epoch: Option<Instant>,
}

impl ViewerTrace {
    /// Nothing yet; seconds are counted from `origin`.
    pub(super) fn since(origin: Instant) -> Self {
        Self { origin: Some(origin), ..Self::default() }
    }

    /// The entry of a second.
    fn second(&mut self, at: Instant) -> Option<&mut SecondSeen> {
        let second = usize::try_from((at - self.origin?).as_secs()).ok().filter(|second| *second < SECONDS)?;
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, SecondSeen::default());
        }
        self.seconds.get_mut(second)
    }

    /// A packet of sound came. `ntp`: the time that its sender declares for it, seconds.
    pub(super) fn sound(&mut self, at: Instant, ntp: Option<f64>, rms: f32, marks: &mut Marks) {
        if let Some(ntp) = ntp {
            self.sound_lag = Some(self.since_epoch(at) - ntp);
        }
        let quiet = self.last_loud.is_none_or(|then| at - then > QUIET);
        if rms > LOUD {
            if quiet && let Some(spoke) = marks.spoke.take() {
                self.voice.push(at - spoke);
                self.begun.extend(ntp.map(|ntp| (ntp, spoke)));
                self.find_lips();
            }
            self.last_loud = Some(at);
        }
        if let Some(interrupted) = marks.interrupted.take() {
            self.cut = Some(interrupted);
        }
        if let (Some(cut), Some(last)) = (self.cut, self.last_loud)
            && at - cut.max(last) > QUIET
        {
            self.silence.push(last.saturating_duration_since(cut));
            self.cut = None;
        }
    }

    /// A whole frame came.
    pub(super) fn frame(&mut self, at: Instant, ntp: Option<f64>, bytes: usize, key: bool, fps: u32) {
        if key {
            self.first_key.get_or_insert(at);
        }
        if self.first_key.is_none() {
            return;
        }
        self.frames += 1;
        self.bytes += bytes as u64;
        self.last_frame = Some(at);
        if let Some(second) = self.second(at) {
            second.frames += 1;
        }
        let Some(ntp) = ntp else { return };
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((ntp, at));
        self.frame_time = 1.0 / f64::from(fps);
        self.find_lips();
        let since = self.first_key.map_or(0.0, |first| (at - first).as_secs_f64());
        if let Some(sound_lag) = self.sound_lag.filter(|_| since >= 1.0) {
            let skew = (self.since_epoch(at) - ntp - sound_lag) * 1000.0;
            if let Some(second) = self.second(at) {
                second.skew_ms = Some(skew);
            }
            if self.early.len() < START {
                self.early.push(skew);
            }
            if self.late.len() == START {
                self.late.pop_front();
            }
            self.late.push_back(skew);
            self.all.push(skew.abs());
        }
    }

    /// Looks for the frame that shows the first sound: it may have come before the sound or come after it.
    fn find_lips(&mut self) {
        let Some((begun, spoke)) = self.begun.front().copied() else { return };
        let shows = |(ntp, _): &&(f64, Instant)| *ntp <= begun && begun < ntp + self.frame_time;
        if let Some((_, at)) = self.recent.iter().find(shows) {
            self.lips.push(*at - spoke);
            self.begun.pop_front();
        } else if self.recent.back().is_some_and(|(ntp, _)| *ntp > begun) {
            self.begun.pop_front(); // its frame is missing
        }
    }

    /// From the first frame to the last.
    pub(super) fn span(&self) -> Duration {
        match (self.first_key, self.last_frame) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }

    pub(super) fn skew(&self) -> Option<LipSkew> {
        let median = |of: &mut dyn Iterator<Item = f64>| {
            let mut sorted: Vec<f64> = of.collect();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied()
        };
        let mut all = self.all.clone();
        all.sort_by(f64::total_cmp);
        Some(LipSkew {
            at_start: median(&mut self.early.iter().copied())?,
            at_end: median(&mut self.late.iter().copied())?,
            p99: *all.get(all.len().saturating_sub(1) * 99 / 100)?,
            most: *all.last()?,
        })
    }

    fn since_epoch(&mut self, at: Instant) -> f64 {
        (at - *self.epoch.get_or_insert(at)).as_secs_f64()
    }
}
