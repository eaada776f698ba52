//! Films are signed with certificates that OpenSSL makes, and read by the reference implementation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use c2pa::{Context, Reader, ValidationState};
use mouthpiece_provenance::{FilmSigner, ProvenanceError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority, a certificate for signing below it with its key, and another key.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"set -e
            key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
            key authority.key; key own.key; key other.key
            openssl req -x509 -new -key authority.key -days 2 -subj "/O=Test/CN=Authority" -out authority.pem
            openssl req -new -key own.key -subj "/O=Test/CN=Films" -out own.csr
            printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
                extendedKeyUsage=emailProtection subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >own.ext
            openssl x509 -req -in own.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 1 -extfile own.ext -out own.pem
            cat own.pem authority.pem >chain.pem"#;
        let made = Command::new("sh").arg("-c").arg(script).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn signer(&self) -> FilmSigner {
        FilmSigner::open(&self.file("chain.pem"), &self.file("own.key"), "es256", "Mouthpiece/1.2").unwrap()
    }
}

fn film(at: &Path) {
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=duration=1:size=64x64",
            "-c:v",
            "mpeg4",
            "-movflags",
            "+faststart",
        ])
        .arg(at)
        .status();
    assert!(made.unwrap().success());
}

fn read(film: &Path) -> Reader {
    Reader::from_context(Context::new()).with_file(film).unwrap()
}

#[test]
fn a_signed_film_says_who_made_it_and_that_a_machine_did() {
    let certificates = Certificates::made();
    let (plain, signed) = (certificates.file("plain.mp4"), certificates.file("signed.mp4"));
    film(&plain);
    certificates.signer().sign(&plain, &signed).unwrap();
    let found = read(&signed);
    assert_ne!(found.validation_state(), ValidationState::Invalid, "{:?}", found.validation_status());
    let told = found.json();
    for word in ["Mouthpiece", "1.2", "c2pa.created", "trainedAlgorithmicMedia"] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    let playable =
        Command::new("ffmpeg").args(["-v", "error", "-xerror", "-i"]).arg(&signed).args(["-f", "null", "-"]).status();
    assert!(playable.unwrap().success());

    // Another byte of the picture, and it is not that film any more.
    let mut bytes = std::fs::read(&signed).unwrap();
    let picture = bytes.windows(4).rposition(|name| name == b"mdat").unwrap() + 100;
    bytes[picture] ^= 1;
    std::fs::write(&signed, bytes).unwrap();
    assert_eq!(read(&signed).validation_state(), ValidationState::Invalid);
}

#[test]
fn what_does_not_belong_together_is_refused_at_once() {
    let certificates = Certificates::made();
    let open = |chain: &str, key: &str, algorithm: &str| {
        FilmSigner::open(&certificates.file(chain), &certificates.file(key), algorithm, "Mouthpiece/1").map(drop)
    };
    open("chain.pem", "own.key", "es256").unwrap();
    let refused = open("chain.pem", "own.key", "rot13").unwrap_err();
    assert!(refused.to_string().contains("provenance.algorithm"), "{refused}");
    let refused = open("none.pem", "own.key", "es256").unwrap_err();
    assert!(matches!(refused, ProvenanceError::Unreadable { what: "provenance.certificates", .. }), "{refused}");
    for (chain, key, algorithm) in [
        ("chain.pem", "other.key", "es256"),
        ("own.key", "own.key", "es256"),
        ("chain.pem", "own.pem", "es256"),
        ("chain.pem", "own.key", "ed25519"),
        ("authority.pem", "authority.key", "es256"),
    ] {
        let refused = open(chain, key, algorithm).unwrap_err();
        assert!(matches!(refused, ProvenanceError::Unusable(_)), "{chain} {key} {algorithm}: {refused}");
    }
}
