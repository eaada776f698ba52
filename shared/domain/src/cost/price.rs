//! Which price holds when.

use super::Price;
use crate::time::{HOUR_MS, Wall};
use std::collections::BTreeMap;

/// Prices by instance type and start.
#[derive(Debug, Clone, Default)]
pub(super) struct PriceList(BTreeMap<String, BTreeMap<Wall, u64>>);

impl PriceList {
    /// Of two prices with the same instance type and start the later in the slice counts.
    pub(super) fn new(prices: &[Price]) -> Self {
        let mut list = Self::default();
        for price in prices {
            list.0.entry(price.instance_type.clone()).or_default().insert(price.from, price.micro_usd_per_hour);
        }
        list
    }

    /// The price of a whole hour and since when it holds: the one valid at the hour's start, so a price that changes within
    /// an hour counts from the next one on. Where none was valid yet, the first that begins within the hour.
    pub(super) fn at(&self, instance_type: &str, hour: Wall) -> Option<(Wall, u64)> {
        let prices = self.0.get(instance_type)?;
        let valid = prices.range(..=hour).next_back();
        let (from, price) = valid.or_else(|| prices.range(hour..Wall(hour.0.saturating_add(HOUR_MS))).next())?;
        Some((*from, *price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_at_the_start_of_the_hour_counts() {
        let price = |from: i64, micro_usd_per_hour| Price {
            instance_type: "g4dn.xlarge".into(),
            from: Wall(from),
            micro_usd_per_hour,
        };
        let half = HOUR_MS / 2;
        let list = PriceList::new(&[price(3 * HOUR_MS + half, 3), price(HOUR_MS + half, 1), price(2 * HOUR_MS, 2)]);
        let at = |hour: i64| list.at("g4dn.xlarge", Wall(hour * HOUR_MS)).map(|(_, p)| p);
        // Hour 1 has no price at its start: the first that begins within it counts. Hour 3 changes half way: the old one.
        assert_eq!([at(0), at(1), at(2), at(3), at(4), at(9)], [None, Some(1), Some(2), Some(2), Some(3), Some(3)]);
        assert_eq!(list.at("local", Wall(0)), None);
    }
}
