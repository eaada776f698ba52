//! The store: its client, and the port's calls.

use super::cache::{FileCache, Flights};
use super::failure::Failure;
use super::object_key::Prefix;
use super::reader::Pieces;
use super::settings::{Encryption, OpenError, S3Settings};
use super::upload::{PARTS_AT_ONCE, Source};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, Region, RequestChecksumCalculation, ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use mouthpiece_aws_access::Access;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader, Blobs, LinkHeaders};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A connection comes about within this.
const CONNECT: Duration = Duration::from_secs(3);
/// The answer to a small request begins within this.
const ANSWER: Duration = Duration::from_secs(10);
/// One attempt, the sending of up to 16 MiB included.
const ATTEMPT: Duration = Duration::from_secs(60);
/// Readiness is judged within this.
const CHECK: Duration = Duration::from_secs(5);
/// A call with all its attempts.
const CALL: Duration = Duration::from_secs(120);
/// A body that does not move is given up after this.
const STALLED: Duration = Duration::from_secs(20);
/// Attempts of a call, the first included; the waits between them are doubled and scattered by the SDK.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The region's name for services that have none.
const ANY_REGION: &str = "us-east-1";
/// What readiness writes and reads.
const TRIFLE: &[u8] = b"mouthpiece";
/// The service lists no more at once.
const PAGE: usize = 1000;

/// A bucket, or a part of one, whose objects are blobs. Cloning is cheap.
#[derive(Clone)]
pub struct S3(pub(crate) Arc<Store>);

pub(crate) struct Store {
    pub(crate) client: Client,
    /// The same with more time, for requests that carry contents.
    pub(crate) sender: Client,
    /// Signs links, for the address at which browsers reach the service.
    pub(crate) links: Client,
    pub(crate) bucket: String,
    pub(crate) prefix: Prefix,
    pub(crate) encryption: Encryption,
    /// Parts of 8 MiB that may be in memory, of all uploads together.
    pub(crate) parts: Semaphore,
    /// The service knows `If-None-Match`; false once it said that it does not.
    pub(crate) conditional: AtomicBool,
    pub(crate) cache: Option<Arc<FileCache>>,
    pub(crate) flights: Flights,
}

/// Of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) bytes: u64,
    /// Changes with the content.
    pub(crate) etag: Option<String>,
}

impl S3 {
    /// Makes the client. Nothing is asked yet: a service that is down is a matter of [`Blobs::check`].
    ///
    /// # Errors
    /// [`OpenError`]: the settings cannot work, or the cache's folder cannot be used.
    pub async fn open(settings: &S3Settings, access: &Access) -> Result<Self, OpenError> {
        settings.check()?;
        let mut config = Builder::from(access.sdk())
            .force_path_style(settings.path_style)
            .timeout_config(timeouts(ANSWER))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(FIRST_WAIT)
                    .with_max_backoff(LONGEST_WAIT),
            )
            // Repetitions are rationed; a store that fails takes none from another.
            .retry_partition(RetryPartition::new(identity(settings)))
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALLED).build());
        if let Some(endpoint) = &settings.endpoint {
            // Many services stumble over checksums in trailers. What is sent is signed with its SHA-256 anyway.
            config = config
                .endpoint_url(endpoint)
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
            if access.region().is_none() {
                config = config.region(Region::new(ANY_REGION));
            }
        } else if access.region().is_none() {
            return Err(OpenError::Region);
        }
        let cache = match &settings.cache {
            Some(cache) => {
                let (cache, place) = (cache.clone(), identity(settings));
                let opened = tokio::task::spawn_blocking(move || FileCache::open(&cache, &place)).await;
                let died =
                    |path: &PathBuf| OpenError::Cache { path: path.clone(), reason: "it was interrupted".into() };
                Some(Arc::new(opened.unwrap_or_else(|_| {
                    Err(died(&settings.cache.as_ref().map(|c| c.folder.clone()).unwrap_or_default()))
                })?))
            }
            None => None,
        };
        Ok(Self(Arc::new(Store {
            links: client(config.clone(), settings.public_endpoint.as_deref()),
            sender: client(config.clone().timeout_config(timeouts(ATTEMPT)), None),
            client: client(config, None),
            bucket: settings.bucket.clone(),
            prefix: Prefix::new(&settings.prefix),
            encryption: settings.encryption.clone(),
            parts: Semaphore::new(PARTS_AT_ONCE),
            conditional: AtomicBool::new(true),
            cache,
            flights: Flights::default(),
        })))
    }
}

