//! What may be spent.

use std::collections::BTreeMap;

/// The machines that are there, and what they cost now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spending {
    /// How many workers' machines cost so many millionths of a US dollar an hour; `None`: their price is not known.
    machines: BTreeMap<Option<u64>, u32>,
}

impl Spending {
    /// So many more machines at this price each.
    pub fn add(&mut self, machines: u32, micro_usd_per_hour: Option<u64>) {
        if machines > 0 {
            *self.machines.entry(micro_usd_per_hour).or_default() += machines;
        }
    }

    /// What all of them cost an hour, where `assumed` stands for what is not known.
    pub fn per_hour(&self, assumed: u64) -> u64 {
        let of = |(price, machines): (&Option<u64>, &u32)| price.unwrap_or(assumed).saturating_mul((*machines).into());
        self.machines.iter().map(of).fold(0, u64::saturating_add)
    }

    /// How many workers may be there for at most `most` an hour. Each further machine costs `next`; where that is not known
    /// there is no further one, since what it costs could not be told. What is there and known to be too dear is counted
    /// from the cheapest on.
    pub fn workers_for(&self, most: u64, next: Option<u64>) -> u32 {
        let Some(next) = next else {
            return self.machines.values().copied().fold(0, u32::saturating_add);
        };
        let mut priced: Vec<(u64, u32)> = self.machines.iter().map(|(price, n)| (price.unwrap_or(next), *n)).collect();
        priced.sort_unstable();
        let (mut left, mut workers) = (most, 0u32);
        for (price, machines) in priced {
            let paid_for =
                left.checked_div(price).map_or(machines, |n| machines.min(u32::try_from(n).unwrap_or(u32::MAX)));
            (left, workers) = (left - price * u64::from(paid_for), workers.saturating_add(paid_for));
            if paid_for < machines {
                return workers;
            }
        }
        let further = left.checked_div(next).map_or(u32::MAX, |more| u32::try_from(more).unwrap_or(u32::MAX));
        workers.saturating_add(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn machines(prices: &[Option<u64>]) -> Spending {
        let mut spending = Spending::default();
        prices.iter().for_each(|price| spending.add(1, *price));
        spending
    }

    #[test]
    fn a_ceiling_in_dollars_is_a_number_of_workers() {
        let none = machines(&[]);
        assert_eq!(none.workers_for(1_000_000, Some(157_000)), 6);
        assert_eq!(none.workers_for(1_000_000, None), 0, "nothing is asked for whose price nobody knows");
        assert_eq!(none.workers_for(1_000_000, Some(0)), u32::MAX);
        let mixed = machines(&[Some(500_000), Some(157_000), None]);
        assert_eq!(mixed.per_hour(200_000), 857_000);
        assert_eq!(mixed.workers_for(1_000_000, Some(200_000)), 3);
        assert_eq!(mixed.workers_for(1_100_000, Some(200_000)), 4);
        assert_eq!(mixed.workers_for(400_000, Some(200_000)), 2, "the dearest is too much");
        assert_eq!(mixed.workers_for(400_000, None), 3);
    }

    proptest! {
        #[test]
        fn what_is_added_stays_below_the_ceiling(
            prices in proptest::collection::vec(0u64..1_000_000, 0..20), most in 0u64..10_000_000, next in 1u64..1_000_000,
        ) {
            let spending = machines(&prices.iter().map(|p| Some(*p)).collect::<Vec<_>>());
            let workers = u64::from(spending.workers_for(most, Some(next)));
            let there = prices.len() as u64;
            if workers >= there && there > 0 {
                prop_assert!(spending.per_hour(0) + (workers - there) * next <= most);
                prop_assert!(spending.per_hour(0) + (workers - there + 1) * next > most);
            }
        }
    }
}
