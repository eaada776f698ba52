//! Which mouth of the bank is shown now: the nearest one, unless the one before still serves.

use super::contour::Contour;
use crate::curves::smoothstep;

/// Another mouth must be better than the present one by this much, in D.
const SWITCH: f32 = 0.007;
/// And by so much more for each D by which it differs from what is shown: a jump is seen.
const JUMP: f32 = 0.12;
/// A head turned otherwise by a degree counts as so many D.
const TURN: f32 = 0.0008;
/// Frames from one mouth to the next.
const FADE: f32 = 2.0;
/// And a mouth that serves so ill goes at once, half of it from here on: two that differ make a veil of lips over teeth and no third
/// mouth, and people's own change from one frame to the next.
const VEILS: (f32, f32) = (0.012, 0.030);
/// A mouth that serves so ill is painted from here on, and there altogether, in D.
const PAINTED: (f32, f32) = (0.045, 0.085);
/// How fast painting and bank give way to each other, share a frame.
const GIVE_WAY: f32 = 0.34;

/// A mouth as far as choosing goes.
pub(super) trait Choice {
    fn contour(&self) -> &Contour;
    /// The head's turn to a side and down, degrees.
    fn turn(&self) -> [f32; 2];
}

/// What is shown of the bank, from frame to frame of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Follower {
    now: Option<u16>,
    before: Option<u16>,
    /// How far `now` has taken over from `before`, 0..=1.
    fade: f32,
    /// How far the bank is shown at all, 0..=1.
    share: f32,
}

/// What one frame shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    pub(super) now: u16,
    /// The mouth that is going, and how much of it is left.
    pub(super) before: Option<(u16, f32)>,
    /// How far the bank replaces what is painted.
    pub(super) share: f32,
}

impl Follower {
    /// Goes on to a frame that wants `wanted`, on a head turned by `turn`. `None` when the bank is empty or has nothing like it.
    pub(super) fn follow<C: Choice>(&mut self, bank: &[C], wanted: &Contour, turn: [f32; 2]) -> Option<Shown> {
        let cost = |c: &C| {
            let [a, b] = c.turn();
            c.contour().unlike(wanted) + TURN * (a - turn[0]).hypot(b - turn[1])
        };
        let present = self.now.and_then(|now| bank.get(usize::from(now)));
        let jump = |c: &C| present.map_or(0.0, |p| SWITCH + JUMP * p.contour().unlike(c.contour()));
        let mut best: Option<(u16, f32)> = None;
        for (at, c) in bank.iter().enumerate() {
            let at = at as u16;
            let whole = if Some(at) == self.now { cost(c) } else { cost(c) + jump(c) };
            if best.is_none_or(|(_, least)| whole < least) {
                best = Some((at, whole));
            }
        }
        let (at, _) = best?;
        let serves = cost(&bank[usize::from(at)]);
        let aim = 1.0 - ((serves - PAINTED.0) / (PAINTED.1 - PAINTED.0)).clamp(0.0, 1.0);
        match self.now {
            None => *self = Self { now: Some(at), before: None, fade: 1.0, share: aim },
            Some(now) => {
                if now != at {
                    *self = Self { now: Some(at), before: Some(now), fade: 0.0, ..*self };
                }
                self.fade = (self.fade + 1.0 / FADE).min(1.0);
                self.share += (aim - self.share).clamp(-GIVE_WAY, GIVE_WAY);
            }
        }
        let left = |before: u16| {
            let unlike = bank.get(usize::from(before))?.contour().unlike(wanted);
            let left = (1.0 - self.fade) * (1.0 - smoothstep(VEILS.0, VEILS.1, unlike));
            (left > 0.0).then_some((before, left))
        };
        let before = self.before.filter(|_| self.fade < 1.0).and_then(left);
        (self.share > 0.0).then_some(Shown { now: at, before, share: self.share })
    }

    /// The mouth is shut: whatever comes next follows nothing.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::contour::tests::arc;
    use super::*;
    use proptest::prelude::*;

