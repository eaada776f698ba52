//! Callers that speak straight to the worker of their session: without a coordinator, after a move, after the worker's death.

use std::time::Instant;

use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Error as SocketError};

use crate::{
    api::Api,
    farm::eventually,
    live::{Caller, Viewer, live, sees},
    processes::{Servers, WorkerProcess, has_workers, runs_at},
};

/// A worker that lets callers come.
fn open_worker(servers: &Servers, name: &str) -> WorkerProcess {
    let settings = [("worker.name", name), ("callers.url", "ws://127.0.0.1:0"), ("callers.port", "0")];
    WorkerProcess::start_with(servers, &settings)
}

/// The address at the worker that a session's answer holds, once it runs under this placement.
async fn straight(api: &Api, session: &str, fence: u64) -> String {
    eventually("its worker lets callers come", async || {
        let now = api.session(session).await;
        let live = &now["live"];
        let address = live["direct_audio_url"].as_str().filter(|_| now["fence"] == fence)?;
        assert!(live["direct_audio_expires"].is_string(), "{live}");
        Some(address.to_owned())
    })
    .await
}

/// Watches a session as soon as that can be done.
async fn watches(api: &Api, session: &str) -> Viewer {
    eventually("the session can be watched", async || Viewer::try_of(api, session).await.ok()).await
}

