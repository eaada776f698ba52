//! Server-sent events.

use crate::rig::{Answer, BOUND, Rig};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use mouthpiece_coordinator::farm::FarmNews;
use mouthpiece_coordinator::office::KeyScope;
use mouthpiece_domain::session::{EndReason, Phase, Session, SessionEnd};
use reqwest::Method;
use serde_json::Value;
use tokio::time::timeout;

/// A stream of events, read one by one.
struct Events {
    body: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    async fn of(rig: &Rig, path: &str) -> Self {
        let answer = rig.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self { body: answer.bytes_stream().boxed(), text: String::new() }
    }

    /// The next event's name and data; `None` at the end. Comments are passed over.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.to_owned();
                self.text = rest.to_owned();
                if event.starts_with(':') {
                    continue;
                }
                let (name, data) = event.split_once('\n').unwrap();
                let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                return Some((name.strip_prefix("event: ").unwrap().to_owned(), data));
            }
            match timeout(BOUND, self.body.next()).await.unwrap() {
                Some(piece) => self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap()),
                None => return None,
            }
        }
    }

    async fn session(&mut self) -> Value {
        let (name, data) = self.next().await.unwrap();
        assert_eq!(name, "session");
        data
    }

    /// Reads on until the farm is told.
    async fn farm(&mut self) -> Value {
        loop {
            let (name, data) = self.next().await.unwrap();
            if name == "farm" {
                return data;
            }
        }
    }
}

#[actix_web::test]
async fn a_session_is_followed_to_its_end() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let mut events = Events::of(&rig, &format!("/v1/sessions/{id}/events")).await;
    assert_eq!(events.session().await["state"], "requested");
    rig.farm.run(id, 1, 4);
    assert_eq!(events.session().await["progress"]["percent"], 25.0);
    // News of others, and what was told before, are not told.
    let other = rig.render().await;
    rig.farm.run(other, 1, 2);
    rig.farm.run(id, 1, 4);
    rig.farm.run(id, 2, 4);
    let event = events.session().await;
    assert_eq!((event["id"].as_str().unwrap(), &event["progress"]["percent"]), (id.to_string().as_str(), &50.0.into()));
    // Late news of an older state are not told either.
    rig.farm.run(id, 1, 4);
    rig.farm.end(id, SessionEnd::new(EndReason::Cancelled, None));
    assert_eq!(events.session().await["end"]["reason"], "cancelled");
    assert_eq!(events.next().await, None);
}

#[actix_web::test]
async fn a_session_that_ended_is_told_once() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    rig.farm.end(id, SessionEnd::new(EndReason::Failed, "broken".to_owned()));
    let mut events = Events::of(&rig, &format!("/v1/sessions/{id}/events")).await;
    assert_eq!(events.session().await["end"]["detail"], "broken");
    assert_eq!(events.next().await, None);
}

#[actix_web::test]
async fn a_reader_that_was_too_slow_reads_the_state_again() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let mut events = Events::of(&rig, &format!("/v1/sessions/{id}/events")).await;
    events.session().await;
    // Its end is among the news that it loses.
    rig.farm.end(id, SessionEnd::new(EndReason::Cancelled, None));
    for _ in 0..100 {
        rig.farm.tell(FarmNews::Farm);
    }
    assert_eq!(events.session().await["state"], "ended");
    assert_eq!(events.next().await, None);
}

#[actix_web::test]
async fn the_end_is_seen_without_news() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let mut events = Events::of(&rig, &format!("/v1/sessions/{id}/events")).await;
    events.session().await;
    // As if another coordinator had ended it.
    let end = |session: &mut Session| {
        session.phase = Phase::Ended;
        session.end = Some(SessionEnd::new(EndReason::Lost, None));
    };
    rig.memory.kept().sessions.get_mut(&id).map(end).unwrap();
    assert_eq!(events.session().await["end"]["reason"], "lost");
}

#[actix_web::test]
async fn the_farm_is_followed() {
    let rig = Rig::start().await;
    let mut events = Events::of(&rig, "/v1/events").await;
    let (name, farm) = events.next().await.unwrap();
    assert_eq!(name, "farm");
    assert_eq!(farm, rig.get("/v1/workers").await.json());
    let id = rig.render().await;
    rig.farm.run(id, 1, 2);
    assert_eq!(events.session().await["id"], id.to_string());
    assert_eq!(events.farm().await["desired_workers"], 3);
    // However much happens, it is told; and who loses news is told of the sessions again.
    for done in 2..100 {
        rig.farm.run(id, done, 100);
    }
    let mut last = 0;
    while last < 99 {
        let (name, data) = events.next().await.unwrap();
        if name == "session" {
            last = data["progress"]["frames_done"].as_u64().unwrap();
        }
    }
}

#[actix_web::test]
async fn streams_end_when_the_server_stops() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let mut session = Events::of(&rig, &format!("/v1/sessions/{id}/events")).await;
    let mut farm = Events::of(&rig, "/v1/events").await;
    session.session().await;
    farm.farm().await;
    let address = rig.address.clone();
    timeout(BOUND, rig.stop()).await.unwrap();
    while session.next().await.is_some() {}
    while farm.next().await.is_some() {}
    assert!(reqwest::get(format!("{address}/healthz")).await.is_err());
}

#[actix_web::test]
async fn streams_are_bounded() {
    let rig = Rig::with(|s| s.max_streams = 1).await;
    let mut first = Events::of(&rig, "/v1/events").await;
    first.farm().await;
    rig.get("/v1/events").await.problem(503, "no-capacity");
    let id = rig.render().await;
    rig.get(&format!("/v1/sessions/{id}/events")).await.problem(503, "no-capacity");
}

#[actix_web::test]
async fn the_farms_stream_needs_its_scope() {
    let rig = Rig::start().await;
    let secret = rig.key(&[KeyScope::Sessions], |_| {});
    Answer::of(rig.bare(Method::GET, "/v1/events").bearer_auth(secret)).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn one_session_does_not_take_all_streams() {
    let rig = Rig::start().await;
    let (one, other) = (rig.render().await, rig.render().await);
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Events::of(&rig, &format!("/v1/sessions/{one}/events")).await);
    }
    let full = rig.get(&format!("/v1/sessions/{one}/events")).await.problem(429, "over-quota");
    assert!(full["detail"].as_str().unwrap().contains("32 such streams"), "{full}");
    Events::of(&rig, "/v1/events").await.farm().await;
    Events::of(&rig, &format!("/v1/sessions/{other}/events")).await;
}
