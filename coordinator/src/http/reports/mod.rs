//! What sessions cost, as JSON or as a table.

mod body;
mod csv;
mod query;

pub use body::{CostGroupBody, CostReportBody, CostRowBody, PriceBody};
pub(crate) use query::CostQuery;

use super::auth::{Caller, KeyScope};
use super::{Api, Problem};
use crate::office::now;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use query::{ReportFormat, ReportQuery};

/// Adds the routes of reports.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/v1/reports/cost").route(web::get().to(cost)));
}

/// What sessions cost
///
/// Machine time (idle and starting machines included, each at the price that held at the start of the hour) against what was
/// delivered, and beside it what viewers were sent. The cost of an hour's machines of one instance type is shared among the sessions that they delivered to in
/// that hour, in proportion; an hour in which they delivered nothing is the row `(idle)`. Rows add up to the total.
#[utoipa::path(
    get,
    path = "/v1/reports/cost",
    tag = "reports",
    params(CostQuery),
    responses(
        (status = 200, description = "The report; a table when `format=csv`",
            content((CostReportBody = "application/json"), (String = "text/csv"))),
    )
)]
pub(crate) async fn cost(request: HttpRequest, caller: Caller, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Reports)?;
    let asked = ReportQuery::read(request.query_string(), now())?;
    let (report, names) = api.office.costs.report(asked.period, asked.by).await?;
    let report = CostReportBody::new(&asked, report, &names);
    Ok(match asked.format {
        ReportFormat::Json => HttpResponse::Ok().json(report),
        ReportFormat::Csv => {
            let disposition = format!("attachment; filename=\"{}\"", csv::file_name(&report));
            HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((CONTENT_DISPOSITION, disposition))
                .body(csv::table(&report))
        }
    })
}