/// A number in a worker's metrics.
async fn measured(worker: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{worker}/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

/// An utterance's end after so many milliseconds, but for what the clock's steering makes of them.
fn is_about(ended: &Value, ms: u64) -> bool {
    ended["played_ms"].as_u64().is_some_and(|played| played.abs_diff(ms) <= 20)
}

async fn says(caller: &mut Caller, event: &str, ms: u32) -> Value {
    caller.speak(event, ms).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": event})).await;
    loop {
        let ended = caller.hears("agent.speak_ended").await;
        if ended["event_id"] == event {
            return ended;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_straight_at_a_worker_speaks_on_when_every_coordinator_is_dead() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = farm.api.clone();
    let worker = open_worker(&servers, "one");
    has_workers(&api, 1).await;
    let (id, token) = live(&api, &api.avatar().await, json!({})).await;
    let viewer = watches(&api.with(&token), &id).await;
    sees(&viewer, 10).await;
    // Whoever has the session's token may come, too; whoever has neither is told nothing of it.
    let url = straight(&api.with(&token), &id, 1).await;
    assert!(url.starts_with("ws://127.0.0.1:") && url.contains(&format!("/v1/sessions/{id}/audio?ticket=")), "{url}");
    let listed = api.get("/v1/sessions").await.is(200).json();
    assert!(listed["sessions"][0]["live"]["direct_audio_url"].is_null(), "a list hands out no rights: {listed}");
    let mut caller = Caller::at(&format!("{url}&sample_rate=16000")).await;
    assert!(is_about(&says(&mut caller, "before", 400).await, 400));

    farm.kill();
    let frames = viewer.seen(|seen| seen.frames);
    caller.speak("after", 1500).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "after"})).await;
    caller.hears("agent.speak_started").await;
    assert!(caller.hears("agent.speak_progress").await["played_ms"].as_u64().unwrap() < 1500);
    assert!(is_about(&caller.hears("agent.speak_ended").await, 1500));
    sees(&viewer, frames + 25).await;
    assert!((measured(&worker.health, "mouthpiece_direct_audio_sockets").await - 1.0).abs() < 0.1);
    let seconds = measured(&worker.health, "mouthpiece_direct_audio_received_seconds_total").await;
    assert!((seconds - 1.9).abs() < 0.01, "{seconds}");

    // What is not signed by this farm, or for another session, opens nothing, and is counted.
    let forged = format!("{}{}", &url[..url.len() - 8], "AAAAAAAA");
    let other = url.replace(&id[4..], &"0".repeat(32));
    for (bad, why) in [(forged, "forged"), (other, "other_session")] {
        let refused = connect_async(bad).await.unwrap_err();
        assert!(matches!(refused, SocketError::Http(r) if r.status() == 401), "{why}");
        let name = format!("mouthpiece_direct_events_total{{event=\"ticket_refused\",why=\"{why}\"}}");
        assert!(measured(&worker.health, &name).await > 0.9, "{why}");
    }
    // It opens that session's audio while it is fresh, as often as need be.
    let position = caller.last("session.position").unwrap()["position"].as_str().unwrap().to_owned();
    drop(caller);
    let mut again = Caller::at(&format!("{url}&after={position}")).await;
    assert_eq!(again.hears("session.resumed").await["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_straight_at_a_worker_is_sent_after_its_session_and_nothing_is_lost() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    let mut one = open_worker(&servers, "one");
    has_workers(api, 1).await;
    let (id, token) = live(api, &api.avatar().await, json!({})).await;
    let visitor = api.with(&token);
    let viewer = watches(&visitor, &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::at(&straight(api, &id, 1).await).await;
    caller.speak("long", 8000).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "long"})).await;
    caller.hears("agent.speak_started").await;
    let _two = open_worker(&servers, "two");
    has_workers(api, 2).await;
    let worker = api.session(&id).await["worker"].as_str().unwrap().to_owned();
    api.post(&format!("/v1/workers/{worker}/drain")).await.is(202);

    // The viewer goes along; then the old worker lets go of callers, hands over what is left, and ends.
    let url = straight(api, &id, 2).await;
    let next = watches(&visitor, &id).await;
    sees(&next, 5).await;
    visitor.delete(&viewer.location).await.is(200);
    let sent_on = caller.hears("session.reconnect").await;
    assert_eq!(sent_on["messages_taken"], 2, "{:?}", caller.heard);
    assert_eq!(caller.closed().await, Some(1012));
    assert_eq!(one.ended().await, Some(0), "nothing keeps the old worker");
    let position = caller.last("session.position").unwrap()["position"].as_str().unwrap().to_owned();
    let mut after = Caller::at(&format!("{url}&after={position}")).await;
    assert_eq!(after.hears("session.resumed").await["complete"], true);
    let ended = after.hears("agent.speak_ended").await;
    assert_eq!(ended["event_id"], "long");
    assert!(is_about(&ended, 8000), "the two parts are one whole: {ended}");
    let begins: Vec<_> = [&caller.heard, &after.heard].into_iter().flatten().collect();
    let count = |kind: &str| begins.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("agent.speak_started"), count("agent.speak_resumed")), (1, 1), "{begins:?}");
    assert!(is_about(&says(&mut after, "next", 300).await, 300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_worker_was_killed_knows_from_where_to_push_again() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    let [one, two] = ["one", "two"].map(|name| open_worker(&servers, name));
    has_workers(api, 2).await;
    let (id, token) = live(api, &api.avatar().await, json!({})).await;
    let viewer = watches(&api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::at(&straight(api, &id, 1).await).await;
    caller.speak("long", 4000).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "long"})).await;
    caller.hears("agent.speak_started").await;
    eventually("half a second of it was heard", async || viewer.seen(|seen| seen.loud >= 25).then_some(())).await;
    let victim = if runs_at(api, &id).await == "one" { one } else { two };
    victim.kill();
    assert_eq!(caller.closed().await, None, "nobody says goodbye");
    let played = caller.last("agent.speak_progress").unwrap()["played_ms"].as_u64().unwrap();
    assert!((100..4000).contains(&played), "{played}");

    // By any coordinator, with the last thing that it heard: what was not played is its own to say.
    let position = caller.last("session.position").unwrap()["position"].as_str().unwrap().to_owned();
    let again = watches(&api.with(&token), &id).await;
    sees(&again, 5).await;
    let mut caller = Caller::after(api, &id, &token, &position).await;
    assert_eq!(caller.hears("session.resumed").await["complete"], false);
    let rest = 4000 - u32::try_from(played).unwrap();
    assert!(is_about(&says(&mut caller, "long", rest).await, u64::from(rest)));
    // And straight at the other one.
    let mut caller = Caller::at(&straight(api, &id, 2).await).await;
    assert!(is_about(&says(&mut caller, "next", 300).await, 300));
}

/// There and back, 1,000 times: the median and the 99th percentile, microseconds.
async fn round_trips(caller: &mut Caller) -> (u128, u128) {
    let mut took = Vec::new();
    for n in 0..1000 {
        let (sent, event) = (Instant::now(), n.to_string());
        caller.say(json!({"type": "session.keep_alive", "event_id": event})).await;
        while caller.hears("session.state_updated").await["event_id"] != event {}
        took.push(sent.elapsed().as_micros());
    }
    took.sort_unstable();
    (took[500], took[990])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, for the documents: cargo test --workspace --test farm -- --ignored --nocapture round_trip"]
async fn figures_of_a_round_trip_through_a_coordinator_and_without() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    let _worker = open_worker(&servers, "one");
    has_workers(api, 1).await;
    let (id, token) = live(api, &api.avatar().await, json!({})).await;
    let viewer = watches(&api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut through = Caller::of(api, &id, &token).await;
    let mut straight = Caller::at(&straight(api, &id, 1).await).await;
    for _ in 0..3 {
        println!("through a coordinator (p50, p99): {:?} us", round_trips(&mut through).await);
        println!("straight at the worker (p50, p99): {:?} us", round_trips(&mut straight).await);
    }
}
