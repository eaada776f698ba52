//! Whose certificates are believed.

use super::access::AccessError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;

/// The certificates of a PEM file, as they stand there. They are checked here because the HTTP client takes for granted that
/// they are sound.
pub(super) fn certificates(path: &Path) -> Result<Vec<u8>, AccessError> {
    let text = std::fs::read(path).map_err(|e| AccessError::File {
        what: "certificates",
        path: path.to_owned(),
        reason: e.to_string(),
    })?;
    let refused = |reason: String| AccessError::File { what: "certificates", path: path.to_owned(), reason };
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|e| refused(format!("it is no PEM file ({e})")))?;
        trusted.add(certificate).map_err(|e| refused(format!("a certificate in it cannot be used ({e})")))?;
    }
    if trusted.is_empty() {
        return Err(refused("it holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(text)
}
