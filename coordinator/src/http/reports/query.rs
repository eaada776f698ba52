//! Which report is asked for.

use crate::http::Problem;
use crate::http::fields::Fields;
use chrono::{DateTime, Utc};
use mouthpiece_domain::cost::GroupBy;
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::records::Period;
use utoipa::IntoParams;

/// The longest period of a report.
const MOST_DAYS: i64 = 400;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The query of a cost report, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // read by its derive only; requests are read field by field
pub(crate) struct CostQuery {
    /// Start, RFC 3339, rounded down to the hour. Default: 24 hours before the end.
    #[param(example = "2026-11-01T00:00:00Z")]
    from: Option<String>,
    /// End (exclusive), RFC 3339, rounded up to the hour. Default: now. At most 400 days after the start.
    #[param(example = "2026-12-01T00:00:00Z")]
    to: Option<String>,
    /// `none`, `day`, `hour`, `session`, `key`, `avatar`, `instance_type` or `kind`. Default: `none`.
    #[param(example = "day")]
    group_by: Option<String>,
    /// `json` or `csv`. Default: `json`.
    #[param(example = "json")]
    format: Option<String>,
}

const FIELDS: [&str; 4] = ["from", "to", "group_by", "format"];
/// Characters of a time at most.
const TIME: usize = 64;

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportFormat {
    Json,
    Csv,
}

/// A query that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportQuery {
    pub period: Period,
    pub by: GroupBy,
    pub format: ReportFormat,
}

impl ReportQuery {
    /// Reads a query; `now` is what missing times are counted from.
    pub(super) fn read(query: &str, now: Wall) -> Result<Self, Problem> {
        let fields = Fields::query(query, &FIELDS)?;
        let time = |name| fields.text(name, TIME)?.map(|text| moment(name, text)).transpose();
        let (from, to) = (time("from")?, time("to")?);
        let by = fields.word("group_by", &GroupBy::ALL.map(|by| (by.name(), by)))?.unwrap_or_default();
        let format = fields
            .word("format", &[("json", ReportFormat::Json), ("csv", ReportFormat::Csv)])?
            .unwrap_or(ReportFormat::Json);
        Ok(Self { period: period(from, to, now)?, by, format })
    }
}

fn period(from: Option<Wall>, to: Option<Wall>, now: Wall) -> Result<Period, Problem> {
    let end = to.unwrap_or(now);
    let start = from.unwrap_or(Wall(end.0 - DAY_MS));
    if start >= end {
        let end = if to.is_some() { "to" } else { "to, which is now unless it is given" };
        return Err(Problem::invalid("from", format!("from must be earlier than {end}")));
    }
    if end.0 - start.0 > MOST_DAYS * DAY_MS {
        let detail = format!("the period is longer than {MOST_DAYS} days: ask for it in pieces");
        return Err(Problem::invalid("from", detail));
    }
    Ok(Period { from: start.hour(), to: Wall(end.0 + HOUR_MS - 1).hour() })
}

fn moment(field: &'static str, text: &str) -> Result<Wall, Problem> {
    DateTime::parse_from_rfc3339(text).map(|t| Wall(t.timestamp_millis())).map_err(|_| {
        let hint = if text.contains(' ') { " (in a URL write the plus sign as %2B, or use Z)" } else { "" };
        Problem::invalid(field, format!("{field} must be a time like 2026-11-25T16:00:00Z{hint}"))
    })
}

/// A time in records as RFC 3339 text, UTC with milliseconds.
pub(super) fn text(wall: Wall) -> String {
    formatted(wall, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// A time in records in a form of chrono's; the number itself where the calendar does not reach.
pub(super) fn formatted(wall: Wall, form: &str) -> String {
    DateTime::<Utc>::from_timestamp_millis(wall.0)
        .map_or_else(|| format!("{} ms", wall.0), |t| t.format(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-25T16:20:00Z
    const NOW: Wall = Wall(1_795_623_600_000);

    fn read(query: &str) -> Result<[String; 2], String> {
        let told = |e: Problem| format!("{}: {}", e.field.unwrap_or_default(), e.detail);
        let asked = ReportQuery::read(query, NOW).map_err(told)?;
        Ok([text(asked.period.from), text(asked.period.to)])
    }

    #[test]
    fn a_period_is_rounded_outwards_to_hours() {
        let hours =
            |from: &str, to: &str| Ok([format!("2026-11-{from}:00:00.000Z"), format!("2026-11-{to}:00:00.000Z")]);
        assert_eq!(read(""), hours("24T16", "25T17"));
        assert_eq!(read("from=2026-11-25T10:59:59.999Z&to=2026-11-25T11:00:00.001Z"), hours("25T10", "25T12"));
        assert_eq!(read("from=2026-11-25T10:00:00Z&to=2026-11-25T11:00:00Z"), hours("25T10", "25T11"));
        assert_eq!(read("from=2026-11-25T10%3A00%3A00%2B02:00"), hours("25T08", "25T17"));
        assert_eq!(read("to=2026-11-20T00:00:00Z"), hours("19T00", "20T00"));
    }

    #[test]
    fn a_bad_field_is_named_with_the_remedy() {
        let cases = [
            ("from=yesterday", "from: from must be a time like 2026-11-25T16:00:00Z"),
            ("to=2026-11-25", "to: to must be a time like 2026-11-25T16:00:00Z"),
            ("from=2026-11-25T10:00:00+02:00", "%2B"),
            ("from=2026-11-25T10:00:00Z&to=2026-11-25T10:00:00Z", "from: from must be earlier than to"),
            ("from=2026-11-26T10:00:00Z", "from: from must be earlier than to, which is now unless it is given"),
            ("from=2025-10-21T00:00:00Z&to=2026-11-25T00:00:00.001Z", "from: the period is longer than 400 days"),
            ("group_by=week", "instance_type"),
            ("format=xml", "format: format must be json or csv"),
            ("form=csv", "form: 'form' is not a field here"),
            ("from=1&from=2", "from: from is given twice"),
        ];
        for (query, says) in cases {
            let error = read(query).unwrap_err();
            assert!(error.contains(says), "{query}: {error}");
        }
        assert!(read("from=2025-10-21T00:00:00Z&to=2026-11-25T00:00:00Z").is_ok());
        let asked = ReportQuery::read("group_by=instance_type&format=csv", NOW).unwrap();
        assert_eq!((asked.by, asked.format), (GroupBy::InstanceType, ReportFormat::Csv));
    }

    proptest! {
        #[test]
        fn any_query_is_answered(query in ".*", from in ".{0,40}") {
            let _ = ReportQuery::read(&query, NOW);
            let _ = ReportQuery::read(&format!("from={from}"), NOW);
        }

        #[test]
        fn a_period_holds_what_was_asked_for(start in 0i64..4_000_000_000_000, length in 1i64..=MOST_DAYS * DAY_MS) {
            let (start, end) = (Wall(start), Wall(start + length));
            let query = format!("from={}&to={}", text(start), text(end));
            let got = ReportQuery::read(&query, NOW).unwrap().period;
            prop_assert!(got.from <= start && end <= got.to);
            prop_assert!(start.0 - got.from.0 < HOUR_MS && got.to.0 - end.0 < HOUR_MS);
            prop_assert_eq!((got.from, got.to), (got.from.hour(), got.to.hour()));
        }
    }
}
