//! Servers that go away and come back, workers that are killed while somebody listens, networks that are cut.

use std::{
    net::TcpListener,
    process::{Child, Stdio},
};

use mouthpiece_servers::{Harm, HarmfulProxy};
use serde_json::{Value, json};

use crate::{
    api::Api,
    farm::eventually,
    live::{Caller, Viewer, live, sees},
    processes::{Servers, WorkerProcess, has_workers, runs_at},
};

/// Terms under which a server may be away for as long as a test takes to look at that.
const PATIENT_LEASE: [(&str, &str); 4] =
    [("lease.renew", "500ms"), ("lease.soft_stop", "40s"), ("lease.hard_stop", "50s"), ("lease.expiry", "60s")];

/// Asks for a live session, whatever comes of it.
async fn ask(api: &Api, avatar: &str) -> crate::api::Answer {
    let asked = json!({"kind": "live", "avatar_id": avatar, "size": 128}).to_string();
    api.post_body("/v1/sessions", "application/json", asked).await
}

/// Watches a session as soon as that can be done again.
async fn watches_again(api: &Api, session: &str) -> Viewer {
    eventually("the session can be watched again", async || Viewer::try_of(api, session).await.ok()).await
}

/// Says something of so many milliseconds, and hears that it was said to its end.
async fn says(caller: &mut Caller, name: &str, ms: u32) -> Value {
    caller.speak(name, ms).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": name})).await;
    caller.hears("agent.speak_ended").await
}

/// A process that is killed when its test is over.
struct KilledChild(Child);

impl Drop for KilledChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Broker,
    Records,
    Bucket,
    Pool,
}

