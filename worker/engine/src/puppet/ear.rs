//! From speech to mouth shapes: visemes, coarticulation, closures, silence.
//!
//! The network says every 10 ms which viseme it hears. A mouth is slower than that and looks ahead: each parameter is a
//! mean of its neighbourhood in time, weighted by how strongly each viseme holds that parameter (Cohen and Massaro,
//! "Modeling Coarticulation in Synthetic Visual Speech", 1993), with a window of its own for jaw, lips and tongue.

use super::shape::MouthShape;
use super::table::{DOMINANCE, PARAMETERS, SPREAD, TARGETS};
use crate::ear::{Ear, Heard, SpeechLevel};
use mouthpiece_media::features::{FRAME_RATE, LogMel, VISEMES, Viseme, VisemeNet, VisemeStream, softmax};
use std::collections::VecDeque;
use std::sync::Arc;

/// Active RMS that the network was trained at.
const NETWORK_LEVEL: f32 = 0.09;
/// Most gain that quiet speech is given: below that it is noise.
const MOST_GAIN: f32 = 60.0;
/// How far ahead of the network's answer the mouth is, in seconds. Found with `mouthpiece eval`: the windows below and
/// the closures lead by themselves, and at this value the lips are 0 to 20 ms ahead of the sound, as mouths are.
const LEAD: f64 = -0.015;
/// A smile that was closed to speak stays closed through pauses of this many seconds.
const PAUSE: f64 = 1.2;
/// How expressive the mouth is.
const AMOUNT: f32 = 1.2;
/// Level of no sound at all.
const SILENT_DB: f32 = -100.0;
/// Samples of a frame of analysis.
const HOP: usize = 160;
/// Frames kept behind the asked time.
const MEMORY: usize = 100;

/// One frame (10 ms) of what was heard.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Dominance-weighted targets and dominances of each parameter.
    pull: [f32; PARAMETERS],
    hold: [f32; PARAMETERS],
    /// How surely the lips are shut, and how surely teeth are on the lip.
    bilabial: f32,
    labiodental: f32,
    silence: f32,
    /// Level in dB of full scale.
    level: f32,
}

impl Frame {
    /// What a frame with these viseme weights and this level asks for.
    fn new(visemes: &[f32; VISEMES], level: f32) -> Self {
        let weight = |v: Viseme| visemes[v as usize];
        let mut frame = Self {
            pull: [0.0; PARAMETERS],
            hold: [0.0; PARAMETERS],
            bilabial: ((weight(Viseme::PP) - 0.42) / 0.30).clamp(0.0, 1.0),
            labiodental: ((weight(Viseme::FF) - 0.3) / 0.4).clamp(0.0, 1.0),
            silence: weight(Viseme::Silence),
            level,
        };
        for (v, weight) in visemes.iter().enumerate() {
            for k in 0..PARAMETERS {
                let hold = weight * DOMINANCE[v][k];
                frame.hold[k] += hold;
                frame.pull[k] += hold * TARGETS[v][k];
            }
        }
        frame
    }
}

/// Listens for the puppet engine.
pub struct PuppetEar {
    net: Arc<VisemeNet>,
    mel: LogMel,
    stream: VisemeStream,
    gain: f32,
    loud_db: f32,
    /// Frames whose visemes are known; the first is number `first`.
    frames: VecDeque<Frame>,
    first: usize,
    /// Levels of frames that the network has not answered for yet.
    levels: VecDeque<f32>,
    /// Energy and length of the frame that is being heard.
    energy: (f32, usize),
    levelled: Vec<f32>,
    /// How many frames past the asked time are needed.
    future: usize,
    /// The last frame that the present cue may look at: what arrived beyond it must not change the answer.
    horizon: usize,
    finished: bool,
    engaged: f32,
    engaged_until: f64,
    last_asked: f64,
}

impl PuppetEar {
    /// Listens with the shipped network. `future_ms`: how much sound past a frame may be waited for. With 200 the
    /// smoothing is symmetrical, as a recording allows; less trades smoothness for latency.
    pub fn new(net: Arc<VisemeNet>, level: SpeechLevel, future_ms: usize) -> Self {
        Self {
            mel: LogMel::new(net.filterbank()),
            stream: VisemeStream::new(&net),
            net,
            gain: (NETWORK_LEVEL / level.active_rms.max(1e-6)).min(MOST_GAIN),
            loud_db: level.loud_db,
            frames: VecDeque::with_capacity(512),
            first: 0,
            levels: VecDeque::with_capacity(64),
            energy: (0.0, 0),
            levelled: Vec::new(),
            future: future_ms * FRAME_RATE / 1000,
            horizon: 0,
            finished: false,
            engaged: 0.0,
            engaged_until: 0.0,
            last_asked: 0.0,
        }
    }

