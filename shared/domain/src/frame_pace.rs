//! How many frames a second talking faces get when one engine draws all of them.
//!
//! An engine that cannot hold the rate that was asked for would stutter: frames come late, now of one face, now of the other.
//! So all fall together, at once, to the highest of a few rates that it does hold, and rise again slowly, a step at a time,
//! when there was room for a while. A rise that had to be taken back is tried again later and later.
//!
//! ```text
//!          too slow: at once              too slow: at once
//! asked ---------------------> 25 a second -----------------> 20 a second
//!       <---------------------             <-----------------
//!        room for five windows              room for five windows
//! ```
//! Who measures gives a window of about a second: who talked, what was drawn, what came late.

/// The rates that are fallen to, highest first; the first is as good as none.
pub const FRAME_PACES: [u32; 3] = [30, 25, 20];
/// An engine that is to hold a rate must be able to draw so much more: other work comes in between.
const SPARE: f32 = 1.05;
/// To rise, there must be more room than to stay.
const ROOM: f32 = 1.20;
/// Windows with room before it rises, and at most, after rises in vain.
const WAIT: [u32; 2] = [5, 80];
/// A window with fewer frames tells nothing.
const FEWEST: u32 = 5;
/// So much of what should have been drawn may come late, percent: a hiccup of the machine is no reason.
const LATE_PERCENT: u32 = 10;

/// What happened in about a second.
#[derive(Debug, Clone, Copy)]
pub struct PaceWindow<'a> {
    /// The rates that the sessions asked for that talked.
    pub asked: &'a [u32],
    /// Frames that were drawn for them.
    pub drawn: u32,
    /// Frames that were skipped since their turn was over.
    pub late: u32,
    /// How many frames a second the engine could have drawn, if that is known.
    pub capacity: Option<f32>,
}

/// The rate that all faces of an engine get at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePace {
    /// An index of [`FRAME_PACES`].
    level: usize,
    /// Windows with room, one after the other.
    roomy: u32,
    /// How many of them it takes to rise.
    wait: u32,
    /// Windows since it rose, until that has proved good.
    since_rise: Option<u32>,
}

impl Default for FramePace {
    fn default() -> Self {
        Self { level: 0, roomy: 0, wait: WAIT[0], since_rise: None }
    }
}

impl FramePace {
    /// The rate that nobody gets more than.
    pub fn most(&self) -> u32 {
        FRAME_PACES[self.level]
    }

    /// The rate of a session that asked for `asked`.
    pub fn rate(&self, asked: u32) -> u32 {
        asked.min(self.most())
    }

    /// Takes a window; the new rate if it has changed.
    pub fn window(&mut self, window: &PaceWindow<'_>) -> Option<u32> {
        let before = self.level;
        if !window.asked.is_empty() && window.drawn + window.late >= FEWEST {
            self.judge(window);
        }
        (self.level != before).then(|| self.most())
    }

    fn judge(&mut self, window: &PaceWindow<'_>) {
        let holds = |level: usize, spare: f32| {
            window.capacity.is_none_or(|capacity| demand(window.asked, level) as f32 * spare <= capacity)
        };
        let lowest = FRAME_PACES.len() - 1;
        let is_late = window.late * 100 > (window.drawn + window.late) * LATE_PERCENT;
        if is_late || !holds(self.level, SPARE) {
            let less = |level: &usize| demand(window.asked, *level) < demand(window.asked, self.level);
            let lower = (self.level + 1..=lowest).filter(less).find(|level| holds(*level, SPARE));
            self.fall_to(lower.unwrap_or(lowest));
        } else if self.level > 0 && holds(self.level - 1, ROOM) {
            self.roomy += 1;
            if self.roomy >= self.wait {
                (self.level, self.roomy, self.since_rise) = (self.level - 1, 0, Some(0));
            }
        } else {
            self.roomy = 0;
        }
        // What has held for as long as it takes to rise was no rise in vain.
        if let Some(windows) = &mut self.since_rise {
            *windows += 1;
            if *windows > self.wait {
                self.since_rise = None;
            }
        }
    }

    fn fall_to(&mut self, level: usize) {
        if level > self.level && self.since_rise.take().is_some() {
            self.wait = (self.wait * 2).min(WAIT[1]);
        }
        (self.level, self.roomy) = (level, 0);
    }
}

