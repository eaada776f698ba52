//! A cost report as it is answered.

use super::query::{ReportQuery, formatted, text};
use crate::office::costs::ReportNames;
use mouthpiece_domain::cost::{CostGroup, CostReport, CostRow, Price};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// What sessions cost in a period. Rows add up to the total.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = CostReport)]
pub struct CostReportBody {
    /// Start of the period, at a full hour.
    #[schema(example = "2026-11-24T16:00:00.000Z")]
    pub from: String,
    /// End of the period, exclusive, at a full hour.
    #[schema(example = "2026-11-25T17:00:00.000Z")]
    pub to: String,
    /// What a row stands for.
    #[schema(example = "day")]
    pub group_by: &'static str,
    /// Of all amounts.
    #[schema(example = "USD")]
    pub currency: &'static str,
    /// Everything in the period.
    pub total: CostRowBody,
    /// A row a group, in order of time, id or name; `(idle)` last.
    pub rows: Vec<CostGroupBody>,
    /// Instance types without a known price: where they took part, costs are null.
    pub unpriced: Vec<String>,
    /// The prices that counted.
    pub prices: Vec<PriceBody>,
}

/// The figures of a group, or of everything.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = CostRow)]
pub struct CostRowBody {
    /// Minutes delivered to users; those of sessions that failed are not among them.
    pub delivered_minutes: f64,
    /// Minutes delivered by sessions that then failed, were lost or had unusable input. They cost all the same.
    pub failed_minutes: f64,
    /// Hours that machines were up, idle and starting ones included.
    pub machine_hours: f64,
    /// Share of the slots' time in which they were taken; null where no machine was up.
    pub busy_share: Option<f64>,
    /// Share of the slots' time before their machines could be used: from the worker's start until the farm heard of it.
    pub starting_share: Option<f64>,
    /// The rest: slots that could have been taken.
    pub idle_share: Option<f64>,
    /// Cost of the machines; null where the price of some is not known.
    pub cost_usd: Option<f64>,
    /// Cost, idle time included, of a delivered minute; null where nothing was delivered.
    pub usd_per_minute: Option<f64>,
    /// What a minute of a slot costs: the price a minute if all slots were always taken.
    pub marginal_usd_per_minute: Option<f64>,
    /// Gigabytes (thousand million bytes) that viewers were sent, headers included.
    pub egress_gb: f64,
    /// What those cost, by the setting `egress.usd_per_gb`. Not among `cost_usd`, which is the machines' bill.
    pub egress_usd: f64,
    /// Sessions. One counts in every hour, day or instance type that it touched, and once in the total.
    pub sessions: u64,
}

/// A group's row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = CostGroup)]
pub struct CostGroupBody {
    /// An id, an instance type, a kind, a day, the start of an hour, or `(idle)`: machines in hours in which they
    /// delivered nothing to anyone.
    #[schema(example = "2026-11-25")]
    pub group: String,
    /// The group for people: an avatar's or a key's name where it has one.
    #[schema(example = "2026-11-25")]
    pub label: String,
    /// Its figures.
    #[serde(flatten)]
    pub row: CostRowBody,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceBody {
    /// Of which machines.
    #[schema(example = "g4dn.xlarge")]
    pub instance_type: String,
    /// Since when.
    pub from: String,
    /// US dollars an hour.
    #[schema(example = 0.157)]
    pub usd_per_hour: f64,
}

impl CostReportBody {
    pub(super) fn new(asked: &ReportQuery, report: CostReport, names: &ReportNames) -> Self {
        Self {
            from: text(asked.period.from),
            to: text(asked.period.to),
            group_by: asked.by.name(),
            currency: "USD",
            total: CostRowBody::from(&report.total),
            rows: report.rows.iter().map(|(group, row)| CostGroupBody::new(group, row, names)).collect(),
            unpriced: report.unpriced,
            prices: report.prices.into_iter().map(PriceBody::from).collect(),
        }
    }
}

impl CostGroupBody {
    fn new(group: &CostGroup, row: &CostRow, names: &ReportNames) -> Self {
        let same = |text: String| (text.clone(), text);
        let named = |id: String, name: Option<&String>| {
            let label = name.filter(|n| !n.is_empty()).cloned().unwrap_or_else(|| id.clone());
            (id, label)
        };
        let (group, label) = match group {
            CostGroup::Day(start) => same(formatted(*start, "%Y-%m-%d")),
            CostGroup::Hour(start) => (text(*start), formatted(*start, "%Y-%m-%d %H:%M")),
            CostGroup::Session(id) => same(id.to_string()),
            CostGroup::Key(id) => named(id.to_string(), names.keys.get(id)),
            CostGroup::Avatar(id) => named(id.to_string(), names.avatars.get(id)),
            CostGroup::InstanceType(name) if name.is_empty() => same("(unknown)".to_owned()),
            CostGroup::InstanceType(name) => same(name.clone()),
            CostGroup::Kind(kind) => same(kind.name().to_owned()),
            CostGroup::Idle => ("(idle)".to_owned(), "machines that served nobody".to_owned()),
        };
        Self { group, label, row: CostRowBody::from(row) }
    }
}

impl From<&CostRow> for CostRowBody {
    fn from(row: &CostRow) -> Self {
        let minutes = |d: Duration| d.as_secs_f64() / 60.0;
        Self {
            delivered_minutes: minutes(row.delivered),
            failed_minutes: minutes(row.failed),
            machine_hours: minutes(row.up) / 60.0,
            busy_share: row.busy_share,
            starting_share: row.starting_share,
            idle_share: row.idle_share(),
            cost_usd: row.nano_usd.map(|nano| nano as f64 / 1e9),
            usd_per_minute: row.usd_per_minute,
            marginal_usd_per_minute: row.marginal_usd_per_minute,
            egress_gb: row.sent_bytes as f64 / 1e9,
            egress_usd: row.egress_nano_usd as f64 / 1e9,
            sessions: row.sessions,
        }
    }
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        Self {
            instance_type: price.instance_type,
            from: text(price.from),
            usd_per_hour: price.micro_usd_per_hour as f64 / 1e6,
        }
    }
}
