//! The walls of the house: imports run downward only.
//!
//! `src, loadtest -> coordinator, worker -> embedded, cloud -> speech -> ports -> domain`; `worker/puppet, worker/musetalk -> worker/engine, worker/media ->
//! worker/frame, worker/graph`; these and `worker/transport` know nothing of the farm (media knows the domain's table of file kinds, and
//! nothing else of it); adapters are named by the wiring alone, and an engine by the `match` that chooses it; the actor crate
//! stays in one folder a process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What each member may use of ours, in its code. Tests may use adapters beside that.
const MAY: [(&str, &[&str]); 24] = [
    ("shared/domain", &[]),
    ("shared/ports", &["domain"]),
    ("shared/speech", &["domain", "ports"]),
    ("shared/embedded", &["domain", "ports"]),
    ("shared/cloud/postgres", &["domain", "ports"]),
    ("shared/cloud/rabbitmq", &["domain", "ports"]),
    ("shared/cloud/redis", &["domain", "ports"]),
    ("shared/cloud/aws-access", &[]),
    ("shared/cloud/s3", &["domain", "ports", "aws-access"]),
    ("shared/cloud/aws-fleet", &["domain", "ports", "aws-access"]),
    ("shared/cloud/direct", &["domain", "ports", "speech"]),
    ("shared/cloud/servers", &[]),
    ("coordinator", &["domain", "ports", "speech"]),
    ("worker/frame", &[]),
    ("worker/graph", &[]),
    ("worker/media", &["domain", "frame", "graph"]),
    ("worker/engine", &["frame"]),
    ("worker/puppet", &["engine", "frame", "media"]),
    ("worker/musetalk", &["engine", "frame", "graph", "media"]),
    ("worker/transport", &[]),
    ("worker/worker-settings", &["domain"]),
    (
        "worker",
        &["domain", "ports", "engine", "media", "puppet", "musetalk", "transport", "worker-settings", "provenance"],
    ),
    ("loadtest", &["domain", "ports", "embedded", "postgres", "rabbitmq", "redis", "coordinator", "media", "servers"]),
    (
        "",
        &[
            "domain",
            "ports",
            "embedded",
            "postgres",
            "rabbitmq",
            "redis",
            "direct",
            "coordinator",
            "worker",
            "worker-settings",
            "engine",
            "graph",
            "media",
            "loadtest",
            "s3",
            "aws-access",
            "aws-fleet",
        ],
    ),
];

/// Dependencies of a member by the tables of its manifest, `dependencies` and `dev-dependencies`.
fn manifest(member: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(ROOT).join(member).join("Cargo.toml");
    let parsed: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    let names = |table: &str| {
        let table = parsed.get(table).and_then(|t| t.as_table());
        table.map(|t| t.keys().cloned().collect()).unwrap_or_default()
    };
    ["dependencies", "dev-dependencies", "build-dependencies"].map(|t| (t.to_owned(), names(t))).into()
}

/// The members that a set of dependencies names, without their common prefix.
fn ours(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().filter_map(|name| name.strip_prefix("mouthpiece-")).collect()
}