/// Frames a second that all together get at a level.
fn demand(asked: &[u32], level: usize) -> u32 {
    asked.iter().map(|asked| (*asked).min(FRAME_PACES[level])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A second with an engine that draws so many frames a second.
    fn second(pace: &mut FramePace, asked: &[u32], capacity: f32) -> Option<u32> {
        let wanted: u32 = asked.iter().map(|asked| pace.rate(*asked)).sum();
        let drawn = wanted.min(capacity as u32);
        pace.window(&PaceWindow { asked, drawn, late: wanted - drawn, capacity: Some(capacity) })
    }

    #[test]
    fn two_that_talk_at_once_fall_together_and_one_rises_again() {
        let mut pace = FramePace::default();
        assert_eq!(second(&mut pace, &[30], 57.0), None, "one alone is held");
        assert_eq!(second(&mut pace, &[30, 30], 57.0), Some(25), "at once, and both");
        assert_eq!((pace.rate(30), pace.rate(25), pace.rate(20)), (25, 25, 20));
        assert!((0..60).all(|_| second(&mut pace, &[30, 30], 57.0).is_none()), "and stay there");
        let rises: Vec<_> = (0..6).map(|_| second(&mut pace, &[30], 57.0)).collect();
        assert_eq!(rises, [None, None, None, None, Some(30), None]);
    }

    #[test]
    fn a_much_slower_engine_falls_as_far_as_it_must_in_one_step() {
        let mut pace = FramePace::default();
        assert_eq!(second(&mut pace, &[30, 30], 44.0), Some(20));
        // Nothing is left to fall to.
        assert_eq!(second(&mut pace, &[30, 30], 10.0), None);
        assert_eq!(pace.most(), 20);
    }

    #[test]
    fn sessions_that_asked_for_25_fall_to_20() {
        let mut pace = FramePace::default();
        assert_eq!(second(&mut pace, &[25, 25], 45.0), Some(20));
    }

    #[test]
    fn frames_that_come_late_are_enough_where_the_capacity_is_not_known() {
        let mut pace = FramePace::default();
        let mut window = |drawn, late| pace.window(&PaceWindow { asked: &[30, 30], drawn, late, capacity: None });
        assert_eq!(window(58, 2), None, "a hiccup");
        assert_eq!(window(3, 1), None, "too little to tell");
        assert_eq!(window(50, 10), Some(25), "a step at a time, since nobody knows what would be held");
    }

    #[test]
    fn silence_changes_nothing() {
        let mut pace = FramePace::default();
        second(&mut pace, &[30, 30], 44.0);
        let before = pace.clone();
        assert_eq!(pace.window(&PaceWindow { asked: &[], drawn: 0, late: 0, capacity: None }), None);
        assert_eq!(pace, before);
    }

    #[test]
    fn a_rise_in_vain_is_tried_later_each_time() {
        let mut pace = FramePace::default();
        // There seems to be room, but frames come late at 30 whatever is measured.
        let mut rises = Vec::new();
        for n in 0..200 {
            let late = if pace.most() == 30 { 20 } else { 0 };
            let window = PaceWindow { asked: &[30, 30], drawn: 40, late, capacity: Some(100.0) };
            if pace.window(&window) == Some(30) {
                rises.push(n);
            }
        }
        let gaps: Vec<_> = rises.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).all(|pair| pair[1] > pair[0]) && rises.len() < 7, "{rises:?}");
    }

    proptest! {
        #[test]
        fn an_engine_that_does_not_change_is_held_at_one_rate(
            asked in prop::collection::vec(prop::sample::select(vec![20_u32, 25, 30]), 1..6),
            capacity in 12.0_f32..400.0,
            begins in prop::collection::vec((prop::collection::vec(prop::sample::select(vec![25_u32, 30]), 0..6), 5.0_f32..400.0), 0..30),
        ) {
            let mut pace = FramePace::default();
            for (asked, capacity) in &begins {
                second(&mut pace, asked, *capacity);
                prop_assert!(FRAME_PACES.contains(&pace.most()));
            }
            // However it began, it settles,
            for _ in 0..4 * WAIT[1] {
                second(&mut pace, &asked, capacity);
            }
            let settled = pace.most();
            prop_assert!((0..200).all(|_| second(&mut pace, &asked, capacity).is_none()));
            // on a rate that is held if any is, and that is the highest with room.
            let level = FRAME_PACES.iter().position(|p| *p == settled).unwrap_or(0);
            let holds = |level: usize, spare: f32| demand(&asked, level) as f32 * spare <= capacity;
            prop_assert!(holds(level, SPARE) || settled == 20);
            prop_assert!(level == 0 || !holds(level - 1, ROOM), "{settled} with room for more");
        }

        #[test]
        fn it_rises_a_step_at_a_time_and_never_within_five_windows(
            seconds in prop::collection::vec((prop::collection::vec(prop::sample::select(vec![25_u32, 30]), 0..4), 5.0_f32..200.0), 1..200),
        ) {
            let (mut pace, mut last) = (FramePace::default(), 0);
            for (n, (asked, capacity)) in seconds.iter().enumerate() {
                let before = pace.most();
                if let Some(now) = second(&mut pace, asked, *capacity) {
                    if now > before {
                        prop_assert!(n + 1 - last >= WAIT[0] as usize, "after {}", n - last);
                        prop_assert!(FRAME_PACES.windows(2).any(|pair| pair == [now, before]));
                    }
                    last = n + 1;
                }
            }
        }
    }
}
