//! The adapters for farms of several processes: a connection to each server, and the lines between the processes.

pub mod coordinator;
mod observer;
#[cfg(feature = "worker")]
pub mod worker;

use crate::config::{BucketEncryption, CallerAccess, Config, ConfigError, FarmSettings, ServerUrl};
use crate::up::patience::UNTIL_THERE;
use anyhow::Context;
use mouthpiece_aws_access::{Access, AccessError, AccessSettings};
use mouthpiece_aws_fleet::{AwsFleet, AwsFleetSettings};
use mouthpiece_direct::{
    CallerSettings, CallersUrl, ClientTls, DialSettings, Direct, DirectListener, DirectObserver, FarmSecrets,
    ListenerSettings, PoolDirectory, ServerTls,
};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::fleet::Fleet;
use mouthpiece_ports::pool::Pool;
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_rabbitmq::{RabbitBus, RabbitOptions};
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_s3::{CacheSettings, Encryption, S3, S3Settings};
pub use observer::CountedDirect;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A worker's copies of blobs that were not used for so long are removed: what was deleted from the bucket shall not stay.
const KEEP_COPIES: Duration = Duration::from_secs(24 * 3600);
/// Leases may be this long at least, so that a farm's processes can be given other lease terms one after the other.
const LONGEST_LEASE: Duration = Duration::from_secs(10);

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn given(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

/// Opens the records in Postgres; waits for a server that is not there yet.
///
/// # Errors
/// What waiting does not mend: the address, the role, its rights, the schema.
pub async fn records(url: &ServerUrl) -> anyhow::Result<Arc<Postgres>> {
    let opened = Postgres::open_when_up(&url.0, PostgresSettings::default(), UNTIL_THERE).await;
    Ok(Arc::new(opened.context("stores.records")?))
}

/// Opens the bus on RabbitMQ.
///
/// # Errors
/// The address or the file of authorities cannot be used, or the broker refuses what was asked of it.
pub async fn bus(url: &ServerUrl, farm: &FarmSettings) -> anyhow::Result<Arc<dyn Bus>> {
    let mut options = RabbitOptions::new(url.0.clone());
    options.ca_file = given(&farm.ca_file).filter(|_| url.0.starts_with("amqps:"));
    Ok(Arc::new(RabbitBus::open(options).await.context("stores.bus")?))
}

/// Opens the pool in Redis.
///
/// # Errors
/// The address or the file of authorities cannot be used.
pub fn pool(url: &ServerUrl, farm: &FarmSettings, lease: &LeaseTerms) -> anyhow::Result<Arc<dyn Pool>> {
    let mut options = RedisOptions::new(url.0.clone());
    options.ca_file = given(&farm.ca_file).filter(|_| url.0.starts_with("rediss:"));
    options.longest_lease = LONGEST_LEASE.max(lease.expiry());
    Ok(Arc::new(RedisPool::open(&options).context("stores.pool")?))
}

async fn access(region: &str, credentials_file: &Path, farm: &FarmSettings) -> Result<Access, AccessError> {
    let settings = AccessSettings {
        region: said(region),
        credentials_file: given(credentials_file),
        ca_file: given(&farm.ca_file),
        ..AccessSettings::default()
    };
    Access::open(&settings).await
}

/// Opens the artifact store in a bucket. A service that is down is told by its check, not here.
///
/// # Errors
/// The address, a file or the region cannot be used.
pub async fn bucket(url: &str, farm: &FarmSettings, copies: Option<PathBuf>) -> anyhow::Result<Arc<dyn Blobs>> {
    let access = access(&farm.s3.region, &farm.s3.credentials_file, farm).await.context("s3")?;
    let mut settings = S3Settings::at(url).context("stores.blobs")?;
    settings.endpoint = said(&farm.s3.endpoint);
    settings.path_style = farm.s3.path_style;
    settings.public_endpoint = said(&farm.s3.public_endpoint);
    settings.encryption = match &farm.s3.encryption {
        BucketEncryption::Bucket => Encryption::Bucket,
        BucketEncryption::Service => Encryption::Service,
        BucketEncryption::Kms(key) => Encryption::Kms { key: key.clone() },
    };
    let copies = copies.filter(|_| farm.s3.copies > 0);
    settings.cache = copies.map(|folder| CacheSettings { folder, bytes: farm.s3.copies, keep: KEEP_COPIES });
    Ok(Arc::new(S3::open(&settings, &access).await.context("stores.blobs")?))
}

/// Opens the fleet: the machines of an Auto Scaling group. One that is away is told when it is needed, not here.
///
/// # Errors
/// A setting, a file or the region cannot be used.
pub async fn fleet(group: &str, farm: &FarmSettings) -> anyhow::Result<Arc<dyn Fleet>> {
    let mut settings = AwsFleetSettings::at(group).context("stores.fleet")?;
    settings.scaling_endpoint = said(&farm.aws.autoscaling_endpoint);
    settings.ec2_endpoint = said(&farm.aws.ec2_endpoint);
    settings.spot_prices = farm.aws.spot_prices;
    let access = access(&farm.aws.region, &farm.aws.credentials_file, farm).await.context("aws")?;
    Ok(Arc::new(AwsFleet::open(&settings, access).context("stores.fleet")?))
}

/// Lines and questions straight to the workers that the pool knows; with `takes`, a listener for this process's own worker too.
///
/// # Errors
/// There is no secret, the port cannot be had, or a certificate cannot be used.
pub fn direct(
    farm: &FarmSettings,
    pool: Arc<dyn Pool>,
    observer: Arc<dyn DirectObserver>,
    takes: bool,
) -> anyhow::Result<Arc<Direct>> {
    let secrets = Arc::new(secrets(farm)?);
    let authority =
        given(&farm.lines_ca).map(|file| ClientTls::from_file(&file)).transpose().context("lines.ca_file")?;
    let directory = Arc::new(PoolDirectory::new(pool));
    let dialled =
        Direct::new(DialSettings::default(), Arc::clone(&secrets), directory, authority, Arc::clone(&observer));
    if !takes {
        return Ok(Arc::new(dialled));
    }
    let [certificate, key] = &farm.lines_tls;
    let tls = given(certificate).map(|file| ServerTls::from_files(&file, key));
    let tls = tls.transpose().context("lines.tls_certificate")?;
    let address = Some(farm.lines_address.clone()).filter(|address| !address.is_empty());
    let settings = ListenerSettings { bind: farm.lines, address, ..ListenerSettings::default() };
    let listener = DirectListener::open(settings, secrets, tls, observer).context("lines")?;
    tracing::info!(address = listener.address(), "lines and questions are taken");
    let direct = with_callers(dialled.with_listener(Arc::new(listener)), &farm.callers)?;
    Ok(Arc::new(direct))
}

/// Lets callers come, where settings say so.
fn with_callers(direct: Direct, access: &CallerAccess) -> anyhow::Result<Direct> {
    if access.url.is_empty() {
        return Ok(direct);
    }
    let [certificate, key] = &access.tls;
    let tls = given(certificate).map(|file| ServerTls::from_files(&file, key));
    let tls = tls.transpose().context("callers.tls_certificate")?;
    let url: CallersUrl = access.url.parse().context("callers.url")?;
    let settings = CallerSettings {
        connections: access.max_sockets,
        longest: access.longest,
        ..CallerSettings::new(access.bind, url)
    };
    let direct = direct.with_callers(settings, tls).context("callers")?;
    if let Some(url) = direct.callers() {
        tracing::info!(%url, secure = url.is_secure(), "callers may come straight to this worker");
    }
    Ok(direct)
}

fn secrets(farm: &FarmSettings) -> anyhow::Result<FarmSecrets> {
    match (given(&farm.secret_file), farm.secret.0.as_str()) {
        (Some(file), _) => FarmSecrets::from_file(&file).context("farm.secret_file"),
        (None, "") => Err(ConfigError::from(vec![
            "farm.secret is not set: coordinators and workers prove with it that they belong together. Make one with \
             `openssl rand -hex 32` and give it to all of them as MOUTHPIECE_FARM__SECRET, or in the file farm.secret_file"
                .to_owned(),
        ])
        .into()),
        (None, secret) => FarmSecrets::parse(secret).context("farm.secret"),
    }
}

/// Refuses what only one process can reach, where several are meant to.
///
/// # Errors
/// [`ConfigError`] with all of it.
pub fn check_shared(config: &Config) -> Result<(), ConfigError> {
    use crate::config::StoreUrl::{Directory, Memory};
    let stores = &config.stores;
    let mut problems = Vec::new();
    for (key, url, remedy) in [
        ("stores.bus", &stores.bus, "amqp://USER:PASSWORD@HOST/VHOST"),
        ("stores.pool", &stores.pool, "redis://HOST:6379"),
    ] {
        if *url == Memory {
            problems.push(format!("{key} is \"memory:\", which other processes cannot reach: use {remedy}"));
        }
    }
    if let Directory(path) = &stores.blobs
        && path.is_relative()
    {
        problems.push("stores.blobs lies in this process's data folder: give the path of a folder that all of them share, \"file:/PATH\"".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}
