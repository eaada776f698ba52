//! A server, a bucket in it, and stores of that bucket.

use bytes::Bytes;
use mouthpiece_aws_access::{Access, AccessSettings};
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader};
use mouthpiece_s3::{S3, S3Settings};
use mouthpiece_servers::S3Server;
use std::time::Duration;

/// The longest that anything is waited for.
pub const BOUND: Duration = Duration::from_secs(60);

pub struct Rig {
    pub server: S3Server,
    pub bucket: String,
}

impl Rig {
    pub async fn new() -> Self {
        let server = S3Server::start().await.unwrap();
        Self { bucket: server.bucket().unwrap(), server }
    }

    /// Settings for the bucket.
    pub fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: Some(self.server.endpoint()),
            path_style: true,
            ..S3Settings::at(&format!("s3://{}", self.bucket)).unwrap()
        }
    }

    pub async fn access(&self, access_key: &str, secret_key: &str) -> Access {
        let file = self.server.credentials_file(access_key, secret_key).unwrap();
        let settings = AccessSettings {
            region: Some("us-east-1".to_owned()),
            profile: Some("default".to_owned()),
            credentials_file: Some(file),
            ca_file: None,
        };
        Access::open(&settings).await.unwrap()
    }

    pub async fn store_of(&self, settings: &S3Settings) -> S3 {
        let access = self.access(S3Server::ACCESS_KEY, S3Server::SECRET_KEY).await;
        S3::open(settings, &access).await.unwrap()
    }

    pub async fn store(&self) -> S3 {
        self.store_of(&self.settings()).await
    }

    pub fn seen(&self, operation: &str) -> u64 {
        self.server.faults().seen(operation)
    }
}

pub fn key(text: &str) -> BlobKey {
    BlobKey::new(text).unwrap()
}

/// Content in which no two places look alike.
pub fn content(length: usize, salt: u32) -> Bytes {
    let word = |n: usize| (u32::try_from(n).unwrap() ^ (salt << 24)).wrapping_mul(2_654_435_761).to_le_bytes();
    (0..length.div_ceil(4)).flat_map(word).take(length).collect()
}

/// Everything that a reader gives, and how it ended.
pub async fn drain(mut reader: Box<dyn BlobReader>) -> (Vec<u8>, Result<(), BlobError>) {
    let mut all = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(piece)) => all.extend_from_slice(&piece),
            Ok(None) => return (all, Ok(())),
            Err(e) => return (all, Err(e)),
        }
    }
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("{what}: waited {BOUND:?}"));
}

/// What comes within the bound.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, future).await.expect("it hangs")
}
