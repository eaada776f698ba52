//! A live session that runs: silence, keeping it alive, how it is.

use super::ask::{ask, strange};
use super::wait::{Whereabouts, must_be_live};
use crate::http::Api;
use crate::http::auth::Visitor;
use crate::http::dto::live::LiveStatusBody;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use mouthpiece_domain::live::{Question, Told};

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
    match asked(&api, &visitor, &id, Question::Interrupt).await? {
        Told::Done => Ok(HttpResponse::Accepted().finish()),
        other => Err(strange(&other)),
    }
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
    match asked(&api, &visitor, &id, Question::KeepAlive).await? {
        Told::Done => Ok(HttpResponse::Ok().finish()),
        other => Err(strange(&other)),
    }
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
    match asked(&api, &visitor, &id, Question::Status).await? {
        Told::Status(status) => Ok(HttpResponse::Ok().json(LiveStatusBody::from(*status))),
        other => Err(strange(&other)),
    }
}

async fn asked(api: &Api, visitor: &Visitor, id: &str, what: Question) -> Result<Told, Problem> {
    let change = visitor.session(api, id).await?;
    must_be_live(&change.session)?;
    ask(api, Whereabouts::of(change).hold()?, what).await
}
