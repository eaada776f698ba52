//! EC2's history of spot prices.

use crate::answer::Items;
use crate::client::{Fields, QueryClient};
use chrono::{DateTime, SecondsFormat};
use mouthpiece_domain::cost::{Price, micro_dollars};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::fleet::FleetError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Pages that are read, of 1,000 prices each.
const MOST_PAGES: usize = 50;
/// Values of a filter, at most.
const MOST_VALUES: usize = 200;
const ACTION: &str = "DescribeSpotPriceHistory";

/// Asks EC2.
#[derive(Debug)]
pub(crate) struct SpotPrices {
    pub(crate) client: QueryClient,
}

impl SpotPrices {
    /// The prices of capacity pools (`TYPE@ZONE`) from `since` on; of other machines there are none.
    pub(crate) async fn history(&self, pools: &[String], since: Wall) -> Result<Vec<Price>, FleetError> {
        let pools: BTreeSet<(&str, &str)> = pools.iter().filter_map(|pool| parts(pool)).take(MOST_VALUES).collect();
        if pools.is_empty() {
            return Ok(Vec::new());
        }
        let mut fields = asked(&pools, since);
        let mut told = BTreeMap::new();
        for page in 1.. {
            let answer: PriceHistory =
                self.client.ask(ACTION, &fields).await.map_err(|failure| self.client.told(ACTION, &failure))?;
            for item in answer.set.all {
                if pools.contains(&(item.instance_type.as_str(), item.zone.as_str()))
                    && let Some((key, price)) = item.read()
                {
                    told.insert(key, price);
                }
            }
            let Some(next) = answer.next.filter(|next| !next.is_empty()) else { break };
            if page == MOST_PAGES {
                tracing::warn!(pages = page, "EC2's price history goes on: the older part is left out");
                break;
            }
            fields.retain(|(field, _)| field != "NextToken");
            fields.push(("NextToken".to_owned(), next));
        }
        Ok(changes(told))
    }
}

/// The type and the zone of a capacity pool.
fn parts(pool: &str) -> Option<(&str, &str)> {
    let is_name = |part: &str| {
        !part.is_empty() && part.len() < 64 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
    };
    pool.split_once('@').filter(|(of_type, zone)| is_name(of_type) && is_name(zone))
}

fn asked(pools: &BTreeSet<(&str, &str)>, since: Wall) -> Fields {
    // What cannot be a time is asked for from 1970 on.
    let since = DateTime::from_timestamp_millis(since.0).unwrap_or_default();
    let mut fields = vec![
        ("StartTime".to_owned(), since.to_rfc3339_opts(SecondsFormat::Millis, true)),
        // Accounts have the one or the other; the prices are the same.
        ("ProductDescription.1".to_owned(), "Linux/UNIX".to_owned()),
        ("ProductDescription.2".to_owned(), "Linux/UNIX (Amazon VPC)".to_owned()),
        ("MaxResults".to_owned(), "1000".to_owned()),
    ];
    // Filters do not mind a type that there is not.
    let types: BTreeSet<&str> = pools.iter().map(|(of_type, _)| *of_type).collect();
    let zones: BTreeSet<&str> = pools.iter().map(|(_, zone)| *zone).collect();
    for (n, (name, values)) in [("instance-type", types), ("availability-zone", zones)].into_iter().enumerate() {
        let n = n + 1;
        fields.push((format!("Filter.{n}.Name"), name.to_owned()));
        let values = values.into_iter().enumerate();
        fields.extend(values.map(|(m, value)| (format!("Filter.{n}.Value.{}", m + 1), value.to_owned())));
    }
    fields
}

/// The first of prices that are equal one after the other.
fn changes(told: BTreeMap<(String, Wall), u64>) -> Vec<Price> {
    let mut prices: Vec<Price> = Vec::new();
    for ((instance_type, from), micro_usd_per_hour) in told {
        let is_same =
            |last: &Price| last.instance_type == instance_type && last.micro_usd_per_hour == micro_usd_per_hour;
        if !prices.last().is_some_and(is_same) {
            prices.push(Price { instance_type, from, micro_usd_per_hour });
        }
    }
    prices
}

#[derive(Debug, Deserialize)]
struct PriceHistory {
    #[serde(rename = "spotPriceHistorySet", default)]
    set: Items<HistoryItem>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct HistoryItem {
    #[serde(rename = "instanceType")]
    instance_type: String,
    #[serde(rename = "spotPrice")]
    price: String,
    timestamp: String,
    #[serde(rename = "availabilityZone")]
    zone: String,
}

impl HistoryItem {
    /// `None` for what cannot be a price: it is left out.
    fn read(self) -> Option<((String, Wall), u64)> {
        let from = DateTime::parse_from_rfc3339(&self.timestamp).ok()?.timestamp_millis();
        let price = rounded_up(&self.price)?;
        Some(((format!("{}@{}", self.instance_type, self.zone), Wall(from)), price))
    }
}

/// Decimal US dollars in millionths; further decimals are rounded up, so that no machine is cheaper than it is.
fn rounded_up(text: &str) -> Option<u64> {
    let (micro, rest) = micro_dollars(text)?;
    micro.checked_add(u64::from(rest.bytes().any(|b| b != b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::read;

    #[test]
    fn dollars_are_read_to_the_millionth() {
        for (text, micro) in [("0.157000", 157_000), ("12", 12_000_000), ("0.0000001", 1), ("0.1570001000", 157_001)] {
            assert_eq!(rounded_up(text), Some(micro), "{text}");
        }
        for bad in ["", ".5", "-1", "1e3", "0.1.2", "99999999999999999999"] {
            assert_eq!(rounded_up(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pool_is_a_type_and_a_zone() {
        assert_eq!(parts("g4dn.xlarge@eu-central-1a"), Some(("g4dn.xlarge", "eu-central-1a")));
        for other in ["g4dn.xlarge", "local", "@a", "a@", "a b@c", "a@b@c"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn only_changes_are_kept() {
        let told = [(("a@x", 1), 5), (("a@x", 2), 5), (("a@x", 3), 7), (("a@y", 1), 7), (("a@y", 4), 5)];
        let told = told.map(|((pool, from), price)| ((pool.to_owned(), Wall(from)), price)).into();
        let kept: Vec<_> = changes(told).into_iter().map(|p| (p.instance_type, p.from.0)).collect();
        let wanted = [("a@x", 1), ("a@x", 3), ("a@y", 1), ("a@y", 4)].map(|(pool, from)| (pool.to_owned(), from));
        assert_eq!(kept, wanted);
    }

    #[test]
    fn a_page_is_read() {
        let text = r#"<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
          <requestId>1</requestId><spotPriceHistorySet><item><instanceType>g4dn.xlarge</instanceType>
          <productDescription>Linux/UNIX</productDescription><spotPrice>0.157000</spotPrice>
          <timestamp>2026-01-31T06:14:41.000Z</timestamp><availabilityZone>eu-central-1a</availabilityZone></item>
          </spotPriceHistorySet><nextToken>more</nextToken></DescribeSpotPriceHistoryResponse>"#;
        let page: PriceHistory = read(text).unwrap();
        assert_eq!(page.next.as_deref(), Some("more"));
        let read: Vec<_> = page.set.all.into_iter().filter_map(HistoryItem::read).collect();
        assert_eq!(read, [(("g4dn.xlarge@eu-central-1a".to_owned(), Wall(1_769_840_081_000)), 157_000)]);
    }
}
