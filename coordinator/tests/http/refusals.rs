//! Every refusal says what is wrong: types of bodies, methods, addresses, stores that are away.

use crate::rig::{Answer, Form, PNG, Rig, WAV};
use crate::stage::{Stage, declining};
use mouthpiece_coordinator::farm::FarmError;
use mouthpiece_domain::control::SubmitAnswer as Said;
use mouthpiece_domain::live::NotDone;
use reqwest::Method;
use std::time::Duration;

#[actix_web::test]
async fn unknown_addresses_and_methods_are_problems() {
    let rig = Rig::start().await;
    for path in
        ["/v1", "/v1/nothing", "/v1/sessions/", "/assets/none.js", "/docs/none", "/problems/none", "/%ff", "/a%00b"]
    {
        rig.get(path).await.problem(404, "not-found");
    }
    for (method, path, allowed) in [
        (Method::PUT, "/v1/sessions", "POST"),
        (Method::PATCH, "/v1/keys", "GET"),
        (Method::POST, "/healthz", "GET"),
        (Method::DELETE, "/v1/reports/cost", "GET"),
        (Method::GET, "/v1/renders", "POST"),
        (Method::OPTIONS, "/v1/avatars", "POST"),
        (Method::from_bytes(b"STRANGE").unwrap(), "/v1/sessions", "GET"),
    ] {
        let answer = Answer::of(rig.ask(method.clone(), path)).await;
        assert!(answer.header("allow").contains(allowed), "{method} {path}: {:?}", answer.headers);
        answer.problem(405, "method-not-allowed");
    }
}

