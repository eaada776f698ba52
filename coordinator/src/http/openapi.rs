//! The description of everything, at /openapi.json, and a page for it at /docs.

use super::dto::requests::{AvatarForm, AvatarRequest, KeyRequest, PageSessionRequest, RenderForm, SessionRequest};
use super::live::{audio, control, whep};
use super::problem::{Problem, ProblemBody};
use super::settings::HttpSettings;
use super::{Api, RequestPath, avatars, events, health, keys, pages, renders, reports, retention, sessions, workers};
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::web::{Data, Path};
use std::sync::{Arc, LazyLock};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr, Response, Server};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

/// Swagger UI brings its own styles inline.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mouthpiece",
        description = "A portrait and speech become a talking face. Errors are `application/problem+json`; their types \
                       are stable and explained at the address that they are. Every answer carries `x-request-id`. \
                       Addresses in headers and bodies are relative to the one that was asked: resolve them as a browser \
                       resolves a link, then they hold behind a proxy that puts a prefix before them, too. What is uploaded \
                       and made is removed when it is old and nobody uses it: /v1/retention tells how long it is kept."
    ),
    paths(
        avatars::create, avatars::list, avatars::read, avatars::delete, avatars::preview,
        sessions::create, sessions::list, sessions::read, sessions::cancel, events::session,
        whep::offer, whep::patch, whep::hang_up, audio::open, control::interrupt, control::keep_alive, control::status,
        renders::create, renders::read, renders::cancel, renders::result,
        workers::list, workers::drain, events::farm, retention::read,
        reports::cost,
        keys::list, keys::create, keys::revoke,
        pages::read, pages::open, pages::close,
        health::health, health::ready, health::metrics,
    ),
    components(schemas(
        ProblemBody, SessionRequest, RenderForm, AvatarForm, AvatarRequest, KeyRequest, PageSessionRequest
    )),
    tags(
        (name = "avatars", description = "Registered portraits"),
        (name = "sessions", description = "One use of one avatar"),
        (name = "live", description = "Watching live sessions, and speaking in them"),
        (name = "renders", description = "Sessions by upload, and their videos"),
        (name = "farm", description = "Workers and the queue, for operators"),
        (name = "reports", description = "What it costs"),
        (name = "keys", description = "API keys"),
        (name = "page", description = "The session of the page at /"),
        (name = "health", description = "For monitoring"),
    ),
    modifiers(&Refusals),
)]
struct Described;

/// What a live session's token is good for.
const WITH_A_TOKEN: [&str; 9] = [
    "read_session",
    "follow_session",
    "watch_session",
    "trickle_viewer",
    "unwatch_session",
    "speak_in_session",
    "interrupt_session",
    "keep_session_alive",
    "read_live_status",
];

/// Adds what holds for many addresses: who may call, and how they refuse.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, described: &mut utoipa::openapi::OpenApi) {
        let components = described.components.get_or_insert_with(Components::new);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key's secret"));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let token = token.description(Some("A live session's token: good for that session only")).build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer.build()));
        components.add_security_scheme("token", SecurityScheme::Http(token));
        for (path, item) in &mut described.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                complete(path, operation);
            }
        }
    }
}

fn complete(path: &str, operation: &mut Operation) {
    let page = path == "/v1/page/session";
    let opens_or_closes = page && operation.operation_id.as_deref() != Some("read_page_session");
    let open = !path.starts_with("/v1/") || opens_or_closes;
    let parameter = |place: ParameterIn| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|p| matches!(p, RefOr::T(p) if p.parameter_in == place))
    };
    let (in_path, in_query, in_header) =
        (parameter(ParameterIn::Path), parameter(ParameterIn::Query), parameter(ParameterIn::Header));
    let body = operation.request_body.is_some();
    let mut refusals: Vec<(&str, &str)> = Vec::new();
    if !open {
        let mut either = vec!["key", "page"];
        if WITH_A_TOKEN.contains(&operation.operation_id.as_deref().unwrap_or_default()) {
            either.push("token");
        }
        let either = either.into_iter().map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
        operation.security = Some(either.collect());
    }
    if !open || page {
        refusals.push(("401", "No valid API key"));
        refusals.push(("403", "The API key may not do that"));
    }
    if path.starts_with("/v1/") {
        refusals.push(("400", "The request cannot be read"));
        refusals.push(("503", "No room, or a store cannot be used: come back after Retry-After"));
    }
    if in_path {
        refusals.push(("404", "There is no such thing for this key"));
    }
    if in_path || in_query || in_header || body {
        refusals.push(("422", "A field cannot be used, or is not known"));
    }
    if body {
        refusals.push(("413", "The body is too large"));
        refusals.push(("415", "The type of the body or a file is not taken"));
    }
    for (status, description) in refusals {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(refusal(description)));
    }
    // Whatever a handler says of a refusal, its form is always the same.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            *response = refusal(&response.description);
        }
    }
}

fn refusal(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

static DOCS: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::new(["../openapi.json"])));

/// What depends on the settings: where the server is, and what its cookie is called.
fn described(settings: &HttpSettings) -> utoipa::openapi::OpenApi {
    let mut described = Described::openapi();
    // A relative one is relative to the description's own address.
    let place = settings.public_url.as_ref().map_or_else(|| ".".to_owned(), ToString::to_string);
    described.servers = Some(vec![Server::new(place)]);
    let cookie = ApiKeyValue::with_description(settings.cookie_name(), "The page's session".to_owned());
    let components = described.components.get_or_insert_with(Components::new);
    components.add_security_scheme("page", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    described
}

/// The description.
pub async fn description(api: Data<Api>) -> Result<HttpResponse, Problem> {
    let text = match api.described.get() {
        Some(text) => text,
        None => {
            let text = described(&api.settings).to_json().map_err(Problem::internal)?;
            api.described.get_or_init(|| text.into())
        }
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(text.clone()))
}

/// The folder, with the slash that relative addresses need.
pub async fn docs_folder(asked: RequestPath) -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, asked.to("/docs/"))).finish()
}

/// A file of the documentation's page.
pub async fn docs(path: Path<String>) -> Result<HttpResponse, Problem> {
    let file = utoipa_swagger_ui::serve(&path, Arc::clone(&DOCS)).map_err(Problem::internal)?;
    let file = file.ok_or_else(|| Problem::not_found("such file of the documentation"))?;
    let mut answer = HttpResponse::Ok();
    if file.gzpipped {
        answer.insert_header(("content-encoding", "gzip"));
    }
    answer.insert_header((CONTENT_SECURITY_POLICY, DOCS_POLICY)).content_type(file.content_type);
    Ok(answer.body(file.bytes.into_owned()))
}
