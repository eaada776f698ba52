//! The report as one page that needs nothing else: no script, no picture, no font from elsewhere.

use super::report::ScenarioReport;
use super::svg::{PlotLine, bars, lines};
use crate::{Latency, LoadError, setup};
use std::fmt::Write as _;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1f;--faint:#6b6b76;--grid:#d9d9e0;--paper:#fff;--a:#2458d3;--b:#c2571a;--good:#1a7f37;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--faint:#a0a0ab;--grid:#3a3a42;--paper:#17171b;--a:#7aa2ff;--b:#f0a36b;--good:#4ac26b;--bad:#ff8a80}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2rem .8rem .2rem 0;text-align:right;border-bottom:1px solid var(--grid)}\
th:first-child,td:first-child{text-align:left}\
.met{color:var(--good)}.missed{color:var(--bad);font-weight:600}.faint{color:var(--faint)}\
svg{width:100%;height:auto}svg .tick{fill:var(--faint);font-size:11px}svg .grid{stroke:var(--grid)}\
svg path{fill:none;stroke-width:1.6}.line0{stroke:var(--a)}.line1{stroke:var(--b);stroke-dasharray:4 3}.bar0{fill:var(--a)}.bar1{fill:var(--b)}\
.key0{color:var(--a)}.key1{color:var(--b)}pre{overflow:auto;font-size:.8rem}figure{margin:1rem 0}";

/// A text as it may stand in HTML, also within quotation marks.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The page.
///
/// # Errors
/// [`LoadError::Setup`] where the report cannot be written as JSON.
pub fn page(report: &ScenarioReport) -> Result<String, LoadError> {
    let name = escaped(&report.scenario.name);
    let (class, verdict) =
        if report.met { ("met", "all targets are met") } else { ("missed", "not all targets are met") };
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\"><title>{name}: load report</title><style>{STYLE}</style></head><body><h1>{name}</h1>\
         <p>{}</p><p class=\"{class}\">{verdict}</p><p class=\"faint\">Began {}, lasted {:.1} s.</p>",
        escaped(&report.scenario.about),
        escaped(&report.began),
        report.seconds
    );
    targets(&mut html, report);
    figures(&mut html, report);
    plots(&mut html, report);
    let json = serde_json::to_string_pretty(report).map_err(setup)?;
    let _ = writeln!(
        html,
        "<h2>All figures</h2><details><summary>As JSON</summary><pre id=\"json\">{}</pre></details></body></html>",
        escaped(&json)
    );
    Ok(html)
}

fn targets(html: &mut String, report: &ScenarioReport) {
    html.push_str("<h2>Targets</h2><table><tr><th>target</th><th>asked</th><th>measured</th><th></th></tr>");
    for target in &report.targets {
        let (class, word) = if target.met { ("met", "met") } else { ("missed", "missed") };
        let measured = target.measured.map_or_else(|| "nothing".to_owned(), figure);
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{measured}</td><td class=\"{class}\">{word}</td></tr>",
            escaped(target.name),
            figure(target.bound)
        );
    }
    html.push_str("</table>");
}

/// A number as it is read: whole where it is large, with the digits that matter where it is small.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        n if n >= 1000.0 => format!("{value:.0}"),
        n if n >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.6}"),
    }
}

fn figures(html: &mut String, report: &ScenarioReport) {
    let live = &report.live;
    html.push_str(
        "<h2>Times, milliseconds</h2><table><tr><th></th><th>count</th><th>mean</th><th>p50</th><th>p90</th><th>p99</th>\
         <th>longest</th></tr>",
    );
    for (name, of) in [
        ("offered to connected", &live.join_ms),
        ("asked to first frame", &live.first_frame_ms),
        ("sound in to sound out", &live.voice_ms),
        ("sound in to its frame", &live.lips_ms),
        ("interrupted to silence", &live.silence_ms),
    ] {
        if of.count > 0 {
            latency(html, name, of);
        }
    }
    html.push_str("</table><h2>Figures</h2><table>");
    let mut row = |name: &str, value: String| {
        let _ = write!(html, "<tr><td>{name}</td><td>{value}</td></tr>");
    };
    row("sessions", live.sessions.to_string());
    row("frames that came", live.frames.to_string());
    row("frames a second, a viewer", figure(live.fps));
    row("frames missing, percent", figure(live.missing * 100.0));
    row("ticks that the farm missed, percent", figure(live.ticks_missed * 100.0));
    row("video, kbit/s", figure(live.bits_per_second / 1000.0));
    if let Some(skew) = live.skew_ms {
        row("video after sound at first, ms", figure(skew.at_start));
        row("video after sound at last, ms", figure(skew.at_end));
        row("99% of the frames are within, ms", figure(skew.p99));
        row("the largest difference, ms", figure(skew.most));
    }
    if let Some(farm) = &report.farm {
        row("cores that the farm used", figure(farm.cpu));
        row("cores a session", figure(farm.cpu_per_session));
        row("memory before, MiB", figure(farm.resident_before_mib));
        row("memory at its most, MiB", figure(farm.resident_most_mib));
        row("memory a session, MiB", figure(farm.mib_per_session));
    }
    if let Some(cost) = report.cost {
        row("the machine, US dollars an hour", figure(cost.usd_per_hour));
        row("paid minutes", figure(cost.paid_minutes));
        row("delivered minutes", figure(cost.delivered_minutes));
        row("US dollars a delivered minute", figure(cost.usd_per_minute));
    }
    html.push_str("</table>");
}