/// All Rust files below a folder, without those of members inside it and of built things.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The code of a file's lines, without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// True where a whole word stands in a text.
fn names(text: &str, word: &str) -> bool {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(word)
        .any(|(at, _)| apart(text[..at].chars().next_back()) && apart(text[at + word.len()..].chars().next()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_member_has_its_place() {
    let root: toml::Table = std::fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap().parse().unwrap();
    let members = root["workspace"]["members"].as_array().unwrap().iter().map(|m| m.as_str().unwrap());
    let placed: BTreeSet<_> = MAY.iter().map(|(member, _)| *member).collect();
    assert_eq!(members.chain([""]).collect::<BTreeSet<_>>(), placed);
}

#[test]
fn manifests_point_downward() {
    for (member, may) in MAY {
        let tables = manifest(member);
        let uses = ours(&tables["dependencies"]);
        assert!(uses.is_subset(&may.iter().copied().collect()), "{member} depends on {uses:?}, and may on {may:?}");
        assert!(ours(&tables["build-dependencies"]).is_empty(), "{member}");
        let tests = ours(&tables["dev-dependencies"]);
        let for_tests: BTreeSet<_> = may.iter().copied().chain(["embedded", "ports", "servers"]).collect();
        assert!(tests.is_subset(&for_tests), "the tests of {member} depend on {tests:?}");
    }
}

#[test]
fn code_names_only_what_its_member_may_use() {
    for (member, may) in MAY {
        for path in sources(&format!("{member}/src")) {
            let code = code(&path);
            let found = code.match_indices("mouthpiece_").map(|(at, _)| {
                let rest = &code[at + "mouthpiece_".len()..];
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>().replace('_', "-")
            });
            let crates: BTreeSet<_> =
                MAY.iter().filter_map(|(m, _)| m.rsplit('/').next().filter(|m| !m.is_empty())).collect();
            for named in found.filter(|name| crates.contains(name.as_str())) {
                let allowed = may.contains(&named.as_str())
                    || is_test(&path, &code) && ["embedded", "servers"].contains(&named.as_str());
                assert!(allowed, "{} names mouthpiece_{named}", relative(&path));
            }
        }
    }
}

#[test]
fn media_knows_of_the_domain_what_files_are_and_nothing_else() {
    for path in sources("worker/media/src") {
        let code = code(&path);
        for (at, name) in code.match_indices("mouthpiece_domain") {
            let rest = &code[at + name.len()..];
            assert!(rest.starts_with("::file_kind"), "{} names more of the domain", relative(&path));
        }
    }
}

#[test]
fn a_live_session_has_no_clock_and_no_hands() {
    let hands = ["thread.rs", "inbox.rs", "switchboard.rs"].map(|name| format!("worker/src/live/{name}"));
    let pure = sources("worker/src/live").into_iter().map(|path| (relative(&path), path));
    let pure = pure.filter(|(name, _)| !hands.contains(name) && !name.contains("test"));
    let mut seen = 0;
    for (name, path) in pure {
        let code = code(&path);
        let shipped = code.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        for banned in ["Instant::now", ".elapsed()", "std::thread", "std::net", "sleep"] {
            assert!(!shipped.contains(banned), "{name} names {banned}");
        }
        seen += 1;
    }
    assert!(seen > 10, "the files are somewhere else: {seen}");
}

/// A file that only tests see, or one that has tests in it.
fn is_test(path: &Path, code: &str) -> bool {
    relative(path).contains("test") || code.contains("#[cfg(test)]")
}

#[test]
fn only_the_wiring_names_adapters() {
    for path in sources("src") {
        let named = names(&code(&path), "mouthpiece_embedded");
        assert!(!named || relative(&path) == "src/wiring.rs", "{} names an adapter", relative(&path));
    }
    assert!(names(&code(&Path::new(ROOT).join("src/wiring.rs")), "mouthpiece_embedded"));
    for adapter in [
        "mouthpiece_postgres",
        "mouthpiece_rabbitmq",
        "mouthpiece_redis",
        "mouthpiece_direct",
        "mouthpiece_s3",
        "mouthpiece_aws_fleet",
    ] {
        let outside = |path: &PathBuf| !relative(path).starts_with("src/cloud/") && names(&code(path), adapter);
        assert_eq!(sources("src").into_iter().filter(outside).count(), 0, "{adapter} is named outside src/cloud");
        assert!(names(&code(&Path::new(ROOT).join("src/cloud/mod.rs")), adapter));
    }
}

#[test]
fn the_seam_of_engines_is_light() {
    let allowed: BTreeSet<_> = ["mouthpiece-frame", "thiserror"].map(str::to_owned).into();
    for member in ["worker/engine", "worker/frame"] {
        let needs = &manifest(member)["dependencies"];
        assert!(needs.is_subset(&allowed), "{member} needs {needs:?}");
    }
}

#[test]
fn an_engine_is_named_in_the_match_that_chooses_it() {
    let chooser = "worker/src/engines.rs";
    for folder in ["src", "worker/src", "worker/engine", "worker/frame", "worker/media", "coordinator", "loadtest"] {
        for path in sources(folder).iter().filter(|path| !relative(path).contains("test")) {
            let code = code(path);
            let code = code.split("#[cfg(test)]").next().unwrap();
            let named =
                ["Puppet", "mouthpiece_puppet", "MuseTalk", "mouthpiece_musetalk"].iter().any(|word| names(code, word));
            assert!(!named || relative(path) == chooser, "{} names an engine", relative(path));
        }
    }
    let code = code(&Path::new(ROOT).join(chooser));
    let (_, choice) = code.split_once("match name {").unwrap();
    assert!(code.matches("Puppet").count() == 1 && names(choice, "Puppet"), "the match names each engine once");
}

#[test]
fn actors_stay_in_their_folders() {
    for member in [
        "coordinator/src",
        "worker/src",
        "src",
        "shared",
        "worker/engine/src",
        "worker/puppet/src",
        "worker/musetalk/src",
        "worker/media/src",
    ] {
        for path in sources(member) {
            let inside = relative(&path).split('/').any(|part| part == "actors");
            assert!(inside || !names(&code(&path), "actix"), "{} names the actor crate", relative(&path));
        }
    }
}

#[test]
fn the_office_knows_no_front_door() {
    for path in sources("coordinator/src/office") {
        let code = code(&path);
        for word in ["actix_web", "actix_ws", "actix_multipart", "utoipa", "StatusCode"] {
            // Its own client of other servers reads their status.
            let client = word == "StatusCode" && relative(&path).ends_with("intake/fetch.rs");
            assert!(client || !names(&code, word), "{} names {word}", relative(&path));
        }
        assert!(!code.contains("crate::http"), "{} names the front door", relative(&path));
    }
    for path in sources("coordinator/src/actors").into_iter().chain(sources("src")) {
        let inside = code(&path);
        assert!(!inside.contains("crate::office") || relative(&path).starts_with("src"), "{}", relative(&path));
        assert!(!inside.contains("coordinator::http::auth"), "{} asks the front door for keys", relative(&path));
    }
    let keys = code(&Path::new(ROOT).join("src/keys.rs"));
    assert!(!keys.contains("::http::"), "the command for keys needs no front door");
}

/// The rooms of the front door in which requests are handled: the routes and the description name them, nobody else does.
const HANDLERS: [&str; 13] = [
    "avatars",
    "events",
    "health",
    "keys",
    "live::audio",
    "live::control",
    "live::whep",
    "openapi",
    "pages",
    "renders",
    "reports",
    "sessions",
    "workers",
];

#[test]
fn handlers_do_not_know_one_another() {
    let http = Path::new(ROOT).join("coordinator/src/http");
    for path in sources("coordinator/src/http") {
        let inside = path.strip_prefix(&http).unwrap().with_extension("").to_string_lossy().replace('/', "::");
        let own = HANDLERS.iter().find(|room| inside == **room || inside.starts_with(&format!("{room}::")));
        if own.is_none() || inside == "openapi" {
            continue; // what several need, the routes, and the description of them
        }
        let code = code(&path);
        for room in HANDLERS.iter().filter(|room| Some(room) != own.as_ref()) {
            for import in [format!("crate::http::{room}"), format!("super::{room}::")] {
                assert!(!code.contains(&import), "{} imports {import}", relative(&path));
            }
        }
    }
}

#[test]
fn the_relay_knows_no_dialect() {
    let relay = sources("shared/speech/src/relay");
    assert!(relay.len() > 1, "the relay is somewhere else");
    for path in relay {
        for word in ["serde_json", "SocketEvent", "MessageReader", "AgentDialect"] {
            assert!(!names(&code(&path), word), "{} names {word}", relative(&path));
        }
    }
}

/// A coordinator's sockets and a worker's are shells around the same words.
#[test]
fn what_callers_say_and_hear_stands_in_one_place() {
    let mut spoken = 0;
    for folder in ["shared", "coordinator/src", "worker/src", "src"] {
        for path in sources(folder).iter().filter(|path| !relative(path).contains("test")) {
            let says = code(path).contains("\"agent.speak");
            spoken += usize::from(says);
            assert!(!says || relative(path).starts_with("shared/speech/src/"), "{} has a dialect", relative(path));
        }
    }
    assert!(spoken > 1, "the dialect is somewhere else");
    // No web server: both kinds of socket are the shells' own.
    let needs = &manifest("shared/speech")["dependencies"];
    for server in ["actix-web", "actix-ws", "tokio-tungstenite", "tokio-rustls"] {
        assert!(!needs.contains(server), "shared/speech needs {server}");
    }
}

#[test]
fn the_brain_has_no_hands() {
    let tables = manifest("shared/domain");
    let allowed: BTreeSet<_> = ["serde", "thiserror"].map(str::to_owned).into();
    assert!(tables["dependencies"].is_subset(&allowed), "{:?}", tables["dependencies"]);
    let lints = std::fs::read_to_string(Path::new(ROOT).join("shared/domain/clippy.toml")).unwrap();
    let parsed: toml::Table = lints.parse().unwrap();
    let banned: BTreeSet<_> =
        parsed["disallowed-methods"].as_array().unwrap().iter().map(|m| m["path"].as_str().unwrap()).collect();
    for method in [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::sleep",
        "std::fs::read",
        "std::env::var",
    ] {
        assert!(banned.contains(method), "{method}");
    }
    for path in sources("shared/domain/src") {
        let code = code(&path);
        for word in
            ["disallowed_methods", "disallowed_types", "std::fs", "std::net", "std::env", "std::process", "async"]
        {
            assert!(!names(&code, word), "{} names {word}", relative(&path));
        }
    }
    // What holds for all members holds here too.
    let everywhere: toml::Table =
        std::fs::read_to_string(Path::new(ROOT).join("clippy.toml")).unwrap().parse().unwrap();
    for (key, value) in everywhere {
        assert_eq!(parsed.get(&key), Some(&value), "{key} in shared/domain/clippy.toml");
    }
}
