//! Encryption with an authority of the farm's own.

use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why a file does not do.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// It cannot be read, or holds nothing of the kind.
    #[error("'{file}' must hold {what} in PEM: {why}")]
    File {
        /// Its name.
        file: String,
        /// What should be in it.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Certificate and key do not belong together, or are not taken.
    #[error("the certificate in '{file}' cannot be used with its key: {why}")]
    Pair {
        /// The certificate's file.
        file: String,
        /// What is wrong.
        why: String,
    },
}

/// Believes workers whose certificate one authority signed.
#[derive(Clone)]
pub struct ClientTls(pub(crate) TlsConnector);

/// A worker's certificate.
#[derive(Clone)]
pub struct ServerTls(pub(crate) TlsAcceptor);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn bad(file: &Path, what: &'static str, why: &dyn ToString) -> TlsError {
    TlsError::File { file: file.display().to_string(), what, why: why.to_string() }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refuse = |why: &dyn ToString| bad(file, "a certificate", why);
    let read = CertificateDer::pem_file_iter(file).map_err(|e| refuse(&e))?;
    let found = read.collect::<Result<Vec<_>, _>>().map_err(|e| refuse(&e))?;
    if found.is_empty() { Err(refuse(&"there is none")) } else { Ok(found) }
}

impl ClientTls {
    /// With the authority's certificate from a file; no other authority is believed.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_file(authority: &Path) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority)? {
            roots.add(certificate).map_err(|e| bad(authority, "an authority's certificate", &e))?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| bad(authority, "an authority's certificate", &e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

impl ServerTls {
    /// With a certificate (and its chain) and its key from two files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, "a private key", &e))?;
        let pair = |why: tokio_rustls::rustls::Error| TlsError::Pair {
            file: certificate.display().to_string(),
            why: why.to_string(),
        };
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(pair)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}
