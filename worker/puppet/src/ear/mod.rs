//! From speech to mouth shapes: visemes, coarticulation, closures, silence.
//!
//! The network says every 10 ms which viseme it hears. A mouth is slower than that and looks ahead: each parameter is a
//! mean of its neighbourhood in time, weighted by how strongly each viseme holds that parameter (Cohen and Massaro,
//! "Modeling Coarticulation in Synthetic Visual Speech", 1993), with a window of its own for jaw, lips and tongue.
//!
//! Of a recording the windows are whole and the level is known. Live they end 5 ms after the frame's middle, which is as
//! far as the network's answer reaches after 50 ms, and the level is followed ([`level`]).

mod heard;
mod level;
mod room;

use super::shape::{MouthShape, PRESSED};
use super::table::{PARAMETERS, SPREAD};
use heard::{Frame, Series};
use level::{Level, Running};
use mouthpiece_engine::{Ear, HeardCue, SpeechLevel};
use mouthpiece_media::features::{FRAME_RATE, LogMel, Viseme, VisemeNet, VisemeStream, softmax};
use std::sync::Arc;

/// A smile that was closed to speak stays closed through pauses of this many seconds.
const PAUSE: f64 = 1.2;
/// How expressive the mouth is.
const AMOUNT: f32 = 1.2;
/// Samples of a frame of analysis.
const HOP: usize = 160;
/// Frames kept behind the asked time.
const MEMORY: usize = 100;
/// Frames kept by a live ear that nobody asks.
const LIVE_MEMORY: usize = 600;

/// Where the mouth's windows lie in time.
struct Timing {
    /// How far ahead of the network's answer the mouth is, in seconds. Found with `mouthpiece eval`: the windows and the
    /// closures lead by themselves, and at this value the lips are 0 to 20 ms ahead of the sound, as mouths are.
    lead: f64,
    /// How much further ahead the window of each parameter is, in frames.
    ahead: [f64; PARAMETERS],
    /// Frames from the asked time to the newest that is looked at.
    newest: f64,
    /// Frames beyond the newest whose loudness is looked at.
    louder: usize,
    /// Most frames that are kept.
    most: usize,
}

impl Timing {
    fn recorded(future_ms: usize) -> Self {
        let lead = -0.015;
        let future = (future_ms * FRAME_RATE / 1000) as f64;
        let newest = lead * FRAME_RATE as f64 - 0.5 + future;
        Self { lead, ahead: [0.0; PARAMETERS], newest, louder: 0, most: usize::MAX }
    }

    /// The windows are cut off where the future begins, which makes what they show late; so they lie 10 ms further ahead,
    /// and the widest ones, those of wide and pucker, 30 ms. `behind`: how many frames the network answers late; the
    /// loudness does not wait for it.
    fn live(behind: usize) -> Self {
        let ahead = [0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0];
        Self { lead: -0.005, ahead, newest: 0.0, louder: behind, most: LIVE_MEMORY }
    }
}

/// Listens for the puppet engine.
pub struct PuppetEar {
    net: Arc<VisemeNet>,
    mel: LogMel,
    stream: VisemeStream,
    level: Level,
    timing: Timing,
    frames: Series<Frame>,
    /// How loud each frame is, 0..=1; known before the network answers.
    loudness: Series<f32>,
    /// The frame that is being heard.
    hop: [f32; HOP],
    filled: usize,
    /// The last frame that the present cue may look at: what arrived beyond it must not change the answer.
    newest: usize,
    finished: bool,
    engaged: f32,
    engaged_until: f64,
    last_asked: f64,
}

impl PuppetEar {
    /// Listens to a recording with the shipped network. `future_ms`: how much sound past a frame may be waited for. With
    /// 200 the smoothing is symmetrical, as a recording allows; less trades smoothness for latency.
    pub fn new(net: Arc<VisemeNet>, level: SpeechLevel, future_ms: usize) -> Self {
        Self::with(net, Level::known(level), Timing::recorded(future_ms))
    }

    /// Listens to speech as it comes, of which nothing is known beforehand: 50 ms past a frame's middle are enough. A
    /// quiet or a loud speaker is followed within about a second of speech; what the room sounds like without speech is
    /// taken for silence.
    pub fn live(net: Arc<VisemeNet>) -> Self {
        let behind = net.look_ahead();
        Self::with(net, Level::Running(Running::new(behind)), Timing::live(behind))
    }

    fn with(net: Arc<VisemeNet>, level: Level, timing: Timing) -> Self {
        Self {
            mel: LogMel::new(net.filterbank()),
            stream: VisemeStream::new(&net),
            net,
            level,
            timing,
            frames: Series::new(),
            loudness: Series::new(),
            hop: [0.0; HOP],
            filled: 0,
            newest: 0,
            finished: false,
            engaged: 0.0,
            engaged_until: 0.0,
            last_asked: 0.0,
        }
    }

    /// Hears the frame that is complete.
    fn hear_hop(&mut self) {
        self.filled = 0;
        self.loudness.push(self.level.hear(&self.hop));
        let gain = self.level.gain();
        let levelled = self.hop.map(|s| s * gain);
        let Self { mel, stream, net, frames, level, .. } = self;
        mel.push(&levelled, |features| {
            if let Some(mut logits) = stream.push(net, features) {
                logits[Viseme::PP as usize] -= net.bilabial_bias();
                let visemes = softmax(&logits);
                frames.push(Frame::new(&visemes, level.spoken(visemes[Viseme::Silence as usize])));
            }
        });
        self.forget(self.frames.len().saturating_sub(self.timing.most));
    }

