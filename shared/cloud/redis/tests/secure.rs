//! TLS with an authority of one's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod rig;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mouthpiece_ports::pool::Pool as _;
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::{RedisServer, free_port};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rig::{heartbeat, until};
use std::path::Path;
use std::time::Duration;

/// Writes an authority's certificate, and a server's with its key, for `localhost`.
fn certify(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &authority).unwrap();
    let write = |name: &str, label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        std::fs::write(folder.join(name), format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")).unwrap();
    };
    write("ca.pem", "CERTIFICATE", authority.der());
    write("server.pem", "CERTIFICATE", certificate.der());
    write("server.key", "PRIVATE KEY", &key.serialize_der());
}

#[tokio::test]
async fn tls_trusts_the_authority_that_is_named_and_no_other() {
    let (certificates, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certify(certificates.path());
    certify(others.path());
    let port = free_port().unwrap().to_string();
    let file = |name: &str| certificates.path().join(name).to_str().unwrap().to_owned();
    let settings = [
        ["--tls-port", &port],
        ["--tls-ca-cert-file", &file("ca.pem")],
        ["--tls-cert-file", &file("server.pem")],
        ["--tls-key-file", &file("server.key")],
        ["--tls-auth-clients", "no"],
    ];
    let server = RedisServer::start_with(settings.as_flattened()).await.unwrap();
    let pool = |url: String, authority: Option<&Path>| {
        let mut options = RedisOptions::new(url);
        options.call_limit = Duration::from_secs(10);
        options.ca_file = authority.map(|folder| folder.join("ca.pem"));
        RedisPool::open(&options).unwrap()
    };
    let tls = |host: &str| format!("rediss://{host}:{port}");
    let good = pool(tls("localhost"), Some(certificates.path()));
    until(async || good.announce(&heartbeat(1), Duration::from_secs(60)).await.is_ok()).await;
    assert_eq!(good.workers().await, Ok(vec![heartbeat(1)]));
    for (bad, why) in [
        (pool(tls("localhost"), Some(others.path())), "TLS with Redis"),
        (pool(tls("localhost"), None), "TLS with Redis"),
        (pool(tls("127.0.0.1"), Some(certificates.path())), "TLS with Redis"),
        (pool(format!("rediss://localhost:{}", server.port()), Some(certificates.path())), "TLS with Redis"),
        (pool(format!("redis://localhost:{port}"), None), "cannot be reached"),
    ] {
        let words = bad.check().await.unwrap_err().to_string();
        assert!(words.contains(why), "{words}");
    }
}