/// `answer` counts from the begin of a request: its sending is part of it.
fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(answer)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build()
}

fn client(config: Builder, endpoint: Option<&str>) -> Client {
    Client::from_conf(match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint).build(),
        None => config.build(),
    })
}

/// Tells one store's copies from another's.
fn identity(settings: &S3Settings) -> String {
    let S3Settings { bucket, prefix, endpoint, .. } = settings;
    format!("{}\n{bucket}\n{prefix}", endpoint.as_deref().unwrap_or_default())
}

impl Store {
    /// What is known of an object; `None` when there is none.
    pub(crate) async fn facts(&self, key: &BlobKey) -> Result<Option<Facts>, Failure> {
        let object = self.prefix.object(key);
        match self.client.head_object().bucket(&self.bucket).key(&object).send().await {
            Ok(found) => Ok(Some(Facts { bytes: length(found.content_length()), etag: found.e_tag })),
            Err(e) => match Failure::of(&self.bucket, &e) {
                Failure::Missing => Ok(None),
                // The answer to HEAD has no body, so it does not say whether the object, the bucket or the right is missing.
                Failure::Mute(_) => self.facts_by_reading(&object).await,
                failure => Err(failure),
            },
        }
    }

    async fn facts_by_reading(&self, object: &str) -> Result<Option<Facts>, Failure> {
        let first = self.client.get_object().bucket(&self.bucket).key(object).range("bytes=0-0");
        match first.send().await {
            Ok(found) => {
                let whole = found.content_range().and_then(|range| range.rsplit_once('/')?.1.parse().ok());
                let bytes = whole.unwrap_or_else(|| length(found.content_length()));
                Ok(Some(Facts { bytes, etag: found.e_tag }))
            }
            Err(e) => match Failure::of(&self.bucket, &e) {
                Failure::Missing => Ok(None),
                Failure::Range => Ok(Some(Facts { bytes: 0, etag: None })),
                failure => Err(failure),
            },
        }
    }

    /// True when an object is there that was put together of so many parts and bytes.
    pub(crate) async fn is_there(&self, object: &str, bytes: u64, parts: usize) -> bool {
        let found = self.client.head_object().bucket(&self.bucket).key(object).send().await;
        let parts = format!("-{parts}");
        let same = |etag: &str| etag.trim_matches('"').ends_with(&parts);
        found.is_ok_and(|found| length(found.content_length()) == bytes && found.e_tag().is_some_and(same))
    }

    async fn remove(&self, key: &BlobKey) -> Result<bool, Failure> {
        let there = self.facts(key).await?.is_some();
        if there {
            let removed = self.client.delete_object().bucket(&self.bucket).key(self.prefix.object(key)).send().await;
            removed.map_err(|e| Failure::of(&self.bucket, &e))?;
        }
        Ok(there)
    }