    /// The weighted mean of `value` around frame time `t` (in frames), with a Gaussian of `sigma` frames.
    fn mean(&self, t: f64, sigma: f32, value: impl Fn(&Frame) -> f32) -> f32 {
        let (sum, weight) = self.window(t, sigma, |f, w, acc: &mut (f32, f32)| {
            acc.0 += w * value(f);
            acc.1 += w;
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Walks the frames within three sigmas of `t`.
    fn window<A: Default>(&self, t: f64, sigma: f32, mut each: impl FnMut(&Frame, f32, &mut A)) -> A {
        let mut acc = A::default();
        let reach = f64::from(3.0 * sigma);
        let low = ((t - reach).ceil().max(self.first as f64)) as usize;
        let high = ((t + reach).floor().max(0.0) as usize).min(self.horizon);
        let high = high.min((self.first + self.frames.len()).saturating_sub(1));
        let k = 1.0 / sigma;
        for n in low..=high {
            if let Some(f) = n.checked_sub(self.first).and_then(|i| self.frames.get(i)) {
                let x = (n as f64 - t) as f32 * k;
                each(f, (-0.5 * x * x).exp(), &mut acc);
            }
        }
        acc
    }

    /// The largest `value` of the frames within `reach` of frame `n`.
    fn most(&self, n: usize, reach: usize, value: impl Fn(&Frame) -> f32) -> f32 {
        let from = n.saturating_sub(reach).max(self.first) - self.first;
        let to = ((n + reach).min(self.horizon) + 1).saturating_sub(self.first).min(self.frames.len());
        self.frames.range(from.min(to)..to).map(value).fold(0.0, f32::max)
    }

    /// How much somebody speaks around frame time `t`: exactly 0 in silence, 1 within speech.
    fn speaking(&self, t: f64) -> f32 {
        let floor = self.loud_db - 32.0;
        let mean = self.mean(t, 3.5, |f| if f.level > floor { (1.15 - f.silence).clamp(0.0, 1.0) } else { 0.0 });
        ((mean - 0.1) / 0.6).clamp(0.0, 1.0)
    }

    fn shape(&self, t: f64, speaking: f32) -> MouthShape {
        let mut value = [0.0; PARAMETERS];
        for (k, v) in value.iter_mut().enumerate() {
            let (pull, hold) = self.window(t, SPREAD[k], |f, w, acc: &mut (f32, f32)| {
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
        let bite = self.mean(t, 2.0, |f| f.labiodental);
        let loudness = self.loudness(t);
        let effort = (0.22 + 1.10 * loudness).clamp(0.0, 1.25);
        let jaw = (jaw * open * (1.0 - bite) + 0.15 * bite * open) * effort;
        let lips = AMOUNT * (0.55 + 0.45 * effort);
        MouthShape {
            jaw: jaw * AMOUNT * speaking,
            lower_lip_down: lower * open * lips * speaking,
            upper_lip_up: upper * open * lips * speaking,
            wide: wide * speaking,
            pucker: pucker * speaking,
            press: 0.85 * shut * speaking,
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
            sum += w * self.most(n, 2, |f| f.bilabial);
            weight += w;
        }
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Loudness around `t`: 0 at 35 dB below the loud parts, 1 at their level.
    fn loudness(&self, t: f64) -> f32 {
        self.mean(t, 4.0, |f| ((f.level - (self.loud_db - 35.0)) / 35.0).clamp(0.0, 1.0))
    }
}

impl Ear for PuppetEar {
    type Cue = MouthShape;

    fn hear(&mut self, samples: &[f32]) {
        for &s in samples {
            self.energy.0 += s * s;
            self.energy.1 += 1;
            if self.energy.1 == HOP {
                self.levels.push_back(10.0 * (self.energy.0 / HOP as f32 + 1e-10).log10());
                self.energy = (0.0, 0);
            }
        }
        let mut levelled = std::mem::take(&mut self.levelled);
        levelled.clear();
        levelled.extend(samples.iter().map(|s| s * self.gain));
        let Self { mel, stream, net, frames, levels, .. } = self;
        mel.push(&levelled, |features| {
            if let Some(mut logits) = stream.push(net, features) {
                logits[Viseme::PP as usize] -= net.bilabial_bias();
                frames.push_back(Frame::new(&softmax(&logits), levels.pop_front().unwrap_or(SILENT_DB)));
            }
        });
        self.levelled = levelled;
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

    fn cue(&mut self, seconds: f64) -> Option<Heard<MouthShape>> {
        // Frame n is heard from n to n + 1: its middle is at n + 0.5.
        let t = (seconds + LEAD) * FRAME_RATE as f64 - 0.5;
        let known = self.first + self.frames.len();
        if !self.finished && t + self.future as f64 + 1.0 >= known as f64 {
            return None;
        }
        self.horizon = (t.max(0.0) as usize) + self.future;
        let speaking = self.speaking(t);
        let mut shape = if speaking > 0.0 { self.shape(t, speaking) } else { MouthShape::default() };

        // A smile closes quickly when speech comes and returns slowly when it is over.
        let mut coming = speaking.max(self.speaking(t + 14.0));
        if coming > 0.5 {
            self.engaged_until = seconds + PAUSE;
        }
        if seconds < self.engaged_until {
            coming = 1.0;
        }
        let dt = (seconds - self.last_asked).clamp(0.0, 0.5) as f32;
        self.last_asked = seconds;
        let time = if coming > self.engaged { 0.05 } else { 0.40 };
        self.engaged += (coming - self.engaged) * (1.0 - (-dt / time).exp());
        if coming == 0.0 && self.engaged < 0.01 {
            self.engaged = 0.0;
        }
        shape.engaged = self.engaged;

        let keep_from = (t as usize).saturating_sub(MEMORY);
        while self.first < keep_from && !self.frames.is_empty() {
            self.frames.pop_front();
            self.first += 1;
        }
        Some(Heard { cue: shape, voice: self.loudness(t) * speaking })
    }
}
