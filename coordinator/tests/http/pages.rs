//! The page, its files, and its session.

use crate::rig::{Answer, Rig};
use mouthpiece_coordinator::http::Scope;
use reqwest::Method;
use serde_json::json;

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn opened(rig: &Rig) -> String {
    cookie(&Answer::of(rig.bare(Method::GET, "/")).await.is(200))
}

#[actix_web::test]
async fn the_page_and_its_files_are_served() {
    let rig = Rig::start().await;
    for path in ["/", "/studio", "/farm", "/cost"] {
        let page = Answer::of(rig.bare(Method::GET, path)).await.is(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((page.header("x-content-type-options"), page.header("referrer-policy")), ("nosniff", "no-referrer"));
    }
    let page = Answer::of(rig.bare(Method::GET, "/")).await.text();
    // Every file that the page names is there, and nothing of it is written into the page.
    let named: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(!named.is_empty() && !page.contains("<style") && !page.contains("<script>") && !page.contains(" onload="));
    // What may be chosen is made of the same table that judges what comes.
    let taken = Answer::of(rig.bare(Method::GET, "/assets/core/taken.js")).await.is(200);
    assert_eq!(taken.header("content-type"), "text/javascript; charset=utf-8");
    for part in
        ["export const PORTRAIT = {\"accept\":\"image/png,.png,", "SPEECH = ", "audio/webm", ".flac", "WAV, MP3"]
    {
        assert!(taken.text().contains(part), "{part} in {}", taken.text());
    }
    let icon = Answer::of(rig.bare(Method::GET, "/assets/icon.svg")).await.is(200);
    assert_eq!(icon.header("content-type"), "image/svg+xml");
    let again = rig.bare(Method::GET, "/assets/icon.svg").header("if-none-match", icon.header("etag"));
    assert!(Answer::of(again).await.is(304).body.is_empty());
    for path in ["/assets/", "/assets/../Cargo.toml", "/assets/%2e%2e/lib.rs", "/assets/nothing.js"] {
        Answer::of(rig.bare(Method::GET, path)).await.is(404);
    }
}

#[actix_web::test]
async fn opened_on_this_machine_the_page_needs_no_key() {
    let rig = Rig::start().await;
    let answer = Answer::of(rig.bare(Method::GET, "/studio")).await.is(200);
    let set = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = cookie(&answer);
    let with = |method: Method, path: &str| rig.bare(method, path).header("cookie", format!("other=1; {cookie}"));
    let session = Answer::of(with(Method::GET, "/v1/page/session")).await.is(200).json();
    assert_eq!((&session["key"]["name"], session["key"]["scopes"].as_array().unwrap().len()), (&json!("test"), 4));
    Answer::of(with(Method::GET, "/v1/workers")).await.is(200);
    // One that is valid is not replaced.
    assert_eq!(Answer::of(with(Method::GET, "/")).await.is(200).header("set-cookie"), "");
    assert_ne!(Answer::of(rig.bare(Method::GET, "/").header("cookie", "mp_page=x")).await.header("set-cookie"), "");
}

#[actix_web::test]
async fn from_elsewhere_the_page_needs_a_key() {
    let rig = Rig::start().await;
    for (name, value) in [
        ("host", "example.com"),
        ("host", "localhost.example.com"),
        ("host", "127.0.0.2:8000"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "10.0.0.1"),
    ] {
        let answer = Answer::of(rig.bare(Method::GET, "/").header(name, value)).await.is(200);
        assert_eq!(answer.header("set-cookie"), "", "{name}: {value}");
    }
    let closed = Rig::with(|s| s.open_page_on_loopback = false).await;
    assert_eq!(Answer::of(closed.bare(Method::GET, "/")).await.is(200).header("set-cookie"), "");
    Answer::of(closed.bare(Method::GET, "/v1/page/session")).await.problem(401, "unauthorized");
    // Without any key there is none that the page could stand for.
    rig.memory.kept().keys.clear();
    assert_eq!(Answer::of(rig.bare(Method::GET, "/")).await.is(200).header("set-cookie"), "");
}

#[actix_web::test]
async fn a_key_opens_the_pages_session_and_leaving_closes_it() {
    let rig = Rig::start().await;
    let secret = rig.key(&[Scope::Reports], |k| k.name = "accounts".into());
    let open = async |body: String| {
        let request = rig.bare(Method::POST, "/v1/page/session").header("content-type", "application/json");
        Answer::of(request.body(body)).await
    };
    let answer = open(json!({ "key": secret }).to_string()).await.is(204);
    let cookie = cookie(&answer);
    assert!(!answer.header("set-cookie").contains(&secret));
    let ask = |method: Method| rig.bare(method, "/v1/page/session").header("cookie", cookie.clone());
    assert_eq!(Answer::of(ask(Method::GET)).await.is(200).json()["key"]["name"], "accounts");
    let left = Answer::of(ask(Method::DELETE)).await.is(204);
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    Answer::of(ask(Method::GET)).await.problem(401, "unauthorized");
    Answer::of(ask(Method::DELETE)).await.is(204);
    for bad in ["", "mp_x", "\u{0}", &mouthpiece_coordinator::http::new_secret().unwrap()] {
        let answer = open(json!({ "key": bad }).to_string()).await;
        assert!([401, 422].contains(&answer.status), "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), "");
    }
    open("{}".into()).await.blames("key");
}

#[actix_web::test]
async fn with_a_cookie_only_the_own_page_changes_things() {
    let rig = Rig::start().await;
    let cookie = opened(&rig).await;
    let host = rig.address.strip_prefix("http://").unwrap().to_owned();
    let id = rig.render().await;
    let ask = |method: Method, origin: &str| {
        rig.bare(method, &format!("/v1/sessions/{id}")).header("cookie", cookie.clone()).header("origin", origin)
    };
    for origin in ["http://example.com", "null", "http://127.0.0.1", "", "https://localhost", &format!("ftp://{host}")]
    {
        Answer::of(ask(Method::DELETE, origin)).await.problem(403, "forbidden");
        // Reading is harmless: the browser does not show it to the other site.
        Answer::of(ask(Method::GET, origin)).await.is(200);
    }
    Answer::of(ask(Method::DELETE, &format!("http://{host}"))).await.is(202);
    let id = rig.render().await;
    let without = rig.bare(Method::DELETE, &format!("/v1/sessions/{id}")).header("cookie", cookie.clone());
    Answer::of(without).await.is(202);
    // A bearer token is no cookie: no browser sends it by itself.
    let id = rig.render().await;
    let token = rig.ask(Method::DELETE, &format!("/v1/sessions/{id}")).header("origin", "http://example.com");
    Answer::of(token).await.is(202);
    // Nor may another site open or close the page's session.
    for method in [Method::POST, Method::DELETE] {
        let request = rig.bare(method, "/v1/page/session").header("origin", "http://example.com");
        Answer::of(request).await.problem(403, "forbidden");
    }
}

#[actix_web::test]
async fn a_cookie_is_worth_what_its_key_is() {
    let rig = Rig::start().await;
    let cookie = opened(&rig).await;
    let ask = || rig.bare(Method::GET, "/v1/page/session").header("cookie", cookie.clone());
    Answer::of(ask()).await.is(200);
    let other = rig.key(&Scope::ALL, |_| {});
    let first = rig.memory.kept().keys[0].id;
    let revoke = rig.bare(Method::DELETE, &format!("/v1/keys/{first}")).bearer_auth(other);
    Answer::of(revoke).await.is(204);
    Answer::of(ask()).await.problem(401, "unauthorized");
}