async fn set(servers: &mut Servers, server: Server, up: bool) {
    match (server, up) {
        (Server::Broker, false) => servers.rabbit.kill(),
        (Server::Broker, true) => servers.rabbit.start_again().await.unwrap(),
        (Server::Records, false) => servers.postgres.end(9),
        (Server::Records, true) => servers.postgres.start_again().await.unwrap(),
        (Server::Bucket, false) => servers.bucket.stop().await,
        (Server::Bucket, true) => servers.bucket.start_again().await.unwrap(),
        (Server::Pool, false) => servers.redis.kill(),
        (Server::Pool, true) => servers.redis.start_again().await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_stops_no_session_and_takes_nothing_new() {
    let mut servers = Servers::start().await;
    let mut place = servers.place(&PATIENT_LEASE);
    let farm = servers.coordinator(&mut place);
    let settings = [&[("worker.name", "one")][..], &PATIENT_LEASE].concat();
    let _worker = WorkerProcess::start_with(&servers, &settings);
    has_workers(&farm.api, 1).await;
    let avatar = farm.api.avatar().await;
    let (id, token) = live(&farm.api, &avatar, json!({})).await;
    let viewer = Viewer::of(&farm.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::of(&farm.api, &id, &token).await;

    for server in [Server::Broker, Server::Records, Server::Bucket, Server::Pool] {
        set(&mut servers, server, false).await;
        let refused = eventually("nothing new is taken", async || {
            let answer = ask(&farm.api, &avatar).await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0, "{server:?}");
        refused.problem(503, "store-unavailable");
        assert_eq!(farm.api.get("/healthz").await.status, 200, "{server:?}");
        let before = viewer.seen(|seen| seen.frames);
        let ended = says(&mut caller, "on", 400).await;
        assert_eq!(ended["played_ms"], 400, "{server:?}: {ended}");
        sees(&viewer, before + 25).await;

        set(&mut servers, server, true).await;
        let ready = async || (farm.api.get("/readyz").await.status == 200).then_some(());
        eventually("it is ready again", ready).await;
    }
    // What was delivered meanwhile is booked; none of it twice.
    let frames = viewer.seen(|seen| seen.frames);
    farm.api.delete(&format!("/v1/sessions/{id}")).await;
    let session = farm.api.ended(&id, "cancelled").await;
    assert_eq!(session["fence"], 1, "it never ran elsewhere: {session}");
    let booked = eventually("it is booked", async || {
        let report = farm.api.get("/v1/reports/cost?group_by=session").await.is(200).json();
        report["rows"].as_array()?.iter().find(|row| row["group"] == id.as_str()).cloned()
    })
    .await;
    let seconds = frames as f64 / 25.0;
    let delivered = booked["delivered_minutes"].as_f64().unwrap() * 60.0;
    assert!((delivered - seconds).abs() < 2.0, "{delivered} s for {seconds} s of frames: {booked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_not_said_is_said_by_another() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let [one, two] = ["one", "two"].map(|name| WorkerProcess::start_with(&servers, &[("worker.name", name)]));
    has_workers(&farm.api, 2).await;
    let (id, token) = live(&farm.api, &farm.api.avatar().await, json!({})).await;
    let viewer = Viewer::of(&farm.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::of(&farm.api, &id, &token).await;
    caller.speak("long", 4000).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "long"})).await;
    caller.speak("next", 300).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "next"})).await;
    caller.hears("agent.speak_started").await;
    eventually("a second of it was heard", async || viewer.seen(|seen| seen.loud >= 50).then_some(())).await;

    let victim = if runs_at(&farm.api, &id).await == "one" { one } else { two };
    victim.kill();
    let again = watches_again(&farm.api.with(&token), &id).await;
    sees(&again, 10).await;
    let resumed = caller.hears("agent.speak_resumed").await;
    let from = resumed["from_ms"].as_u64().unwrap();
    assert!(resumed["event_id"] == "long" && (500..4000).contains(&from), "{resumed}");
    let ended = caller.hears("agent.speak_ended").await;
    assert_eq!(ended["event_id"], "long");
    assert!(ended["played_ms"].as_u64().unwrap().abs_diff(4000) <= 20, "the two parts are one whole: {ended}");
    assert_eq!(caller.hears("agent.speak_ended").await["event_id"], "next");
    assert_eq!(caller.count("agent.speak_started"), 2, "each begins once: {:?}", caller.heard);
    assert_eq!(farm.api.session(&id).await["fence"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_coordinator_was_killed_hears_from_another_what_came_since() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let first = servers.coordinator(&mut place);
    let (_place, second) = servers.another(&first);
    let _worker = WorkerProcess::start_with(&servers, &[("worker.name", "one")]);
    has_workers(&first.api, 1).await;
    let (id, token) = live(&first.api, &first.api.avatar().await, json!({})).await;
    let viewer = Viewer::of(&first.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::of(&first.api, &id, &token).await;
    says(&mut caller, "before", 300).await;
    let position = caller.hears("session.position").await["position"].as_str().unwrap().to_owned();
    caller.speak("meanwhile", 1500).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "meanwhile"})).await;
    caller.hears("agent.speak_started").await;
    first.kill();

    // Nobody's video stops, and the utterance ends while nobody listens.
    let frames = viewer.seen(|seen| seen.frames);
    sees(&viewer, frames + 50).await;
    let mut caller = Caller::after(&second.api, &id, &token, &position).await;
    assert_eq!(caller.hears("session.resumed").await["complete"], true);
    assert_eq!(caller.hears("agent.speak_started").await["event_id"], "meanwhile");
    assert_eq!(caller.hears("agent.speak_ended").await["event_id"], "meanwhile");
    assert_eq!(says(&mut caller, "after", 300).await["played_ms"], 300);
    // It is ended through the other one, too.
    second.api.delete(&format!("/v1/sessions/{id}")).await;
    second.api.ended(&id, "cancelled").await;
    eventually("the viewer is told", async || viewer.seen(|seen| seen.closed).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_cut_off_stops_before_its_sessions_run_elsewhere() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    // The one is reached, and reaches others, but for the pool; it is alone, so that the session runs there.
    let to_pool = HarmfulProxy::start(servers.redis_address()).await.unwrap();
    let through = format!("redis://{}", to_pool.address());
    let _one = WorkerProcess::start_with(&servers, &[("worker.name", "one"), ("stores.pool", &through)]);
    has_workers(&farm.api, 1).await;
    let (id, token) = live(&farm.api, &farm.api.avatar().await, json!({})).await;
    let viewer = Viewer::of(&farm.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let _two = WorkerProcess::start_with(&servers, &[("worker.name", "two")]);
    has_workers(&farm.api, 2).await;

    to_pool.set(Harm::AcceptThenSilence);
    eventually("it runs elsewhere", async || (farm.api.session(&id).await["fence"] == 2).then_some(())).await;
    assert_eq!(runs_at(&farm.api, &id).await, "two");
    let again = watches_again(&farm.api.with(&token), &id).await;
    sees(&again, 10).await;
    // The first viewer's picture had stopped before: what it has seen by now it will have seen for good.
    let last = viewer.seen(|seen| seen.frames);
    let more = again.seen(|seen| seen.frames) + 25;
    sees(&again, more).await;
    assert_eq!(viewer.seen(|seen| seen.frames), last, "nobody is served twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_finds_no_records_says_so_and_begins_when_they_come() {
    let mut servers = Servers::start().await;
    servers.postgres.end(9);
    let place = servers.place(&[]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut command = place.command(&["coordinator", "--port", &port]);
    let _starting = KilledChild(command.stdout(Stdio::null()).spawn().unwrap());
    let address = format!("http://127.0.0.1:{port}");
    let get = async |path: &str| reqwest::get(format!("{address}{path}")).await;
    let unready = eventually("it answers", async || get("/readyz").await.ok()).await;
    assert_eq!(unready.status(), 503);
    assert!(unready.text().await.unwrap().contains("not open yet"));
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    let refused = get("/v1/sessions").await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    servers.postgres.start_again().await.unwrap();
    let ready = async || get("/readyz").await.ok().filter(|answer| answer.status() == 200).map(drop);
    eventually("it is ready", ready).await;
}
