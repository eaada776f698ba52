//! Session tokens: what they are good for, and that they cannot be made up.

use crate::rig::{Answer, Rig};
use crate::stage::{OFFER, SDP, Stage, obliging};
use mouthpiece_coordinator::office::{KeyScope, SessionToken, now};
use mouthpiece_domain::ids::SessionId;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

fn token(body: &Value) -> String {
    body["live"]["token"].as_str().unwrap().to_owned()
}

fn seconds() -> u64 {
    (now().0 / 1000) as u64
}

/// What a token is good for.
fn good_for(rig: &Rig, id: SessionId) -> Vec<RequestBuilder> {
    let path = |rest: &str| format!("/v1/sessions/{id}{rest}");
    vec![
        rig.bare(Method::GET, &path("")),
        rig.bare(Method::GET, &path("/live")),
        rig.bare(Method::POST, &path("/interrupt")),
        rig.bare(Method::POST, &path("/keep_alive")),
        rig.bare(Method::POST, &path("/whep")).header("content-type", SDP).body(OFFER),
    ]
}

#[actix_web::test]
async fn a_token_is_good_for_its_session() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    for request in good_for(&rig, id) {
        let answer = Answer::of(request.bearer_auth(token(&body))).await;
        assert!(answer.status < 300, "{}", answer.text());
    }
    let events = rig.bare(Method::GET, &format!("/v1/sessions/{id}/events")).bearer_auth(token(&body));
    assert_eq!(events.send().await.unwrap().status(), 200);
    let events = rig.bare(Method::GET, &format!("/v1/sessions/{id}/events?token={}", token(&body)));
    assert_eq!(events.send().await.unwrap().status(), 200);
    // Whoever has it is told the ICE servers, but no other token.
    let request = rig.bare(Method::GET, &format!("/v1/sessions/{id}")).bearer_auth(token(&body));
    assert_eq!(Answer::of(request).await.is(200).json()["live"]["token"], json!(null));
}

#[actix_web::test]
async fn a_token_is_good_for_nothing_else() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let (other, _) = rig.running().await;
    for request in good_for(&rig, other) {
        let told = Answer::of(request.bearer_auth(token(&body))).await.problem(403, "forbidden");
        assert!(told["detail"].as_str().unwrap().contains("another session"), "{told}");
    }
    for (method, path) in [
        (Method::DELETE, format!("/v1/sessions/{id}")),
        (Method::GET, "/v1/sessions".into()),
        (Method::POST, "/v1/sessions".into()),
        (Method::GET, format!("/v1/renders/{id}")),
        (Method::GET, "/v1/avatars".into()),
        (Method::GET, "/v1/workers".into()),
        (Method::GET, "/v1/events".into()),
        (Method::GET, "/v1/keys".into()),
        (Method::GET, "/v1/reports/cost".into()),
        (Method::GET, "/v1/page/session".into()),
    ] {
        Answer::of(rig.bare(method, &path).bearer_auth(token(&body))).await.problem(403, "forbidden");
    }
    // In an address it is good only where browsers cannot send headers.
    for rest in ["", "/live"] {
        let path = format!("/v1/sessions/{id}{rest}?token={}", token(&body));
        Answer::of(rig.bare(Method::GET, &path)).await.problem(401, "unauthorized");
    }
    // And a secret is good in no address.
    let path = format!("/v1/sessions/{id}/events?token={}", rig.secret);
    Answer::of(rig.bare(Method::GET, &path)).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn a_token_that_was_not_signed_here_is_refused() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let (other, _) = rig.running().await;
    let own = token(&body);
    let key = rig.memory.kept().keys[0].clone();
    let mut elsewhere = key.clone();
    elsewhere.secret_hash = "0".repeat(64);
    let real = SessionToken::read(&own).unwrap();
    let forged = |session, expires| SessionToken::issue(&elsewhere, session, expires).unwrap().text();
    let mut tokens = vec![
        forged(id, real.expires),
        forged(SessionId(99), real.expires),
        SessionToken::issue(&key, SessionId(99), real.expires).unwrap().text(), // of no session
        own[..57].to_owned(),
        format!("{own}A"),
        "mps_".to_owned(),
        format!("mps_{}", "!".repeat(54)),
    ];
    // Signed for another session or time: the parts of two tokens do not make a third.
    let later = SessionToken::issue(&key, id, real.expires + 9).unwrap().text();
    tokens.push(format!("{}{}", &later[..36], &own[36..]));
    let of_other = SessionToken::issue(&key, other, real.expires).unwrap().text();
    tokens.push(format!("{}{}", &of_other[..20], &own[20..]));
    for token in tokens {
        for request in good_for(&rig, id) {
            let answer = Answer::of(request.bearer_auth(&token)).await;
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{token}");
            answer.problem(401, "unauthorized");
        }
    }
}

#[actix_web::test]
async fn a_token_expires() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    let key = rig.memory.kept().keys[0].clone();
    let expired = SessionToken::issue(&key, id, seconds() - 1).unwrap().text();
    for request in good_for(&rig, id) {
        let told = Answer::of(request.bearer_auth(&expired)).await.problem(401, "unauthorized");
        assert!(told["detail"].as_str().unwrap().contains("token expired"), "{told}");
    }
    // It outlasts the session: an hour beyond what that may take in all, and up to one more.
    let expires = SessionToken::read(&token(&body)).unwrap().expires;
    let longest = 3600 + 20;
    let lasts = expires.checked_sub(seconds()).unwrap();
    assert!((longest + 3600 - 5..=longest + 2 * 3600).contains(&lasts), "{lasts}");
}

#[actix_web::test]
async fn a_token_ends_with_its_key() {
    let rig = Rig::start().await;
    let secret = rig.key(&[KeyScope::Sessions], |_| {});
    let own = rig.memory.kept().keys.last().unwrap().id;
    let body = rig.live("").await;
    let id: SessionId = body["id"].as_str().unwrap().parse().unwrap();
    rig.farm.change(id, |s| s.key = own);
    let read = rig.bare(Method::GET, &format!("/v1/sessions/{id}")).bearer_auth(&secret);
    let token = token(&Answer::of(read).await.is(200).json());
    let look = async || Answer::of(rig.bare(Method::GET, &format!("/v1/sessions/{id}")).bearer_auth(&token)).await;
    look().await.is(200);
    rig.delete(&format!("/v1/keys/{own}")).await.is(204);
    let told = look().await.problem(403, "forbidden");
    assert!(told["detail"].as_str().unwrap().contains("revoked"), "{told}");
}

#[actix_web::test]
async fn a_token_lives_through_a_requeue() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    rig.requeued(id);
    let look = async || {
        let request = rig.bare(Method::GET, &format!("/v1/sessions/{id}")).bearer_auth(token(&body));
        Answer::of(request).await.is(200).json()
    };
    assert_eq!(look().await["fence"], 2);
    rig.moved(id, crate::script::WORKER);
    assert_eq!(look().await["state"], "live");
}
