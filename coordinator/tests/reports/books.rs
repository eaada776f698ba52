//! What the report says.

use crate::harness::{HOUR, MINUTE, Rig, T4, TEN};
use mouthpiece_domain::session::EndReason;
use mouthpiece_domain::time::{HOUR_MS, Wall};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: &str = "from=2026-11-25T10:00:00Z&to=2026-11-25T14:00:00Z";

/// 10 h: a machine whose two slots are taken all the time by two callers. 11 h: idle for half an hour, then gone.
/// 12 h: another one, dearer, is up for an hour and delivers 10 minutes to the second caller, 20 to a session that fails.
async fn three_hours() -> Rig {
    let rig = Rig::new().await;
    rig.price(T4, Wall(0), 157_000).await;
    rig.price(T4, Wall(TEN.0 + 2 * HOUR_MS), 300_000).await;
    rig.key(1, "shop, north", &[]).await;
    rig.key(2, "=2+2", &[]).await;
    rig.avatar(5, "Ada").await;
    rig.machine(1, T4, 0, HOUR, 2 * HOUR).await;
    rig.session(1, [1, 5], 1, 0, 60, EndReason::Completed).await;
    rig.session(2, [2, 6], 1, 0, 60, EndReason::Cancelled).await;
    rig.machine(1, T4, 1, HOUR + 30 * MINUTE, 2 * HOUR).await;
    rig.machine(2, T4, 2, HOUR, 30 * MINUTE).await;
    rig.session(3, [2, 5], 2, 2, 10, EndReason::Completed).await;
    rig.session(4, [2, 5], 2, 2, 20, EndReason::Failed).await;
    rig
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|v| (v - expected).abs() < 1e-9)
}

#[actix_rt::test]
async fn the_total_has_idle_and_failed_time_in_it() {
    let rig = three_hours().await;
    let report = rig.get(DAY).await.json();
    assert_eq!(report["from"], "2026-11-25T10:00:00.000Z");
    assert_eq!(report["to"], "2026-11-25T14:00:00.000Z");
    assert_eq!(
        (&report["currency"], &report["group_by"], &report["rows"]),
        (&json!("USD"), &json!("none"), &json!([]))
    );
    let total = &report["total"];
    let cost = 0.157 * 1.5 + 0.3;
    for (figure, expected) in [
        ("delivered_minutes", 130.0),
        ("failed_minutes", 20.0),
        ("machine_hours", 2.5),
        ("busy_share", 2.5 / 5.0),
        ("idle_share", 2.5 / 5.0),
        ("cost_usd", cost),
        ("usd_per_minute", cost / 130.0),
        ("marginal_usd_per_minute", cost / 300.0),
        ("sessions", 4.0),
    ] {
        assert!(near(&total[figure], expected), "{figure}: {total}");
    }
    let prices = json!([
        {"instance_type": T4, "from": "1970-01-01T00:00:00.000Z", "usd_per_hour": 0.157},
        {"instance_type": T4, "from": "2026-11-25T12:00:00.000Z", "usd_per_hour": 0.3},
    ]);
    assert_eq!((&report["prices"], &report["unpriced"]), (&prices, &json!([])));
}

#[actix_rt::test]
async fn rows_have_names_and_add_up() {
    let rig = three_hours().await;
    let rows = |report: &Value| {
        let row = |r: &Value| (r["group"].to_string(), r["label"].to_string(), r["cost_usd"].as_f64().unwrap());
        report["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let quoted = |text: &str| format!("\"{text}\"");
    let id = |prefix: &str, n: u32| quoted(&format!("{prefix}_{n:032x}"));
    let idle = (quoted("(idle)"), quoted("machines that served nobody"), 0.0785);
    let report = rig.get(&format!("{DAY}&group_by=key")).await.json();
    let keys = [(id("key", 1), quoted("shop, north"), 0.0785), (id("key", 2), quoted("=2+2"), 0.3785), idle.clone()];
    assert_eq!(rows(&report), keys);
    let report = rig.get(&format!("{DAY}&group_by=avatar")).await.json();
    // The second face was never registered (or was deleted): its id is all that is known.
    let avatars = [(id("avt", 5), quoted("Ada"), 0.3785), (id("avt", 6), id("avt", 6), 0.0785), idle.clone()];
    assert_eq!(rows(&report), avatars);
    let report = rig.get(&format!("{DAY}&group_by=session")).await.json();
    let costs: Vec<_> = rows(&report).into_iter().map(|r| r.2).collect();
    assert_eq!(costs, [0.0785, 0.0785, 0.1, 0.2, 0.0785]);
    let failed = &report["rows"][3];
    assert!(near(&failed["failed_minutes"], 20.0) && near(&failed["delivered_minutes"], 0.0), "{failed}");
    assert_eq!(failed["usd_per_minute"], Value::Null);
    let report = rig.get(&format!("{DAY}&group_by=hour")).await.json();
    let hours: Vec<_> = rows(&report).into_iter().map(|r| (r.1, r.2)).collect();
    let hour = |h: u32, cost: f64| (quoted(&format!("2026-11-25 {h}:00")), cost);
    assert_eq!(hours, [hour(10, 0.157), hour(11, 0.0785), hour(12, 0.3)]);
    assert_eq!(report["rows"][0]["group"], "2026-11-25T10:00:00.000Z");
    let report = rig.get(&format!("{DAY}&group_by=day")).await.json();
    assert_eq!(rows(&report), [(quoted("2026-11-25"), quoted("2026-11-25"), 0.5355)]);
    let report = rig.get(&format!("{DAY}&group_by=kind")).await.json();
    assert_eq!(rows(&report), [(quoted("render"), quoted("render"), 0.457), idle]);
}

#[actix_rt::test]
async fn live_minutes_are_a_kind_of_their_own() {
    let rig = three_hours().await;
    // However it ended by itself, what it delivered was delivered.
    for (id, why) in [(91, EndReason::IdleTimeout), (92, EndReason::ParticipantLeft), (93, EndReason::MaxDuration)] {
        rig.live_session(id, 1, 0, 10, why).await;
    }
    let report = rig.get(&format!("{DAY}&group_by=kind")).await.json();
    let kinds: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| row["group"].clone()).collect();
    assert_eq!(kinds, ["render", "live", "(idle)"]);
    let live = &report["rows"][1];
    assert!(near(&live["delivered_minutes"], 30.0) && near(&live["failed_minutes"], 0.0), "{live}");
    assert_eq!(live["sessions"], 3);
    let table = rig.get(&format!("{DAY}&group_by=kind&format=csv")).await.text;
    assert!(table.contains("\r\nlive,live,30.000000,0.000000,"), "{table}");
}

