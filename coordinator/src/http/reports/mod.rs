//! What sessions cost, as JSON or as a table.

mod body;
mod csv;
mod query;

pub use body::{CostGroup, CostReport, CostRow, PriceBody};
pub(crate) use query::CostQuery;

use super::{Api, Caller, Problem, Scope, now};
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use body::Names;
use mouthpiece_domain::cost::{Books, Group, Report};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::records::{Period, Records};
use query::{Asked, Format};

/// Records are read in pieces of this length, so that a year of them is never in memory at once.
const PIECE_MS: i64 = 7 * 24 * HOUR_MS;
/// A report with more rows than this is refused.
const MOST_ROWS: usize = 20_000;
/// Avatars whose names are looked up, the newest first; the rows of others show their ids.
const NAMES: u32 = 500;

/// Adds the routes of reports.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/v1/reports/cost").route(web::get().to(cost)));
}

/// What sessions cost
///
/// Machine time (idle and starting machines included, each at the price that held at the start of the hour) against what was
/// delivered. The cost of an hour's machines of one instance type is shared among the sessions that they delivered to in
/// that hour, in proportion; an hour in which they delivered nothing is the row `(idle)`. Rows add up to the total.
#[utoipa::path(
    get,
    path = "/v1/reports/cost",
    tag = "reports",
    params(CostQuery),
    responses(
        (status = 200, description = "The report; a table when `format=csv`",
            content((CostReport = "application/json"), (String = "text/csv"))),
    )
)]
pub(crate) async fn cost(request: HttpRequest, caller: Caller, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    caller.need(Scope::Reports)?;
    let asked = Asked::read(request.query_string(), now())?;
    let records = api.records.as_ref();
    let report = gather(records, &asked).await?;
    let names = names(records, &report).await?;
    let report = CostReport::new(&asked, report, &names);
    Ok(match asked.format {
        Format::Json => HttpResponse::Ok().json(report),
        Format::Csv => {
            let disposition = format!("attachment; filename=\"{}\"", csv::file_name(&report));
            HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((CONTENT_DISPOSITION, disposition))
                .body(csv::table(&report))
        }
    })
}

async fn gather(records: &dyn Records, asked: &Asked) -> Result<Report, Problem> {
    let mut books = Books::new(asked.by, &records.prices().await?);
    let mut from = asked.period.from;
    while from < asked.period.to {
        let to = Wall(from.0 + PIECE_MS).min(asked.period.to);
        let piece = Period { from, to };
        books.add(&records.usage(piece).await?, &records.machines(piece).await?);
        if books.rows() > MOST_ROWS {
            let detail =
                format!("the report would have more than {MOST_ROWS} rows: shorten the period, or group by day");
            return Err(Problem::invalid("group_by", detail));
        }
        from = to;
    }
    Ok(books.close())
}

/// Looks up the names that the rows need.
async fn names(records: &dyn Records, report: &Report) -> Result<Names, Problem> {
    let mut names = Names::default();
    let any = |is: fn(&Group) -> bool| report.rows.iter().any(|(group, _)| is(group));
    if any(|g| matches!(g, Group::Avatar(_))) {
        names.avatars = records.avatars(None, NAMES).await?.into_iter().map(|a| (a.id, a.name)).collect();
    }
    if any(|g| matches!(g, Group::Key(_))) {
        names.keys = records.keys().await?.into_iter().map(|k| (k.id, k.name)).collect();
    }
    Ok(names)
}
