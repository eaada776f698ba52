//! The page, its files, and its session.

use crate::rig::{Answer, Rig};
use mouthpiece_coordinator::office::{KeyScope, new_page_link, now, secret_hash};
use mouthpiece_domain::time::Wall;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;

#[actix_web::test]
async fn the_page_and_its_files_are_served() {
    let rig = Rig::start().await;
    for path in ["/", "/studio", "/farm", "/cost"] {
        let page = Answer::of(rig.bare(Method::GET, path)).await.is(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((page.header("x-content-type-options"), page.header("referrer-policy")), ("nosniff", "no-referrer"));
        // Every file that the page names is there, and nothing of it is written into the page.
        let text = page.text();
        assert!(!text.contains("<style") && !text.contains("<script>") && !text.contains(" onload="));
        let named: Vec<_> = text.split('"').filter(|part| part.contains("assets/")).collect();
        assert!(named.len() > 5, "{text}");
        for file in named {
            assert!(!file.starts_with('/'), "{file} leads elsewhere below a prefix");
            Answer::of(rig.bare(Method::GET, &page.leads(file))).await.is(200);
        }
    }
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
async fn a_link_lets_one_browser_in_once() {
    let rig = Rig::start().await;
    let link = rig.link().await;
    let opened = rig.open_page(json!({ "link": link })).await.is(204);
    let set = opened.header("set-cookie");
    for part in ["mp_page_8000=", "HttpOnly", "SameSite=Strict", "Path=/;", "Max-Age=34560000"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains(&link), "{set}");
    let cookie = opened.cookie();
    let with = |method: Method, path: &str| rig.bare(method, path).header("cookie", format!("other=1; {cookie}"));
    let session = Answer::of(with(Method::GET, "/v1/page/session")).await.is(200).json();
    assert_eq!((&session["key"]["name"], session["key"]["scopes"].as_array().unwrap().len()), (&json!("test"), 4));
    Answer::of(with(Method::GET, "/v1/workers")).await.is(200);
    let again = rig.open_page(json!({ "link": link })).await;
    assert_eq!(again.header("set-cookie"), "");
    let problem = again.problem(401, "unauthorized");
    assert!(problem["field"] == "link" && problem["detail"].as_str().unwrap().contains("page-link"), "{problem}");
    // What is kept opens nothing.
    let kept = rig.memory.kept().passes.iter().map(|p| p.hash.clone()).collect::<Vec<_>>();
    assert_eq!(kept, [secret_hash(cookie.split('=').nth(1).unwrap())]);
    rig.open_page(json!({ "link": kept[0] })).await.problem(401, "unauthorized");
    let stolen = rig.bare(Method::GET, "/v1/page/session").header("cookie", format!("mp_page_8000={}", kept[0]));
    Answer::of(stolen).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn a_link_ends_by_time_by_a_newer_one_and_with_its_key() {
    let rig = Rig::start().await;
    let old = rig.link().await;
    let newer = rig.link().await;
    rig.open_page(json!({ "link": old })).await.problem(401, "unauthorized");
    assert_eq!(rig.memory.kept().passes.len(), 1);
    // It is good for some hours, and not a moment longer.
    let lasts = rig.memory.kept().passes[0].expires.0 - now().0;
    assert!((7 * DAY_MS / 24..=8 * DAY_MS / 24).contains(&lasts), "{lasts}");
    rig.memory.kept().passes[0].expires = now();
    rig.open_page(json!({ "link": newer })).await.problem(401, "unauthorized");
    let link = rig.link().await;
    let first = rig.memory.kept().keys[0].clone();
    rig.memory.kept().keys[0].revoked = Some(now());
    rig.open_page(json!({ "link": link })).await.problem(401, "unauthorized");
    // It stands for the key that may do most, and for none where there is none.
    let weak = rig.key(&[KeyScope::Reports], |k| k.name = "accounts".into());
    let opened = rig.open_page(json!({ "link": rig.link().await })).await.is(204);
    let who = rig.bare(Method::GET, "/v1/page/session").header("cookie", opened.cookie());
    assert_eq!(Answer::of(who).await.json()["key"]["name"], "accounts");
    rig.memory.kept().keys.retain(|k| k.id == first.id);
    assert!(new_page_link(rig.memory.as_ref(), rig.memory.as_ref()).await.unwrap().is_none());
    rig.open_page(json!({ "key": weak })).await.is(401);
}

#[actix_web::test]
async fn nobody_is_let_in_for_where_a_request_comes_from() {
    let rig = Rig::start().await;
    let port = rig.address.rsplit_once(':').unwrap().1;
    // All of these come from this machine.
    for headers in [
        vec![],
        vec![("host", "localhost".to_owned())],
        vec![("host", format!("localhost:{port}"))],
        vec![("host", "example.com".to_owned())],
        vec![("host", "[::1]".to_owned())],
        vec![("forwarded", "for=127.0.0.1;host=localhost".to_owned())],
        vec![("x-forwarded-for", "127.0.0.1".to_owned()), ("x-forwarded-host", "localhost".to_owned())],
        vec![("via", "1.1 proxy".to_owned())],
        vec![("x-real-ip", "127.0.0.1".to_owned())],
        vec![("origin", rig.address.clone()), ("sec-fetch-site", "same-origin".to_owned())],
        vec![("cookie", "mp_page_8000=x; mp_page=x".to_owned())],
    ] {
        let ask = |method: Method, path: &str| {
            headers.iter().fold(rig.bare(method, path), |request, (name, value)| request.header(*name, value))
        };
        for path in ["/", "/studio", "/farm", "/cost", "/assets/app.js"] {
            let page = Answer::of(ask(Method::GET, path)).await.is(200);
            assert_eq!(page.header("set-cookie"), "", "{path} {headers:?}");
        }
        for path in ["/v1/page/session", "/v1/keys", "/v1/workers", "/v1/sessions"] {
            Answer::of(ask(Method::GET, path)).await.problem(401, "unauthorized");
        }
        let make = ask(Method::POST, "/v1/keys").header("content-type", "application/json");
        let made = Answer::of(make.body(r#"{"name":"mine","scopes":["keys"]}"#)).await;
        assert!([401, 403].contains(&made.status), "{headers:?}: {}", made.text());
        let open = ask(Method::POST, "/v1/page/session").header("content-type", "application/json");
        let opened = Answer::of(open.body(json!({ "link": "A".repeat(43) }).to_string())).await;
        assert!([401, 403].contains(&opened.status) && opened.header("set-cookie").is_empty(), "{headers:?}");
    }
    assert!(rig.memory.kept().passes.is_empty() && rig.memory.kept().keys.len() == 1);
}

#[actix_web::test]
async fn a_cookie_is_for_the_place_that_the_browser_names() {
    let rig = Rig::with(|s| s.public_url = Some("https://farm.example/avatar/".parse().unwrap())).await;
    for (origin, parts) in
        [("https://farm.example", ["Path=/avatar/;", "; Secure"]), (rig.address.as_str(), ["Path=/;", "Max-Age"])]
    {
        let body = json!({ "key": rig.secret }).to_string();
        let open = rig.bare(Method::POST, "/v1/page/session").header("origin", origin);
        let opened = Answer::of(open.header("content-type", "application/json").body(body)).await.is(204);
        let set = opened.header("set-cookie").to_owned();
        assert!(parts.iter().all(|part| set.contains(part)), "{set}");
        assert_eq!(set.contains("Secure"), origin.starts_with("https"), "{set}");
        // It is taken away where it was set.
        let close = rig.bare(Method::DELETE, "/v1/page/session").header("origin", origin);
        let closed = Answer::of(close.header("cookie", opened.cookie())).await.is(204);
        let gone = closed.header("set-cookie");
        assert!(gone.contains(parts[0]) && gone.contains("Max-Age=0"), "{gone}");
    }
    // Farms that share a host do not share a cookie.
    let other = Rig::with(|s| s.bind.set_port(9000)).await;
    assert!(other.cookie().await.starts_with("mp_page_9000="));
}

#[actix_web::test]
async fn a_page_stays_open_while_it_is_used_and_when_the_server_starts_anew() {
    let rig = Rig::start().await;
    let cookie = rig.cookie().await;
    let expires = || rig.memory.kept().passes[0].expires.0;
    assert!((29 * DAY_MS..=30 * DAY_MS).contains(&(expires() - now().0)), "{}", expires());
    // Another server on the same records, as after a restart or beside this one.
    let next =
        Rig::over(Arc::clone(&rig.farm) as _, crate::rig::of_memory(&rig.memory, &rig.bus, &rig.lines), |_| {}).await;
    let ask = |rig: &Rig| rig.bare(Method::GET, "/v1/page/session").header("cookie", cookie.clone());
    let set = |at: i64| rig.memory.kept().passes[0].expires = Wall(at);
    set(now().0 + 5 * DAY_MS);
    Answer::of(ask(&next)).await.is(200);
    assert!(expires() > now().0 + 29 * DAY_MS, "it lasts longer when it is used");
    // Not every request writes.
    let before = now().0 + 30 * DAY_MS - DAY_MS / 2;
    set(before);
    Answer::of(ask(&rig)).await.is(200);
    assert_eq!(expires(), before);
    set(now().0);
    Answer::of(ask(&rig)).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn a_key_opens_the_pages_session_and_leaving_closes_it() {
    let rig = Rig::start().await;
    let secret = rig.key(&[KeyScope::Reports], |k| k.name = "accounts".into());
    let answer = rig.open_page(json!({ "key": secret })).await.is(204);
    let cookie = answer.cookie();
    assert!(!answer.header("set-cookie").contains(&secret));
    let ask = |method: Method| {
        rig.bare(method, "/v1/page/session").header("cookie", cookie.clone()).header("origin", &rig.address)
    };
    assert_eq!(Answer::of(ask(Method::GET)).await.is(200).json()["key"]["name"], "accounts");
    let left = Answer::of(ask(Method::DELETE)).await.is(204);
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert!(rig.memory.kept().passes.is_empty(), "a copy of the cookie is worth nothing either");
    Answer::of(ask(Method::GET)).await.problem(401, "unauthorized");
    Answer::of(ask(Method::DELETE)).await.is(204);
    for bad in ["", "mp_x", "\u{0}", &mouthpiece_coordinator::office::new_secret().unwrap()] {
        let answer = rig.open_page(json!({ "key": bad })).await;
        assert!([401, 422].contains(&answer.status), "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), "");
    }
    rig.open_page(json!({})).await.blames("key");
    rig.open_page(json!({ "key": secret, "link": "x" })).await.blames("link");
}

/// Who may change things with the cookie: what the browser says of the page that asks.
#[actix_web::test]
async fn with_a_cookie_only_the_own_page_changes_things() {
    let rig = Rig::with(|s| s.public_url = Some("https://farm.example/avatar/".parse().unwrap())).await;
    let cookie = rig.cookie().await;
    let host = rig.address.strip_prefix("http://").unwrap().to_owned();
    let ask = async |method: Method, headers: &[(&str, &str)]| {
        let id = rig.render().await;
        let request = rig.bare(method, &format!("/v1/sessions/{id}")).header("cookie", cookie.clone());
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let ftp = format!("ftp://{host}");
    for origin in
        ["http://example.com", "null", "http://127.0.0.1", "", "https://localhost", "http://farm.example", &ftp]
    {
        ask(Method::DELETE, &[("origin", origin)]).await.problem(403, "forbidden");
        // Reading is harmless: the browser does not show it to the other site.
        ask(Method::GET, &[("origin", origin)]).await.is(200);
    }
    // Nor does what says nothing of itself.
    ask(Method::DELETE, &[]).await.problem(403, "forbidden");
    for site in ["cross-site", "same-site", "none", ""] {
        ask(Method::DELETE, &[("sec-fetch-site", site), ("origin", &rig.address)]).await.problem(403, "forbidden");
    }
    ask(Method::DELETE, &[("origin", &rig.address)]).await.is(202);
    ask(Method::DELETE, &[("origin", "https://farm.example")]).await.is(202);
    // Behind a proxy that asks for another host only the browser knows.
    ask(Method::DELETE, &[("origin", "http://a.example"), ("sec-fetch-site", "same-origin")]).await.is(202);
    // A bearer token is no cookie: no browser sends it by itself.
    let id = rig.render().await;
    let token = rig.ask(Method::DELETE, &format!("/v1/sessions/{id}")).header("origin", "http://example.com");
    Answer::of(token).await.is(202);
    // Nor may another site open or close the page's session.
    let link: Value = json!({ "link": rig.link().await });
    for method in [Method::POST, Method::DELETE] {
        let request = rig.bare(method, "/v1/page/session").header("origin", "http://example.com");
        let request = request.header("content-type", "application/json").body(link.to_string());
        Answer::of(request).await.problem(403, "forbidden");
    }
    rig.open_page(link).await.is(204);
}

#[actix_web::test]
async fn a_cookie_is_worth_what_its_key_is() {
    let rig = Rig::start().await;
    let cookie = rig.cookie().await;
    let ask = || rig.bare(Method::GET, "/v1/page/session").header("cookie", cookie.clone());
    Answer::of(ask()).await.is(200);
    let other = rig.key(&KeyScope::ALL, |_| {});
    let first = rig.memory.kept().keys[0].id;
    let revoke = rig.bare(Method::DELETE, &format!("/v1/keys/{first}")).bearer_auth(other);
    Answer::of(revoke).await.is(204);
    Answer::of(ask()).await.problem(401, "unauthorized");
}

#[actix_web::test]
async fn a_page_of_another_port_does_not_even_read_with_the_cookie() {
    let rig = Rig::start().await;
    let cookie = rig.cookie().await;
    let ask = |site: &'static str| {
        rig.bare(Method::GET, "/v1/sessions").header("cookie", cookie.clone()).header("sec-fetch-site", site)
    };
    for site in ["same-origin", "none"] {
        Answer::of(ask(site)).await.is(200);
    }
    for site in ["same-site", "cross-site"] {
        Answer::of(ask(site)).await.problem(403, "forbidden");
    }
}

#[actix_web::test]
async fn another_cookie_of_the_same_name_locks_nobody_out() {
    let rig = Rig::start().await;
    let cookie = rig.cookie().await;
    let name = cookie.split_once('=').unwrap().0;
    let junk = format!("{name}=x; {name}={}; {cookie}", "A".repeat(43));
    Answer::of(rig.bare(Method::GET, "/v1/page/session").header("cookie", junk)).await.is(200);
    // Looked at are a few, however many were sent.
    let many = vec![format!("{name}=x"); 50].join("; ");
    let many = format!("{many}; {cookie}");
    Answer::of(rig.bare(Method::GET, "/v1/page/session").header("cookie", many)).await.problem(401, "unauthorized");
}
