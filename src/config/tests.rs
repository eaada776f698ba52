//! The settings as a whole.

use super::*;
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use std::collections::BTreeSet;

fn sources(file: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    (folder, Sources { file: Some(path), environment, flags: Vec::new() })
}

fn loaded(file: &str, environment: &[(&str, &str)]) -> Result<Loaded, String> {
    let (_folder, sources) = sources(file, environment);
    load(&sources).map_err(|e| e.to_string())
}

fn refused(file: &str, environment: &[(&str, &str)]) -> String {
    loaded(file, environment).map(|_| ()).unwrap_err()
}

#[test]
fn every_known_key_has_a_default_and_every_default_is_known() {
    let loaded = load(&Sources::default()).unwrap();
    let known: BTreeSet<String> = loaded.keys.iter().map(|k| (*k).to_owned()).collect();
    let documented: BTreeSet<String> = Layer::defaults().unwrap().keys().into_iter().collect();
    assert_eq!(known, documented);
    assert_eq!(loaded.keys.len(), known.len(), "no key is read twice");
}

#[test]
fn every_default_has_a_comment() {
    let mut commented = false;
    for line in DEFAULTS.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(commented, "'{line}' has no comment above it");
        }
        commented = line.starts_with('#');
    }
}

#[test]
fn the_stronger_source_wins() {
    let file = "[http]\nport = 1\nbind = '::1'\n[worker]\nname = 'from the file'";
    let (_folder, mut sources) = sources(file, &[("MOUTHPIECE_HTTP__PORT", "2"), ("MOUTHPIECE_WORKER__SLOTS", "3")]);
    assert_eq!(load(&sources).unwrap().config.http.bind.port(), 2);
    sources = sources.flag("http.port", "--port", Some(4));
    let loaded = load(&sources).unwrap();
    let config = &loaded.config;
    assert_eq!((config.http.bind.port(), config.worker.slots, config.worker.name.as_str()), (4, 3, "from the file"));
    assert_eq!(config.http.bind.ip().to_string(), "::1");
    let told = loaded.printed();
    for (line, from) in [
        ("port = 4", "# --port"),
        ("slots = 3", "# environment MOUTHPIECE_WORKER__SLOTS"),
        ("renew = \"1s\"", "# default"),
    ] {
        assert!(told.lines().any(|l| l.starts_with(line) && l.ends_with(from)), "{line} {from}: {told}");
    }
}

#[test]
fn what_is_printed_can_be_read_back() {
    let file = "[[prices]]\ninstance_type = 'a'\nusd_per_hour = '0.5'\n[worker]\nname = \"a \\\"b\\\" \\\\ # c\"";
    let first = loaded(file, &[]).unwrap();
    let again = loaded(&first.printed(), &[]).unwrap();
    assert_eq!(again.config.worker.name, "a \"b\" \\ # c");
    assert_eq!(again.config.prices, first.config.prices);
}

