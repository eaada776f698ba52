//! What the face does, as callers are told: it follows the voice that leaves. Pure; counted in samples of the timeline.
//!
//! Pushed speech is known by its utterances. Of a microphone only the ear can say what is voice and what is a quiet room, and
//! it says so of sound that has its place and has not left yet. So voice counts from when its place is reached, and what was
//! cut off by an interruption never does.

use super::voice::{RATE, samples};
use mouthpiece_domain::live::FaceMood;
use std::time::Duration;

/// The microphone's voice goes on over pauses of this length.
const PAUSE: u64 = RATE * 6 / 10;
/// What the ear heard is in what it says for so long: its windows, and the fall of what it smoothes.
const ECHO: u64 = RATE * 3 / 10;

/// Follows the voice. See the module's text.
#[derive(Debug, Default)]
pub struct MoodFollower {
    /// Where the microphone's voice begins and, as far as it is known, ends.
    voice: Option<(u64, u64)>,
    /// Up to here the ear may still hear what was cut off.
    echo: u64,
}

impl MoodFollower {
    /// The ear heard voice at a place, which holds sound of the microphone.
    pub fn heard(&mut self, place: u64) {
        if place < self.echo {
            return;
        }
        let end = place + PAUSE;
        match &mut self.voice {
            Some((_, until)) if place <= *until => *until = end.max(*until),
            _ => self.voice = Some((place, end)),
        }
    }

    /// All that has its place, up to `committed`, was cut off.
    pub fn cut(&mut self, committed: u64) {
        self.voice = None;
        self.echo = committed + ECHO;
    }

    /// What the face does when all before `played` has left: `speaking`, an utterance is leaving; `listened_to`, somebody
    /// speaks to it.
    pub fn mood(&self, played: u64, speaking: bool, listened_to: bool) -> FaceMood {
        let voice = self.voice.is_some_and(|(from, until)| (from..until).contains(&played));
        match (speaking || voice, listened_to) {
            (true, _) => FaceMood::Talking,
            (false, true) => FaceMood::Listening,
            (false, false) => FaceMood::Idle,
        }
    }
}

/// The place of a media time, seconds.
pub fn place(seconds: f64) -> u64 {
    samples(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = RATE / 1000;

    #[test]
    fn a_microphones_voice_counts_while_it_leaves_and_over_pauses() {
        let mut follower = MoodFollower::default();
        follower.heard(100 * MS);
        follower.heard(140 * MS);
        let talks = |follower: &MoodFollower| {
            let at = |ms: &u64| follower.mood(ms * MS, false, false) == FaceMood::Talking;
            (0..3000).filter(at).fold(None, |span: Option<(u64, u64)>, ms| Some((span.map_or(ms, |s| s.0), ms)))
        };
        assert_eq!(talks(&follower), Some((100, 739)), "not before it leaves");
        follower.heard(740 * MS);
        assert_eq!(talks(&follower), Some((100, 1339)), "a pause is no end");
        follower.heard(2000 * MS);
        assert_eq!(talks(&follower), Some((2000, 2599)));
    }

    #[test]
    fn after_an_interruption_nothing_that_was_cut_off_is_voice() {
        let mut follower = MoodFollower::default();
        (0..20).for_each(|n| follower.heard(n * 40 * MS));
        // 700 ms have left, 800 have their place; the ear goes on saying voice for what it heard.
        assert_eq!(follower.mood(700 * MS, true, false), FaceMood::Talking);
        follower.cut(800 * MS);
        for place in (760..1100).step_by(40) {
            follower.heard(place * MS);
        }
        assert!((700..4000).all(|ms| follower.mood(ms * MS, false, false) == FaceMood::Idle));
        assert!((700..4000).all(|ms| follower.mood(ms * MS, false, true) == FaceMood::Listening));
        // Until there is a voice again.
        follower.heard(1500 * MS);
        assert_eq!(follower.mood(1499 * MS, false, true), FaceMood::Listening);
        assert_eq!(follower.mood(1500 * MS, false, true), FaceMood::Talking);
    }

    #[test]
    fn an_utterance_that_leaves_is_talk_whatever_else_is_so() {
        let mut follower = MoodFollower::default();
        follower.cut(0);
        assert_eq!(follower.mood(0, true, true), FaceMood::Talking);
        assert_eq!(follower.mood(0, false, true), FaceMood::Listening);
        assert_eq!((place(0.5), place(-1.0), place(f64::NAN)), (24_000, 0, 0));
    }
}
