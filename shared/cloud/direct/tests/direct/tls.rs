//! The same over TLS with an authority of the farm's own.

use crate::net::{Book, WORKER, comes, hold, secrets};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mouthpiece_direct::{ClientTls, Direct, DirectListener, ListenerSettings, ServerTls};
use mouthpiece_domain::live::LineInput;
use mouthpiece_ports::lines::{LineError, Lines};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn pem(folder: &Path, name: &str, label: &str, der: &[u8]) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)))
        .unwrap();
    file
}

/// An authority's file, and the certificate and key of a worker at `host`.
pub fn made(folder: &Path, host: &str) -> (PathBuf, PathBuf, PathBuf) {
    std::fs::create_dir_all(folder).unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (
        pem(folder, "authority.pem", "CERTIFICATE", authority.der()),
        pem(folder, "worker.pem", "CERTIFICATE", own.der()),
        pem(folder, "worker.key", "PRIVATE KEY", &key.serialize_der()),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_are_encrypted_and_other_authorities_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, certificate, key) = made(&folder.path().join("ours"), "127.0.0.1");
    let (stranger, ..) = made(&folder.path().join("theirs"), "127.0.0.1");
    let tls = ServerTls::from_files(&certificate, &key).unwrap();
    let listener = DirectListener::open(ListenerSettings::default(), secrets(), Some(tls), Arc::new(())).unwrap();
    let book = Book::of(listener.address());
    let with = |tls| Direct::new(Default::default(), secrets(), Arc::clone(&book) as _, tls, Arc::new(()));
    let ours = with(Some(ClientTls::from_file(&authority).unwrap())).with_listener(Arc::new(listener));
    let mut calls = ours.calls(WORKER).await.unwrap();
    let hold = hold(1);
    let (line, called) = comes("a line", async { tokio::join!(ours.open(&hold), calls.next()) }).await;
    let (line, mut called) = (line.unwrap(), called.unwrap());
    let speech = LineInput::Speak { event: None, rate: 24_000, samples: vec![-3; 100_000] };
    line.up.send(speech.clone()).await.unwrap();
    assert_eq!(comes("speech", called.up.recv()).await, Some(speech));

    let theirs = with(Some(ClientTls::from_file(&stranger).unwrap()));
    assert!(matches!(theirs.open(&hold).await, Err(LineError::Unavailable(why)) if why.contains("TLS")));
    assert!(matches!(with(None).open(&hold).await, Err(LineError::Unavailable(_))), "plain");
}

#[test]
fn files_that_do_not_do_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, certificate, key) = made(folder.path(), "w");
    let error = ClientTls::from_file(&key).err().unwrap().to_string();
    assert!(error.contains("worker.key") && error.contains("a certificate in PEM"), "{error}");
    let error = ServerTls::from_files(&certificate, &certificate).err().unwrap().to_string();
    assert!(error.contains("worker.pem") && error.contains("a private key in PEM"), "{error}");
    let error = ServerTls::from_files(&authority, &key).err().unwrap().to_string();
    assert!(error.contains("authority.pem") && error.contains("cannot be used with its key"), "{error}");
    assert!(ClientTls::from_file(Path::new("/nonexistent")).is_err());
}