    struct Mouth(Contour);

    impl Choice for Mouth {
        fn contour(&self) -> &Contour {
            &self.0
        }

        fn turn(&self) -> [f32; 2] {
            [0.0; 2]
        }
    }

    fn bank() -> Vec<Mouth> {
        (1..=8).map(|k| Mouth(arc(0.3, 0.02, 0.03 * k as f32))).collect()
    }

    #[test]
    fn the_nearest_is_taken_and_kept_while_it_serves() {
        let (bank, mut follower) = (bank(), Follower::default());
        let shown = follower.follow(&bank, &arc(0.3, 0.02, 0.06), [0.0; 2]).unwrap();
        assert_eq!((shown.now, shown.before, shown.share), (1, None, 1.0));
        // Halfway to the next one nothing changes yet.
        assert_eq!(follower.follow(&bank, &arc(0.3, 0.02, 0.076), [0.0; 2]).unwrap().now, 1);
        let shown = follower.follow(&bank, &arc(0.3, 0.02, 0.12), [0.0; 2]).unwrap();
        // So large a step is a cut, a smaller one fades.
        assert_eq!((shown.now, shown.before), (3, None));
        let shown = follower.follow(&bank, &arc(0.3, 0.02, 0.140), [0.0; 2]).unwrap();
        assert!(shown.now == 4 && shown.before.is_some_and(|(before, left)| before == 3 && left > 0.0 && left <= 0.5));
        assert_eq!(follower.follow(&bank, &arc(0.3, 0.02, 0.15), [0.0; 2]).unwrap().before, None);
    }

    #[test]
    fn what_the_bank_does_not_have_is_painted() {
        let bank = bank();
        assert_eq!(Follower::default().follow(&bank, &arc(0.3, 0.2, 0.6), [0.0; 2]), None);
        assert_eq!(Follower::default().follow(&[] as &[Mouth], &arc(0.3, 0.02, 0.1), [0.0; 2]), None);
        // It gives way within frames, not at once.
        let mut follower = Follower::default();
        follower.follow(&bank, &arc(0.3, 0.02, 0.2), [0.0; 2]).unwrap();
        let first = follower.follow(&bank, &arc(0.3, 0.2, 0.6), [0.0; 2]).unwrap().share;
        assert!(first > 0.5 && first < 0.8);
        assert!((0..4).map(|_| follower.follow(&bank, &arc(0.3, 0.2, 0.6), [0.0; 2])).any(|shown| shown.is_none()));
    }

    proptest! {
        #[test]
        fn shares_stay_shares_and_shown_mouths_exist(heights in prop::collection::vec(0.0_f32..0.5, 1..60)) {
            let (bank, mut follower) = (bank(), Follower::default());
            let mut last: Option<Shown> = None;
            for height in heights {
                let shown = follower.follow(&bank, &arc(0.3, 0.02, height), [0.0; 2]);
                if let Some(s) = shown {
                    prop_assert!(usize::from(s.now) < bank.len() && (0.0..=1.0).contains(&s.share));
                    if let Some((before, left)) = s.before {
                        prop_assert!(usize::from(before) < bank.len() && before != s.now && left > 0.0 && left < 1.0);
                    }
                    // A mouth that is going is the one before.
                    if let (Some(l), Some(before)) = (last.filter(|l| l.now != s.now), s.before) {
                        prop_assert_eq!(before.0, l.now);
                    }
                }
                last = shown;
            }
        }

        #[test]
        fn noise_smaller_than_a_step_switches_nothing(noise in prop::collection::vec(-0.003_f32..0.003, 5..40)) {
            let (bank, mut follower) = (bank(), Follower::default());
            let shown: Vec<u16> = noise.iter()
                .map(|n| follower.follow(&bank, &arc(0.3, 0.02, 0.105 + n), [0.0; 2]).unwrap().now).collect();
            prop_assert!(shown.windows(2).all(|w| w[0] == w[1]), "{shown:?}");
        }
    }
}
