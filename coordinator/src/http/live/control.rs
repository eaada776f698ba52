//! A live session that runs: silence, keeping it alive, how it is.

use crate::http::auth::Visitor;
use crate::http::dto::live::LiveStatusBody;
use crate::http::problem::Problem;
use crate::http::{Api, answers};
use crate::office::live::{Whereabouts, must_be_live};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use mouthpiece_domain::live::{InterruptSpeech, KeepSessionAlive, ReadLiveStatus, TypedQuestion};

/// Makes the face fall silent at once. What waits to be said is forgotten.
#[utoipa::path(
    post, operation_id = "interrupt_session", path = "/v1/sessions/{id}/interrupt", tag = "live",
    params(("id" = String, Path)),
    responses(
        (status = 202, description = "It falls silent"),
        (status = 409, description = "It does not run: come back after Retry-After; without one it never will"),
    ),
)]
pub async fn interrupt(api: Data<Api>, visitor: Visitor, id: Path<String>) -> Result<HttpResponse, Problem> {
    visitor.may_use()?;
    ask(&api, &visitor, &id, InterruptSpeech).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Says that a session is still needed: it is not ended for being idle before another `idle_timeout` has passed.
#[utoipa::path(
    post, operation_id = "keep_session_alive", path = "/v1/sessions/{id}/keep_alive", tag = "live",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "It stays"),
        (status = 409, description = "It does not run: come back after Retry-After; without one it never will"),
    ),
)]
pub async fn keep_alive(api: Data<Api>, visitor: Visitor, id: Path<String>) -> Result<HttpResponse, Problem> {
    visitor.may_use()?;
    ask(&api, &visitor, &id, KeepSessionAlive).await?;
    Ok(HttpResponse::Ok().finish())
}

/// How a running live session is: viewers, frames, how long each stage takes.
#[utoipa::path(
    get, operation_id = "read_live_status", path = "/v1/sessions/{id}/live", tag = "live", params(("id" = String, Path)),
    responses(
        (status = 200, description = "How it is", body = LiveStatusBody),
        (status = 409, description = "It does not run: come back after Retry-After; without one it never will"),
    ),
)]
pub async fn status(api: Data<Api>, visitor: Visitor, id: Path<String>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(LiveStatusBody::from(ask(&api, &visitor, &id, ReadLiveStatus).await?)))
}

async fn ask<Q: TypedQuestion + Clone>(
    api: &Api,
    visitor: &Visitor,
    id: &str,
    question: Q,
) -> Result<Q::Answer, Problem> {
    let change = answers::visited(api, visitor, id).await?;
    must_be_live(&change.session)?;
    let hold = Whereabouts::of(change).hold()?;
    Ok(api.office.live.ask(hold, question).await?)
}