#[test]
fn unknown_keys_are_refused_with_their_source_and_the_nearest() {
    let told = refused("[http]\nprot = 1\n[nonsense]\nx = 1", &[("MOUTHPIECE_WORKER__SLOT", "1")]);
    for words in [
        "http.prot is not a setting (",
        "mine.toml); did you mean http.port?",
        "nonsense.x is not a setting",
        "worker.slot is not a setting (environment MOUTHPIECE_WORKER__SLOT); did you mean worker.slots?",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_removed_key_is_refused_with_what_there_is_instead() {
    let told = refused("[http]\nopen_page_on_loopback = true", &[]);
    let words = "http.open_page_on_loopback is no setting any more (";
    assert!(told.contains(words) && told.contains("prints a link") && !told.contains("did you mean"), "{told}");
}

#[test]
fn the_public_address_is_judged_at_the_start() {
    let public = |text: &str| {
        loaded(&format!("[http]\npublic_url = '{text}'"), &[]).map(|l| l.config.http.public_url.map(|u| u.to_string()))
    };
    assert_eq!(public(""), Ok(None));
    assert_eq!(public("https://farm.example/avatar"), Ok(Some("https://farm.example/avatar/".to_owned())));
    for (text, words) in [("farm.example", "is no address"), ("ws://a", "http://"), ("https://a/?b", "no '?'")] {
        let told = public(text).unwrap_err();
        assert!(told.contains("http.public_url: '") && told.contains(words) && told.contains("mine.toml"), "{told}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let file =
        "[http]\nport = 70000\n[lease]\nrenew = '5s'\n[log]\nformat = 'xml'\n[worker]\nslots = 0\nengine = 'magic'";
    let told = refused(file, &[("MOUTHPIECE_WORKER__GRACE", "soon")]);
    for words in [
        "http.port: 70000 is not a whole number from 0 to 65535 (",
        "lease times must grow",
        "log.format: \"xml\" is neither",
        "worker.slots: 0 is not within 1 to 64 (",
        "worker.engine: there is no engine 'magic': known are puppet",
        "worker.grace: \"soon\" is not a duration",
        "(environment MOUTHPIECE_WORKER__GRACE)",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn ages_are_text_and_zero_is_for_ever() {
    let ages = |file: &str| loaded(file, &[]).unwrap().config.http.retention;
    assert_eq!(ages(""), RetentionAges::default(), "the defaults file and the type agree");
    let set = ages("[retention]\nuploads = \"0\"\nresults = \"36h\"\navatars = 0");
    assert_eq!((set.of(RetentionClass::Uploads), set.of(RetentionClass::Avatars)), (None, None));
    assert_eq!(set.of(RetentionClass::Results), Some(Duration::from_secs(36 * 3600)));
    let told = refused("[retention]\nuploads = \"30m\"", &[("MOUTHPIECE_RETENTION__RESULTS", "a week")]);
    assert!(told.contains("retention.uploads: 1800s is too short: at least 3600s, or \"0\" for ever"), "{told}");
    assert!(told.contains("retention.results: \"a week\" is not a duration"), "{told}");
}

#[test]
fn a_section_that_is_overwritten_is_told() {
    let told = refused("http = 5", &[]);
    assert!(told.contains("http is not a setting"), "{told}");
}

#[test]
fn other_variables_are_left_alone() {
    assert!(loaded("", &[("MOUTHPIECE_ONNXRUNTIME", "/x"), ("MOUTHPIECE_BIN", "y"), ("PATH", "z")]).is_ok());
}

#[test]
fn a_named_file_must_be_there_and_be_toml() {
    let sources = Sources { file: Some("/nowhere/mine.toml".into()), ..Sources::default() };
    let told = load(&sources).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("'/nowhere/mine.toml' cannot be read"), "{told}");
    let told = refused("[http\nport = 1", &[]);
    assert!(told.contains("mine.toml' is not TOML") && told.contains("line 1"), "{told}");
}

#[test]
fn services_are_recognised() {
    let loaded = loaded("[stores]\nrecords = 'postgres://me:hunter2@db/farm'", &[]).unwrap();
    assert!(matches!(loaded.config.stores.records, StoreUrl::Server(ServerKind::Postgres, _)));
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
    assert!(!loaded.printed().contains("hunter2"), "{}", loaded.printed());
}

#[test]
fn callers_are_told_an_address_that_fits_the_certificate() {
    let tls = "tls_certificate = 'a.pem'\ntls_key_file = 'a.key'";
    for good in ["", "url = 'wss://w1.example'", "url = 'ws://10.0.0.7:0'", &format!("url = 'wss://w1.example'\n{tls}")]
    {
        assert!(loaded(&format!("[callers]\n{good}"), &[]).is_ok(), "{good}");
    }
    for (bad, named) in [
        ("url = 'https://w1.example'".to_owned(), "callers.url"),
        (format!("url = 'ws://w1.example'\n{tls}"), "callers.tls_certificate is set"),
        ("url = 'wss://w1.example'\ntls_certificate = 'a.pem'".to_owned(), "belong together"),
        ("longest = '0s'".to_owned(), "callers.longest"),
    ] {
        let told = refused(&format!("[callers]\n{bad}"), &[]);
        assert!(told.contains(named), "{bad}: {told}");
    }
}
