//! `mouthpiece keys`

use crate::farm::{Place, eventually, secret};

/// Makes a key and returns its secret.
pub fn create(place: &Place, args: &[&str]) -> String {
    let run = place.run(&[&["keys", "create"], args].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    secret(&run.stdout).unwrap_or_else(|| panic!("{run:?}"))
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_while_the_farm_runs() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let key = create(&place, &["--name", "a program", "--scope", "sessions"]);
    let program = farm.api.with(&key);
    program.get("/v1/sessions").await.is(200);
    program.get("/v1/workers").await.problem(403, "forbidden");

    let listed = place.run(&["keys", "list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert!(!listed.stdout.contains("mp_"), "no secret is shown again: {}", listed.stdout);
    let line = listed.stdout.lines().find(|l| l.contains("a program")).unwrap();
    let id = line.split_whitespace().find(|w| w.starts_with("key_")).unwrap().to_owned();

    assert_eq!(place.run(&["keys", "revoke", &id]).code, Some(0));
    // A running farm may remember a key for some seconds.
    let refused = async || {
        let answer = program.get("/v1/sessions").await;
        (answer.status.as_u16() == 401).then_some(answer)
    };
    eventually("the key is refused", refused).await.problem(401, "unauthorized");
    let again = place.run(&["keys", "revoke", &id]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains(&id), "{again:?}");
    farm.api.get("/v1/sessions").await.is(200);
}

#[tokio::test]
async fn the_first_key_is_printed_once() {
    let mut place = Place::new(&[("keys.first_name", "mine")]);
    assert_eq!(place.run(&["keys", "list"]).code, Some(0), "there may be none yet");
    let farm = place.up();
    farm.api.get("/v1/keys").await.is(200);
    farm.kill();
    let before = create(&place, &["--name", "second"]);
    let farm = place.up();
    farm.api.with(&before).get("/v1/sessions").await.is(200);
    let keys = farm.api.get("/v1/keys").await.is(200).json();
    let names: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|k| k["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mine", "second"]);
    farm.api.with("mp_wrong").get("/v1/sessions").await.problem(401, "unauthorized");
}
