//! Which decoder a machine holds.

use crate::graph::GraphError;
use crate::loading::DrawMouths;
use crate::networks::{DecoderChoice, LATENTS, SOUND};
use std::time::{Duration, Instant};

/// Calls that are timed, after one that makes memory and chooses kernels.
const CALLS: u32 = 4;
/// A machine whose first call takes so long holds nothing: it is not measured any further.
const HOPELESS: Duration = Duration::from_secs(2);

/// How a decoder was chosen by measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecoderTrial {
    /// Frames a second that were to be held.
    pub wanted: f64,
    /// Frames a second with the full decoder.
    pub full: f64,
    /// With the tiny one, if that was measured.
    pub tiny: Option<f64>,
}

impl DecoderTrial {
    /// The full decoder where it holds what is wanted, or is no slower; the tiny one otherwise.
    pub fn choice(&self) -> DecoderChoice {
        match self.tiny {
            Some(tiny) if self.full < self.wanted && tiny > self.full => DecoderChoice::Tiny,
            _ => DecoderChoice::Full,
        }
    }
}

/// Frames a second that `sessions` sessions get together when they are drawn at once.
///
/// # Errors
/// [`GraphError`] when a network fails.
pub fn frames_per_second(generator: &mut dyn DrawMouths, sessions: usize) -> Result<f64, GraphError> {
    let (latents, sound) = (vec![0.0; LATENTS], vec![0.0; SOUND]);
    let frames: Vec<(&[f32], &[f32])> = vec![(&latents, &sound); sessions.max(1)];
    let mut draw = || {
        let began = Instant::now();
        generator.draw(&frames, &mut |_, _| {}).map(|()| began.elapsed())
    };
    let first = draw()?;
    let took = if first > HOPELESS {
        first
    } else {
        let mut all = Duration::ZERO;
        for _ in 0..CALLS {
            all += draw()?;
        }
        all / CALLS
    };
    Ok(frames.len() as f64 / took.as_secs_f64().max(1e-6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiny_decoder_is_taken_where_the_full_one_is_too_slow_and_it_helps() {
        let choice = |full, tiny| DecoderTrial { wanted: 60.0, full, tiny }.choice();
        assert_eq!(choice(61.0, None), DecoderChoice::Full);
        assert_eq!(choice(61.0, Some(300.0)), DecoderChoice::Full);
        assert_eq!(choice(31.0, Some(110.0)), DecoderChoice::Tiny);
        assert_eq!(choice(31.0, Some(40.0)), DecoderChoice::Tiny, "better, if not enough");
        assert_eq!(choice(31.0, Some(30.0)), DecoderChoice::Full, "no use");
        assert_eq!(choice(31.0, None), DecoderChoice::Full, "there is no other");
    }
}
