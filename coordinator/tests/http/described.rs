//! The description is complete, and the page for it works.

use crate::rig::{Answer, Rig};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use mouthpiece_domain::live::LiveStage;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

async fn description(rig: &Rig) -> Value {
    Answer::of(rig.bare(Method::GET, "/openapi.json")).await.is(200).json()
}

#[actix_web::test]
async fn every_route_and_refusal_is_described() {
    let rig = Rig::start().await;
    let described = description(&rig).await;
    let paths = described["paths"].as_object().unwrap();
    let mut ids = HashSet::new();
    for (path, method, statuses) in [
        ("/v1/avatars", "post", "200 202 400 401 403 413 415 422 429 503"),
        ("/v1/avatars", "get", "200 400 401 403 422 503"),
        ("/v1/avatars/{id}", "get", "200 400 401 403 404 422 503"),
        ("/v1/avatars/{id}", "delete", "204 400 401 403 404 422 503"),
        ("/v1/avatars/{id}/preview", "get", "200 206 304 400 401 403 404 416 422 503"),
        ("/v1/sessions", "post", "200 201 400 401 403 413 415 422 429 503"),
        ("/v1/sessions", "get", "200 400 401 403 422 503"),
        ("/v1/sessions/{id}", "get", "200 400 401 403 404 422 503"),
        ("/v1/sessions/{id}", "delete", "200 202 400 401 403 404 422 503"),
        ("/v1/sessions/{id}/events", "get", "200 400 401 403 404 422 429 503"),
        ("/v1/sessions/{id}/whep", "post", "201 400 401 403 404 406 409 413 415 422 503"),
        ("/v1/sessions/{id}/whep/{viewer}", "patch", "200 204 400 401 403 404 409 412 413 415 422 428 503"),
        ("/v1/sessions/{id}/whep/{viewer}", "delete", "200 400 401 403 404 409 422 503"),
        ("/v1/sessions/{id}/audio", "get", "101 400 401 403 404 409 422 429 503"),
        ("/v1/sessions/{id}/interrupt", "post", "202 400 401 403 404 409 422 503"),
        ("/v1/sessions/{id}/keep_alive", "post", "200 400 401 403 404 409 422 503"),
        ("/v1/sessions/{id}/live", "get", "200 400 401 403 404 409 422 503"),
        ("/v1/renders", "post", "200 202 400 401 403 413 415 422 429 503"),
        ("/v1/renders/{id}", "get", "200 400 401 403 404 422 503"),
        ("/v1/renders/{id}", "delete", "200 202 400 401 403 404 422 503"),
        ("/v1/renders/{id}/result", "get", "200 206 304 400 401 403 404 409 410 416 422 503"),
        ("/v1/workers", "get", "200 400 401 403 503"),
        ("/v1/workers/{id}/drain", "post", "202 400 401 403 404 422 503"),
        ("/v1/events", "get", "200 400 401 403 429 503"),
        ("/v1/retention", "get", "200 400 401 403 503"),
        ("/v1/reports/cost", "get", "200 400 401 403 422 503"),
        ("/v1/keys", "get", "200 400 401 403 503"),
        ("/v1/keys", "post", "201 400 401 403 409 413 415 422 503"),
        ("/v1/keys/{id}", "delete", "204 400 401 403 404 409 422 503"),
        ("/v1/page/session", "get", "200 400 401 403 503"),
        ("/v1/page/session", "post", "204 400 401 403 413 415 422 503"),
        ("/v1/page/session", "delete", "204 400 401 403 503"),
        ("/healthz", "get", "200"),
        ("/readyz", "get", "200 503"),
        ("/metrics", "get", "200"),
    ] {
        let operation = &paths[path][method];
        let responses =
            operation["responses"].as_object().unwrap_or_else(|| panic!("{method} {path} is not described"));
        let told: Vec<_> = responses.keys().map(String::as_str).collect();
        assert_eq!(told.join(" "), statuses, "{method} {path}");
        for (status, response) in responses.iter().filter(|(s, _)| s.starts_with('4')) {
            assert!(
                response["content"]["application/problem+json"].is_object(),
                "{method} {path} {status}: {response}"
            );
        }
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: its id is taken");
        let guarded = path.starts_with("/v1/") && !(path == "/v1/page/session" && method != "get");
        assert_eq!(operation["security"].is_array(), guarded, "{method} {path}");
        let of_session = path.strip_prefix("/v1/sessions/{id}").is_some_and(|rest| !rest.is_empty() || method == "get");
        assert_eq!(operation["security"].to_string().contains("\"token\""), of_session, "{method} {path}");
    }
    let count: usize = paths.values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(count, ids.len(), "an operation is not in the list above");
}

