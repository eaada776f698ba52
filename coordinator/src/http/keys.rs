//! API keys: made, listed, revoked.

use super::auth::{Caller, Scope, new_secret, secret_hash};
use super::avatars::NAME_CHARS;
use super::dto::requests::KeyRequest;
use super::dto::{KeyBody, KeyList, NewKeyBody};
use super::fields::{self, Fields, missing};
use super::files::read_json;
use super::problem::{Kind, Problem};
use super::{Api, new_id, now};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::records::ApiKey;

/// Valid keys that there may be.
const MOST: usize = 10_000;

/// Lists all keys, revoked ones too. Needs the scope `keys`.
#[utoipa::path(get, operation_id = "list_keys", path = "/v1/keys", tag = "keys", responses((status = 200, description = "The keys", body = KeyList)))]
pub async fn list(api: Data<Api>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.need(Scope::Keys)?;
    let keys = api.records.keys().await?.iter().map(KeyBody::from).collect();
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
    caller.need(Scope::Keys)?;
    let body = read_json(&api, &req, payload).await?;
    let fields = Fields::json(&body, &["name", "scopes", "max_open", "minutes_per_day"])?;
    let name = fields.text("name", NAME_CHARS)?.ok_or_else(|| missing("name"))?;
    if name.trim().is_empty() {
        return Err(Problem::invalid("name", "name must not be empty"));
    }
    let max_open = fields.number32("max_open", 1..=100_000)?.unwrap_or(api.settings.sessions.key_max_open);
    let minutes_per_day = fields.number32("minutes_per_day", 1..=1_000_000)?;
    let scopes = scopes(&caller, &fields)?;
    if api.records.keys().await?.iter().filter(|k| k.revoked.is_none()).count() >= MOST {
        return Err(Problem::new(Kind::Conflict, format!("there are {MOST} valid keys: revoke some first")));
    }
    let secret = new_secret().map_err(Problem::internal)?;
    let key = ApiKey {
        id: KeyId(new_id()),
        name: name.to_owned(),
        secret_hash: secret_hash(&secret),
        scopes: scopes.into_iter().map(|s| s.name().to_owned()).collect(),
        max_open,
        minutes_per_day,
        created: now(),
        revoked: None,
    };
    api.records.add_key(&key).await?;
    tracing::info!(key = %key.id, by = %caller.key.id, scopes = ?key.scopes, "a key was made");
    Ok(HttpResponse::Created().json(NewKeyBody { key: KeyBody::from(&key), secret }))
}

/// Whoever manages keys cannot give what it lacks: else the scope `keys` would be all of them.
fn scopes(caller: &Caller, fields: &Fields) -> Result<Vec<Scope>, Problem> {
    let mut scopes = fields.words("scopes", &Scope::ALL.map(|s| (s.name(), s)))?.ok_or_else(|| missing("scopes"))?;
    scopes.sort_by_key(|s| s.name());
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Problem::invalid("scopes", "scopes must have at least one: sessions, farm, reports, keys"));
    }
    match scopes.iter().find(|s| !caller.may(**s)) {
        Some(lacking) => {
            let detail = format!("this key lacks the scope '{}' itself and cannot give it", lacking.name());
            Err(Problem::new(Kind::Forbidden, detail).at("scopes"))
        }
        None => Ok(scopes),
    }
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
    caller.need(Scope::Keys)?;
    let id: KeyId = fields::path_id("key", &id)?;
    let unknown = || Problem::not_found(format!("valid key {id}"));
    let keys = api.records.keys().await?;
    let valid = || keys.iter().filter(|k| k.revoked.is_none());
    let key = valid().find(|k| k.id == id).ok_or_else(unknown)?;
    let manages = |k: &&ApiKey| k.scopes.iter().any(|s| s == Scope::Keys.name());
    if manages(&key) && valid().filter(manages).count() == 1 {
        let detail = "this is the last key that can manage keys: make another one first";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    if !api.records.revoke_key(id, now()).await? {
        return Err(unknown());
    }
    api.keys.forget(key);
    tracing::info!(key = %id, by = %caller.key.id, "a key was revoked");
    Ok(HttpResponse::NoContent().finish())
}
