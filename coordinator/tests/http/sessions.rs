//! Sessions and renders: made once, listed, looked at, cancelled.

use crate::rig::{Answer, Form, PNG, Rig, WAV};
use futures_util::future::join_all;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{EndReason, RenderPreset, SessionEnd};
use reqwest::Method;
use serde_json::json;
use std::collections::HashSet;

#[actix_web::test]
async fn a_render_is_accepted_with_its_options() {
    let rig = Rig::start().await;
    let form = Form::default()
        .text("fps", "30")
        .text("size", "256")
        .text("preset", "fast")
        .file("speech", WAV)
        .text("seed", "7")
        .text("head", "false")
        .text("blinks", "false")
        .text("crop", "head")
        .text("motion", "40")
        .text("expression", "serious")
        .text("face", "2")
        .text("queue_timeout_s", "5")
        .text("max_duration_s", "60")
        .file("portrait", PNG)
        .text("metadata", r#"{"shot":"12"}"#);
    let answer = Answer::of(rig.form("/v1/renders", &form)).await.is(202);
    let body = answer.json();
    assert_eq!(answer.location(), format!("/v1/renders/{}", answer.id()));
    assert_eq!(
        body["options"],
        json!({"fps":30,"size":256,"size_up_to":null,"crop":"head","preset":"fast","seed":7,"head":false,"motion":40,
            "expression":"serious","blinks":false,"face":2})
    );
    assert_eq!((&body["state"], &body["kind"], &body["fence"]), (&json!("requested"), &json!("render"), &json!(1)));
    assert_eq!((&body["queue_timeout_ms"], &body["max_duration_ms"]), (&json!(5000), &json!(60_000)));
    assert_eq!(body["metadata"], json!({"shot": "12"}));
    for null in ["worker", "slot", "end", "result"] {
        assert!(body[null].is_null() && body.as_object().unwrap().contains_key(null), "{null}: {body}");
    }
    let kept = rig.memory.kept();
    let session = &kept.sessions[&answer.id()];
    let avatar = &kept.avatars[&session.avatar];
    assert_eq!((session.spec.preset, session.spec.face, avatar.face), (RenderPreset::Fast, Some(2), Some(2)));
    assert_eq!((avatar.prepared_by, avatar.media_type.as_str()), (session.id, "image/png"));
    assert_eq!(kept.blobs[&session.spec.portrait], PNG);
    assert_eq!(kept.blobs[session.spec.speech.as_ref().unwrap()], WAV);
    assert!(session.spec.portrait.as_str().starts_with("uploads/"));
    drop(kept);
    assert_eq!(rig.staged(), Vec::<String>::new());
}

#[actix_web::test]
async fn the_same_portrait_is_one_avatar() {
    let rig = Rig::start().await;
    rig.render().await;
    let avatar = rig.avatar_of_first_render().await;
    rig.render().await;
    let form = Form::default().text("avatar_id", &avatar).file("speech", WAV);
    let body = Answer::of(rig.form("/v1/renders", &form)).await.is(202).json();
    assert_eq!((body["avatar_id"].as_str().unwrap(), rig.memory.kept().avatars.len()), (avatar.as_str(), 1));
}

#[actix_web::test]
async fn what_cannot_be_rendered_is_named() {
    let rig = Rig::start().await;
    let avatar = "avt_".to_owned() + &"0".repeat(32);
    let both = || Form::default().file("portrait", PNG).file("speech", WAV);
    for (form, field) in [
        (Form::default().file("speech", WAV), "portrait"),
        (Form::default().file("portrait", PNG), "speech"),
        (both().text("avatar_id", &avatar), "avatar_id"),
        (Form::default().file("speech", WAV).text("avatar_id", &avatar), "avatar_id"),
        (Form::default().file("speech", WAV).text("avatar_id", "x"), "avatar_id"),
        (Form::default().file("speech", WAV).text("avatar_id", &avatar).text("face", "1"), "face"),
        (both().text("fps", "24"), "fps"),
        (both().text("fps", ""), "fps"),
        (both().text("size", "64.5"), "size"),
        (both().text("face", "17"), "face"),
        (both().text("head", "yes"), "head"),
        (both().text("metadata", "[]"), "metadata"),
        (both().text("metadata", "{\"a\":\"\\u0000\"}"), "metadata"),
        (both().text("seed", "-1"), "seed"),
        (both().text("seed", "1").text("seed", "1"), "seed"),
        (both().file("speech", WAV), "speech"),
        (both().text("quality", "1"), "quality"),
        (both().text("", "1"), ""),
        (both().part("name=\"preset\"", b"\xff"), "preset"),
        (Form::default().file("portrait", b"").file("speech", WAV), "portrait"),
    ] {
        let answer = Answer::of(rig.form("/v1/renders", &form)).await;
        if field.is_empty() {
            assert!([400, 422].contains(&answer.status), "{}", answer.text());
        } else {
            answer.blames(field);
        }
    }
    assert!(rig.memory.kept().sessions.is_empty() && rig.staged().is_empty());
    let many = (0..50).fold(both(), |form, n| form.text("metadata", &n.to_string()));
    assert_eq!(Answer::of(rig.form("/v1/renders", &many)).await.status, 422);
}

#[actix_web::test]
async fn what_cannot_be_a_session_is_named() {
    let rig = Rig::start().await;
    rig.render().await;
    let avatar = rig.avatar_of_first_render().await;
    let with = |more: &str| {
        format!(r#"{{"kind":"render","avatar_id":"{avatar}","speech_url":"http://example.com/a.wav"{more}}}"#)
    };
    for (body, field) in [
        ("{}".to_owned(), "kind"),
        (r#"{"kind":"prepare"}"#.into(), "kind"),
        (r#"{"kind":5}"#.into(), "kind"),
        (r#"{"kind":"render"}"#.into(), "avatar_id"),
        (r#"{"kind":"render","avatar_id":5}"#.into(), "avatar_id"),
        (format!(r#"{{"kind":"render","avatar_id":"{avatar}"}}"#), "speech_url"),
        (with(r#","fps":29"#), "fps"),
        (with(r#","size":"512""#), "size"),
        (with(r#","metadata":{"a":null}"#), "metadata"),
        (with(r#","idle_timeout_s":5"#), "idle_timeout_s"),
        (with("").replace("http:", "ftp:"), "speech_url"),
        (with("").replace("http://example.com/a.wav", "nonsense"), "speech_url"),
        (with("").replace("a.wav", &"a".repeat(2000)), "speech_url"),
    ] {
        rig.post_json("/v1/sessions", &body).await.blames(field);
    }
    assert_eq!(rig.memory.kept().sessions.len(), 1);
}

#[actix_web::test]
async fn the_same_request_again_makes_nothing_new() {
    let rig = Rig::start().await;
    let form = Form::default().file("portrait", PNG).file("speech", WAV);
    let post = async |form: &Form, token: &str| {
        Answer::of(rig.form("/v1/renders", form).header("idempotency-key", token)).await
    };
    let first = post(&form, "one").await.is(202);
    assert_eq!(first.header("idempotent-replay"), "");
    let again = post(&form, "one").await.is(200);
    assert_eq!((again.id(), again.header("idempotent-replay")), (first.id(), "true"));
    // Saying a default, and the order of fields, are not another request; another option is.
    let same = Form::default().file("speech", WAV).text("fps", "25").file("portrait", PNG);
    assert_eq!(post(&same, "one").await.is(200).id(), first.id());
    post(&form.clone().text("fps", "30"), "one").await.problem(422, "idempotency-reused");
    assert_ne!(post(&form, "two").await.is(202).id(), first.id());
    // Of a session that has ended, too.
    rig.farm.end(first.id(), SessionEnd::new(EndReason::Failed, None));
    assert_eq!(post(&form, "one").await.is(200).json()["state"], "ended");
    for bad in ["", "a b", "ä", &"x".repeat(256)] {
        post(&form, bad).await.blames("Idempotency-Key");
    }
    assert_eq!(rig.memory.kept().sessions.len(), 2);
}

#[actix_web::test]
async fn twenty_at_once_make_one_session() {
    let rig = Rig::start().await;
    let form = Form::default().file("portrait", PNG).file("speech", WAV);
    let posts = (0..20).map(|_| Answer::of(rig.form("/v1/renders", &form).header("idempotency-key", "race")));
    let answers = join_all(posts).await;
    let ids: HashSet<_> = answers.iter().map(Answer::id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|a| a.status == 202).count(), 1);
    assert!(answers.iter().all(|a| a.status == 202 || (a.status == 200 && a.header("idempotent-replay") == "true")));
    // However the race went, the avatar is prepared by the session that there is.
    let kept = rig.memory.kept();
    assert_eq!((kept.sessions.len(), kept.avatars.len()), (1, 1));
    let prepared_by = kept.avatars.values().next().unwrap().prepared_by;
    assert!(kept.sessions.contains_key(&prepared_by));
}

#[actix_web::test]
async fn sessions_are_listed_newest_first_in_pages() {
    let rig = Rig::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, rig.render().await);
    }
    let listed = async |query: &str| {
        let body = rig.get(&format!("/v1/sessions?{query}")).await.is(200).json();
        let ids: Vec<SessionId> =
            body["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().parse().unwrap()).collect();
        (ids, body["next"].clone())
    };
    assert_eq!(listed("").await, (ids.clone(), json!(null)));
    let (first, next) = listed("limit=2").await;
    assert_eq!((&first[..], &next), (&ids[..2], &json!(ids[1].to_string())));
    assert_eq!(listed(&format!("limit=2&before={}", ids[1])).await.0, ids[2..4]);
    rig.farm.end(ids[0], SessionEnd::new(EndReason::Failed, None));
    assert_eq!(listed("state=ended").await.0, ids[..1]);
    assert_eq!(listed("state=open&kind=render").await.0, ids[1..]);
    assert_eq!(listed("kind=prepare").await.0, []);
    let avatar = rig.avatar_of_first_render().await;
    assert_eq!(listed(&format!("avatar_id={avatar}")).await.0.len(), 5);
    assert_eq!(listed(&format!("avatar_id=avt_{}", "0".repeat(32))).await.0, []);
}

#[actix_web::test]
async fn a_session_is_shown_as_the_brain_sees_it() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let seen = async || rig.get(&format!("/v1/sessions/{id}")).await.is(200).json();
    assert_eq!(seen().await["queue_position"], 1);
    rig.farm.run(id, 3, 12);
    let running = seen().await;
    assert_eq!((&running["state"], &running["queue_position"]), (&json!("rendering"), &json!(null)));
    assert_eq!(running["progress"], json!({"frames_done": 3, "frames_total": 12, "percent": 25.0}));
    assert_eq!((running["worker"].as_str().unwrap().len(), &running["slot"]), (36, &json!(0)));
    assert_eq!(rig.get(&format!("/v1/renders/{id}")).await.json(), running);
    rig.farm.end(id, SessionEnd::new(EndReason::BadInput, "no face in it".to_owned()));
    assert_eq!(seen().await["end"], json!({"reason": "bad_input", "detail": "no face in it"}));
}

#[actix_web::test]
async fn cancelling_is_answered_before_and_after_the_end() {
    let rig = Rig::start().await;
    for path in ["sessions", "renders"] {
        let id = rig.render().await;
        rig.farm.run(id, 1, 10);
        let path = format!("/v1/{path}/{id}");
        rig.delete(&path).await.is(202);
        let ended = rig.delete(&path).await.is(200).json();
        assert_eq!(ended["end"]["reason"], "cancelled");
    }
    rig.delete(&format!("/v1/sessions/ses_{}", "0".repeat(32))).await.problem(404, "not-found");
}

#[actix_web::test]
async fn workers_are_shown_and_drained() {
    let rig = Rig::start().await;
    let farm = rig.get("/v1/workers").await.is(200).json();
    assert_eq!(farm["queue"], json!({"length": 2, "oldest_wait_ms": 1234, "limit": 10}));
    assert_eq!((&farm["slots"], &farm["desired_workers"]), (&json!({"total": 1, "taken": 0}), &json!(3)));
    let worker = &farm["workers"][0];
    assert_eq!(
        (&worker["state"], &worker["up_ms"], &worker["seen_ms_ago"]),
        (&json!("idle"), &json!(5000), &json!(20))
    );
    assert_eq!(worker["slots"], json!([{"slot": 0, "session": null}]));
    let path = format!("/v1/workers/{}/drain", worker["id"].as_str().unwrap());
    let drained = Answer::of(rig.ask(Method::POST, &path)).await.is(202).json();
    assert_eq!((&drained["worker"]["state"], drained["moving"].as_array().unwrap().len()), (&json!("draining"), 1));
    let other = format!("/v1/workers/wrk_{}/drain", "0".repeat(32));
    Answer::of(rig.ask(Method::POST, &other)).await.problem(404, "not-found");
}
