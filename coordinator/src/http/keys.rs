//! API keys: made, listed, revoked.

use super::Api;
use super::auth::{Caller, KeyScope};
use super::dto::requests::KeyRequest;
use super::dto::{KeyBody, KeyList, NewKeyBody};
use super::fields::{self, Fields, NAME_CHARS, missing};
use super::files::read_json;
use super::problem::Problem;
use crate::office::keys::NewKey;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// Lists all keys, revoked ones too. Needs the scope `keys`.
#[utoipa::path(get, operation_id = "list_keys", path = "/v1/keys", tag = "keys", responses((status = 200, description = "The keys", body = KeyList)))]
pub async fn list(api: Data<Api>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Keys)?;
    let keys = api.office.keys.all().await?.iter().map(KeyBody::from).collect();
    Ok(HttpResponse::Ok().json(KeyList { keys }))
}

/// Makes a key. Its secret is told this once. Needs the scope `keys`.
#[utoipa::path(
    post, operation_id = "create_key", path = "/v1/keys", tag = "keys", request_body = KeyRequest,
    responses(
        (status = 201, description = "The key and its secret", body = NewKeyBody),
        (status = 409, description = "There are too many keys"),
    ),
)]
pub async fn create(
    api: Data<Api>,
    caller: Caller,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Keys)?;
    let body = read_json(&api, &req, payload).await?;
    let fields = Fields::json(&body, &["name", "scopes", "max_open", "minutes_per_day"])?;
    let name = fields.text("name", NAME_CHARS)?.ok_or_else(|| missing("name"))?;
    if name.trim().is_empty() {
        return Err(Problem::invalid("name", "name must not be empty"));
    }
    let wanted = NewKey {
        name: name.to_owned(),
        max_open: fields.number32("max_open", 1..=100_000)?,
        minutes_per_day: fields.number32("minutes_per_day", 1..=1_000_000)?,
        scopes: scopes(&fields)?,
    };
    let (key, secret) = api.office.keys.create(&caller, wanted).await?;
    Ok(HttpResponse::Created().json(NewKeyBody { key: KeyBody::from(&key), secret }))
}

fn scopes(fields: &Fields) -> Result<Vec<KeyScope>, Problem> {
    let scopes = fields.words("scopes", &KeyScope::ALL.map(|s| (s.name(), s)))?.ok_or_else(|| missing("scopes"))?;
    if scopes.is_empty() {
        return Err(Problem::invalid("scopes", "scopes must have at least one: sessions, farm, reports, keys"));
    }
    Ok(scopes)
}

/// Revokes a key for good. What it began goes on. Needs the scope `keys`.
#[utoipa::path(
    delete, operation_id = "revoke_key", path = "/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 409, description = "It is the last key that can manage keys"),
    ),
)]
pub async fn revoke(api: Data<Api>, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Keys)?;
    api.office.keys.revoke(&caller, fields::path_id("key", &id)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
