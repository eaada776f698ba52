//! Which price holds when.

use super::Price;
use crate::time::{HOUR_MS, Wall};
use std::collections::BTreeMap;

/// The price of a capacity pool, which is a type and a zone (`g4dn.xlarge@eu-central-1a`), as `of` knows it; that of the type
/// alone where the pool has none of its own. Everything else has its own price or none.
pub(crate) fn pool_or_type<T>(instance_type: &str, of: impl Fn(&str) -> Option<T>) -> Option<T> {
    of(instance_type).or_else(|| instance_type.split_once('@').and_then(|(of_type, _)| of(of_type)))
}

/// Decimal US dollars ("0.157") in millionths, and the decimals beyond those.
pub fn micro_dollars(text: &str) -> Option<(u64, &str)> {
    let (units, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(units) || !is_number(decimals) {
        return None;
    }
    let (six, rest) = decimals.split_at(decimals.len().min(6));
    let millionths: u64 = format!("{six:0<6}").parse().ok()?;
    let micro = units.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(millionths)?;
    Some((micro, rest))
}

/// What each instance type costs at a moment, in millionths of a US dollar an hour. Of two prices with the same instance type
/// and start the later in the slice counts.
pub fn prices_at(prices: &[Price], now: Wall) -> BTreeMap<String, u64> {
    let mut valid: BTreeMap<String, (Wall, u64)> = BTreeMap::new();
    for price in prices.iter().filter(|price| price.from <= now) {
        let latest = valid.entry(price.instance_type.clone()).or_insert((price.from, price.micro_usd_per_hour));
        if latest.0 <= price.from {
            *latest = (price.from, price.micro_usd_per_hour);
        }
    }
    valid.into_iter().map(|(instance_type, (_, price))| (instance_type, price)).collect()
}

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
    ///
    /// A spot machine is priced by its capacity pool, and by its type alone where the pool has no price for the hour.
    pub(super) fn at(&self, instance_type: &str, hour: Wall) -> Option<(Wall, u64)> {
        pool_or_type(instance_type, |name| self.of(name, hour))
    }

    fn of(&self, instance_type: &str, hour: Wall) -> Option<(Wall, u64)> {
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
    fn dollars_are_read_to_the_millionth() {
        for (text, micro) in [
            ("0.157000", (157_000, "")),
            ("12", (12_000_000, "")),
            ("0.0000001", (0, "1")),
            ("0.1570001000", (157_000, "1000")),
            ("0.1570000", (157_000, "0")),
        ] {
            assert_eq!(micro_dollars(text), Some(micro), "{text}");
        }
        for bad in ["", ".5", "5.", "-1", "1e3", "0.1.2", "99999999999999999999"] {
            assert_eq!(micro_dollars(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_latest_price_that_holds_is_the_one_now() {
        let price = |instance_type: &str, from, micro_usd_per_hour| Price {
            instance_type: instance_type.into(),
            from: Wall(from),
            micro_usd_per_hour,
        };
        let all = [price("a", 5, 2), price("a", 0, 1), price("a", 9, 3), price("b", 9, 7), price("a", 5, 4)];
        assert_eq!(prices_at(&all, Wall(8)), BTreeMap::from([("a".to_owned(), 4)]));
        assert_eq!(prices_at(&all, Wall(9)), BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 7)]));
    }

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

    #[test]
    fn a_pools_own_price_goes_before_its_types() {
        let price = |instance_type: &str, hour: i64, micro_usd_per_hour| Price {
            instance_type: instance_type.to_owned(),
            from: Wall(hour * HOUR_MS),
            micro_usd_per_hour,
        };
        let list = PriceList::new(&[price("g4dn.xlarge", 0, 500), price("g4dn.xlarge@a", 2, 150)]);
        let at = |pool: &str, hour: i64| list.at(pool, Wall(hour * HOUR_MS)).map(|(_, p)| p);
        assert_eq!([at("g4dn.xlarge@a", 1), at("g4dn.xlarge@a", 3)], [Some(500), Some(150)]);
        assert_eq!([at("g4dn.xlarge@b", 3), at("g4dn.xlarge", 3)], [Some(500), Some(500)]);
        assert_eq!(at("t3.large@a", 3), None);
    }
}
