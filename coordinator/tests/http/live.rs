//! Live sessions: made, shown, and what is said to one that runs.

use crate::rig::{Answer, Form, PNG, Rig};
use crate::script::WORKER;
use crate::stage::{Stage, declining, hold, obliging};
use async_trait::async_trait;
use mouthpiece_coordinator::office::{IceServer, KeyScope, LiveSettings};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::live::{
    Declined, FaceMood, LiveAnswer, LiveQuestion, LiveStage, LiveStatus, LiveTerms, NotDone, StageTime,
};
use mouthpiece_domain::session::{EndReason, SessionEnd, SessionKind};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::lines::{CallerAddress, CallerLine, IncomingLines, LineError, Lines};
use mouthpiece_ports::questions::QuestionBus;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn id(body: &Value) -> SessionId {
    body["id"].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn a_live_session_is_made_with_its_terms() {
    let rig = Rig::start().await;
    let body = rig
        .live(
            r#","fps":30,"size":256,"seed":7,"head":false,"blinks":false,"max_duration_s":60,"metadata":{"a":"b"},
            "idle_timeout_s":5,"absent_timeout_s":6,"left_timeout_s":0,"video_kbps_min":300,"video_kbps_max":900"#,
        )
        .await;
    assert_eq!((&body["kind"], &body["state"], &body["fence"]), (&json!("live"), &json!("requested"), &json!(1)));
    assert_eq!((&body["queue_timeout_ms"], &body["max_duration_ms"]), (&json!(20_000), &json!(60_000)));
    let live = &body["live"];
    for (field, wanted) in [
        ("idle_timeout_ms", json!(5000)),
        ("absent_timeout_ms", json!(6000)),
        ("left_timeout_ms", json!(0)),
        ("video_kbps_min", json!(300)),
        ("video_kbps_max", json!(900)),
        ("whep_url", json!(format!("/v1/sessions/{}/whep", id(&body)))),
        ("audio_url", json!(format!("/v1/sessions/{}/audio", id(&body)))),
        ("ice_servers", json!([])),
    ] {
        assert_eq!(live[field], wanted, "{field}: {live}");
    }
    let session = rig.memory.kept().sessions[&id(&body)].clone();
    assert_eq!((session.kind, &session.spec.speech, session.spec.size.pixels()), (SessionKind::Live, &None, 256));
    let seconds = Duration::from_secs;
    let terms = LiveTerms {
        idle_timeout: seconds(5),
        absent_timeout: seconds(6),
        left_timeout: seconds(0),
        bitrate: [300_000, 900_000],
    };
    assert_eq!(session.spec.live, Some(terms));
    rig.farm.run(id(&body), 1, 0);
    assert_eq!(rig.get(&format!("/v1/sessions/{}", id(&body))).await.json()["state"], "live");
    assert_eq!(rig.get("/v1/sessions?kind=live").await.json()["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(rig.get("/v1/sessions?kind=render").await.json()["sessions"], json!([]));
}

#[actix_web::test]
async fn a_render_has_nothing_of_a_live_session() {
    let rig = Rig::start().await;
    let render = rig.render().await;
    assert_eq!(rig.get(&format!("/v1/sessions/{render}")).await.json()["live"], json!(null));
    let path = |rest: &str| format!("/v1/sessions/{render}/{rest}");
    rig.offer(render, "v=0").await.problem(409, "conflict");
    rig.get(&path("live")).await.problem(409, "conflict");
    Answer::of(rig.ask(Method::POST, &path("interrupt"))).await.problem(409, "conflict");
}

#[actix_web::test]
async fn what_cannot_be_a_live_session_is_named() {
    let rig = Rig::start().await;
    let avatar = rig.avatar().await;
    let with = |more: &str| format!(r#"{{"kind":"live","avatar_id":"{avatar}"{more}}}"#);
    for (body, field) in [
        (r#"{"kind":"live"}"#.to_owned(), "avatar_id"),
        (with("").replace("avt_", "avt_f"), "avatar_id"),
        (with(r#","speech_url":"http://example.com/a.wav""#), "speech_url"),
        (with(r#","preset":"fast""#), "preset"),
        (with(r#","size":1025"#), "size"),
        (with(r#","fps":24"#), "fps"),
        (with(r#","idle_timeout_s":0"#), "idle_timeout_s"),
        (with(r#","queue_timeout_s":86401"#), "queue_timeout_s"),
        (with(r#","video_kbps_min":900,"video_kbps_max":800"#), "video_kbps_min"),
        (with(r#","voice":"x""#), "voice"),
        (r#"{"kind":"render","left_timeout_s":1}"#.to_owned(), "left_timeout_s"),
    ] {
        rig.post_json("/v1/sessions", &body).await.blames(field);
    }
    let unknown = with("").replace(&avatar, &format!("avt_{}", "0".repeat(32)));
    rig.post_json("/v1/sessions", &unknown).await.blames("avatar_id");
    // Not one that prepares an avatar, either.
    assert!(rig.memory.kept().sessions.values().all(|s| s.kind == SessionKind::Prepare));
}

#[actix_web::test]
async fn the_same_request_again_is_the_same_session() {
    let rig = Rig::start().await;
    let avatar = rig.avatar().await;
    let post = async |more: &str| {
        let body = format!(r#"{{"kind":"live","avatar_id":"{avatar}"{more}}}"#);
        let request = rig.ask(Method::POST, "/v1/sessions").header("content-type", "application/json").body(body);
        Answer::of(request.header("idempotency-key", "one")).await
    };
    let first = post("").await.is(201);
    let again = post(r#","idle_timeout_s":300"#).await.is(200);
    assert_eq!((again.id(), again.header("idempotent-replay")), (first.id(), "true"));
    assert!(again.json()["live"]["token"].is_string());
    post(r#","idle_timeout_s":301"#).await.problem(422, "idempotency-reused");
}

#[actix_web::test]
async fn a_live_session_prepares_no_avatar_for_good() {
    let rig = Rig::start().await;
    let avatar = rig.avatar().await;
    let preparation = rig.memory.kept().sessions.values().next().unwrap().id;
    rig.farm.end(preparation, SessionEnd::new(EndReason::Lost, None));
    let asked = format!(r#"{{"kind":"live","avatar_id":"{avatar}"}}"#);
    let session = rig.post_json("/v1/sessions", &asked).await.is(201).id();
    rig.farm.end(session, SessionEnd::new(EndReason::IdleTimeout, None));
    // Its end says nothing about the avatar, so it is not what the avatar is judged by.
    let shown = rig.get(&format!("/v1/avatars/{avatar}")).await.json();
    assert_eq!((&shown["state"], &shown["prepared_by"]), (&json!("failed"), &json!(preparation.to_string())));
    let form = Form::default().file("image", PNG);
    Answer::of(rig.form("/v1/avatars", &form)).await.is(202);
}

/// Lines to workers that let callers come, but for one that never says so.
struct OpenWorkers;

#[async_trait]
impl Lines for OpenWorkers {
    async fn open(&self, hold: &Hold) -> Result<CallerLine, LineError> {
        Err(LineError::Unroutable(hold.worker))
    }

    async fn calls(&self, worker: WorkerId) -> Result<Box<dyn IncomingLines>, LineError> {
        Err(LineError::Unroutable(worker))
    }

    async fn caller_address(&self, hold: &Hold, now: Wall) -> Option<CallerAddress> {
        if hold.worker != WORKER {
            std::future::pending::<()>().await;
        }
        let url = format!("wss://w/{}?ticket={}", hold.session, hold.fence.0);
        Some(CallerAddress { url, until: Wall(now.0 + 30_000) })
    }
}

#[actix_web::test]
async fn whoever_may_speak_is_told_where_the_worker_takes_speech_itself() {
    let rig = Rig::with_lines(Arc::new(OpenWorkers)).await;
    let body = rig.live("").await;
    assert!(body["live"]["direct_audio_url"].is_null(), "it does not run yet: {body}");
    rig.farm.run(id(&body), 1, 0);
    let path = format!("/v1/sessions/{}", id(&body));
    let token = body["live"]["token"].as_str().unwrap();
    let told = |answer: Answer| answer.is(200).json()["live"].clone();
    let seen = async |secret: &str| told(Answer::of(rig.bare(Method::GET, &path).bearer_auth(secret)).await);
    for secret in [&rig.secret, token] {
        let live = seen(secret).await;
        assert_eq!(live["direct_audio_url"], format!("wss://w/{}?ticket=1", id(&body)));
        assert!(live["direct_audio_expires"].as_str().is_some_and(|at| at.ends_with('Z')), "{live}");
    }
    let reads = rig.key(&[KeyScope::Farm], |_| {});
    let live = seen(&reads).await;
    assert!(live["direct_audio_url"].is_null() && live["direct_audio_expires"].is_null(), "{live}");
    let listed = rig.get("/v1/sessions").await.json();
    assert!(listed["sessions"][0]["live"]["direct_audio_url"].is_null(), "{listed}");
    // Nobody waits for a worker that does not tell.
    rig.moved(id(&body), WorkerId(99));
    let live = seen(&rig.secret).await;
    assert!(live["direct_audio_url"].is_null(), "{live}");
    rig.farm.end(id(&body), SessionEnd::new(EndReason::Completed, None));
    assert!(seen(&rig.secret).await["direct_audio_url"].is_null());
}

#[actix_web::test]
async fn whoever_may_watch_is_told_the_ice_servers() {
    let servers = r#"[{"urls":["stun:stun.example"]},{"urls":["turn:turn.example"],"secret":"north"}]"#;
    let servers: Vec<IceServer> = serde_json::from_str(servers).unwrap();
    let rig = Rig::with(|s| s.live = LiveSettings { ice_servers: servers, ..LiveSettings::default() }).await;
    let body = rig.live("").await;
    let told = &body["live"]["ice_servers"];
    assert_eq!(told[0], json!({"urls": ["stun:stun.example"]}));
    let name = told[1]["username"].as_str().unwrap();
    assert!(name.ends_with(&format!(":{}", id(&body))) && told[1]["credential"].is_string(), "{told}");
    // Neither they nor the token are in lists and events, or for a key that may only look.
    let path = format!("/v1/sessions/{}", id(&body));
    let operator = rig.key(&[KeyScope::Farm], |_| {});
    let seen = Answer::of(rig.bare(Method::GET, &path).bearer_auth(operator)).await.is(200).json();
    let listed = rig.get("/v1/sessions?kind=live").await.json()["sessions"][0].clone();
    for shown in [seen, listed] {
        assert_eq!((&shown["live"]["ice_servers"], &shown["live"]["token"]), (&json!([]), &json!(null)));
        assert!(shown["live"]["whep_url"].is_string());
    }
    // Another key that sees and uses everything may watch, but is not told the token.
    let other = rig.key(&[KeyScope::Farm, KeyScope::Sessions], |_| {});
    let shown = Answer::of(rig.bare(Method::GET, &path).bearer_auth(other)).await.is(200).json();
    assert!(shown["live"]["token"].is_null() && shown["live"]["ice_servers"][1]["credential"].is_string());
}

#[actix_web::test]
async fn a_running_session_is_interrupted_kept_alive_and_looked_at() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let status = LiveStatus {
        mood: FaceMood::Talking,
        viewers: 2,
        fps: 25.0,
        ticks: 100,
        missed: 1,
        bitrate: 800_000,
        buffered_ms: 40,
        stages: vec![StageTime { stage: LiveStage::Total, p50_ms: 60.5, p99_ms: 90.0 }],
    };
    let answer = move |ask: &mouthpiece_domain::live::LiveAsk| match ask.what {
        LiveQuestion::Status => Some(LiveAnswer::Status(Box::new(status.clone()))),
        _ => obliging(ask),
    };
    let stage = Stage::set(&rig, answer).await;
    let post = async |rest: &str| Answer::of(rig.ask(Method::POST, &format!("/v1/sessions/{id}/{rest}"))).await;
    post("interrupt").await.is(202);
    post("keep_alive").await.is(200);
    let shown = rig.get(&format!("/v1/sessions/{id}/live")).await.is(200).json();
    assert_eq!(
        shown,
        json!({
            "mood": "talking", "viewers": 2, "fps": 25.0, "ticks": 100, "missed": 1, "bitrate": 800_000,
            "buffered_ms": 40, "stages": [{"stage": "total", "p50_ms": 60.5, "p99_ms": 90.0}]
        })
    );
    assert_eq!(stage.questions(3).await, [LiveQuestion::Interrupt, LiveQuestion::KeepAlive, LiveQuestion::Status]);
    assert!(stage.asked.lock().unwrap().iter().all(|ask| ask.hold == hold(id)));
    let text = rig.api.metrics.render();
    assert!(text.contains("mouthpiece_live_asks_total{outcome=\"done\",question=\"keep_alive\"} 1"), "{text}");
}

#[actix_web::test]
async fn a_session_that_does_not_run_says_so_at_once() {
    let rig = Rig::start().await;
    let body = rig.live("").await;
    let path = |rest: &str| format!("/v1/sessions/{}/{rest}", id(&body));
    for (method, rest) in [(Method::POST, "interrupt"), (Method::POST, "keep_alive"), (Method::GET, "live")] {
        let answer = Answer::of(rig.ask(method, &path(rest))).await;
        assert_eq!(answer.header("retry-after"), "1");
        let told = answer.problem(409, "conflict");
        assert!(told["detail"].as_str().unwrap().contains("requested, number 1 in the queue"), "{told}");
    }
    rig.farm.end(id(&body), SessionEnd::new(EndReason::ParticipantAbsent, None));
    let ended = Answer::of(rig.ask(Method::POST, &path("interrupt"))).await;
    assert_eq!(ended.header("retry-after"), "");
    assert!(ended.problem(409, "conflict")["detail"].as_str().unwrap().contains("participant_absent"));
    let nobody = format!("/v1/sessions/ses_{}/interrupt", "0".repeat(32));
    Answer::of(rig.ask(Method::POST, &nobody)).await.problem(404, "not-found");
}

#[actix_web::test]
async fn a_worker_that_cannot_be_asked_is_an_answer() {
    let rig = Rig::with(|s| s.live.ask_timeout = Duration::from_millis(50)).await;
    let (id, _) = rig.running().await;
    let keep = async || Answer::of(rig.ask(Method::POST, &format!("/v1/sessions/{id}/keep_alive"))).await;
    keep().await.problem(503, "worker-unreachable");
    let stage = Stage::set(&rig, |_| None).await;
    keep().await.problem(503, "worker-unreachable");
    drop(stage);
    // One that takes the question and is never done with it.
    let mut questions = rig.bus.questions(WORKER).await.unwrap();
    let (answer, held) = tokio::join!(keep(), questions.next());
    answer.problem(503, "worker-unreachable");
    drop(held);
    let text = rig.api.metrics.render();
    for (outcome, count) in [("unreachable", 1), ("unanswered", 2)] {
        let line = format!("mouthpiece_live_asks_total{{outcome=\"{outcome}\",question=\"keep_alive\"}} {count}");
        assert!(text.contains(&line), "{text}");
    }
}

#[actix_web::test]
async fn a_session_that_has_moved_is_followed_once() {
    let rig = Rig::start().await;
    let (id, _) = rig.running().await;
    let keep = async || Answer::of(rig.ask(Method::POST, &format!("/v1/sessions/{id}/keep_alive"))).await;
    let _here = Stage::set(&rig, declining(NotDone::NotHere)).await;
    // Nothing is known of where it is: come back.
    let told = keep().await;
    assert_eq!(told.header("retry-after"), "1");
    told.problem(409, "conflict");
    // It is known by the time that the old worker has answered.
    let elsewhere = WorkerId(8);
    let there = Stage::on(&rig, elsewhere, obliging).await;
    let mut questions = rig.bus.questions(WORKER).await.unwrap();
    let answers = async {
        let asked = questions.next().await.unwrap();
        rig.moved(id, elsewhere);
        asked.reply.give(LiveAnswer::Declined(Declined { why: NotDone::NotHere, detail: "gone".into() })).await;
    };
    let (answer, ()) = tokio::join!(keep(), answers);
    answer.is(200);
    assert_eq!(there.questions(1).await, [LiveQuestion::KeepAlive]);
}
