//! Renders over HTTP.

use crate::{
    farm::{Place, eventually},
    film::{frames, lip_travel, meshes, number, probe},
    fixtures,
};

#[tokio::test]
async fn a_portrait_and_speech_become_a_film() {
    let mut place = Place::new(&[("worker.measure", "true")]);
    let farm = place.up();
    let api = &farm.api;
    let asked = api.render(&fixtures::speech(1.0), &[("metadata", r#"{"for":"the test"}"#)]).await.is(202);
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(asked.leads(asked.header("location")), format!("/v1/renders/{id}"));
    assert_eq!(asked.json()["metadata"]["for"], "the test");

    // Its progress, as a page would watch it.
    let mut events = api.events(&format!("/v1/sessions/{id}/events")).await;
    let mut states: Vec<String> = Vec::new();
    let mut last = serde_json::Value::Null;
    let mut done = 0;
    while let Some((name, session)) = events.next().await {
        assert_eq!((name.as_str(), session["id"].as_str()), ("session", Some(id.as_str())));
        let state = session["state"].as_str().unwrap();
        if states.last().is_none_or(|before| before != state) {
            states.push(state.to_owned());
        }
        let now = session["progress"]["frames_done"].as_u64().unwrap();
        assert!(now >= done, "{session}: progress shrank from {done}");
        done = now;
        last = session;
    }
    let order = ["requested", "assigned", "preparing", "rendering", "draining", "ended"];
    let ranks: Vec<_> = states.iter().map(|s| order.iter().position(|o| o == s).unwrap()).collect();
    assert!(ranks.is_sorted() && ranks.last() == Some(&5), "{states:?}");
    assert_eq!(last["end"]["reason"], "completed", "{last}");
    assert_eq!((&last["progress"]["frames_total"], &last["result"]["frames"]), (&25.into(), &25.into()), "{last}");

    // What came of it.
    let whole = api.get(&format!("/v1/sessions/{id}")).await;
    let url = &whole.leads(whole.json()["result"]["url"].as_str().unwrap());
    let film = api.get(url).await.is(200);
    assert_eq!(film.header("content-type"), "video/mp4");
    assert_eq!(last["result"]["bytes"], film.body.len());
    let path = place.path("film.mp4");
    std::fs::write(&path, &film.body).unwrap();
    let probed = probe(&path);
    let codecs: Vec<_> =
        probed["streams"].as_array().unwrap().iter().map(|s| s["codec_name"].as_str().unwrap()).collect();
    assert_eq!(codecs, ["h264", "aac"]);
    assert!((number(&probed["format"]["duration"]) - 1.0).abs() < 0.1, "{probed}");
    let frames = frames(&path);
    assert_eq!(frames.len(), 25);
    assert!(lip_travel(&meshes(&frames)) > 0.08, "the lips move");

    // A player asks for parts.
    let part = api.range(url, "bytes=4-7").await.is(206);
    assert_eq!(
        (part.body.as_slice(), part.header("content-range")),
        (&b"ftyp"[..], format!("bytes 4-7/{}", film.body.len()).as_str())
    );
    assert!(
        api.get(&format!("{url}?download=1")).await.is(200).header("content-disposition").starts_with("attachment")
    );
}

#[tokio::test]
async fn an_avatar_is_prepared_once_and_renders_again() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let first = api.accepted(&fixtures::speech(0.4), &[]).await;
    let avatar = api.ended(&first, "completed").await["avatar_id"].as_str().unwrap().to_owned();
    let ready = eventually("the avatar is ready", async || {
        let avatar = api.get(&format!("/v1/avatars/{avatar}")).await.is(200);
        (avatar.json()["state"] == "ready").then_some(avatar)
    });
    let ready = ready.await;
    let preview = api.get(&ready.leads(ready.json()["preview"].as_str().unwrap())).await.is(200);
    assert_eq!(preview.header("content-type"), "image/png");
    assert!(image::load_from_memory(&preview.body).is_ok());

    let again = api.accepted(&fixtures::speech(0.4), &[("seed", "2")]).await;
    let session = api.ended(&again, "completed").await;
    assert_eq!(session["avatar_id"], avatar.as_str(), "the same picture is the same avatar");
    let films: Vec<_> = [&first, &again].map(|id| format!("/v1/renders/{id}/result")).into();
    assert_ne!(
        api.get(&films[0]).await.is(200).body,
        api.get(&films[1]).await.is(200).body,
        "another seed, another film"
    );
}

#[tokio::test]
async fn two_renders_run_at_once_on_two_slots() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    let speech = long(120);
    let (a, b) = (api.accepted(&speech, &[]).await, api.accepted(&speech, &[]).await);
    let both = eventually("both are rendered at once", async || {
        let farm = api.farm().await;
        let slots = farm["workers"][0]["slots"].as_array()?.clone();
        let running = |s: &serde_json::Value| s["session"]["progress"]["frames_done"].as_u64().is_some_and(|n| n > 0);
        (slots.len() == 2 && slots.iter().all(running)).then_some(slots)
    });
    let slots = both.await;
    let mut held: Vec<_> = slots.iter().map(|s| s["session"]["id"].as_str().unwrap()).collect();
    held.sort_unstable();
    let mut asked = [a.as_str(), b.as_str()];
    asked.sort_unstable();
    assert_eq!(held, asked);
    let (a, b) = (api.ended(&a, "completed").await, api.ended(&b, "completed").await);
    assert_ne!(a["slot"], b["slot"]);
    let films = [&a, &b].map(|s| format!("/v1/renders/{}/result", s["id"].as_str().unwrap()));
    assert_eq!(
        api.get(&films[0]).await.is(200).body,
        api.get(&films[1]).await.is(200).body,
        "the same request, the same film"
    );
}

#[tokio::test]
async fn what_cannot_be_used_ends_with_its_reason() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let api = &farm.api;
    // A recording that is none is refused, now or when it is looked at; either way the caller is told why.
    let answer = api.render(b"this is no recording", &[]).await;
    if answer.status.as_u16() == 202 {
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let session = api.ended(&id, "bad_input").await;
        assert!(session["end"]["detail"].as_str().is_some_and(|d| d.len() > 10), "{session}");
        api.get(&format!("/v1/renders/{id}/result")).await.problem(404, "not-found");
    } else {
        assert!([415, 422].contains(&answer.status.as_u16()), "{answer:?}");
        assert_eq!(answer.json()["field"], "speech");
    }
    for (option, value) in [("fps", "24"), ("size", "0"), ("preset", "best")] {
        let problem = api.render(&fixtures::speech(0.2), &[(option, value)]).await.problem(422, "invalid-field");
        assert_eq!(problem["field"], option, "{problem}");
    }
}

/// `seconds` of speech, by repetition.
pub fn long(seconds: u32) -> Vec<u8> {
    let speech = fixtures::speech(10.0);
    fixtures::wav(24_000, 1, &speech[44..].repeat(seconds.div_ceil(10) as usize))
}
