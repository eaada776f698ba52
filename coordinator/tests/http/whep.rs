//! Watching by WHEP: each status of its table, the wait for the start, other sites' pages.

use crate::rig::{Answer, Rig, eventually};
use crate::stage::{FRAGMENT, OFFER, SDP, Stage, declining, obliging};
use mouthpiece_coordinator::office::IceServer;
use mouthpiece_domain::ids::{SessionId, ViewerId};
use mouthpiece_domain::live::{HangUp, LiveQuestion, NotDone, OfferToWatch, RestartIce, TrickleIce};
use mouthpiece_domain::session::{EndReason, Phase, SessionEnd};
use reqwest::Method;
use std::time::Duration;

async fn patch(rig: &Rig, path: &str, condition: Option<&str>, body: &str) -> Answer {
    let mut request = rig.ask(Method::PATCH, path).header("content-type", FRAGMENT).body(body.to_owned());
    if let Some(condition) = condition {
        request = request.header("if-match", condition);
    }
    Answer::of(request).await
}

#[actix_web::test]
async fn a_viewer_comes_trickles_restarts_and_goes() {
    let servers = r#"[{"urls":["stun:stun.example","turn:turn.example"],"username":"u","credential":"p"}]"#;
    let servers: Vec<IceServer> = serde_json::from_str(servers).unwrap();
    let rig = Rig::with(|s| s.live.ice_servers = servers).await;
    let (id, _) = rig.running().await;
    let stage = Stage::set(&rig, obliging).await;
    let answer = rig.offer(id, OFFER).await.is(201);
    assert_eq!((answer.header("content-type"), answer.text().as_str()), (SDP, "v=0\r\nan answer\r\n"));
    assert_eq!(answer.header("etag"), "\"ice:1\"");
    let links: Vec<_> = answer.headers.get_all("link").iter().map(|l| l.to_str().unwrap().to_owned()).collect();
    let credentials = r#"; username="u"; credential="p"; credential-type="password""#;
    assert_eq!(
        links,
        ["stun:stun", "turn:turn"].map(|url| format!("<{url}.example>; rel=\"ice-server\"{credentials}"))
    );
    let place = answer.location();
    let viewer: ViewerId = place.strip_prefix(&format!("/v1/sessions/{id}/whep/")).unwrap().parse().unwrap();
    assert_eq!(patch(&rig, &place, Some("\"ice:1\""), "a=candidate:1\r\n").await.is(204).body, b"");
    let restarted = patch(&rig, &place, Some("*"), "a=ice-ufrag:y\r\n").await.is(200);
    assert_eq!((restarted.header("etag"), restarted.header("content-type")), ("\"ice:2\"", FRAGMENT));
    assert_eq!(restarted.text(), "a=ice-ufrag:x\r\n");
    rig.delete(&place).await.is(200);
    let fragment = |text: &str| text.to_owned();
    assert_eq!(
        stage.questions(4).await,
        [
            LiveQuestion::Offer(OfferToWatch { viewer, sdp: OFFER.into() }),
            LiveQuestion::Trickle(TrickleIce { viewer, tag: "ice:1".into(), fragment: fragment("a=candidate:1\r\n") }),
            LiveQuestion::Restart(RestartIce { viewer, fragment: fragment("a=ice-ufrag:y\r\n") }),
            LiveQuestion::HangUp(HangUp { viewer }),
        ]
    );
    let text = rig.api.metrics.render();
    assert!(text.contains("mouthpiece_live_join_seconds_count 1"), "{text}");
}

#[actix_web::test]
async fn viewers_have_addresses_that_cannot_be_guessed() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let place = rig.offer(id, OFFER).await.is(201).location();
        let viewer = place.rsplit_once('_').unwrap().1.to_owned();
        // No part is the same, as a time would be.
        assert!(seen.insert(viewer[..8].to_owned()) && viewer.len() == 32, "{viewer}");
    }
}

