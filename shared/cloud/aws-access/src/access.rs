//! What an AWS client is made of.

use super::credentials::{CredentialsError, Remembered};
use super::trust::certificates;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Finding the region takes no longer.
const LIMIT: Duration = Duration::from_secs(15);
/// Idle connections that are kept for each host.
const IDLE: usize = 32;

/// How AWS, or what speaks its dialects, is entered. The default is what every AWS program does.
#[derive(Debug, Clone, Default)]
pub struct AccessSettings {
    /// The region, for example `eu-central-1`; by default the environment's, the profile's or the machine's.
    pub region: Option<String>,
    /// The profile in the files of `~/.aws` or in `credentials_file`; by default the environment's.
    pub profile: Option<String>,
    /// A file in the form of `~/.aws/credentials` that alone is believed, for example a mounted secret.
    pub credentials_file: Option<PathBuf>,
    /// A PEM file of certificates that are believed beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// The settings cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum AccessError {
    /// A file that a setting names.
    #[error("the {what} file '{path}' cannot be used: {reason}", path = path.display())]
    File {
        /// What should be in it.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The network's answer is needed for the region and does not come.
    #[error("the region is not found in time: name it in the settings or in AWS_REGION")]
    Slow,
}

/// An entrance to AWS: who asks, where, and whose certificates are believed. Debug output shows no secret.
#[derive(Debug)]
pub struct Access {
    sdk: SdkConfig,
    remembered: Remembered,
    ca: Option<Vec<u8>>,
}

impl Access {
    /// Reads the settings' files and finds the region. Credentials are asked for when they are needed.
    ///
    /// # Errors
    /// [`AccessError`]: a file is missing or is not what it should be, or no region is found in time.
    pub async fn open(settings: &AccessSettings) -> Result<Self, AccessError> {
        let ca = settings.ca_file.as_deref().map(certificates).transpose()?;
        let mut trusted = TrustStore::default();
        if let Some(ca) = &ca {
            trusted.add_pem_certificate(ca.clone());
        }
        let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(|e| AccessError::File {
            what: "certificates",
            path: settings.ca_file.clone().unwrap_or_default(),
            reason: e.to_string(),
        })?;
        let http = HttpBuilder::new()
            .pool_max_idle_per_host(IDLE)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls)
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        loader = with_file(loader, settings)?;
        let sdk = tokio::time::timeout(LIMIT, loader.load()).await.map_err(|_| AccessError::Slow)?;
        Ok(Self { sdk, remembered: Remembered::default(), ca })
    }

    /// What the SDK's own clients are made of.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// What requests that are not an SDK's are signed with; asked for anew before it expires.
    ///
    /// # Errors
    /// [`CredentialsError`]: nobody gives any, or not in time.
    pub async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let provider = self.sdk.credentials_provider().ok_or(CredentialsError::None)?;
        self.remembered.ask(&provider).await
    }

    /// Certificates that are believed beside the system's, a PEM file's text.
    pub fn ca(&self) -> Option<&[u8]> {
        self.ca.as_deref()
    }

    /// The region, if one is set anywhere.
    pub fn region(&self) -> Option<&str> {
        self.sdk.region().map(Region::as_ref)
    }
}

/// With a credentials file, it alone is asked.
fn with_file(loader: ConfigLoader, settings: &AccessSettings) -> Result<ConfigLoader, AccessError> {
    let Some(path) = &settings.credentials_file else { return Ok(loader) };
    // Read once here, so that a wrong path is told at the start.
    std::fs::read(path).map_err(|e| AccessError::File {
        what: "credentials",
        path: path.clone(),
        reason: e.to_string(),
    })?;
    let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path).build();
    let mut provider = ProfileFileCredentialsProvider::builder().profile_files(files);
    if let Some(profile) = &settings.profile {
        provider = provider.profile_name(profile);
    }
    Ok(loader.credentials_provider(SharedCredentialsProvider::new(provider.build())))
}