#[actix_rt::test]
async fn only_the_period_counts() {
    let rig = three_hours().await;
    let report = rig.get("from=2026-11-25T10:59:59Z&to=2026-11-25T11:30:00Z").await.json();
    assert!(near(&report["total"]["machine_hours"], 1.5), "{report}");
    assert!(near(&report["total"]["delivered_minutes"], 120.0), "{report}");
    let report = rig.get("from=2026-11-25T13:00:00Z&to=2026-11-25T14:00:00Z").await.json();
    assert_eq!((&report["total"]["cost_usd"], &report["total"]["busy_share"]), (&json!(0.0), &Value::Null));
}

#[actix_rt::test]
async fn a_machine_without_a_price_is_named_and_costs_are_unknown() {
    let rig = three_hours().await;
    rig.machine(3, "local", 0, HOUR, Duration::ZERO).await;
    let report = rig.get(&format!("{DAY}&group_by=instance_type")).await.json();
    assert_eq!(report["unpriced"], json!(["local"]));
    for unknown in ["cost_usd", "usd_per_minute", "marginal_usd_per_minute"] {
        assert_eq!(report["total"][unknown], Value::Null, "{unknown}");
    }
    assert!(near(&report["rows"][0]["cost_usd"], 0.5355) && report["rows"][1]["cost_usd"].is_null(), "{report}");
    assert!(near(&report["total"]["machine_hours"], 3.5), "{report}");
}

#[actix_rt::test]
async fn the_table_is_safe_to_open() {
    let rig = three_hours().await;
    let answer = rig.get(&format!("{DAY}&group_by=key&format=csv")).await;
    assert_eq!(answer.content_type(), "text/csv; charset=utf-8");
    let name = "attachment; filename=\"mouthpiece-cost_20261125T10Z_20261125T14Z_key.csv\"";
    assert_eq!(answer.disposition(), name);
    let lines: Vec<_> = answer.text.split("\r\n").collect();
    let key = |n: u32| format!("key_{n:032x}");
    assert_eq!(
        lines,
        [
            "group,label,delivered_minutes,failed_minutes,machine_hours,busy_share,starting_share,idle_share,\
             cost_usd,usd_per_minute,marginal_usd_per_minute,egress_gb,egress_usd,sessions",
            &format!(
                "{},\"shop, north\",60.000000,0.000000,0.500000,1.000000,0.000000,0.000000,0.078500000,0.001308333,0.001308333,0.000000000,0.000000000,1",
                key(1)
            ),
            &format!(
                "{},'=2+2,70.000000,20.000000,1.500000,0.500000,0.000000,0.500000,0.378500000,0.005407143,0.002102778,0.000000000,0.000000000,3",
                key(2)
            ),
            "(idle),machines that served nobody,0.000000,0.000000,0.500000,0.000000,0.000000,1.000000,0.078500000,,0.001308333,0.000000000,0.000000000,0",
            "(total),total,130.000000,20.000000,2.500000,0.500000,0.000000,0.500000,0.535500000,0.004119231,0.001785000,0.000000000,0.000000000,4",
            "",
        ]
    );
}

#[actix_rt::test]
async fn start_up_and_egress_are_told() {
    let rig = three_hours().await;
    rig.starting_machine(3, 1, 15 * MINUTE).await;
    rig.sends(1, 1, 0, 2_500_000_000).await;
    rig.sends(3, 2, 2, 500_000_000).await;
    let report = rig.get(DAY).await.json();
    let total = &report["total"];
    for (figure, expected) in [
        ("machine_hours", 3.0),
        ("busy_share", 2.5 / 6.0),
        ("starting_share", 0.5 / 6.0),
        ("idle_share", 3.0 / 6.0),
        ("cost_usd", 0.157 * 2.0 + 0.3),
        ("egress_gb", 3.0),
        ("egress_usd", 0.27),
    ] {
        assert!(near(&total[figure], expected), "{figure}: {total}");
    }
    let by_key = rig.get(&format!("{DAY}&group_by=key")).await.json();
    let sent: Vec<_> = by_key["rows"].as_array().unwrap().iter().map(|row| row["egress_usd"].clone()).collect();
    assert_eq!(sent, [json!(0.225), json!(0.045), json!(0.0)]);
}

/// Two slots at 15.7 cents an hour.
#[actix_rt::test]
async fn the_marginal_figure_of_the_reference_machine() {
    let rig = Rig::new().await;
    rig.price(T4, Wall(0), 157_000).await;
    rig.machine(1, T4, 0, HOUR, Duration::ZERO).await;
    let report = rig.get(DAY).await.json();
    let marginal = report["total"]["marginal_usd_per_minute"].as_f64().unwrap();
    assert_eq!(format!("{marginal:.4}"), "0.0013");
}
