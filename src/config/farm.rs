//! What coordinators and workers in processes of their own are told. It is read in every build, so that one file of settings
//! does for all of them.
#![cfg_attr(not(feature = "cloud"), allow(dead_code, reason = "settings mean the same in every build"))]

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a farm of several processes needs beside its servers.
#[derive(Debug)]
pub struct FarmSettings {
    /// The shared secret itself; empty if it is in a file, or there is none.
    pub secret: FarmSecret,
    /// The file that it is in; empty if there is none.
    pub secret_file: PathBuf,
    /// Authorities to trust for TLS to the servers, a PEM file; empty for the machine's.
    pub ca_file: PathBuf,
    /// How the bucket is reached, where the artifact store is one.
    pub s3: BucketAccess,
    /// How the machines are reached, where the fleet is an Auto Scaling group.
    pub aws: MachineAccess,
    /// Where a worker takes lines and questions.
    pub lines: SocketAddr,
    /// What coordinators are told of it; empty for the address itself.
    pub lines_address: String,
    /// Certificate and key of the worker's listener, PEM files; empty for no TLS.
    pub lines_tls: [PathBuf; 2],
    /// The authority that signed the workers' certificates, a PEM file; empty for no TLS.
    pub lines_ca: PathBuf,
    /// Whether and where callers may come straight to a worker.
    pub callers: CallerAccess,
    /// Where a worker process answers /healthz, /readyz and /metrics.
    #[cfg_attr(not(feature = "worker"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub health: SocketAddr,
}

/// How callers come straight to a worker.
#[derive(Debug)]
pub struct CallerAccess {
    /// What they are told; empty: they do not.
    pub url: String,
    /// Where the worker listens for them.
    pub bind: SocketAddr,
    /// Certificate and key, PEM files; empty where a proxy has them.
    pub tls: [PathBuf; 2],
    /// Sockets at a time.
    pub max_sockets: usize,
    /// A socket that was open for so long is sent on.
    pub longest: Duration,
}

/// How a bucket is reached. Empty is what every program for AWS does.
#[derive(Debug)]
pub struct BucketAccess {
    pub endpoint: String,
    pub region: String,
    pub path_style: bool,
    pub credentials_file: PathBuf,
    /// The same service as browsers reach it; empty: `endpoint`.
    pub public_endpoint: String,
    /// Results are fetched from the bucket itself.
    pub links: bool,
    /// How the service encrypts what it keeps.
    pub encryption: BucketEncryption,
    /// A worker keeps so many bytes of what it fetched; 0: none.
    pub copies: u64,
}

/// How the bucket encrypts what is put there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BucketEncryption {
    /// As it does by default.
    #[default]
    Bucket,
    /// With the service's own keys.
    Service,
    /// With a key of the key management service: its id, or the account's default one.
    Kms(Option<String>),
}

/// How machines on AWS are reached. Empty is what every program for AWS does.
#[derive(Debug)]
pub struct MachineAccess {
    pub region: String,
    pub credentials_file: PathBuf,
    pub autoscaling_endpoint: String,
    pub ec2_endpoint: String,
    #[cfg_attr(not(feature = "worker"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub metadata_endpoint: String,
    /// Record what spot machines cost.
    pub spot_prices: bool,
    /// A worker looks this often whether its machine is taken away.
    #[cfg_attr(not(feature = "worker"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub watch_every: Duration,
}

/// A secret that no text of the program shows.
#[derive(Clone, Default)]
pub struct FarmSecret(pub String);

impl fmt::Debug for FarmSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
