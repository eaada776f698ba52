//! EC2's history of spot prices: newest first, page by page.

use super::Refusal;
use super::form::Form;
use std::fmt::Write as _;

#[derive(Debug, Clone, PartialEq, Eq)]
struct PoolPrice {
    from_ms: i64,
    instance_type: String,
    zone: String,
    price: String,
}

#[derive(Debug)]
pub(super) struct PriceBook {
    prices: Vec<PoolPrice>,
    /// Prices on a page.
    pub(super) page: usize,
}

impl Default for PriceBook {
    fn default() -> Self {
        Self { prices: Vec::new(), page: 1000 }
    }
}

impl PriceBook {
    pub(super) fn add(&mut self, instance_type: &str, zone: &str, from_ms: i64, price: &str) {
        let [instance_type, zone, price] = [instance_type, zone, price].map(str::to_owned);
        self.prices.push(PoolPrice { from_ms, instance_type, zone, price });
    }

    pub(super) fn history(&self, form: &Form) -> Result<String, Refusal> {
        let invalid = |why: &str| (400, "InvalidParameterValue", why.to_owned());
        let since = millis(form.get("StartTime")).ok_or_else(|| invalid("StartTime is no time"))?;
        let first = match form.get("NextToken") {
            "" => 0,
            token => token.parse::<usize>().map_err(|_| invalid("Invalid NextToken"))?,
        };
        let wanted = |price: &PoolPrice| {
            (1..)
                .map_while(|n| Some(form.get(&format!("Filter.{n}.Name"))).filter(|name| !name.is_empty()).zip(Some(n)))
                .all(|(name, n)| {
                    let values = form.list(&format!("Filter.{n}.Value"));
                    match name {
                        "instance-type" => values.contains(&price.instance_type.as_str()),
                        "availability-zone" => values.contains(&price.zone.as_str()),
                        _ => false,
                    }
                })
        };
        // What held at the start is told, too.
        let held = |price: &PoolPrice| {
            let same = |other: &&PoolPrice| other.instance_type == price.instance_type && other.zone == price.zone;
            let before = self.prices.iter().filter(same).filter(|other| other.from_ms <= since);
            price.from_ms > since || before.map(|other| other.from_ms).max() == Some(price.from_ms)
        };
        let mut found: Vec<&PoolPrice> = self.prices.iter().filter(|price| wanted(price) && held(price)).collect();
        found.sort_by_key(|price| std::cmp::Reverse(price.from_ms));
        let mut items = String::new();
        for price in found.iter().skip(first).take(self.page) {
            let _ = write!(
                items,
                "<item><instanceType>{}</instanceType><productDescription>Linux/UNIX</productDescription>\
                 <spotPrice>{}</spotPrice><timestamp>{}</timestamp><availabilityZone>{}</availabilityZone></item>",
                price.instance_type,
                price.price,
                text(price.from_ms),
                price.zone
            );
        }
        let next = first + self.page;
        let next = if next < found.len() { next.to_string() } else { String::new() };
        Ok(format!(
            "<requestId>1</requestId><spotPriceHistorySet>{items}</spotPriceHistorySet><nextToken>{next}</nextToken>"
        ))
    }
}

/// Milliseconds since 1970 of a time as AWS has it.
fn millis(text: &str) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis())
}

fn text(millis: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
