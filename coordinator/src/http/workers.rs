//! Workers, for operators.

use super::auth::{Caller, KeyScope};
use super::dto::{DrainBody, FarmBody, WorkerBody};
use super::problem::Problem;
use super::{Api, fields};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use mouthpiece_domain::ids::WorkerId;

/// Workers, their slots, the queue. Needs the scope `farm`.
#[utoipa::path(
    get, operation_id = "list_workers", path = "/v1/workers", tag = "farm",
    responses((status = 200, description = "The farm now", body = FarmBody)),
)]
pub async fn list(api: Data<Api>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Farm)?;
    Ok(HttpResponse::Ok().json(FarmBody::from(&api.office.farm.view().await?)))
}

/// Drains a worker: it takes nothing new, its live sessions move to other workers, and it leaves when what else runs there is
/// done. Needs the scope `farm`.
#[utoipa::path(
    post, operation_id = "drain_worker", path = "/v1/workers/{id}/drain", tag = "farm", params(("id" = String, Path)),
    responses((status = 202, description = "It is being drained", body = DrainBody)),
)]
pub async fn drain(api: Data<Api>, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Farm)?;
    let id: WorkerId = fields::path_id("worker", &id)?;
    let unknown = || Problem::not_found(format!("worker {id}"));
    let moving = api.office.farm.drain(id).await?.ok_or_else(unknown)?;
    let view = api.office.farm.view().await?;
    let worker = view.workers.iter().find(|w| w.id == id).ok_or_else(unknown)?;
    let moving = moving.iter().map(ToString::to_string).collect();
    Ok(HttpResponse::Accepted().json(DrainBody { worker: WorkerBody::from(worker), moving }))
}
