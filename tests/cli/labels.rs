//! What tells viewers and programs that a film was made by a machine.

use crate::film::{frames, probe};
use crate::scene::Scene;

#[test]
fn a_marked_film_bears_the_mark_at_its_lower_right_and_is_else_the_same() {
    let scene = Scene::new();
    let film = |more: &[&str]| {
        assert_eq!(
            scene.render("portrait.png", "speech.wav", &[&["--encoder", "x264", "--still"], more].concat()).code,
            Some(0)
        );
        frames(&scene.film()).swap_remove(12)
    };
    let (plain, marked) = (film(&[]), film(&["--mark"]));
    let (width, height) = plain.dimensions();
    let (mut inside, mut outside) = (0, 0);
    for (x, y, pixel) in plain.enumerate_pixels() {
        let apart = pixel.0[1].abs_diff(marked.get_pixel(x, y).0[1]) > 24;
        if x > width * 4 / 5 && y > height * 4 / 5 { inside += i32::from(apart) } else { outside += i32::from(apart) }
    }
    assert!(inside > 200 && outside < 20, "{inside} pixels in the corner, {outside} elsewhere");
}

#[test]
fn a_film_says_in_its_metadata_what_it_is() {
    let scene = Scene::new();
    assert_eq!(scene.render("portrait.png", "speech.wav", &[]).code, Some(0));
    let tags = &probe(&scene.film())["format"]["tags"];
    assert!(tags["comment"].as_str().is_some_and(|comment| comment.contains("AI-generated")), "{tags}");
}

#[cfg(not(feature = "provenance"))]
#[test]
fn a_build_that_cannot_sign_refuses_to_pretend() {
    let scene = Scene::new();
    let run = scene.render("portrait.png", "speech.wav", &["--certificates", "chain.pem", "--key", "own.key"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("build with the feature `provenance`"), "{}", run.stderr);
}

/// `make provenance` runs it; what is in the statement is tested in shared/provenance.
#[cfg(feature = "provenance")]
#[test]
fn a_film_is_signed_and_one_that_cannot_be_is_not_left_behind() {
    use std::process::Command;
    let scene = Scene::new();
    let script = r#"set -e
        key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
        key authority.key; key own.key; key other.key
        openssl req -x509 -new -key authority.key -days 2 -subj "/O=Test/CN=Authority" -out authority.pem
        openssl req -new -key own.key -subj "/O=Test/CN=Films" -out own.csr
        printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
            extendedKeyUsage=emailProtection subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >own.ext
        openssl x509 -req -in own.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 1 -extfile own.ext -out own.pem
        cat own.pem authority.pem >chain.pem"#;
    assert!(Command::new("sh").arg("-ec").arg(script).current_dir(scene.path(".")).output().unwrap().status.success());
    let run = scene.render("portrait.png", "speech.wav", &["--certificates", "chain.pem", "--key", "other.key"]);
    assert_eq!((run.code, scene.film().exists()), (Some(2), false), "{}", run.stderr);
    let run = scene.render("portrait.png", "speech.wav", &["--certificates", "chain.pem", "--key", "own.key"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(frames(&scene.film()).len(), 25);
    let bytes = std::fs::read(scene.film()).unwrap();
    assert!(bytes.windows(23).any(|part| part == b"trainedAlgorithmicMedia"));
    assert_eq!(scene.written(), ["film.mp4"]);
}
