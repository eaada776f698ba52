//! What was heard lately, a frame every 10 ms, and means over it.

use crate::table::{DOMINANCE, PARAMETERS, TARGETS};
use mouthpiece_media::features::{VISEMES, Viseme};
use std::collections::VecDeque;

/// One frame (10 ms) of what was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Dominance-weighted targets and dominances of each parameter.
    pub(super) pull: [f32; PARAMETERS],
    pub(super) hold: [f32; PARAMETERS],
    /// How surely the lips are shut, and how surely teeth are on the lip.
    pub(super) bilabial: f32,
    pub(super) labiodental: f32,
    /// How surely somebody speaks: 0 is silence.
    pub(super) spoken: f32,
}

impl Frame {
    /// What a frame with these viseme weights asks for.
    pub(super) fn new(visemes: &[f32; VISEMES], spoken: f32) -> Self {
        let weight = |v: Viseme| visemes[v as usize];
        let mut frame = Self {
            pull: [0.0; PARAMETERS],
            hold: [0.0; PARAMETERS],
            bilabial: ((weight(Viseme::PP) - 0.42) / 0.30).clamp(0.0, 1.0),
            labiodental: ((weight(Viseme::FF) - 0.3) / 0.4).clamp(0.0, 1.0),
            spoken,
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

/// A series of which the beginning is forgotten.
#[derive(Debug)]
pub(super) struct Series<T> {
    values: VecDeque<T>,
    /// Number of the first value that is kept.
    first: usize,
}

impl<T> Series<T> {
    pub(super) fn new() -> Self {
        Self { values: VecDeque::with_capacity(512), first: 0 }
    }

    pub(super) fn push(&mut self, value: T) {
        self.values.push_back(value);
    }

    /// How many there were, the forgotten ones included.
    pub(super) fn len(&self) -> usize {
        self.first + self.values.len()
    }

    /// Forgets what lies before number `from`.
    pub(super) fn forget(&mut self, from: usize) {
        while self.first < from && self.values.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Walks what lies within three sigmas of `t` and is not after `newest`, with the weights of a Gaussian.
    pub(super) fn window<A: Default>(
        &self,
        t: f64,
        sigma: f32,
        newest: usize,
        mut each: impl FnMut(&T, f32, &mut A),
    ) -> A {
        let mut acc = A::default();
        let reach = f64::from(3.0 * sigma);
        let low = ((t - reach).ceil().max(self.first as f64)) as usize;
        let high = ((t + reach).floor().max(0.0) as usize).min(newest);
        let high = high.min(self.len().saturating_sub(1));
        let k = 1.0 / sigma;
        for n in low..=high {
            if let Some(value) = n.checked_sub(self.first).and_then(|i| self.values.get(i)) {
                let x = (n as f64 - t) as f32 * k;
                each(value, (-0.5 * x * x).exp(), &mut acc);
            }
        }
        acc
    }

    /// The weighted mean of `value` in such a window; 0 of nothing.
    pub(super) fn mean(&self, t: f64, sigma: f32, newest: usize, value: impl Fn(&T) -> f32) -> f32 {
        let (sum, weight) = self.window(t, sigma, newest, |f, w, acc: &mut (f32, f32)| {
            acc.0 += w * value(f);
            acc.1 += w;
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// The largest `value` within `reach` of number `n` and not after `newest`.
    pub(super) fn most(&self, n: usize, reach: usize, newest: usize, value: impl Fn(&T) -> f32) -> f32 {
        let from = n.saturating_sub(reach).max(self.first) - self.first;
        let to = ((n + reach).min(newest) + 1).saturating_sub(self.first).min(self.values.len());
        self.values.range(from.min(to)..to).map(value).fold(0.0, f32::max)
    }
}
