//! Who may ask, and what is refused.

use crate::harness::Rig;
use actix_web::http::StatusCode;
use mouthpiece_coordinator::office::KeyScope;

#[actix_rt::test]
async fn only_keys_with_the_scope_may_ask() {
    let rig = Rig::new().await;
    assert_eq!(rig.get_as(None, "").await.status, StatusCode::UNAUTHORIZED);
    let secret = rig.key(7, "no reports", &[KeyScope::Sessions, KeyScope::Farm, KeyScope::Keys]).await;
    let refused = rig.get_as(Some(&secret), "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["type"], "/problems/forbidden");
    assert_eq!(rig.get("").await.status, StatusCode::OK);
}

#[actix_rt::test]
async fn a_refusal_names_the_field() {
    let rig = Rig::new().await;
    for (query, slug, field) in [
        ("from=tomorrow", "invalid-field", "from"),
        ("to=2026-13-01T00:00:00Z", "invalid-field", "to"),
        ("from=2026-11-25T10:00:00Z&to=2026-11-25T09:00:00Z", "invalid-field", "from"),
        ("from=2020-01-01T00:00:00Z&to=2026-11-25T09:00:00Z", "invalid-field", "from"),
        ("group_by=moon", "invalid-field", "group_by"),
        ("format=pdf", "invalid-field", "format"),
        ("period=day", "unknown-field", "period"),
    ] {
        let refused = rig.get(query).await;
        let problem = refused.json();
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{query}");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[actix_rt::test]
async fn nothing_booked_is_an_empty_report() {
    let rig = Rig::new().await;
    for by in ["none", "day", "hour", "session", "key", "avatar", "instance_type", "kind"] {
        let report = rig.get(&format!("group_by={by}")).await.json();
        assert_eq!((report["group_by"].as_str(), report["rows"].as_array().unwrap().len()), (Some(by), 0));
    }
}
