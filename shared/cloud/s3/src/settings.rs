//! Where the store is and how it is used.

use mouthpiece_aws_access::{AccessError, plain_endpoint};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// A bucket, or a part of one, and how it is spoken to. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket, which must be there already.
    pub bucket: String,
    /// What all keys begin with, without slashes at its ends; empty: nothing.
    pub prefix: String,
    /// Where the service is, for example `https://minio.internal:9000`; by default AWS's own for the region.
    pub endpoint: Option<String>,
    /// The same service as browsers reach it, for links; by default `endpoint`.
    pub public_endpoint: Option<String>,
    /// The bucket stands in the path instead of in the host's name, as many other services than AWS want it.
    pub path_style: bool,
    /// How the service encrypts what it keeps.
    pub encryption: Encryption,
    /// Copies on this machine; none by default.
    pub cache: Option<CacheSettings>,
}

/// How the service encrypts what it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Encryption {
    /// As the bucket has it by default.
    #[default]
    Bucket,
    /// With the service's own keys (SSE-S3, `AES256`).
    Service,
    /// With a key of the key management service (SSE-KMS, `aws:kms`).
    Kms {
        /// Its id or ARN; the account's default key if none is named.
        key: Option<String>,
    },
}

/// Copies of blobs on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// A folder that no other process uses. Files that are handed out cost no copy when they go to the same file system.
    pub folder: PathBuf,
    /// At most so many bytes are kept. A larger blob is fetched each time.
    pub bytes: u64,
    /// What was not used for so long is removed, whether there is room or not.
    pub keep: Duration,
}

/// The settings cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The entrance to AWS.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store's address.
    #[error("'{0}' is no address of a store: write s3://BUCKET or s3://BUCKET/FOLDER")]
    Address(String),
    /// A bucket that cannot be one.
    #[error("'{0}' is no bucket: its name has 3 to 63 characters of a-z, 0-9, '.' and '-'")]
    Bucket(String),
    /// A prefix that cannot be one.
    #[error("'{0}' cannot begin keys: use at most 500 of A-Z, a-z, 0-9, '.', '_' and '-' in parts separated by '/'")]
    Prefix(String),
    /// An endpoint that cannot be one.
    #[error("the {0} is no address: write http://HOST:PORT or https://HOST, without user, path or query")]
    Endpoint(&'static str),
    /// No region.
    #[error("no region is set: name it in the settings or in AWS_REGION")]
    Region,
    /// A cache's folder.
    #[error("the cache's folder '{path}' cannot be used: {reason}", path = path.display())]
    Cache {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl S3Settings {
    /// A bucket by its address, `s3://BUCKET` or `s3://BUCKET/FOLDER`, with everything else as it is by default.
    ///
    /// # Errors
    /// [`OpenError::Address`], [`OpenError::Bucket`] or [`OpenError::Prefix`].
    pub fn at(address: &str) -> Result<Self, OpenError> {
        // What may hold a password is not repeated.
        let refused = || OpenError::Address(address.split(['@', '?']).next_back().unwrap_or_default().to_owned());
        let place = address.strip_prefix("s3://").ok_or_else(refused)?;
        if place.contains(['@', '?', '#', ':']) {
            return Err(refused());
        }
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let settings = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
            endpoint: None,
            public_endpoint: None,
            path_style: false,
            encryption: Encryption::default(),
            cache: None,
        };
        settings.check()?;
        Ok(settings)
    }

    /// Refuses what cannot work anywhere.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        if !(3..=63).contains(&self.bucket.len()) || !self.bucket.bytes().all(name) {
            return Err(OpenError::Bucket(self.bucket.clone()));
        }
        let part = |p: &str| {
            !matches!(p, "" | "." | "..") && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if self.prefix.len() > 500 || !(self.prefix.is_empty() || self.prefix.split('/').all(part)) {
            return Err(OpenError::Prefix(self.prefix.clone()));
        }
        endpoint("endpoint", self.endpoint.as_deref())?;
        endpoint("public endpoint", self.public_endpoint.as_deref())
    }
}

fn endpoint(which: &'static str, text: Option<&str>) -> Result<(), OpenError> {
    let Some(text) = text else { return Ok(()) };
    plain_endpoint(text).map(|_| ()).ok_or(OpenError::Endpoint(which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_folder() {
        let settings = S3Settings::at("s3://my-bucket/farm/one/").unwrap();
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("my-bucket", "farm/one"));
        assert_eq!(S3Settings::at("s3://my-bucket").unwrap().prefix, "");
        assert!(matches!(S3Settings::at("s3://a"), Err(OpenError::Bucket(_))));
        assert!(matches!(S3Settings::at("s3://my-bucket/a/../b"), Err(OpenError::Prefix(_))));
        assert!(matches!(S3Settings::at("/srv/blobs"), Err(OpenError::Address(_))));
    }

    #[test]
    fn no_refusal_repeats_a_secret() {
        for address in ["s3://key:hush@bucket/a", "s3://bucket/a?secret=hush@b", "s3:key:hush@bucket"] {
            let refusal = S3Settings::at(address).unwrap_err().to_string();
            assert!(!refusal.contains("hush"), "{refusal}");
        }
        let settings = S3Settings::at("s3://bucket").unwrap();
        let settings = S3Settings { endpoint: Some("http://key:hush@host".to_owned()), ..settings };
        let refusal = settings.check().unwrap_err();
        assert!(matches!(refusal, OpenError::Endpoint("endpoint")) && !refusal.to_string().contains("hush"));
    }
}
