//! A cost report as a table: RFC 4180, safe to open in a spreadsheet.

use super::body::{CostReportBody, CostRowBody};

const HEADER: [&str; 14] = [
    "group",
    "label",
    "delivered_minutes",
    "failed_minutes",
    "machine_hours",
    "busy_share",
    "starting_share",
    "idle_share",
    "cost_usd",
    "usd_per_minute",
    "marginal_usd_per_minute",
    "egress_gb",
    "egress_usd",
    "sessions",
];

/// A line a row, the total as the last one. Unknown figures are empty cells.
pub(super) fn table(report: &CostReportBody) -> String {
    let mut out = HEADER.join(",") + "\r\n";
    for row in &report.rows {
        line(&mut out, &row.group, &row.label, &row.row);
    }
    line(&mut out, "(total)", "total", &report.total);
    out
}

/// A name that tells period and grouping: `mouthpiece-cost_20261124T16Z_20261125T17Z_day.csv`.
pub(super) fn file_name(report: &CostReportBody) -> String {
    // "2026-11-24T16:00:00.000Z": up to the hour, without dashes.
    let hour = |time: &str| time.chars().take(13).filter(|c| *c != '-').collect::<String>();
    format!("mouthpiece-cost_{}Z_{}Z_{}.csv", hour(&report.from), hour(&report.to), report.group_by)
}

fn line(out: &mut String, group: &str, label: &str, row: &CostRowBody) {
    let figure = |f: Option<f64>, decimals: usize| f.map_or_else(String::new, |f| format!("{f:.decimals$}"));
    let cells = [
        cell(group),
        cell(label),
        figure(Some(row.delivered_minutes), 6),
        figure(Some(row.failed_minutes), 6),
        figure(Some(row.machine_hours), 6),
        figure(row.busy_share, 6),
        figure(row.starting_share, 6),
        figure(row.idle_share, 6),
        figure(row.cost_usd, 9),
        figure(row.usd_per_minute, 9),
        figure(row.marginal_usd_per_minute, 9),
        figure(Some(row.egress_gb), 9),
        figure(Some(row.egress_usd), 9),
        row.sessions.to_string(),
    ];
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// A text cell. Spreadsheets run what starts like a formula, so such a text gets an apostrophe before it.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let text = if formula || text.starts_with(['\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let cases = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "'\t=1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("", ""),
        ];
        for (text, written) in cases {
            assert_eq!(cell(text), written);
        }
    }

    /// Reads one RFC 4180 cell back.
    fn read(cell: &str) -> String {
        match cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => cell.to_owned(),
        }
    }

    proptest! {
        #[test]
        fn a_cell_reads_back(text in "[ =+@,\"\r\n\ta-z-]{0,12}") {
            let written = cell(&text);
            let back = read(&written);
            let guarded = format!("'{text}");
            prop_assert!(back == text || back == guarded);
            prop_assert!(!back.starts_with(['=', '+', '-', '@']));
            if !written.starts_with('"') {
                prop_assert!(!written.contains([',', '"', '\r', '\n']));
            }
        }
    }
}
