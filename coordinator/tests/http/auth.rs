//! Who may call, and what they see.

use crate::rig::{Answer, Rig};
use mouthpiece_coordinator::office::{KeyScope, create_first_key, new_secret};
use reqwest::Method;

const PROTECTED: [(Method, &str); 12] = [
    (Method::GET, "/v1/avatars"),
    (Method::POST, "/v1/avatars"),
    (Method::GET, "/v1/sessions"),
    (Method::POST, "/v1/sessions"),
    (Method::POST, "/v1/renders"),
    (Method::GET, "/v1/workers"),
    (Method::GET, "/v1/events"),
    (Method::GET, "/v1/reports/cost"),
    (Method::GET, "/v1/keys"),
    (Method::POST, "/v1/keys"),
    (Method::GET, "/v1/page/session"),
    (Method::GET, "/v1/sessions/ses_00000000000000000000000000000001/events"),
];

#[actix_web::test]
async fn without_a_valid_key_nothing_is_told() {
    let rig = Rig::start().await;
    let unknown = format!("Bearer {}", new_secret().unwrap());
    let revoked = rig.key(&KeyScope::ALL, |k| k.revoked = Some(k.created));
    for (method, path) in PROTECTED {
        let answer = Answer::of(rig.bare(method.clone(), path)).await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        answer.problem(401, "unauthorized");
    }
    for header in ["", "Bearer", "Bearer ", "Bearer mp_x", "Basic abc", &unknown, &format!("Bearer {revoked}"), "mp_x"]
    {
        let request = rig.bare(Method::GET, "/v1/sessions").header("authorization", header);
        Answer::of(request).await.problem(401, "unauthorized");
    }
    let strange = rig.bare(Method::GET, "/v1/sessions").header("authorization", &b"Bearer \xff\xfe"[..]);
    Answer::of(strange).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn a_key_may_do_what_its_scopes_say() {
    let mut rig = Rig::start().await;
    let id = "0".repeat(31) + "1";
    let needs = [
        (Method::POST, "/v1/sessions".to_owned(), KeyScope::Sessions),
        (Method::POST, "/v1/renders".to_owned(), KeyScope::Sessions),
        (Method::POST, "/v1/avatars".to_owned(), KeyScope::Sessions),
        (Method::GET, "/v1/workers".to_owned(), KeyScope::Farm),
        (Method::POST, format!("/v1/workers/wrk_{id}/drain"), KeyScope::Farm),
        (Method::GET, "/v1/reports/cost".to_owned(), KeyScope::Reports),
        (Method::GET, "/v1/keys".to_owned(), KeyScope::Keys),
        (Method::DELETE, format!("/v1/keys/key_{id}"), KeyScope::Keys),
    ];
    for (method, path, scope) in needs {
        let others: Vec<_> = KeyScope::ALL.into_iter().filter(|s| *s != scope).collect();
        rig.secret = rig.key(&others, |_| {});
        let refused = Answer::of(rig.ask(method.clone(), &path)).await.problem(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains(scope.name()), "{refused}");
        rig.secret = rig.key(&[scope], |_| {});
        assert_ne!(Answer::of(rig.ask(method, &path)).await.status, 403, "{path}");
    }
}

#[actix_web::test]
async fn a_key_sees_its_own_things_unless_it_may_see_the_farm() {
    let mut rig = Rig::start().await;
    let (session, avatar) = (rig.render().await, rig.avatar_of_first_render().await);
    let all = rig.secret.clone();
    rig.secret = rig.key(&[KeyScope::Sessions], |_| {});
    for path in [
        format!("/v1/sessions/{session}"),
        format!("/v1/sessions/{session}/events"),
        format!("/v1/renders/{session}"),
        format!("/v1/renders/{session}/result"),
        format!("/v1/avatars/{avatar}"),
        format!("/v1/avatars/{avatar}/preview"),
    ] {
        rig.get(&path).await.problem(404, "not-found");
    }
    rig.delete(&format!("/v1/sessions/{session}")).await.problem(404, "not-found");
    rig.delete(&format!("/v1/renders/{session}")).await.problem(404, "not-found");
    rig.delete(&format!("/v1/avatars/{avatar}")).await.problem(404, "not-found");
    assert_eq!(rig.get("/v1/sessions").await.is(200).json()["sessions"], serde_json::json!([]));
    assert_eq!(rig.get("/v1/avatars").await.is(200).json()["avatars"], serde_json::json!([]));
    let body = format!(r#"{{"kind":"render","avatar_id":"{avatar}","speech_url":"http://example.com/"}}"#);
    rig.post_json("/v1/sessions", &body).await.blames("avatar_id");
    // The farm's scope sees it, and reads only.
    rig.secret = rig.key(&[KeyScope::Farm], |_| {});
    rig.get(&format!("/v1/sessions/{session}")).await.is(200);
    assert_eq!(rig.get("/v1/avatars").await.is(200).json()["avatars"].as_array().unwrap().len(), 1);
    rig.delete(&format!("/v1/sessions/{session}")).await.problem(403, "forbidden");
    rig.secret = all;
    rig.delete(&format!("/v1/sessions/{session}")).await.is(202);
}

#[actix_web::test]
async fn a_request_id_is_kept_if_it_is_well_formed() {
    let rig = Rig::start().await;
    let with = async |id: &str| {
        let request = rig.bare(Method::GET, "/v1/nothing").header("x-request-id", id);
        Answer::of(request).await.problem(404, "not-found")["request_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(with("my-own.id_1").await, "my-own.id_1");
    for bad in ["", "a b", &"x".repeat(65), "<script>"] {
        let given = with(bad).await;
        assert!(given != bad && given.len() == 32, "{given}");
    }
    assert_eq!(rig.bare(Method::GET, "/healthz").send().await.unwrap().headers()["x-request-id"].len(), 32);
}

#[actix_web::test]
async fn the_first_key_is_made_once() {
    let rig = Rig::start().await;
    let records = rig.memory.as_ref();
    assert!(create_first_key(records, "first", 5).await.unwrap().is_none());
    rig.memory.kept().keys.clear();
    let (key, secret) = create_first_key(records, "first", 5).await.unwrap().unwrap();
    assert_eq!((key.name.as_str(), key.max_open, key.scopes.len()), ("first", 5, 4));
    assert!(!format!("{key:?}").contains(&secret[3..]));
    assert!(create_first_key(records, "again", 5).await.unwrap().is_none());
    Answer::of(rig.bare(Method::GET, "/v1/keys").bearer_auth(secret)).await.is(200);
}