#[actix_web::test]
async fn each_refusal_of_the_worker_has_its_status() {
    for (why, status, slug, retry) in [
        (NotDone::NotHere, 409, "conflict", "1"),
        (NotDone::NoViewer, 404, "not-found", ""),
        (NotDone::Malformed, 400, "bad-request", ""),
        (NotDone::NoCodec, 406, "not-acceptable", ""),
        (NotDone::StaleTag, 412, "precondition-failed", ""),
        (NotDone::Unprocessable, 422, "unprocessable", ""),
        (NotDone::Full, 503, "no-capacity", "5"),
    ] {
        let rig = Rig::start().await;
        let (id, _) = rig.running().await;
        let _stage = Stage::set(&rig, declining(why)).await;
        let path = format!("/v1/sessions/{id}/whep/{}", ViewerId(1));
        // Where the session is no longer there is nothing left to hang up, wherever it may go on.
        let hung_up = rig.delete(&path).await;
        let gone = why == NotDone::NotHere;
        let (hung_status, hung_slug, hung_retry) = if gone { (404, "not-found", "") } else { (status, slug, retry) };
        for (answer, (status, slug, retry)) in [
            (rig.offer(id, OFFER).await, (status, slug, retry)),
            (patch(&rig, &path, Some("\"a\""), "a=x\r\n").await, (status, slug, retry)),
            (patch(&rig, &path, Some("*"), "a=x\r\n").await, (status, slug, retry)),
            (hung_up, (hung_status, hung_slug, hung_retry)),
        ] {
            assert_eq!(answer.header("retry-after"), retry, "{why:?}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{why:?}");
            let told = answer.problem(status, slug);
            let said = told["detail"].as_str().unwrap().contains("the worker says") || why == NotDone::NotHere;
            assert!(said, "{told}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_offer_is_refused_before_anybody_is_asked() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let stage = Stage::set(&rig, obliging).await;
    let path = format!("/v1/sessions/{id}/whep");
    let post = async |kind: &str, body: Vec<u8>| {
        Answer::of(rig.ask(Method::POST, &path).header("content-type", kind).body(body)).await
    };
    for kind in ["application/json", "text/plain", "application/sdpx", ""] {
        post(kind, OFFER.into()).await.problem(415, "unsupported-media");
    }
    post(SDP, Vec::new()).await.problem(400, "bad-request");
    post(SDP, b" \r\n".to_vec()).await.problem(400, "bad-request");
    post(SDP, b"v=0\xff".to_vec()).await.problem(400, "bad-request");
    post(SDP, vec![b'a'; 64 * 1024 + 1]).await.problem(413, "too-large");
    post("Application/SDP; charset=utf-8", vec![b'a'; 64 * 1024]).await.is(201);
    let viewer = format!("{path}/{}", ViewerId(1));
    patch(&rig, &viewer, None, "a=x\r\n").await.problem(428, "precondition-required");
    for stale in ["", "x", "\"\"", "W/\"a\"", "\"a\", \"b\""] {
        patch(&rig, &viewer, Some(stale), "a=x\r\n").await.problem(412, "precondition-failed");
    }
    let other = rig.ask(Method::PATCH, &viewer).header("if-match", "*").header("content-type", SDP).body("x");
    Answer::of(other).await.problem(415, "unsupported-media");
    patch(&rig, &viewer, Some("*"), &"x".repeat(64 * 1024 + 1)).await.problem(413, "too-large");
    patch(&rig, &format!("{path}/vwr_1"), Some("*"), "x").await.problem(404, "not-found");
    for (method, path) in [(Method::GET, &path), (Method::PUT, &path), (Method::POST, &viewer), (Method::GET, &viewer)]
    {
        Answer::of(rig.ask(method, path)).await.problem(405, "method-not-allowed");
    }
    assert_eq!(stage.questions(1).await.len(), 1);
}

#[actix_web::test]
async fn an_offer_waits_for_the_session_to_start() {
    let rig = Rig::start().await;
    let stage = Stage::set(&rig, obliging).await;
    let id: SessionId = rig.live("").await["id"].as_str().unwrap().parse().unwrap();
    let start = async {
        // Its offer has come, and waits for news.
        eventually("a watcher", || (rig.farm.watchers() > 0).then_some(())).await;
        for phase in [Phase::Assigned, Phase::Preparing] {
            rig.farm.change(id, |s| s.phase = phase);
        }
        rig.farm.run(id, 0, 0);
    };
    let (answer, ()) = tokio::join!(rig.offer(id, OFFER), start);
    answer.is(201);
    assert_eq!(stage.questions(1).await.len(), 1);
}

#[actix_web::test]
async fn an_offer_is_told_to_come_back_when_it_takes_too_long() {
    let rig = Rig::with(|s| s.live.whep_wait = Duration::from_millis(30)).await;
    let id: SessionId = rig.live("").await["id"].as_str().unwrap().parse().unwrap();
    let waits = async |phrase: &str| {
        let answer = rig.offer(id, OFFER).await;
        assert_eq!(answer.header("retry-after"), "1");
        let told = answer.problem(409, "conflict");
        assert!(told["detail"].as_str().unwrap().contains(phrase), "{told}");
    };
    waits("requested, number 1 in the queue").await;
    rig.farm.change(id, |s| s.phase = Phase::Preparing);
    waits("the session is preparing").await;
    rig.farm.change(id, |s| s.phase = Phase::Draining);
    waits("draining").await;
}

#[actix_web::test]
async fn an_offer_to_a_session_that_ends_meanwhile_is_told_why() {
    let rig = Rig::start().await;
    let id: SessionId = rig.live("").await["id"].as_str().unwrap().parse().unwrap();
    let end = async {
        eventually("a watcher", || (rig.farm.watchers() > 0).then_some(())).await;
        rig.farm.end(id, SessionEnd::new(EndReason::NoCapacity, None));
    };
    let (answer, ()) = tokio::join!(rig.offer(id, OFFER), end);
    for answer in [answer, rig.offer(id, OFFER).await] {
        assert_eq!(answer.header("retry-after"), "");
        assert!(answer.problem(409, "conflict")["detail"].as_str().unwrap().contains("no_capacity"));
    }
}

#[actix_web::test]
async fn an_offer_does_not_outlive_the_server() {
    let rig = Rig::start().await;
    let id: SessionId = rig.live("").await["id"].as_str().unwrap().parse().unwrap();
    let stop = async {
        eventually("a watcher", || (rig.farm.watchers() > 0).then_some(())).await;
        rig.api.close();
    };
    let (answer, ()) = tokio::join!(rig.offer(id, OFFER), stop);
    answer.problem(503, "no-capacity");
}

#[actix_web::test]
async fn a_start_among_lost_news_is_seen() {
    let rig = Rig::start().await;
    let _stage = Stage::set(&rig, obliging).await;
    let id: SessionId = rig.live("").await["id"].as_str().unwrap().parse().unwrap();
    let start = async {
        eventually("a watcher", || (rig.farm.watchers() > 0).then_some(())).await;
        rig.farm.run(id, 0, 0);
        for _ in 0..100 {
            rig.farm.tell(mouthpiece_coordinator::farm::FarmNews::Farm);
        }
    };
    let (answer, ()) = tokio::join!(rig.offer(id, OFFER), start);
    answer.is(201);
}

#[actix_web::test]
async fn viewers_of_a_session_that_does_not_run_are_gone() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    let place = rig.offer(id, OFFER).await.is(201).location();
    rig.requeued(id);
    patch(&rig, &place, Some("\"ice:1\""), "a=x\r\n").await.problem(404, "not-found");
    rig.delete(&place).await.problem(404, "not-found");
    // The session is the same one; whoever offers again watches it where it runs now.
    rig.moved(id, crate::script::WORKER);
    rig.offer(id, OFFER).await.is(201);
}

#[actix_web::test]
async fn other_sites_pages_may_watch_with_a_token() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    let path = format!("/v1/sessions/{id}/whep");
    let preflight = async |path: &str| {
        let request = rig.bare(Method::OPTIONS, path).header("origin", "https://elsewhere.example");
        Answer::of(request.header("access-control-request-method", "POST")).await.is(204)
    };
    let told = preflight(&path).await;
    assert_eq!((told.header("accept-post"), told.header("access-control-allow-origin")), (SDP, "*"));
    assert!(told.header("access-control-allow-methods").contains("POST"));
    for header in ["authorization", "content-type", "if-match"] {
        assert!(told.header("access-control-allow-headers").contains(header), "{header}");
    }
    let told = preflight(&format!("{path}/{}", ViewerId(1))).await;
    assert_eq!(told.header("accept-patch"), FRAGMENT);
    assert_eq!(told.header("access-control-allow-methods"), "PATCH, DELETE, OPTIONS");
    for rest in ["", "/events", "/live", "/interrupt", "/keep_alive", "/audio"] {
        preflight(&format!("/v1/sessions/{id}{rest}")).await;
    }
    let token = body["live"]["token"].as_str().unwrap();
    let post = rig.bare(Method::POST, &path).header("origin", "https://elsewhere.example").bearer_auth(token);
    let answer = Answer::of(post.header("content-type", SDP).body(OFFER)).await.is(201);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for header in ["location", "etag", "link"] {
        assert!(answer.header("access-control-expose-headers").contains(header), "{header}");
    }
    // Refusals can be read there, too, whatever refuses.
    let refused = Answer::of(rig.bare(Method::POST, &path).bearer_auth("mps_no")).await;
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    let refused = Answer::of(rig.bare(Method::PUT, &path)).await.is(405);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    // Only there.
    assert_eq!(rig.get("/v1/sessions").await.header("access-control-allow-origin"), "");
    assert_eq!(rig.get("/v1/nothing").await.header("access-control-allow-origin"), "");
}

#[actix_web::test]
async fn a_player_that_knows_an_address_needs_nothing_else() {
    let rig = Rig::start().await;
    let (id, body) = rig.running().await;
    let stage = Stage::set(&rig, obliging).await;
    let token = body["live"]["token"].as_str().unwrap();
    let path = format!("/v1/sessions/{id}/whep?token={token}");
    let ask = async |method: Method, path: &str, kind: &str| {
        let request = rig.bare(method, path).header("content-type", kind).header("if-match", "\"ice:1\"");
        Answer::of(request.body(if kind == SDP { OFFER } else { "a=x\r\n" })).await
    };
    let answer = ask(Method::POST, &path, SDP).await.is(201);
    let place = answer.location();
    assert!(place.ends_with(&format!("?token={token}")), "{place}");
    ask(Method::PATCH, &place, FRAGMENT).await.is(204);
    ask(Method::DELETE, &place, FRAGMENT).await.is(200);
    assert_eq!(stage.questions(3).await.len(), 3);
    // Whoever came with a header is told no address that opens doors.
    assert!(!rig.offer(id, OFFER).await.is(201).header("location").contains("token"));
    let header = rig.bare(Method::POST, &path).bearer_auth(token).header("content-type", SDP).body(OFFER);
    assert!(!Answer::of(header).await.is(201).header("location").contains("token"));
    // A key's secret belongs into no address; what is refused does not say what was in it; no page says where it was.
    let other = rig.running().await.0;
    for (path, status) in [
        (path.replace(token, &rig.secret), 401),
        (path.replace(token, "mps_x"), 401),
        (path.replace(&id.to_string(), &other.to_string()), 403),
        (path.replace("whep", "whap"), 404),
    ] {
        let refused = ask(Method::POST, &path, SDP).await.is(status);
        assert!(!refused.text().contains(token) && !refused.text().contains(&rig.secret), "{}", refused.text());
        assert_eq!(refused.header("referrer-policy"), "no-referrer");
    }
}

#[actix_web::test]
async fn the_pages_own_cookie_watches_from_its_own_site_only() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let _stage = Stage::set(&rig, obliging).await;
    // It stands for the first key, which made the session.
    let cookie = rig.cookie().await;
    let post = |origin: &str| {
        let request = rig.bare(Method::POST, &format!("/v1/sessions/{id}/whep")).header("cookie", &cookie);
        request.header("origin", origin).header("content-type", SDP).body(OFFER)
    };
    let own = Answer::of(post(&rig.address)).await.is(201);
    assert_eq!(own.header("access-control-allow-origin"), "");
    Answer::of(post("https://elsewhere.example")).await.problem(403, "forbidden");
}
