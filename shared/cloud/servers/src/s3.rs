//! An S3 server in this process: files in a temporary folder, signatures checked, faults at will.

mod faults;
mod service;

pub use faults::{Fault, Faults};

use crate::local_http::{LocalPort, credentials_text};
use anyhow::{Context as _, Result};
use s3s::service::{S3Service, S3ServiceBuilder};
use service::{Access, Objects};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// An S3 server on a port of its own. It stops when it is dropped, and its folder goes with it. It runs in the async runtime
/// that started it.
#[derive(Debug)]
pub struct S3Server {
    folder: TempDir,
    port: LocalPort,
    buckets: AtomicU32,
    faults: Arc<Faults>,
}

impl S3Server {
    /// The access key that the server knows.
    pub const ACCESS_KEY: &str = "AKIAMOUTHPIECETEST00";
    /// The secret key that belongs to it.
    pub const SECRET_KEY: &str = "a-secret-of-this-test";

    /// Starts a server without buckets.
    ///
    /// # Errors
    /// There is no room for its folder, or no port.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        std::fs::create_dir(folder.path().join("data"))?;
        let mut server =
            Self { folder, port: LocalPort::default(), buckets: AtomicU32::new(0), faults: Arc::default() };
        server.start_again().await?;
        Ok(server)
    }

    /// Where it listens, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number)
    }

    /// Makes a bucket of its own for a test and returns its name.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn bucket(&self) -> Result<String> {
        let name = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir(self.data().join(&name))?;
        Ok(name)
    }

    /// A file in the form of `~/.aws/credentials` with keys; the server's own are its constants.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn credentials_file(&self, access_key: &str, secret_key: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("credentials-{}", self.buckets.fetch_add(1, Ordering::Relaxed)));
        std::fs::write(&path, credentials_text(access_key, secret_key))?;
        Ok(path)
    }

    /// What goes wrong, and what was asked for.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Uploads in parts that were begun and neither completed nor aborted, and parts that are kept for any upload.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn unfinished_uploads(&self) -> Result<usize> {
        let names = std::fs::read_dir(self.data())?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<Result<Vec<_>>>()?;
        Ok(names.iter().filter(|name| name.starts_with(".upload")).count())
    }

    /// Cuts all connections and listens no longer. What is stored stays.
    pub async fn stop(&mut self) {
        self.port.stop().await;
    }

    /// Listens again on the same port, with what was stored before.
    ///
    /// # Errors
    /// Somebody else listens there by now.
    pub async fn start_again(&mut self) -> Result<()> {
        let service = self.service()?;
        self.port.serve(service).await
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn service(&self) -> Result<S3Service> {
        let objects = Objects::open(self.data(), Arc::clone(&self.faults))?;
        let mut service = S3ServiceBuilder::new(objects);
        service.set_auth(service::Keys);
        service.set_access(Access(Arc::clone(&self.faults)));
        Ok(service.build())
    }
}
