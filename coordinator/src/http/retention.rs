//! How long things are kept.

use super::Api;
use super::auth::Caller;
use actix_web::HttpResponse;
use actix_web::web::Data;
use mouthpiece_domain::retention::RetentionClass;
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
    /// Records of sessions, after their end; longer where a video that they made is kept.
    #[schema(example = 7_776_000)]
    pub sessions_s: Option<u64>,
    /// What cost reports are made of, by the hour.
    #[schema(example = 34_560_000)]
    pub usage_s: Option<u64>,
}

/// Tells how long things are kept.
#[utoipa::path(
    get, operation_id = "read_retention", path = "/v1/retention", tag = "farm",
    responses((status = 200, description = "The ages", body = RetentionBody)),
)]
pub async fn read(api: Data<Api>, _caller: Caller) -> HttpResponse {
    let seconds = |class| api.settings.retention.of(class).map(|age| age.as_secs());
    HttpResponse::Ok().json(RetentionBody {
        uploads_s: seconds(RetentionClass::Uploads),
        results_s: seconds(RetentionClass::Results),
        avatars_s: seconds(RetentionClass::Avatars),
        idempotency_keys_s: seconds(RetentionClass::Tokens),
        sessions_s: seconds(RetentionClass::Sessions),
        usage_s: seconds(RetentionClass::Usage),
    })
}
