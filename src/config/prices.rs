//! What machines cost, from the settings.

use super::values::{SettingValue, micro_dollars, shown};
use chrono::{DateTime, NaiveDate};
use figment::value::{Dict, Value};
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::time::Wall;

/// More than this is not a price list.
const MOST: usize = 10_000;
/// The entry's keys.
const KEYS: [&str; 3] = ["instance_type", "usd_per_hour", "from"];

/// Prices with their times of validity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices(pub Vec<Price>);

impl SettingValue for Prices {
    fn read(value: &Value) -> Result<Self, String> {
        let Some(entries) = value.as_array().filter(|entries| entries.len() <= MOST) else {
            return Err(format!("it must be a list of at most {MOST} tables: begin each with [[prices]]"));
        };
        let numbered = entries.iter().enumerate();
        let read = |(n, entry): (usize, &Value)| price(entry).map_err(|e| format!("entry {}: {e}", n + 1));
        numbered.map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn price(entry: &Value) -> Result<Price, String> {
    let Some(entry) = entry.as_dict() else { return Err(format!("{} is not a table", shown(entry))) };
    if let Some(unknown) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("'{unknown}' is not a setting; a price has {}", KEYS.join(", ")));
    }
    let field = |key: &str| entry.get(key).ok_or_else(|| format!("{key} is missing"));
    let named = |key: &'static str| move |e: String| format!("{key}: {e}");
    let instance_type = field("instance_type").and_then(|v| String::read(v).map_err(named("instance_type")))?;
    if instance_type.is_empty() || instance_type.len() > 100 {
        return Err("instance_type: it must have 1 to 100 characters".to_owned());
    }
    let micro_usd_per_hour = field("usd_per_hour").and_then(|v| micro_dollars(v).map_err(named("usd_per_hour")))?;
    let from = entry.get("from").map_or(Ok(Wall(0)), |v| moment(v).map_err(named("from")))?;
    Ok(Price { instance_type, from, micro_usd_per_hour })
}

/// A day (its start, UTC) or a time with its offset, as text or as TOML's own date.
fn moment(value: &Value) -> Result<Wall, String> {
    let told = match value {
        Value::Dict(_, date) => toml_date(date).ok_or_else(|| shown(value))?,
        other => String::read(other)?,
    };
    let day = NaiveDate::parse_from_str(&told, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let at = day.map(|day| day.and_utc()).or_else(|| Some(DateTime::parse_from_rfc3339(&told).ok()?.to_utc()));
    at.map(|at| Wall(at.timestamp_millis()))
        .ok_or_else(|| format!("\"{told}\" is not a day such as 2026-01-31 or a time such as 2026-01-31T18:00:00Z"))
}

/// How the TOML reader hands a date on: a table with one text under a key of its own.
fn toml_date(value: &Dict) -> Option<String> {
    value.iter().find(|(key, _)| key.contains("datetime")).and_then(|(_, text)| text.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prices, String> {
        let file: Dict = toml::from_str(text).unwrap();
        Prices::read(&file["prices"])
    }

    #[test]
    fn prices_are_valid_from_a_day_or_a_time_on() {
        let text = r#"
            [[prices]]
            instance_type = "g4dn.xlarge"
            usd_per_hour = "0.157"
            [[prices]]
            instance_type = "g4dn.xlarge"
            usd_per_hour = 0.2
            from = 2026-01-31
            [[prices]]
            instance_type = "local"
            usd_per_hour = 1
            from = "2026-01-31T02:00:00+02:00"
        "#;
        let Prices(prices) = read(text).unwrap();
        let told: Vec<_> = prices.iter().map(|p| (p.micro_usd_per_hour, p.from.0)).collect();
        assert_eq!(told, [(157_000, 0), (200_000, 1_769_817_600_000), (1_000_000, 1_769_817_600_000)]);
    }

    #[test]
    fn a_wrong_entry_is_told_by_its_place_and_key() {
        for (text, words) in [
            ("prices = 5", "begin each with [[prices]]"),
            ("prices = [5]", "entry 1: 5 is not a table"),
            ("[[prices]]\ninstance_type = 'a'", "entry 1: usd_per_hour is missing"),
            ("[[prices]]\ninstance_type = 'a'\nusd_per_hour = -1", "entry 1: usd_per_hour: -1 is not an amount"),
            (
                "[[prices]]\ninstance_type = 'a'\nusd_per_hour = 1\nfrom = 'soon'",
                "entry 1: from: \"soon\" is not a day",
            ),
            ("[[prices]]\ninstance = 'a'", "entry 1: 'instance' is not a setting; a price has instance_type"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
