//! `mouthpiece models`

use crate::file_server::{FileServer, Serve};
use crate::scene::{Run, Scene};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A file of weights.
fn file() -> Vec<u8> {
    (0..100_000_u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder with a manifest of one entry and settings.
struct Shop {
    scene: Scene,
}

impl Shop {
    fn new(url: &str, sha256: &str, licence: &str, settings: &str) -> Self {
        let scene = Scene::new();
        let entry = format!(
            "[[weights]]\nname = 'a-net'\nfile = 'a/net.bin'\nurl = '{url}'\nsha256 = '{sha256}'\nabout_bytes = 100_000\n\
             licence = '{licence}'\ncommercial_use = true\npurpose = 'to test'\n"
        );
        scene.file("manifest.toml", entry.as_bytes());
        scene.file("mouthpiece.toml", format!("[models]\nfolder = 'models'\n{settings}").as_bytes());
        Self { scene }
    }

    /// Of a server's file with its hash.
    fn pinned(server: &FileServer) -> Self {
        Self::new(&server.url("net.bin"), &sha256(&file()), "MIT", "")
    }

    fn run(&self, words: &[&str]) -> Run {
        self.scene.run(&[&["models"], words, &["--manifest", "manifest.toml"]].concat())
    }

    fn place(&self) -> PathBuf {
        self.scene.path("models/a/net.bin")
    }

    /// Everything in the folder of models, the lock aside.
    fn there(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in ["models", "models/a"] {
            let entries = std::fs::read_dir(self.scene.path(folder)).into_iter().flatten();
            names.extend(
                entries
                    .map(|e| e.unwrap())
                    .filter(|e| e.path().is_file())
                    .map(|e| e.file_name().into_string().unwrap()),
            );
        }
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }

    fn fetches(&self, words: &str) -> Run {
        let run = self.run(&["fetch"]);
        assert_eq!((run.code, run.stdout.contains(words)), (Some(0), true), "{run:?}");
        assert_eq!(std::fs::read(self.place()).unwrap(), file());
        run
    }

    fn fails(&self, code: i32, words: &[&str]) -> Run {
        let run = self.run(&["fetch"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "'{word}': {}", run.stderr);
        }
        assert!(!self.place().exists());
        run
    }
}

#[test]
fn a_file_is_fetched_once_and_listed_and_verified() {
    let server = FileServer::new(file(), vec![Serve::Right]);
    let shop = Shop::pinned(&server);
    let list = |words: &str| {
        let run = shop.run(&["list"]);
        assert!(run.code == Some(0) && run.stdout.contains(words), "{run:?}");
        run.stdout
    };
    let before = list("absent");
    for words in ["a-net", "MIT, commercial use: to test", "about 100 kB", &sha256(&file()), &server.url("net.bin")] {
        assert!(before.contains(words), "{before}");
    }
    assert_eq!(shop.run(&["verify"]).code, Some(0), "what was not asked for may be absent");
    assert_eq!(shop.run(&["verify", "a-net"]).code, Some(1));
    shop.fetches("and right");
    list("here");
    assert!(shop.run(&["verify", "a-net"]).stdout.contains("a-net: right"));
    shop.fetches("a-net: here, and right");
    assert_eq!((server.asked().len(), shop.there()), (1, vec!["net.bin".to_owned()]));
}

#[test]
fn what_broke_off_is_gone_on_with() {
    let server =
        FileServer::new(file(), vec![Serve::Breaks(30_000), Serve::Status(503), Serve::Breaks(20_000), Serve::Right]);
    Shop::pinned(&server).fetches("and right");
    let wanted = ["/net.bin", "/net.bin from 30000", "/net.bin from 30000", "/net.bin from 50000"];
    assert_eq!(server.asked(), wanted);
}

#[test]
fn what_broke_off_is_gone_on_with_by_the_next_command_too() {
    let server = FileServer::new(file(), vec![Serve::Breaks(30_000), Serve::Status(404), Serve::Right]);
    let shop = Shop::pinned(&server);
    shop.fails(1, &["404"]);
    assert_eq!(shop.there(), ["net.bin.part", "net.bin.part-from"]);
    shop.fetches("and right");
    assert_eq!(server.asked()[2], "/net.bin from 30000");
    assert_eq!(shop.there(), ["net.bin"]);
}

#[test]
fn a_server_that_knows_no_parts_sends_all_again() {
    let server = FileServer::new(file(), vec![Serve::Breaks(30_000), Serve::Whole]);
    Shop::pinned(&server).fetches("and right");
}

#[test]
fn a_source_that_serves_another_file_is_told_and_the_next_one_asked() {
    let (bad, good) = (FileServer::new(file(), vec![Serve::Other]), FileServer::new(file(), vec![Serve::Right]));
    let mirrors = format!("mirrors = ['{}']", bad.url("all"));
    let shop = Shop::new(&good.url("net.bin"), &sha256(&file()), "MIT", &mirrors);
    shop.fetches(&good.url("net.bin"));
    assert_eq!(bad.asked(), ["/all/a/net.bin"], "a mirror is a copy of the folder of models");
    let shop = Shop::pinned(&bad);
    let told = shop.fails(1, &["serves another file", &sha256(&file())]);
    assert!(!told.stderr.contains("offline"), "{told:?}");
    assert_eq!(shop.there(), [""; 0], "nothing of it is kept");
}

#[test]
fn a_source_whose_file_is_much_too_large_is_not_read() {
    let server = FileServer::new(file(), vec![Serve::Huge]);
    Shop::pinned(&server).fails(1, &["serves another file: 1000000 bytes, where about 100000 are expected"]);
}

#[test]
fn a_hash_that_nobody_knows_is_recorded_and_holds_from_then_on() {
    let server = FileServer::new(file(), vec![Serve::Right, Serve::Other]);
    let shop = Shop::new(&server.url("net.bin"), "recorded on first fetch", "MIT", "");
    shop.fetches("from now on it must be that");
    assert!(shop.run(&["verify"]).stdout.contains("as it was recorded"));
    std::fs::remove_file(shop.place()).unwrap();
    shop.fails(1, &["serves another file", &sha256(&file())]);
}

#[test]
fn a_file_that_was_put_there_by_hand_is_believed_when_the_user_says_so() {
    let server = FileServer::new(file(), vec![Serve::Right]);
    let shop = Shop::new(&server.url("net.bin"), "recorded on first fetch", "MIT", "");
    std::fs::create_dir_all(shop.scene.path("models/a")).unwrap();
    std::fs::write(shop.place(), file()).unwrap();
    let run = shop.run(&["fetch"]);
    assert!(run.code == Some(1) && run.stderr.contains("--record a-net"), "{run:?}");
    assert_eq!(shop.run(&["verify"]).code, Some(1));
    assert_eq!(shop.run(&["verify", "--record", "a-net"]).code, Some(0));
    assert_eq!(shop.run(&["verify"]).code, Some(0));
    std::fs::write(shop.place(), b"damaged").unwrap();
    let run = shop.run(&["verify"]);
    assert!(run.code == Some(1) && run.stdout.contains("is another file") && run.stderr.contains("a-net"), "{run:?}");
    let run = shop.run(&["fetch"]);
    assert!(run.code == Some(1) && run.stderr.contains("move it away"), "{run:?}");
}

#[test]
fn a_licence_that_is_not_permissive_must_be_allowed_by_name() {
    let server = FileServer::new(file(), vec![Serve::Right]);
    let shop = |settings| Shop::new(&server.url("net.bin"), &sha256(&file()), "CC-BY-NC-4.0", settings);
    shop("").fails(2, &["CC-BY-NC-4.0", "models.allow_licences"]);
    assert_eq!(server.asked(), [""; 0]);
    shop("allow_licences = ['CC-BY-NC-4.0']").fetches("and right");
}

#[test]
fn without_a_network_the_user_is_told_what_to_do() {
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let shop = Shop::new(&format!("http://127.0.0.1:{port}/net.bin"), &sha256(&file()), "MIT", "");
    shop.fails(1, &["cannot be reached", "seems to be offline", "models.mirrors", "a/net.bin"]);
}

#[test]
fn names_and_settings_that_make_no_sense_are_refused() {
    let server = FileServer::new(file(), vec![Serve::Right]);
    let shop = Shop::pinned(&server);
    let run = shop.run(&["fetch", "b-net"]);
    assert!(run.code == Some(2) && run.stderr.contains("there is no 'b-net' in the manifest: it has a-net"), "{run:?}");
    let run = Shop::new(&server.url("net.bin"), "abc", "MIT", "").run(&["list"]);
    assert!(run.code == Some(2) && run.stderr.contains("'a-net': sha256 is neither"), "{run:?}");
    let run = Shop::new(&server.url("net.bin"), &sha256(&file()), "MIT", "mirrors = ['x']").run(&["list"]);
    assert!(run.code == Some(2) && run.stderr.contains("models.mirrors: \"x\" is not an address"), "{run:?}");
}

#[test]
fn the_built_in_manifest_is_listed() {
    let scene = Scene::new();
    let run = scene.run(&["models", "list", "--folder", "models"]);
    for name in ["viseme", "musetalk-unet", "sd-vae-ft-mse", "tiny-vae", "whisper-tiny", "recorded on first fetch"] {
        assert!(run.code == Some(0) && run.stdout.contains(name), "{run:?}");
    }
}

#[test]
fn the_help_has_examples() {
    for command in ["fetch", "verify"] {
        let run = Scene::new().run(&["models", command, "--help"]);
        assert!(run.code == Some(0) && run.stdout.contains("Example: mouthpiece models"), "{run:?}");
    }
}

/// The shell twin does the same with curl.
#[test]
fn the_shell_twin_fetches_the_same_file() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/models/download_weights.sh");
    let server = FileServer::new(file(), vec![Serve::Right]);
    let shop = Shop::pinned(&server);
    // The manifest's own form, with double quotes.
    let manifest = std::fs::read_to_string(shop.scene.path("manifest.toml")).unwrap().replace('\'', "\"");
    let manifest = shop.scene.file("plain.toml", manifest.as_bytes());
    let run = |names: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        shell.arg(script).args(names).env("MODELS", shop.scene.path("models")).env("MANIFEST", &manifest);
        shell.env("WITHOUT_MOUTHPIECE", "1").output().unwrap()
    };
    let done = run(&["a-net"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(std::fs::read(shop.place()).unwrap(), file());
    assert!(String::from_utf8_lossy(&run(&[]).stdout).contains("here, and right"));
    assert_eq!(run(&["b-net"]).status.code(), Some(2));
    assert_eq!(server.asked().len(), 1);
    assert!(shop.run(&["verify", "a-net"]).stdout.contains("a-net: right"));
}
