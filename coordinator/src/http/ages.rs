//! Ages in sentences.

use super::dto::time_text;
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use mouthpiece_domain::time::Wall;
use std::time::Duration;

/// Why a result is not there any more.
pub fn gone(ages: &RetentionAges, removed: Wall) -> String {
    let age =
        ages.of(RetentionClass::Results).map(|age| format!("; videos are kept for {} (retention.results)", words(age)));
    format!(
        "the video was removed at {} because of its age{}: render it again",
        time_text(removed),
        age.unwrap_or_default()
    )
}

/// An age in its largest whole unit, such as "7 days".
fn words(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let whole = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length));
    let (length, unit) = whole.unwrap_or((1, "second"));
    let n = seconds / length;
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_whole_unit() {
        for (seconds, told) in
            [(604_800, "7 days"), (86_400, "1 day"), (90_000, "25 hours"), (60, "1 minute"), (61, "61 seconds")]
        {
            assert_eq!(words(Duration::from_secs(seconds)), told);
        }
    }
}
