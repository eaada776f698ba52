//! Keys: made, listed, revoked.

use crate::rig::{Answer, Rig};
use mouthpiece_coordinator::office::KeyScope;
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn a_key_is_made_used_and_revoked() {
    let rig = Rig::start().await;
    let made = rig.post_json("/v1/keys", r#"{"name":"shop","scopes":["farm","sessions","farm"],"max_open":3}"#).await;
    let made = made.is(201).json();
    assert_eq!(made["scopes"], json!(["farm", "sessions"]));
    assert_eq!(
        (&made["max_open"], &made["minutes_per_day"], &made["revoked"]),
        (&json!(3), &json!(null), &json!(null))
    );
    let secret = made["secret"].as_str().unwrap();
    assert_eq!((secret.len(), &secret[..3]), (46, "mp_"));
    let ask = || rig.bare(Method::GET, "/v1/workers").bearer_auth(secret);
    Answer::of(ask()).await.is(200);
    // Neither the list nor the records have the secret.
    let listed = rig.get("/v1/keys").await.is(200);
    assert!(listed.text().contains("shop") && !listed.text().contains(secret));
    assert!(rig.memory.kept().keys.iter().all(|k| k.secret_hash != secret && k.secret_hash.len() == 64));
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    rig.delete(&path).await.is(204);
    Answer::of(ask()).await.problem(401, "unauthorized");
    rig.delete(&path).await.problem(404, "not-found");
    let listed = rig.get("/v1/keys").await.json();
    assert!(listed["keys"][1]["revoked"].is_string(), "{listed}");
}

#[actix_web::test]
async fn what_cannot_be_a_key_is_named() {
    let rig = Rig::start().await;
    for (body, field) in [
        (r#"{"scopes":["sessions"]}"#, "name"),
        (r#"{"name":"","scopes":["sessions"]}"#, "name"),
        (r#"{"name":" ","scopes":["sessions"]}"#, "name"),
        (r#"{"name":7,"scopes":["sessions"]}"#, "name"),
        (r#"{"name":"a\u0000b","scopes":["sessions"]}"#, "name"),
        (r#"{"name":"a\nb","scopes":["sessions"]}"#, "name"),
        (r#"{"name":"x"}"#, "scopes"),
        (r#"{"name":"x","scopes":[]}"#, "scopes"),
        (r#"{"name":"x","scopes":"sessions"}"#, "scopes"),
        (r#"{"name":"x","scopes":["root"]}"#, "scopes"),
        (r#"{"name":"x","scopes":[1]}"#, "scopes"),
        (r#"{"name":"x","scopes":["sessions"],"max_open":0}"#, "max_open"),
        (r#"{"name":"x","scopes":["sessions"],"minutes_per_day":1.5}"#, "minutes_per_day"),
        (r#"{"name":"x","scopes":["sessions"],"secret":"mp_x"}"#, "secret"),
    ] {
        rig.post_json("/v1/keys", body).await.blames(field);
    }
    let long = format!(r#"{{"name":"{}","scopes":["sessions"]}}"#, "ä".repeat(101));
    rig.post_json("/v1/keys", &long).await.blames("name");
    assert_eq!(rig.memory.kept().keys.len(), 1);
}

#[actix_web::test]
async fn a_key_gives_only_what_it_has_and_the_last_manager_stays() {
    let mut rig = Rig::start().await;
    let all = rig.get("/v1/keys").await.json()["keys"][0]["id"].as_str().unwrap().to_owned();
    rig.delete(&format!("/v1/keys/{all}")).await.problem(409, "conflict");
    rig.secret = rig.key(&[KeyScope::Keys], |_| {});
    let more = rig.post_json("/v1/keys", r#"{"name":"x","scopes":["keys","farm"]}"#).await;
    assert_eq!(more.problem(403, "forbidden")["field"], "scopes");
    rig.post_json("/v1/keys", r#"{"name":"x","scopes":["keys"]}"#).await.is(201);
    rig.delete(&format!("/v1/keys/{all}")).await.is(204);
}

#[actix_web::test]
async fn two_who_revoke_at_once_leave_one_who_manages() {
    for _ in 0..10 {
        let rig = Rig::start().await;
        let second = rig.key(&[KeyScope::Keys], |_| {});
        let ids: Vec<_> = rig.memory.kept().keys.iter().map(|k| k.id).collect();
        let revoke =
            |secret: &str, id| Answer::of(rig.bare(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(secret));
        // Each the other one's.
        let (a, b) = futures_util::join!(revoke(&rig.secret, ids[1]), revoke(&second, ids[0]));
        let done = [&a, &b].iter().filter(|answer| answer.status == 204).count();
        assert_eq!(done, 1, "{} {}", a.text(), b.text());
    }
}