fn latency(html: &mut String, name: &str, of: &Latency) {
    let _ = write!(
        html,
        "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        of.count,
        figure(of.mean),
        figure(of.p50),
        figure(of.p90),
        figure(of.p99),
        figure(of.max)
    );
}

fn plots(html: &mut String, report: &ScenarioReport) {
    let sessions = report.sessions.iter().enumerate();
    let joins: Vec<_> =
        sessions.map(|(n, line)| (format!("session {}", n + 1), vec![line.join_ms, line.first_frame_ms])).collect();
    let names = ["join", "first frame"];
    plot(html, "Join and first frame, by session", &names, &bars("Join and first frame", "ms", &names, &joins));
    let stages = report.live.stages.iter();
    let stages: Vec<_> =
        stages.map(|(name, p50, p99)| (name.clone(), vec![f64::from(*p50), f64::from(*p99)])).collect();
    let names = ["p50", "p99"];
    plot(html, "Stages as the farm tells them, worst session", &names, &bars("Stages", "ms", &names, &stages));
    let of = |value: fn(&crate::live::SecondLine) -> Option<f64>| report.by_second.iter().map(value).collect();
    let names = ["came", "should have come"];
    let frames = [
        PlotLine { name: names[0], class: "line0", values: of(|line| Some(line.frames.into())) },
        PlotLine { name: names[1], class: "line1", values: of(|line| Some(line.expected)) },
    ];
    plot(html, "Frames a second, all viewers", &names, &lines("Frames a second", "", &frames));
    let skew = [PlotLine { name: "video after sound", class: "line0", values: of(|line| line.skew_ms) }];
    plot(html, "Video after sound, the worst viewer", &["video after sound"], &lines("Skew", "ms", &skew));
    if let Some(farm) = &report.farm {
        let of =
            |value: fn(&super::report::UseLine) -> f64| farm.seconds.iter().map(|line| Some(value(line))).collect();
        let cpu = [PlotLine { name: "cores", class: "line0", values: of(|line| line.cpu) }];
        plot(html, "Cores that the farm used", &["cores"], &lines("Cores", "", &cpu));
        let memory = [PlotLine { name: "resident", class: "line0", values: of(|line| line.resident_mib) }];
        plot(html, "Memory of the farm", &["resident"], &lines("Memory", "MiB", &memory));
    }
}

fn plot(html: &mut String, title: &str, names: &[&str], svg: &str) {
    let _ = write!(html, "<h2>{title}</h2><figure>{svg}<figcaption>");
    for (n, name) in names.iter().enumerate() {
        let _ = write!(html, "<span class=\"key{n}\">■ {name}</span> ");
    }
    html.push_str("</figcaption></figure>");
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    fn unescaped(text: &str) -> String {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
        text.replace("&amp;", "&")
    }

    #[test]
    fn what_a_scenario_says_cannot_become_markup() {
        let html = page(&report("least_fps = 1")).unwrap();
        assert!(html.contains("<h1>&lt;two&gt; &amp; &quot;more&quot;</h1>"), "{html}");
        assert!(!html.contains("<script") && !html.contains("encode<"), "{html}");
        assert_eq!(html.matches("</style>").count(), 1);
        assert_eq!(unescaped(&escaped("<a href='x'>\"&amp;\"</a>")), "<a href='x'>\"&amp;\"</a>");
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let html = page(&report("least_fps = 1")).unwrap();
        for from_elsewhere in ["http://", "https://", "src=", "url(", "@import", "<link"] {
            assert!(!html.contains(from_elsewhere), "{from_elsewhere}");
        }
        assert_eq!(html.matches("<svg").count(), 6);
    }

    #[test]
    fn the_numbers_of_the_page_are_those_of_the_json() {
        let report = report("least_fps = 24\nfirst_frame_p99_ms = 300\n");
        let html = page(&report).unwrap();
        let inside = html.split("<pre id=\"json\">").nth(1).unwrap().split("</pre>").next().unwrap();
        assert_eq!(unescaped(inside), serde_json::to_string_pretty(&report).unwrap());
        let json: serde_json::Value = serde_json::from_str(&unescaped(inside)).unwrap();
        let told = |pointer: &str| figure(json.pointer(pointer).unwrap().as_f64().unwrap());
        for pointer in [
            "/live/join_ms/p99",
            "/live/first_frame_ms/mean",
            "/live/lips_ms/max",
            "/live/voice_ms/p50",
            "/live/fps",
            "/live/skew_ms/at_end",
            "/farm/cpu_per_session",
            "/farm/mib_per_session",
            "/farm/resident_most_mib",
            "/cost/usd_per_minute",
            "/cost/delivered_minutes",
        ] {
            assert!(html.contains(&format!("<td>{}</td>", told(pointer))), "{pointer}: {}", told(pointer));
        }
        for (n, target) in report.targets.iter().enumerate() {
            let (asked, measured) = (told(&format!("/targets/{n}/bound")), told(&format!("/targets/{n}/measured")));
            let word = if target.met { "met" } else { "missed" };
            let row = format!("<td>{asked}</td><td>{measured}</td><td class=\"{word}\">{word}</td>");
            assert!(html.contains(&row), "{row}");
        }
        assert!(html.contains("<title>session 2, first frame: 305.00 ms</title>"), "{html}");
        assert!(html.contains("<title>chunk, p99: 31.50 ms</title>"), "{html}");
    }
}
