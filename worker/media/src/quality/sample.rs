//! An even sample of a stream whose length is not known before.

/// Keeps at most so many values, evenly spread over all that were offered: when full, every second one goes and from
/// then on only half as many are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    most: usize,
    stride: u64,
    seen: u64,
    values: Vec<f64>,
}

impl Sample {
    /// At most `most` (at least 2) values.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(2), stride: 1, seen: 0, values: Vec::new() }
    }

    /// Offers the next value, which is only worked out when it is wanted; one that is `None` is left out.
    pub fn offer(&mut self, value: impl FnOnce() -> Option<f64>) {
        let wanted = self.seen.is_multiple_of(self.stride);
        self.seen += 1;
        if !wanted {
            return;
        }
        let Some(value) = value() else { return };
        if self.values.len() == self.most {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
        self.values.push(value);
    }

    /// The values that were kept, in their order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_bounded_and_even(count in 1_u64..5000, most in 4_usize..64) {
            let mut sample = Sample::new(most);
            let mut asked = 0;
            for i in 0..count {
                sample.offer(|| { asked += 1; Some(i as f64) });
            }
            let values = sample.values();
            prop_assert!(values.len() <= most && values[0] == 0.0);
            prop_assert!(values.len() as u64 >= count.min(most as u64 / 2));
            // Once thinned, neighbours are one or two strides apart.
            let steps: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
            let (low, high) = steps.iter().fold((f64::MAX, 0.0_f64), |(l, h), s| (l.min(*s), h.max(*s)));
            prop_assert!(steps.is_empty() || high <= 2.0 * low, "{:?}", values);
            prop_assert!(asked as usize <= most * 14);
        }
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let mut sample = Sample::new(8);
        for i in 0..6 {
            sample.offer(|| (i % 2 == 0).then_some(f64::from(i)));
        }
        assert_eq!(sample.values(), [0.0, 2.0, 4.0]);
    }
}
