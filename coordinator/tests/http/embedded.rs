//! The same over what runs in earnest: the actors, SQLite, a directory. No worker: sessions wait until they are cancelled.

use crate::rig::{Answer, Form, PNG, Rig, WAV};
use futures_util::future::join_all;
use mouthpiece_coordinator::actors;
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_embedded::{Directory, Sqlite, farm_ports};
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

async fn rig(folder: &Path, queue_limit: u32) -> Rig {
    let store = Arc::new(Sqlite::open(&folder.join("farm.sqlite")).await.unwrap());
    let ports = farm_ports(store, Arc::new(Directory::open(&folder.join("blobs")).unwrap()));
    let settings = ControlSettings { queue_limit, ..ControlSettings::default() };
    let farm = actors::start(ports.actors(), settings, Arc::new(Metrics::new().unwrap()));
    Rig::over(Arc::new(farm), ports.office(), |_| {}).await
}

fn form() -> Form {
    Form::default().file("portrait", PNG).file("speech", WAV)
}

#[actix_web::test]
async fn twenty_at_once_make_one_session() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 100).await;
    let posts = (0..20).map(|_| Answer::of(rig.form("/v1/renders", &form()).header("idempotency-key", "race")));
    let answers = join_all(posts).await;
    let ids: HashSet<_> = answers.iter().map(Answer::id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|a| a.status == 202).count(), 1);
    let listed = rig.get("/v1/sessions").await.is(200).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
    let avatars = rig.get("/v1/avatars").await.is(200).json();
    assert_eq!(avatars["avatars"][0]["prepared_by"], listed["sessions"][0]["id"]);
    assert_eq!(avatars["avatars"][0]["state"], "preparing");
}

#[actix_web::test]
async fn a_session_is_made_followed_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 100).await;
    let id = Answer::of(rig.form("/v1/renders", &form())).await.is(202).id();
    let waiting = rig.get(&format!("/v1/sessions/{id}")).await.is(200).json();
    assert_eq!((&waiting["state"], &waiting["queue_position"]), (&json!("requested"), &json!(1)));
    let events = rig.ask(reqwest::Method::GET, &format!("/v1/sessions/{id}/events")).send().await.unwrap();
    rig.delete(&format!("/v1/sessions/{id}")).await.is(202);
    // The stream ends by itself, with the end as its last event.
    let told = events.text().await.unwrap();
    let last = told.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    assert!(last.contains("\"reason\":\"cancelled\""), "{told}");
    let ended = rig.delete(&format!("/v1/sessions/{id}")).await.is(200).json();
    assert_eq!((&ended["state"], &ended["end"]["reason"]), (&json!("ended"), &json!("cancelled")));
    let state = rig.get("/v1/sessions?state=ended").await.is(200).json();
    assert_eq!(state["sessions"][0]["id"], id.to_string());
    let farm = rig.get("/v1/workers").await.is(200).json();
    assert_eq!((&farm["workers"], &farm["queue"]["limit"]), (&json!([]), &json!(100)));
    Answer::of(rig.bare(reqwest::Method::GET, "/readyz")).await.is(200);
}

#[actix_web::test]
async fn a_session_of_another_coordinator_is_cancelled_before_it_is_known_here() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(&folder.path().join("farm.sqlite")).await.unwrap());
    let ports = farm_ports(store, Arc::new(Directory::open(&folder.path().join("blobs")).unwrap()));
    let coordinator = async || {
        let farm = actors::start(ports.actors(), ControlSettings::default(), Arc::new(Metrics::new().unwrap()));
        Rig::over(Arc::new(farm), ports.office(), |_| {}).await
    };
    let (one, other) = (coordinator().await, coordinator().await);
    // The other one reads the records every ten seconds.
    let id = Answer::of(one.form("/v1/renders", &form())).await.is(202).id();
    let path = format!("/v1/sessions/{id}");
    let cancelled = other.delete(&path).await.is(202).json();
    assert_eq!((&cancelled["state"], &cancelled["end"]["reason"]), (&json!("ended"), &json!("cancelled")));
    other.delete(&path).await.is(200);
}

#[actix_web::test]
async fn a_full_queue_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 1).await;
    let mut refused = None;
    for _ in 0..5 {
        let answer = Answer::of(rig.form("/v1/renders", &form())).await;
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    refused.unwrap().problem(503, "no-capacity");
}