    async fn below(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, Failure> {
        let mut found = Vec::new();
        let mut from = None;
        while found.len() < most {
            let page = i32::try_from((most - found.len()).min(PAGE)).unwrap_or(1);
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.prefix.folder(folder));
            let listed = list.max_keys(page).set_continuation_token(from).send().await;
            let listed = listed.map_err(|e| Failure::of(&self.bucket, &e))?;
            let blobs = listed
                .contents()
                .iter()
                .filter_map(|object| Some((self.prefix.blob(object.key()?)?, length(object.size()))));
            found.extend(blobs.take(most - found.len()));
            from = listed.next_continuation_token;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn trifle(&self) -> Result<(), Failure> {
        let object = self.prefix.trifle();
        self.put_object(&object, Bytes::from_static(TRIFLE), false).await?;
        let read = self.client.get_object().bucket(&self.bucket).key(&object).send().await;
        let body = read.map_err(|e| Failure::of(&self.bucket, &e))?.body.collect().await;
        let cut = |_| Failure::Other(format!("bucket '{}': the connection was cut", self.bucket));
        if body.map_err(cut)?.into_bytes() == TRIFLE {
            return Ok(());
        }
        Err(Failure::Other(format!("bucket '{}': what was written is not what is read", self.bucket)))
    }

    /// Writes a small object.
    pub(crate) async fn put_object(&self, object: &str, content: Bytes, if_none: bool) -> Result<(), Failure> {
        let put = self.sender.put_object().bucket(&self.bucket).key(object).body(ByteStream::from(content));
        let put = put
            .set_if_none_match(if_none.then(|| "*".to_owned()))
            .set_server_side_encryption(self.encryption.kind())
            .set_ssekms_key_id(self.encryption.key())
            .set_bucket_key_enabled(self.encryption.bucket_key());
        put.send().await.map(|_| ()).map_err(|e| Failure::of(&self.bucket, &e))
    }
}

fn length(bytes: Option<i64>) -> u64 {
    bytes.and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}

#[async_trait]
impl Blobs for S3 {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        self.store_content(key, Source::Memory(content)).await
    }

    async fn put_file(&self, key: &BlobKey, file: &Path) -> Result<(), BlobError> {
        self.store_content(key, Source::open(file).await?).await
    }

    async fn get(&self, key: &BlobKey, allowed: u64) -> Result<Bytes, BlobError> {
        let mut pieces = Pieces::open(self, key, 0, u64::MAX).await?;
        let bytes = pieces.remaining();
        if bytes > allowed {
            return Err(BlobError::TooLarge { key: key.clone(), bytes, allowed });
        }
        let mut content = BytesMut::with_capacity(usize::try_from(bytes).unwrap_or_default());
        while let Some(piece) = pieces.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content.freeze())
    }

    async fn local(&self, key: &BlobKey, folder: &Path) -> Result<PathBuf, BlobError> {
        self.local_file(key, folder).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        let facts = self.0.facts(key).await.map_err(|e| e.blob(key))?;
        Ok(facts.map(|facts| facts.bytes))
    }

    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError> {
        Ok(Box::new(Pieces::open(self, key, start, length).await?))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError> {
        self.forget_local(key).await;
        self.0.remove(key).await.map_err(|e| e.blob(key))
    }

    async fn list(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError> {
        self.0.below(folder, most).await.map_err(|e| e.blob(folder))
    }

    async fn link(
        &self,
        key: &BlobKey,
        lifetime: Duration,
        headers: &LinkHeaders,
    ) -> Result<Option<String>, BlobError> {
        self.0.presigned(key, lifetime, headers).await.map(Some)
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.expire_local().await;
        let late = |_| Err(Failure::late(&self.0.bucket));
        tokio::time::timeout(CHECK, self.0.trifle()).await.unwrap_or_else(late).map_err(|e| match e {
            Failure::Full(text) => BlobError::Full(text),
            Failure::Missing => BlobError::Unavailable("what was written is not there".to_owned()),
            Failure::Unknown(text) | Failure::Other(text) | Failure::Mute(text) => BlobError::Unavailable(text),
            Failure::Condition | Failure::Conflict | Failure::Range | Failure::NoUpload => {
                BlobError::Unavailable(format!("bucket '{}': the service answers at random", self.0.bucket))
            }
        })
    }
}
