//! Live sessions move before their worker leaves: real processes and servers, viewers and callers that go along.

use serde_json::{Value, json};

use crate::{
    api::Api,
    farm::eventually,
    live::{Caller, Viewer, live, sees},
    processes::{Servers, WorkerProcess, has_workers, runs_at},
};

/// A frame at 25 a second, in minutes.
const FRAME: f64 = 1.0 / 25.0 / 60.0;

/// Waits until a coordinator knows a session to run at this placement.
async fn runs_under(api: &Api, session: &str, fence: u64) -> Value {
    eventually("it runs elsewhere", async || {
        let now = api.session(session).await;
        (now["fence"] == fence && now["state"] == "live").then_some(now)
    })
    .await
}

async fn drain(api: &Api, worker: &Value) {
    api.post(&format!("/v1/workers/{}/drain", worker.as_str().unwrap())).await.is(202);
}

/// Says something, and hears that it was said to its end.
async fn says(caller: &mut Caller, event: &str) {
    caller.speak(event, 400).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": event})).await;
    loop {
        let ended = caller.hears("agent.speak_ended").await;
        if ended["event_id"] == event {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_session_moves_before_its_worker_leaves() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let first = servers.coordinator(&mut place);
    let (_place, second) = servers.another(&first);
    let mut one = WorkerProcess::start(&servers, "one");
    for farm in [&first, &second] {
        has_workers(&farm.api, 1).await;
    }
    let (id, token) = live(&first.api, &first.api.avatar().await, json!({"left_timeout_s": 0})).await;
    let visitor = second.api.with(&token);
    let viewer = Viewer::of(&visitor, &id).await;
    sees(&viewer, 25).await;
    let mut caller = Caller::of(&second.api, &id, &token).await;
    says(&mut caller, "before").await;
    let at_first = first.api.session(&id).await;

    // Nowhere to go: it goes on where it is.
    drain(&first.api, &at_first["worker"]).await;
    let before = viewer.seen(|seen| seen.frames);
    sees(&viewer, before + 50).await;
    assert_eq!(first.api.session(&id).await["fence"], 1);

    let _two = WorkerProcess::start(&servers, "two");
    for farm in [&first, &second] {
        let moved = runs_under(&farm.api, &id, 2).await;
        assert_ne!(moved["worker"], at_first["worker"], "{moved}");
    }
    // Who still watches where it was is shown it while the other picture comes.
    let next = Viewer::of(&visitor, &id).await;
    sees(&next, 10).await;
    assert!(!viewer.seen(|seen| seen.closed), "the first connection is the viewer's to close");
    let frames = viewer.seen(|seen| seen.frames);
    visitor.delete(&viewer.location).await.is(200);
    eventually("it is closed there", async || viewer.seen(|seen| seen.closed).then_some(())).await;
    assert_eq!(one.ended().await, Some(0), "nothing keeps the old worker");
    says(&mut caller, "after").await;
    assert!(caller.heard.iter().any(|event| event["state"] == "reconnecting"), "{:?}", caller.heard);
    let before = next.seen(|seen| seen.frames);
    sees(&next, before + 25).await;

    visitor.delete(&next.location).await.is(200);
    let ended = first.api.ended(&id, "participant_left").await;
    assert_eq!(ended["fence"], 2, "{ended}");
    let all = frames + next.seen(|seen| seen.frames);
    let row = eventually("both have told what they delivered", async || {
        let report = first.api.get("/v1/reports/cost?group_by=session").await.is(200).json();
        let row = report["rows"].as_array().unwrap().iter().find(|row| row["group"] == id.as_str())?.clone();
        (row["delivered_minutes"].as_f64()? >= (all as f64 * 0.8 - 60.0) * FRAME).then_some(row)
    })
    .await;
    let delivered = row["delivered_minutes"].as_f64().unwrap();
    assert!(delivered <= (all as f64 + 50.0) * FRAME, "{all} frames were seen: {row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_end_hands_its_live_sessions_over() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    let workers = ["one", "two"].map(|name| WorkerProcess::start(&servers, name));
    has_workers(api, 2).await;
    let avatar = api.avatar().await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (id, token) = live(api, &avatar, json!({})).await;
        let viewer = Viewer::of(&api.with(&token), &id).await;
        sees(&viewer, 5).await;
        sessions.push((id, token, viewer));
    }
    let at = runs_at(api, &sessions[0].0).await;
    assert_eq!(at, runs_at(api, &sessions[1].0).await, "the fullest worker is filled first");
    let [one, two] = workers;
    let (mut leaves, _stays) = if at == "one" { (one, two) } else { (two, one) };
    leaves.signal("TERM");
    let mut followed = Vec::new();
    for (id, token, viewer) in &sessions {
        runs_under(api, id, 2).await;
        let next = Viewer::of(&api.with(token), id).await;
        sees(&next, 5).await;
        api.with(token).delete(&viewer.location).await.is(200);
        followed.push(next);
    }
    assert_eq!(leaves.ended().await, Some(0));
    for (next, (id, ..)) in followed.iter().zip(&sessions) {
        let before = next.seen(|seen| seen.frames);
        sees(next, before + 25).await;
        assert_eq!(api.session(id).await["fence"], 2, "it moved once");
    }
    let moved = api.metrics().await["mouthpiece_live_moves_total"];
    assert!((moved - 2.0).abs() < 0.1, "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_target_dies_costs_nothing() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    let mut one = WorkerProcess::start(&servers, "one");
    has_workers(api, 1).await;
    let (id, token) = live(api, &api.avatar().await, json!({})).await;
    let viewer = Viewer::of(&api.with(&token), &id).await;
    sees(&viewer, 5).await;
    let two = WorkerProcess::start(&servers, "two");
    has_workers(api, 2).await;
    // It stands still from before it is asked until it is killed: what is sent to it is lost.
    two.signal("STOP");
    drain(api, &api.session(&id).await["worker"]).await;
    let before = viewer.seen(|seen| seen.frames);
    sees(&viewer, before + 50).await;
    two.kill();
    let _three = WorkerProcess::start(&servers, "three");
    let moved = runs_under(api, &id, 2).await;
    let next = Viewer::of(&api.with(&token), &id).await;
    sees(&next, 5).await;
    assert!(!viewer.seen(|seen| seen.closed), "{moved}");
    api.with(&token).delete(&viewer.location).await.is(200);
    assert_eq!(one.ended().await, Some(0));
}
