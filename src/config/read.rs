//! Reads settings one by one, so that everything that is wrong is told at once.

use super::layers::Layer;
use super::values::{KeptFor, SettingValue, shown};
use figment::Figment;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Reads settings out of the merged sources and keeps what is wrong with them.
pub struct Reader<'a> {
    figment: &'a Figment,
    /// Every key that was asked for.
    pub known: Vec<&'static str>,
    /// Sentences.
    pub problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Nothing read yet.
    pub fn new(figment: &'a Figment, problems: Vec<String>) -> Self {
        Self { figment, known: Vec::new(), problems }
    }

    /// A setting; its type's default after a problem, when nothing will be made of it any more.
    pub fn get<T: SettingValue + Default>(&mut self, key: &'static str) -> T {
        self.known.push(key);
        let Ok(value) = self.figment.find_value(key) else {
            // The defaults have every key, so a section was overwritten by something else.
            self.problems.push(format!("{key} has no value: its section was overwritten"));
            return T::default();
        };
        T::read(&value).unwrap_or_else(|problem| {
            self.wrong(key, &problem);
            T::default()
        })
    }

    /// A setting that must lie in a range.
    pub fn within<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> T
    where
        T: SettingValue + Default + PartialOrd + Debug,
    {
        let before = self.problems.len();
        let value = self.get(key);
        if self.problems.len() == before && !range.contains(&value) {
            let given = self.figment.find_value(key).map(|v| shown(&v)).unwrap_or_default();
            self.wrong(key, &format!("{given} is not within {:?} to {:?}", range.start(), range.end()));
        }
        value
    }

    /// How long something is kept: zero for ever, else `least` at least.
    pub fn age(&mut self, key: &'static str, least: Duration) -> Duration {
        let KeptFor(age) = self.get(key);
        if age > Duration::ZERO && age < least {
            self.wrong(key, &format!("{age:?} is too short: at least {least:?}, or \"0\" for ever"));
        }
        age
    }

    /// Adds a problem with a key's value.
    pub fn wrong(&mut self, key: &str, problem: &str) {
        let from = self.figment.find_metadata(key).map_or("?", |m| &m.name);
        self.problems.push(format!("{key}: {problem} ({from})"));
    }
}

/// Settings that there were, and what is to be known about that.
const REMOVED: [(&str, &str); 1] = [(
    "http.open_page_on_loopback",
    "nobody is let in any more for where a request comes from: leave it out. `mouthpiece up` prints a link that opens the page",
)];

/// Adds a problem for every key of the given sources that is not known.
pub fn refuse_unknown(given: &[Layer], known: &[&'static str], problems: &mut Vec<String>) {
    for layer in given {
        for key in layer.keys().iter().filter(|key| !known.contains(&key.as_str())) {
            if let Some((_, why)) = REMOVED.iter().find(|(removed, _)| removed == key) {
                problems.push(format!("{key} is no setting any more ({}): {why}", layer.name()));
                continue;
            }
            let hint = nearest(key, known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            problems.push(format!("{key} is not a setting ({}){hint}", layer.name()));
        }
    }
}

/// The known key that is most like a mistyped one, if any is.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    // In the wrong section counts as two slips.
    let distance = |other: &str| {
        let elsewhere = 2 + slips(&last(key), &last(other));
        slips(key, other).min(elsewhere)
    };
    let (near, slips) = known.iter().map(|other| (*other, distance(other))).min_by_key(|(_, slips)| *slips)?;
    (slips <= 2.max(key.len() / 4)).then_some(near)
}

/// Letters to insert, remove, replace or swap with their neighbour to make one word of another.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named_if_it_is_near() {
        let known = ["http.port", "http.bind", "worker.slots", "coordinator.queue_limit"];
        for (typed, meant) in [
            ("http.prot", Some("http.port")),
            ("http_port", Some("http.port")),
            ("port", Some("http.port")),
            ("coordinator.slots", Some("worker.slots")),
            ("coordinator.queue-limit", Some("coordinator.queue_limit")),
            ("entirely.different", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
    }
}
