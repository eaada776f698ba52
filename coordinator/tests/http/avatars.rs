//! Avatars: registered once, prepared by a session.

use crate::rig::{Answer, Form, PNG, Rig, WAV};
use bytes::Bytes;
use mouthpiece_coordinator::office::now;
use mouthpiece_domain::control::SubmitAnswer as Said;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::session::{BlobKey, EndReason, SessionEnd, SessionKind, SessionOutput};
use mouthpiece_domain::time::Wall;
use serde_json::{Value, json};
use std::time::Duration;

impl Rig {
    /// The avatar of the only portrait that there is.
    pub async fn avatar_of_first_render(&self) -> String {
        self.get("/v1/avatars").await.is(200).json()["avatars"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn add(&self) -> Answer {
        let form = Form::default().text("name", "Ada").file("image", PNG).text("face", "1");
        Answer::of(self.form("/v1/avatars", &form)).await
    }
}

fn prepared_by(avatar: &Value) -> SessionId {
    avatar["prepared_by"].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn an_avatar_is_prepared_by_a_session() {
    let rig = Rig::start().await;
    let answer = rig.add().await.is(202);
    let body = answer.json();
    let path = format!("/v1/avatars/{}", body["id"].as_str().unwrap());
    assert_eq!(answer.location(), path);
    assert_eq!((&body["name"], &body["face"], &body["state"]), (&json!("Ada"), &json!(1), &json!("preparing")));
    assert_eq!((&body["bytes"], &body["media_type"]), (&json!(PNG.len()), &json!("image/png")));
    let session = prepared_by(&body);
    let spec = rig.memory.kept().sessions[&session].clone();
    assert_eq!((spec.kind, spec.spec.speech.is_none(), spec.spec.face), (SessionKind::Prepare, true, Some(1)));
    // While it is prepared, the same portrait is the same avatar, and there is no preview.
    assert_eq!(rig.add().await.is(200).json(), body);
    rig.get(&format!("{path}/preview")).await.problem(404, "not-found");
    rig.farm.run(session, 0, 0);
    assert_eq!(rig.get(&format!("/v1/sessions/{session}")).await.json()["state"], "preparing");
    let preview = BlobKey::new("avatars/ab/preview.png").unwrap();
    rig.memory.kept().blobs.insert(preview.clone(), Bytes::from_static(b"a picture"));
    let output = SessionOutput {
        blob: Some(preview),
        removed: None,
        bytes: 9,
        frames: 1,
        length: Duration::ZERO,
        size: [300, 400],
        framing: "512x512, the whole picture".into(),
        warnings: vec!["the face is small".into()],
    };
    rig.farm.end(session, SessionEnd::completed(output));
    let answer = rig.get(&path).await.is(200);
    let ready = answer.json();
    assert_eq!((&ready["state"], &ready["size"], &ready["frames"]), (&json!("ready"), &json!([300, 400]), &json!(1)));
    assert_eq!(ready["warnings"], json!(["the face is small"]));
    assert_eq!(ready["framing"], "512x512, the whole picture");
    let picture = rig.get(&answer.leads(ready["preview"].as_str().unwrap())).await.is(200);
    assert_eq!((picture.header("content-type"), &picture.body[..]), ("image/png", &b"a picture"[..]));
    // What was prepared may be missing for a while; the portrait will do.
    rig.memory.kept().blobs.retain(|key, _| !key.as_str().starts_with("avatars/"));
    assert_eq!(rig.get(&answer.leads(ready["preview"].as_str().unwrap())).await.is(200).body, PNG);
    // A preparation leaves nothing to download.
    assert!(rig.get(&format!("/v1/sessions/{session}")).await.json()["result"].is_null());
    rig.get(&format!("/v1/renders/{session}")).await.problem(404, "not-found");
    rig.delete(&path).await.is(204);
    rig.get(&path).await.problem(404, "not-found");
    rig.delete(&path).await.problem(404, "not-found");
}

#[actix_web::test]
async fn a_failed_preparation_is_told_and_can_be_repeated() {
    let rig = Rig::start().await;
    let first = rig.add().await.is(202).json();
    rig.farm.end(prepared_by(&first), SessionEnd::new(EndReason::BadInput, "there is no face in it".to_owned()));
    let path = format!("/v1/avatars/{}", first["id"].as_str().unwrap());
    let failed = rig.get(&path).await.json();
    assert_eq!((&failed["state"], &failed["detail"]), (&json!("failed"), &json!("there is no face in it")));
    let again = rig.add().await.is(202).json();
    assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("preparing")));
    assert_ne!(prepared_by(&again), prepared_by(&first));
}

#[actix_web::test]
async fn a_preparation_that_was_refused_can_be_repeated() {
    let rig = Rig::start().await;
    *rig.farm.refuse.lock().unwrap() = Some(Ok(Said::NoCapacity { retry_after: Duration::from_secs(1) }));
    rig.add().await.problem(503, "no-capacity");
    *rig.farm.refuse.lock().unwrap() = None;
    assert_eq!(rig.add().await.is(202).json()["state"], "preparing");
    assert_eq!(rig.memory.kept().avatars.len(), 1);
}

#[actix_web::test]
async fn a_render_prepares_its_portrait() {
    let rig = Rig::start().await;
    let session = rig.render().await;
    let avatar = rig.avatar_of_first_render().await;
    let path = format!("/v1/avatars/{avatar}");
    assert_eq!(rig.get(&path).await.json()["state"], "preparing");
    rig.farm.end(session, SessionEnd::new(EndReason::Cancelled, None));
    assert_eq!(rig.get(&path).await.json()["state"], "failed");
    // The next render of it takes over, and its portrait is shown when that is done.
    let form = Form::default().text("avatar_id", &avatar).file("speech", WAV);
    let next = Answer::of(rig.form("/v1/renders", &form)).await.is(202).id();
    assert_eq!(prepared_by(&rig.get(&path).await.json()), next);
    rig.farm.end(next, SessionEnd::new(EndReason::Completed, None));
    let answer = rig.get(&path).await;
    let ready = answer.json();
    assert_eq!((&ready["state"], &ready["size"]), (&json!("ready"), &json!(null)));
    assert_eq!(rig.get(&answer.leads(ready["preview"].as_str().unwrap())).await.is(200).body, PNG);
    // One that is ready stays so, whatever becomes of later renders.
    let later = Answer::of(rig.form("/v1/renders", &form)).await.is(202).id();
    rig.farm.end(later, SessionEnd::new(EndReason::Failed, None));
    assert_eq!(prepared_by(&rig.get(&path).await.json()), next);
}

#[actix_web::test]
async fn a_session_is_a_use_of_its_avatar() {
    let rig = Rig::start().await;
    let id = rig.avatar().await;
    let kept: AvatarId = id.parse().unwrap();
    rig.memory.kept().avatars.get_mut(&kept).unwrap().used = Wall(0);
    let path = format!("/v1/avatars/{id}");
    assert_eq!(rig.get(&path).await.json()["expires_at"], "1970-04-01T00:00:00.000Z");
    let before = now();
    rig.post_json("/v1/sessions", &json!({"kind": "live", "avatar_id": id}).to_string()).await.is(201);
    assert!(rig.memory.kept().avatars[&kept].used >= before);
}

#[actix_web::test]
async fn what_cannot_be_an_avatar_is_named() {
    let rig = Rig::start().await;
    for (form, field) in [
        (Form::default().text("name", "x"), "image"),
        (Form::default().file("image", b""), "image"),
        (Form::default().file("image", PNG).text("face", "0"), "face"),
        (Form::default().file("image", PNG).text("name", "a\0b"), "name"),
        (Form::default().file("image", PNG).text("name", &"n".repeat(101)), "name"),
        (Form::default().file("image", PNG).text("url", "x"), "url"),
    ] {
        Answer::of(rig.form("/v1/avatars", &form)).await.blames(field);
    }
    for (body, field) in [
        ("{}", "url"),
        (r#"{"url":5}"#, "url"),
        (r#"{"url":"x"}"#, "url"),
        (r#"{"url":"http://example.com/","face":99}"#, "face"),
        (r#"{"url":"http://example.com/","name":["x"]}"#, "name"),
        (r#"{"url":"http://example.com/","image":"x"}"#, "image"),
    ] {
        rig.post_json("/v1/avatars", body).await.blames(field);
    }
    for content in [WAV, b"<svg/>", b"%PDF-1.7........."] {
        let form = Form::default().file("image", content);
        let problem = Answer::of(rig.form("/v1/avatars", &form)).await.problem(415, "unsupported-media");
        assert!(problem["detail"].as_str().unwrap().contains("PNG, JPEG, WebP"), "{problem}");
        assert_eq!(problem["field"], "image");
    }
    assert!(rig.memory.kept().avatars.is_empty() && rig.staged().is_empty());
}

#[actix_web::test]
async fn avatars_of_others_are_others() {
    let mut rig = Rig::start().await;
    let mine = rig.add().await.is(202).json();
    rig.secret = rig.key(&[mouthpiece_coordinator::office::KeyScope::Sessions], |_| {});
    let other = rig.add().await.is(202).json();
    assert_ne!(mine["id"], other["id"]);
    let id: AvatarId = other["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(rig.get("/v1/avatars?limit=1").await.json()["avatars"][0]["id"], id.to_string());
}