#[actix_web::test]
async fn it_says_where_the_server_is() {
    let told = description(&Rig::start().await).await;
    // Relative to the description, so it holds below any prefix.
    assert_eq!(told["servers"], serde_json::json!([{ "url": "." }]));
    assert_eq!(told["components"]["securitySchemes"]["page"]["name"], "mp_page_8000");
    let public = "https://farm.example/avatar/";
    let told = description(&Rig::with(|s| s.public_url = Some(public.parse().unwrap())).await).await;
    assert_eq!(told["servers"], serde_json::json!([{ "url": public }]));
}

#[actix_web::test]
async fn every_reference_leads_somewhere() {
    let rig = Rig::start().await;
    let described = description(&rig).await;
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|v| references(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&described, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(described.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    let schemas = &described["components"]["schemas"];
    for request in ["SessionRequest", "AvatarRequest", "KeyRequest", "PageSessionRequest"] {
        assert_eq!(schemas[request]["additionalProperties"], false, "{request}");
    }
    assert_eq!(schemas["SessionRequest"]["required"], serde_json::json!(["kind", "avatar_id"]));
}

#[actix_web::test]
async fn the_documentation_is_a_page() {
    let rig = Rig::start().await;
    let moved = Answer::of(rig.bare(Method::GET, "/docs")).await.is(308);
    assert_eq!((moved.header("location"), moved.location().as_str()), ("docs/", "/docs/"));
    let page = Answer::of(rig.bare(Method::GET, "/docs/")).await.is(200);
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("swagger-ui"));
    let script = Answer::of(rig.bare(Method::GET, "/docs/swagger-initializer.js")).await.is(200);
    assert!(script.text().contains("\"../openapi.json\""), "{}", script.text());
    assert_eq!(script.leads("../openapi.json"), "/openapi.json");
    Answer::of(rig.bare(Method::GET, "/docs/swagger-ui.css")).await.is(200);
}

#[actix_web::test]
async fn files_are_described_by_the_table_that_judges_them() {
    let described = description(&Rig::start().await).await;
    let schemas = &described["components"]["schemas"];
    for (form, field, words) in [
        ("RenderForm", "portrait", "a picture (PNG, JPEG, WebP"),
        ("RenderForm", "speech", "a recording (WAV, MP3, OGG, FLAC, M4A"),
        ("AvatarForm", "image", "a picture (PNG, JPEG, WebP"),
    ] {
        let field = &schemas[form]["properties"][field];
        assert_eq!(field["format"], "binary", "{field}");
        assert!(field["description"].as_str().unwrap().contains(words), "{field}");
    }
}

#[actix_web::test]
async fn sizes_and_rates_are_described_with_their_bounds() {
    let rig = Rig::start().await;
    let described = description(&rig).await;
    let schemas = &described["components"]["schemas"];
    let (least, most) = FrameSize::BOUNDS.into_inner();
    for form in ["SessionRequest", "RenderForm"] {
        let [size, fps] = ["size", "fps"].map(|name| &schemas[form]["properties"][name]);
        assert_eq!((&size["minimum"], &size["maximum"]), (&json!(least), &json!(most)));
        let rates = FrameRate::ALL.map(FrameRate::per_second);
        assert_eq!((&fps["minimum"], &fps["maximum"]), (&json!(rates[0]), &json!(rates[1])));
        assert!(rates.iter().all(|rate| rate % fps["multipleOf"].as_u64().unwrap() as u32 == 0), "{fps}");
    }
}

#[actix_web::test]
async fn stages_are_described_and_shown_as_the_worker_names_them() {
    let rig = Rig::start().await;
    let described = description(&rig).await;
    let stage = &described["components"]["schemas"]["LiveStage"]["properties"]["stage"]["description"];
    let text = stage.as_str().unwrap().replace('\n', " ");
    let page = Answer::of(rig.bare(Method::GET, "/assets/state/live.js")).await.is(200).text();
    for stage in LiveStage::ALL {
        let told = format!("`{}` ({})", stage.name(), stage.about());
        assert!(text.contains(&told), "{told} is not in: {text}");
        assert!(stage == LiveStage::Total || page.contains(&format!("  {}: \"", stage.name())), "{stage:?}");
    }
    assert!(!text.contains("`wait`"));
}