    fn forget(&mut self, from: usize) {
        self.frames.forget(from);
        self.loudness.forget(from);
    }

    /// How much somebody speaks around frame time `t`: exactly 0 in silence, 1 within speech.
    fn speaking(&self, t: f64) -> f32 {
        let mean = self.frames.mean(t, 3.5, self.newest, |f| f.spoken);
        ((mean - 0.1) / 0.6).clamp(0.0, 1.0)
    }

    fn shape(&self, t: f64, speaking: f32) -> MouthShape {
        let mut value = [0.0; PARAMETERS];
        for (k, v) in value.iter_mut().enumerate() {
            let t = t + self.timing.ahead[k];
            let (pull, hold) = self.frames.window(t, SPREAD[k], self.newest, |f, w, acc: &mut (f32, f32)| {
                acc.0 += w * f.pull[k];
                acc.1 += w * f.hold[k];
            });
            *v = pull / (hold + 1e-4);
        }
        let [jaw, lower, upper, wide, pucker, _, tuck, tongue] = value;

        // p, b, m: the lips meet, 20 ms early and late.
        let shut = (1.05 * self.closure(t)).min(1.0);
        let open = 1.0 - shut;
        // f, v: teeth on the lip hold the jaw.
        let bite = self.frames.mean(t, 2.0, self.newest, |f| f.labiodental);
        let effort = (0.22 + 1.10 * self.loudness(t)).clamp(0.0, 1.25);
        let jaw = (jaw * open * (1.0 - bite) + 0.15 * bite * open) * effort;
        let lips = AMOUNT * (0.55 + 0.45 * effort);
        MouthShape {
            jaw: jaw * AMOUNT * speaking,
            lower_lip_down: lower * open * lips * speaking,
            upper_lip_up: upper * open * lips * speaking,
            wide: wide * speaking,
            pucker: pucker * speaking,
            press: PRESSED * shut * speaking,
            tuck: tuck * open * speaking,
            tongue: tongue * speaking,
            engaged: 0.0,
        }
    }

    /// How surely the lips are shut for p, b or m at frame time `t`.
    fn closure(&self, t: f64) -> f32 {
        let from = (t - 4.8).ceil().max(0.0) as usize;
        let to = (t + 4.8).floor().max(0.0) as usize;
        let (mut sum, mut weight) = (0.0, 0.0);
        for n in from..=to {
            let x = (n as f64 - t) as f32 / 1.6;
            let w = (-0.5 * x * x).exp();
            sum += w * self.frames.most(n, 2, self.newest, |f| f.bilabial);
            weight += w;
        }
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Loudness around `t`: 0 at 35 dB below the loud parts, 1 at their level.
    fn loudness(&self, t: f64) -> f32 {
        let newest = self.newest.min(self.frames.len().saturating_sub(1)) + self.timing.louder;
        self.loudness.mean(t, 4.0, newest, |l| *l)
    }
}

impl Ear for PuppetEar {
    type Cue = MouthShape;

    fn hear(&mut self, samples: &[f32]) {
        for &s in samples {
            // One sample that is no number would stay in the filters for ever.
            self.hop[self.filled] = if s.is_finite() { s.clamp(-1.0, 1.0) } else { 0.0 };
            self.filled += 1;
            if self.filled == HOP {
                self.hear_hop();
            }
        }
    }

    fn finish(&mut self) {
        if !self.finished {
            // The network answers late, the smoothing looks ahead: both are owed silence.
            for _ in 0..=self.net.look_ahead() {
                self.hear(&[0.0; HOP]);
            }
            self.finished = true;
        }
    }

    fn need(&self) -> f64 {
        // The newest frame must be over, and the network answers late.
        (self.timing.newest + 1.0 + self.net.look_ahead() as f64) / FRAME_RATE as f64
    }

    fn cue(&mut self, seconds: f64) -> Option<HeardCue<MouthShape>> {
        // A billionth of a second: times such as 0.58 are a little less than they say.
        let asked = seconds * FRAME_RATE as f64 + 1e-7;
        let newest = (asked + self.timing.newest).max(0.0) as usize;
        if !self.finished && newest >= self.frames.len() {
            return None;
        }
        self.newest = newest;
        // Frame n is heard from n to n + 1: its middle is at n + 0.5.
        let t = (seconds + self.timing.lead) * FRAME_RATE as f64 - 0.5;
        let speaking = self.speaking(t);
        let mut shape = if speaking > 0.0 { self.shape(t, speaking) } else { MouthShape::default() };

        // A smile gives way within 300 ms of speech coming (it is seen coming 140 ms before) and returns slowly.
        let mut coming = speaking.max(self.speaking(t + 14.0));
        if coming > 0.5 {
            self.engaged_until = seconds + PAUSE;
        }
        if seconds < self.engaged_until {
            coming = 1.0;
        }
        let dt = (seconds - self.last_asked).clamp(0.0, 0.5) as f32;
        self.last_asked = seconds;
        let time = if coming > self.engaged { 0.11 } else { 0.40 };
        self.engaged += (coming - self.engaged) * (1.0 - (-dt / time).exp());
        if coming == 0.0 && self.engaged < 0.01 {
            self.engaged = 0.0;
        }
        shape.engaged = self.engaged;
        self.forget((t as usize).saturating_sub(MEMORY));
        Some(HeardCue { cue: shape, voice: self.loudness(t) * speaking })
    }
}
