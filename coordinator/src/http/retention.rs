//! How long things are kept.

use super::Api;
use super::auth::Caller;
use actix_web::HttpResponse;
use actix_web::web::Data;
use mouthpiece_domain::retention::Class;
use serde::Serialize;
use utoipa::ToSchema;

/// How long things are kept, in seconds; null: for ever. They are removed within minutes after that. What an open session
/// needs is kept in any case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Retention)]
pub struct RetentionBody {
    /// Portraits and recordings, after they were given last. A portrait is kept as long as its avatar, too.
    #[schema(example = 604_800)]
    pub uploads_s: Option<u64>,
    /// Videos, after the session's end.
    #[schema(example = 604_800)]
    pub results_s: Option<u64>,
    /// Avatars with what was prepared for them, after they were added or a session was made with them last.
    #[schema(example = 7_776_000)]
    pub avatars_s: Option<u64>,
    /// An `Idempotency-Key`, after its request; the same key makes a new session then.
    #[schema(example = 86_400)]
    pub idempotency_keys_s: Option<u64>,
}

/// Tells how long things are kept.
#[utoipa::path(
    get, operation_id = "read_retention", path = "/v1/retention", tag = "farm",
    responses((status = 200, description = "The ages", body = RetentionBody)),
)]
pub async fn read(api: Data<Api>, _caller: Caller) -> HttpResponse {
    let seconds = |class| api.settings.retention.of(class).map(|age| age.as_secs());
    HttpResponse::Ok().json(RetentionBody {
        uploads_s: seconds(Class::Uploads),
        results_s: seconds(Class::Results),
        avatars_s: seconds(Class::Avatars),
        idempotency_keys_s: seconds(Class::Tokens),
    })
}
