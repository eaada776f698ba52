//! Waits between repetitions of what failed and may go through.

use std::time::Duration;

/// Waits that double from `first` to `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first repetition.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// Repetitions; `None`: for ever.
    pub again: Option<u32>,
}

impl Backoff {
    /// Before the `n`-th repetition, counted from 0; `None` when there is none any more.
    pub fn wait(self, n: u32) -> Option<Duration> {
        let wait = self.first.saturating_mul(2u32.saturating_pow(n)).min(self.longest);
        self.again.is_none_or(|again| n < again).then_some(wait)
    }

    /// The same, for repetitions that never end.
    pub fn pause(self, n: u32) -> Duration {
        Self { again: None, ..self }.wait(n).unwrap_or(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_longest_and_end() {
        let ms = Duration::from_millis;
        let some = Backoff { first: ms(100), longest: ms(300), again: Some(4) };
        assert_eq!((0..6).map_while(|n| some.wait(n)).collect::<Vec<_>>(), [ms(100), ms(200), ms(300), ms(300)]);
        let ever = Backoff { again: None, ..some };
        assert_eq!((ever.wait(u32::MAX), ever.pause(0)), (Some(ms(300)), ms(100)));
        assert_eq!(Backoff { first: Duration::ZERO, ..ever }.wait(7), Some(Duration::ZERO));
    }
}
