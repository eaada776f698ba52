//! What is kept, and how long.
//!
//! A thing may go when it has not been used for its class's age and nothing needs it. The rule stands here once: record
//! stores carry it out in their own words, and the contract suite compares what they let go of with [`chosen`].

use crate::time::{Wall, as_millis, millis};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What has an age. In this order they are looked through: a face that goes frees its portrait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RetentionClass {
    /// Faces, used when they are added and when a session is made with one; needed while such a session is open. Of the
    /// store, what was prepared from their portraits.
    Avatars,
    /// Portraits and recordings as they were given, used whenever they are given; needed while a face is made of them or a
    /// session that names them is open.
    Uploads,
    /// What renders left, used when they ended.
    Results,
    /// Idempotency tokens, used when their session was made; needed while it is open.
    Tokens,
    /// Records of sessions, used when they ended; needed as long as a result that they left is kept, a token or an avatar
    /// names them. What they delivered stays in the books.
    Sessions,
    /// The books: what was delivered and what machines ran, used at the end of their hour; needed while the session is open.
    Usage,
}

impl RetentionClass {
    /// All classes.
    pub const ALL: [Self; 6] = [Self::Avatars, Self::Uploads, Self::Results, Self::Tokens, Self::Sessions, Self::Usage];

    /// The word in records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avatars => "avatars",
            Self::Uploads => "uploads",
            Self::Results => "results",
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
            Self::Usage => "usage",
        }
    }
}

/// How long each class is kept after its last use; zero keeps it for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionAges {
    /// Of [`RetentionClass::Avatars`].
    #[serde(with = "millis")]
    pub avatars: Duration,
    /// Of [`RetentionClass::Uploads`].
    #[serde(with = "millis")]
    pub uploads: Duration,
    /// Of [`RetentionClass::Results`].
    #[serde(with = "millis")]
    pub results: Duration,
    /// Of [`RetentionClass::Tokens`].
    #[serde(with = "millis")]
    pub tokens: Duration,
    /// Of [`RetentionClass::Sessions`].
    #[serde(with = "millis")]
    pub sessions: Duration,
    /// Of [`RetentionClass::Usage`].
    #[serde(with = "millis")]
    pub usage: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for RetentionAges {
    fn default() -> Self {
        Self {
            avatars: DAY.saturating_mul(90),
            uploads: DAY.saturating_mul(7),
            results: DAY.saturating_mul(7),
            tokens: DAY,
            sessions: DAY.saturating_mul(90),
            usage: DAY.saturating_mul(400),
        }
    }
}

impl RetentionAges {
    /// Everything is kept for ever.
    pub const NONE: Self = Self {
        avatars: Duration::ZERO,
        uploads: Duration::ZERO,
        results: Duration::ZERO,
        tokens: Duration::ZERO,
        sessions: Duration::ZERO,
        usage: Duration::ZERO,
    };

    /// A class's age; `None` for ever.
    pub fn of(&self, class: RetentionClass) -> Option<Duration> {
        let age = match class {
            RetentionClass::Avatars => self.avatars,
            RetentionClass::Uploads => self.uploads,
            RetentionClass::Results => self.results,
            RetentionClass::Tokens => self.tokens,
            RetentionClass::Sessions => self.sessions,
            RetentionClass::Usage => self.usage,
        };
        (age > Duration::ZERO).then_some(age)
    }

    /// Until when something is kept that was used last at `used`; `None` for ever.
    pub fn until(&self, class: RetentionClass, used: Wall) -> Option<Wall> {
        self.of(class).map(|age| Wall(used.0.saturating_add(signed(age))))
    }

    /// What was used last at this time or before may go now; `None`: nothing may.
    pub fn bound(&self, class: RetentionClass, now: Wall) -> Option<Wall> {
        self.of(class).map(|age| Wall(now.0.saturating_sub(signed(age))))
    }
}

fn signed(age: Duration) -> i64 {
    i64::try_from(as_millis(age)).unwrap_or(i64::MAX)
}

/// What the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptThing {
    /// When it was used last.
    pub used: Wall,
    /// Something that is open or kept needs it.
    pub needed: bool,
}

/// Which of these may go at a bound: at most `limit`, those that were used longest ago.
pub fn chosen<T: Ord>(things: impl IntoIterator<Item = (T, KeptThing)>, bound: Wall, limit: usize) -> Vec<T> {
    let free = things.into_iter().filter(|(_, kept)| !kept.needed && kept.used <= bound);
    let mut oldest: Vec<_> = free.map(|(thing, kept)| (kept.used, thing)).collect();
    oldest.sort_unstable();
    oldest.into_iter().take(limit).map(|(_, thing)| thing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn things() -> impl Strategy<Value = Vec<(usize, KeptThing)>> {
        let kept = (-5i64..200, any::<bool>()).prop_map(|(used, needed)| KeptThing { used: Wall(used), needed });
        vec(kept, 0..40).prop_map(|kept| kept.into_iter().enumerate().collect())
    }

    #[test]
    fn what_is_kept_for_ever_has_no_bound() {
        for class in RetentionClass::ALL {
            assert_eq!(
                (RetentionAges::NONE.until(class, Wall(5)), RetentionAges::NONE.bound(class, Wall(5))),
                (None, None)
            );
        }
        let ages = RetentionAges { results: Duration::MAX, ..RetentionAges::NONE };
        assert_eq!(ages.until(RetentionClass::Results, Wall(5)), Some(Wall(i64::MAX)));
        assert!(ages.bound(RetentionClass::Results, Wall(0)) < Some(Wall(-1)));
    }

    proptest! {
        #[test]
        fn nothing_that_is_young_or_needed_is_chosen(things in things(), age in 1u64..100, now in 0i64..200, limit in 0usize..50) {
            let ages = RetentionAges { uploads: Duration::from_millis(age), ..RetentionAges::NONE };
            let bound = ages.bound(RetentionClass::Uploads, Wall(now)).unwrap();
            let chosen = chosen(things.clone(), bound, limit);
            prop_assert!(chosen.len() <= limit);
            for n in &chosen {
                let kept = things[*n].1;
                prop_assert!(!kept.needed);
                prop_assert!(ages.until(RetentionClass::Uploads, kept.used).unwrap() <= Wall(now), "{kept:?} is younger than {age}");
            }
            // Whatever is left was used later than all that go, unless it is needed.
            let latest = chosen.iter().map(|n| things[*n].1.used).max();
            let left = things.iter().filter(|(n, kept)| !kept.needed && !chosen.contains(n)).map(|(_, kept)| kept.used);
            prop_assert!(left.min().is_none_or(|next| latest.is_none_or(|latest| latest <= next)));
        }

        #[test]
        fn step_by_step_all_that_is_old_and_free_goes(things in things(), bound in 0i64..200, limit in 1usize..7) {
            let (mut left, mut steps) = (things.clone(), 0);
            loop {
                let gone = chosen(left.clone(), Wall(bound), limit);
                left.retain(|(n, _)| !gone.contains(n));
                steps += 1;
                if gone.len() < limit { break }
            }
            let stays = |kept: &KeptThing| kept.needed || kept.used > Wall(bound);
            let expected: Vec<_> = things.iter().filter(|(_, kept)| stays(kept)).copied().collect();
            prop_assert_eq!(steps, (things.len() - expected.len()) / limit + 1);
            prop_assert_eq!(left, expected);
        }
    }
}
