//! Live sessions: watched over WebRTC, spoken to over the audio socket.

mod caller;
mod viewer;

use std::net::UdpSocket;

pub use caller::Caller;
use serde_json::{Value, json};
use viewer::Offer;
pub use viewer::Viewer;

use crate::{
    api::Api,
    farm::{Place, eventually},
};

/// Asks for a live session; it and its token.
pub async fn live(api: &Api, avatar: &str, more: Value) -> (String, String) {
    let mut asked = json!({"kind": "live", "avatar_id": avatar, "size": 128});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = api.post_body("/v1/sessions", "application/json", asked.to_string()).await.is(201).json();
    (made["id"].as_str().unwrap().to_owned(), made["live"]["token"].as_str().unwrap().to_owned())
}

/// The same with a new avatar, and somebody who sees it.
async fn watched(api: &Api, more: Value) -> (String, String, Viewer) {
    let (id, token) = live(api, &api.avatar().await, more).await;
    let viewer = Viewer::of(&api.with(&token), &id).await;
    sees(&viewer, 1).await;
    (id, token, viewer)
}

pub async fn sees(viewer: &Viewer, frames: u64) {
    eventually("frames come", async || viewer.seen(|seen| seen.frames >= frames).then_some(())).await;
}

#[tokio::test]
async fn a_face_speaks_to_whoever_watches() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let avatar = api.avatar().await;
    let (id, token) = live(api, &avatar, json!({"metadata": {"who": "a test"}})).await;
    let first = Viewer::of(&api.with(&token), &id).await;
    sees(&first, 10).await;
    assert_eq!(first.seen(|seen| seen.loud), 0, "it is silent until somebody speaks");

    let mut caller = Caller::of(api, &id, &token).await;
    caller.speak("one", 600).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "one"})).await;
    assert_eq!(caller.hears("agent.speak_started").await["event_id"], "one");
    let ended = caller.hears("agent.speak_ended").await;
    assert_eq!((&ended["event_id"], &ended["played_ms"]), (&json!("one"), &json!(600)));
    eventually("the sound was heard", async || first.seen(|seen| seen.loud >= 29).then_some(())).await;

    // A late viewer begins at a key frame, and the first one is not disturbed.
    let late = Viewer::of(&api.with(&token), &id).await;
    sees(&late, 10).await;
    assert!(!late.seen(|seen| seen.began_broken) && !first.seen(|seen| seen.began_broken));
    let status = api.get(&format!("/v1/sessions/{id}/live")).await.is(200).json();
    assert_eq!(status["viewers"], 2, "{status}");

    let session = api.session(&id).await;
    assert_eq!((&session["state"], &session["kind"]), (&json!("live"), &json!("live")), "{session}");
    api.delete(&format!("/v1/sessions/{id}")).await;
    let session = api.ended(&id, "cancelled").await;
    assert!(session["progress"]["frames_done"].as_u64().unwrap() > 0, "{session}");
    eventually("the viewers are told", async || first.seen(|seen| seen.closed).then_some(())).await;
    eventually("nothing is left", async || {
        let m = api.metrics().await;
        (m["mouthpiece_live_sessions"] == 0.0 && m["mouthpiece_live_viewers"] == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_interruption_is_told_once_with_what_was_played() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let (id, token, _viewer) = watched(api, json!({})).await;
    let mut caller = Caller::of(api, &id, &token).await;
    caller.speak("long", 9000).await;
    caller.hears("agent.speak_started").await;
    api.with(&token).post(&format!("/v1/sessions/{id}/interrupt")).await;
    let cut = caller.hears("agent.speak_interrupted").await;
    assert_eq!(cut["event_id"], "long");
    assert!(cut["played_ms"].as_u64().unwrap() < 9000, "{cut}");
    caller.speak("short", 100).await;
    caller.say(json!({"type": "agent.speak_end"})).await;
    assert_eq!(caller.hears("agent.speak_ended").await["event_id"], "short");
    assert_eq!((caller.count("agent.speak_interrupted"), caller.count("agent.speak_ended")), (1, 1));
}

#[tokio::test]
async fn after_an_interruption_the_face_talks_no_more() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let (id, token, viewer) = watched(&farm.api, json!({})).await;
    let mut caller = Caller::of(&farm.api, &id, &token).await;
    for round in ["one", "two", "three"] {
        caller.speak(round, 5000).await;
        caller.hears("agent.speak_started").await;
        let before = viewer.seen(|seen| seen.frames);
        sees(&viewer, before + 15).await;
        caller.say(json!({"type": "agent.interrupt", "event_id": "stop"})).await;
        let cut = caller.hears("agent.speak_interrupted").await;
        assert!(cut["event_id"] == round && cut["played_ms"].as_u64().unwrap() > 100, "{cut}");
        let state = caller.hears("agent.state_updated").await;
        assert_eq!((&state["state"], &state["event_id"]), (&json!("idle"), &json!("stop")), "{state}");
        // What the ear had heard of it is long over by then.
        let (told, before) = (caller.heard.len(), viewer.seen(|seen| seen.frames));
        sees(&viewer, before + 40).await;
        caller.say(json!({"type": "session.keep_alive", "event_id": "kept"})).await;
        assert_eq!(caller.hears("session.state_updated").await["event_id"], "kept");
        let since: Vec<_> =
            caller.heard[told..].iter().filter(|event| event["type"] == "agent.state_updated").collect();
        assert!(since.is_empty(), "{since:?}");
    }
    // Each turn was told as one.
    let states: Vec<_> = caller.heard.iter().filter(|event| event["type"] == "agent.state_updated").collect();
    let talking = states.iter().filter(|event| event["state"] == "talking").count();
    assert_eq!(talking, 3, "{states:?}");
}

#[tokio::test]
async fn every_message_is_answered() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let (id, token, _viewer) = watched(&farm.api, json!({})).await;
    let mut caller = Caller::of(&farm.api, &id, &token).await;
    caller.hears("agent.state_updated").await;
    for (verb, answers) in [
        ("agent.interrupt", &["agent.speak_interrupted", "agent.state_updated"][..]),
        ("agent.speak_end", &["agent.speak_ended"]),
        ("agent.start_listening", &["agent.state_updated"]),
        ("agent.start_listening", &["agent.state_updated"]),
        ("agent.stop_listening", &["agent.state_updated"]),
        ("session.keep_alive", &["session.state_updated"]),
    ] {
        let told = caller.heard.len();
        caller.say(json!({"type": verb, "event_id": verb})).await;
        for answer in answers {
            let event = caller.hears(answer).await;
            assert_eq!(event["event_id"], verb, "{event}");
            assert!(event["played_ms"].is_null() || event["played_ms"] == 0, "{event}");
        }
        // Where the caller stands is told besides.
        let answered = caller.heard[told..].iter().filter(|event| event["type"] != "session.position").count();
        assert_eq!(answered, answers.len(), "{verb}: {:?}", &caller.heard[told..]);
    }
    // An utterance of one sample is one.
    for rate in [8_000, 11_025, 24_000, 48_000] {
        caller.say(json!({"type": "agent.speak", "audio": "AQA=", "sample_rate": rate, "event_id": "tiny"})).await;
        caller.say(json!({"type": "agent.speak_end"})).await;
        for event in ["agent.speak_started", "agent.speak_ended"] {
            assert_eq!(caller.hears(event).await["event_id"], "tiny", "{rate}");
        }
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_when_nobody_needs_it() {
    let mut place = Place::new(&[("worker.slots", "4")]);
    let farm = place.up();
    let api = &farm.api;
    let avatar = api.avatar().await;
    let (absent, _) = live(api, &avatar, json!({"absent_timeout_s": 1})).await;
    let (left, token) = live(api, &avatar, json!({"left_timeout_s": 0})).await;
    let (idle, of_idle) = live(api, &avatar, json!({"idle_timeout_s": 1})).await;
    let (long, _) = live(api, &avatar, json!({"max_duration_s": 2})).await;
    let watching = Viewer::of(&api.with(&of_idle), &idle).await;
    let viewer = Viewer::of(&api.with(&token), &left).await;
    sees(&viewer, 1).await;
    api.with(&token).delete(&viewer.location).await.is(200);
    api.ended(&left, "participant_left").await;
    api.ended(&absent, "participant_absent").await;
    api.ended(&idle, "idle_timeout").await;
    api.ended(&long, "max_duration").await;
    drop(watching);
}

#[tokio::test]
async fn a_viewer_that_vanishes_is_forgotten() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let (id, _, viewer) = watched(api, json!({"left_timeout_s": 1})).await;
    drop(viewer);
    api.ended(&id, "participant_left").await;
}

#[tokio::test]
async fn noise_at_the_port_harms_nobody() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let (id, token, viewer) = watched(api, json!({})).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut noise = 1_u64;
    for n in 0..20_000_usize {
        let mut datagram = vec![0; n % 1500];
        for byte in &mut datagram {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (noise >> 56) as u8;
        }
        let _ = socket.send_to(&datagram, viewer.worker);
    }
    let before = viewer.seen(|seen| seen.frames);
    sees(&viewer, before + 25).await;
    let (viewing, path) = (api.with(&token), format!("/v1/sessions/{id}/whep"));
    for bad in ["", "v=0", "not an offer", &"a".repeat(70_000)] {
        let answer = viewing.post_body(&path, "application/sdp", bad.to_owned()).await;
        assert!([400, 413, 422].contains(&answer.status.as_u16()), "{answer:?}");
    }
    let vp8_only = Offer::new().sdp.replace("H264", "VP8");
    viewing.post_body(&path, "application/sdp", vp8_only).await.is(406);
    let before = viewer.seen(|seen| seen.frames);
    sees(&viewer, before + 25).await;
}