#[actix_web::test]
async fn bodies_of_other_types_are_refused() {
    let rig = Rig::start().await;
    for path in ["/v1/sessions", "/v1/renders", "/v1/avatars", "/v1/keys", "/v1/page/session"] {
        for kind in ["text/plain", "application/xml", "", "application/json+x"] {
            let request = rig.ask(Method::POST, path).header("content-type", kind).body("{}");
            Answer::of(request).await.problem(415, "unsupported-media");
        }
        Answer::of(rig.ask(Method::POST, path)).await.problem(415, "unsupported-media");
    }
    for path in ["/v1/sessions", "/v1/avatars", "/v1/keys", "/v1/page/session"] {
        for body in ["", "[]", "nul", "{\"a\":", "\"text\"", "{\"name\": \"\u{0}\"}"] {
            rig.post_json(path, body).await.problem(400, "bad-request");
        }
        let bytes =
            rig.ask(Method::POST, path).header("content-type", "application/json").body(&b"{\"name\":\"\xff\"}"[..]);
        Answer::of(bytes).await.problem(400, "bad-request");
        let deep = "[".repeat(10_000);
        rig.post_json(path, &deep).await.problem(400, "bad-request");
        rig.post_json(path, r#"{"surprise": 1}"#).await.problem(422, "unknown-field");
    }
    rig.post_json("/v1/renders", "{}").await.problem(415, "unsupported-media");
    // A parameter of the type is no other type.
    let request = rig.ask(Method::POST, "/v1/keys").header("content-type", "Application/JSON; charset=utf-8");
    Answer::of(request.body(r#"{"name":"x","scopes":["sessions"]}"#)).await.is(201);
}

#[actix_web::test]
async fn an_id_that_is_none_is_like_one_of_nothing() {
    let rig = Rig::start().await;
    let (session, _) = rig.running().await;
    let unknown = |prefix: &str| format!("{prefix}_{}", "0".repeat(32));
    let sdp = "application/sdp";
    let fragment = "application/trickle-ice-sdpfrag";
    let addresses = [
        (Method::GET, "/v1/sessions/{}", "ses", ""),
        (Method::DELETE, "/v1/sessions/{}", "ses", ""),
        (Method::GET, "/v1/sessions/{}/events", "ses", ""),
        (Method::GET, "/v1/sessions/{}/live", "ses", ""),
        (Method::POST, "/v1/sessions/{}/interrupt", "ses", ""),
        (Method::POST, "/v1/sessions/{}/keep_alive", "ses", ""),
        (Method::GET, "/v1/sessions/{}/audio", "ses", ""),
        (Method::POST, "/v1/sessions/{}/whep", "ses", sdp),
        (Method::PATCH, "/v1/sessions/SESSION/whep/{}", "vwr", fragment),
        (Method::DELETE, "/v1/sessions/SESSION/whep/{}", "vwr", ""),
        (Method::GET, "/v1/renders/{}", "ses", ""),
        (Method::DELETE, "/v1/renders/{}", "ses", ""),
        (Method::GET, "/v1/renders/{}/result", "ses", ""),
        (Method::GET, "/v1/avatars/{}", "avt", ""),
        (Method::DELETE, "/v1/avatars/{}", "avt", ""),
        (Method::GET, "/v1/avatars/{}/preview", "avt", ""),
        (Method::POST, "/v1/workers/{}/drain", "wrk", ""),
        (Method::DELETE, "/v1/keys/{}", "key", ""),
    ];
    let _stage = Stage::set(&rig, declining(NotDone::NoViewer)).await;
    for (method, address, prefix, kind) in addresses {
        let ids = [
            unknown(prefix),
            unknown("xyz"),
            format!("{prefix}_12"),
            "x".into(),
            "a%0Ab".into(),
            "%F0%9F%98%80".into(),
        ];
        for id in ids {
            let path = address.replace("SESSION", &session.to_string()).replace("{}", &id);
            let request = rig.ask(method.clone(), &path).header("content-type", kind).header("if-match", "*");
            let told = Answer::of(request.body("v=0\r\n")).await.problem(404, "not-found");
            assert!(told["field"].is_null(), "{method} {path}: {told}");
        }
    }
}

#[actix_web::test]
async fn bad_queries_are_named() {
    let rig = Rig::start().await;
    for (query, field) in [
        ("state=none", "state"),
        ("kind=lively", "kind"),
        ("avatar_id=avt_1", "avatar_id"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=1e1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("before=x", "before"),
        ("state=%ff", "state"),
        ("page=2", "page"),
    ] {
        rig.get(&format!("/v1/sessions?{query}")).await.blames(field);
    }
    rig.get("/v1/avatars?limit=-1").await.blames("limit");
    rig.get("/v1/avatars?before=x").await.blames("before");
    rig.get("/v1/reports/cost?from=yesterday").await.blames("from");
    rig.get("/v1/reports/cost?until=x").await.blames("until");
    let none = "ses_".to_owned() + &"0".repeat(32);
    rig.get(&format!("/v1/sessions/{none}")).await.problem(404, "not-found");
    rig.get(&format!("/v1/renders/{none}/result?download=2")).await.blames("download");
}

#[actix_web::test]
async fn a_store_that_is_away_is_503_everywhere() {
    let rig = Rig::start().await;
    rig.render().await;
    let avatar = rig.avatar_of_first_render().await;
    rig.memory.go_away(true);
    for path in [
        "/v1/sessions".to_owned(),
        "/v1/avatars".into(),
        format!("/v1/avatars/{avatar}"),
        "/v1/keys".into(),
        "/v1/reports/cost".into(),
        format!("/v1/avatars/{avatar}/preview"),
    ] {
        let problem = rig.get(&path).await.problem(503, "store-unavailable");
        assert!(!problem.to_string().contains("taken away by the test"), "{problem}");
    }
    let other =
        rig.bare(Method::GET, "/v1/sessions").bearer_auth(mouthpiece_coordinator::office::new_secret().unwrap());
    Answer::of(other).await.problem(503, "store-unavailable");
    let form = Form::default().file("portrait", PNG).file("speech", WAV);
    Answer::of(rig.form("/v1/renders", &form)).await.problem(503, "store-unavailable");
    assert_eq!(rig.staged(), Vec::<String>::new());
    rig.memory.go_away(false);
    rig.get("/v1/sessions").await.is(200);
}

#[actix_web::test]
async fn what_the_farm_refuses_is_told_with_a_time() {
    let rig = Rig::start().await;
    let wait = Duration::from_millis(2300);
    for (said, status, slug) in [
        (Ok(Said::NoCapacity { retry_after: wait }), 503, "no-capacity"),
        (Ok(Said::OverQuota { open: 3, retry_after: wait }), 429, "over-quota"),
        (Ok(Said::StoreFailed), 503, "store-unavailable"),
        (Ok(Said::TokenReused), 422, "idempotency-reused"),
        (Err(FarmError::Stopped), 503, "no-capacity"),
        (Err(FarmError::Overwhelmed), 503, "no-capacity"),
    ] {
        *rig.farm.refuse.lock().unwrap() = Some(said.clone());
        let form = Form::default().file("portrait", PNG).file("speech", WAV);
        let problem = Answer::of(rig.form("/v1/renders", &form)).await.problem(status, slug);
        if matches!(said, Ok(Said::NoCapacity { .. } | Said::OverQuota { .. })) {
            assert_eq!(problem["retry_after_s"], 3, "{problem}");
        }
    }
}

#[actix_web::test]
async fn the_minutes_of_a_day_are_bounded() {
    let mut rig = Rig::start().await;
    rig.secret = rig.key(&[mouthpiece_coordinator::office::KeyScope::Sessions], |k| k.minutes_per_day = Some(2));
    rig.memory.kept().delivered = Duration::from_secs(119);
    let id = rig.render().await;
    rig.memory.kept().delivered = Duration::from_secs(120);
    let form = Form::default().file("portrait", PNG).file("speech", WAV);
    let problem = Answer::of(rig.form("/v1/renders", &form)).await.problem(429, "over-quota");
    assert!((1..=86_400).contains(&problem["retry_after_s"].as_u64().unwrap()), "{problem}");
    // Looking is not rendering.
    rig.get(&format!("/v1/renders/{id}")).await.is(200);
}

#[actix_web::test]
async fn every_kind_of_problem_is_explained() {
    let rig = Rig::start().await;
    for kind in mouthpiece_coordinator::http::problem::ProblemKind::ALL {
        let answer = Answer::of(rig.bare(Method::GET, &format!("/problems/{}", kind.slug()))).await.is(200);
        assert!(answer.text().contains(kind.title()) && answer.header("content-type").starts_with("text/html"));
    }
}
