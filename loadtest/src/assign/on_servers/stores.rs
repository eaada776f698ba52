//! The servers of a load test: private ones, started beside it and gone with it, or some that are there.

use crate::usage::MeteredProcess;
use crate::{LoadError, setup};
use mouthpiece_ports::pool::Pool as _;
use mouthpiece_ports::records::SessionLedger as _;
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_rabbitmq::{RabbitBus, RabbitOptions};
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::{PostgresServer, RabbitServer, RedisServer};
use std::path::PathBuf;

/// Which servers a load test runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadStores {
    /// Private ones of this machine's packages. What Postgres answers is on the disk, as in production.
    Private,
    /// Servers that are there, and that no farm uses.
    Given(StoreAddresses),
}

/// Where servers are.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreAddresses {
    /// `postgres://...`
    pub records: String,
    /// `amqp://...` or `amqps://...`
    pub bus: String,
    /// `redis://...` or `rediss://...`
    pub pool: String,
    /// The authority of broker and pool, a PEM file.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for StoreAddresses {
    /// Nothing of addresses that may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreAddresses").finish_non_exhaustive()
    }
}

/// Servers that can be used. The private ones end when this is dropped.
pub(super) struct OpenStores {
    addresses: StoreAddresses,
    private: Option<(PostgresServer, RabbitServer, RedisServer)>,
}

impl OpenStores {
    /// Starts private servers, or makes sure that nobody else uses those that are there.
    pub(super) async fn open(stores: &LoadStores) -> Result<Self, LoadError> {
        let this = match stores {
            LoadStores::Private => Self::start().await?,
            LoadStores::Given(addresses) => Self { addresses: addresses.clone(), private: None },
        };
        if this.private.is_none() {
            this.are_unused().await?;
        }
        Ok(this)
    }

    async fn start() -> Result<Self, LoadError> {
        let started = tokio::join!(PostgresServer::start_durable(), RabbitServer::start(), RedisServer::start());
        let missing = |error| {
            setup(format!(
                "{error:#}. It needs the Debian packages postgresql, rabbitmq-server, redis-server and openssl"
            ))
        };
        let (postgres, rabbit, redis) = started;
        let (postgres, rabbit, redis) = (postgres.map_err(missing)?, rabbit.map_err(missing)?, redis.map_err(missing)?);
        let (bus, pool) = (rabbit.url(), redis.url());
        let addresses = StoreAddresses {
            records: postgres.database().map_err(|e| setup(format!("{e:#}")))?,
            bus,
            pool,
            ca_file: None,
        };
        Ok(Self { addresses, private: Some((postgres, rabbit, redis)) })
    }

    /// Refuses servers of a farm that serves: its callers would get workers without an engine.
    async fn are_unused(&self) -> Result<(), LoadError> {
        let open = self.records().await?.open_sessions().await.map_err(setup)?.len();
        let workers = self.pool()?.workers().await.map_err(setup)?.len();
        if open > 0 || workers > 0 {
            return Err(setup(format!(
                "these servers are in use: {open} open sessions, {workers} workers. Give a database, a virtual host and a Redis \
                 that no farm uses"
            )));
        }
        Ok(())
    }

    /// The settings of a coordinator for these servers.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let StoreAddresses { records, bus, pool, ca_file } = &self.addresses;
        let mut settings = vec![
            ("stores.records".to_owned(), records.clone()),
            ("stores.bus".to_owned(), bus.clone()),
            ("stores.pool".to_owned(), pool.clone()),
        ];
        settings.extend(ca_file.iter().map(|file| ("farm.ca_file".to_owned(), file.display().to_string())));
        settings
    }

    /// A connection to the records.
    pub(super) async fn records(&self) -> Result<Postgres, LoadError> {
        Postgres::open(&self.addresses.records, PostgresSettings::default()).await.map_err(setup)
    }

    /// A connection to the bus.
    pub(super) async fn bus(&self) -> Result<RabbitBus, LoadError> {
        let mut options = RabbitOptions::new(self.addresses.bus.clone());
        options.ca_file = self.addresses.ca_file.clone().filter(|_| self.addresses.bus.starts_with("amqps:"));
        RabbitBus::open(options).await.map_err(setup)
    }

    /// A connection to the pool.
    pub(super) fn pool(&self) -> Result<RedisPool, LoadError> {
        let mut options = RedisOptions::new(self.addresses.pool.clone());
        options.ca_file = self.addresses.ca_file.clone().filter(|_| self.addresses.pool.starts_with("rediss:"));
        RedisPool::open(&options).map_err(setup)
    }

    /// The private servers' processes.
    pub(super) fn processes(&self) -> Vec<MeteredProcess> {
        let Some((postgres, rabbit, redis)) = &self.private else { return Vec::new() };
        let ids = [("postgres", postgres.id()), ("rabbitmq", rabbit.id()), ("redis", redis.id())];
        ids.into_iter()
            .filter_map(|(name, id)| Some(MeteredProcess { name: name.to_owned(), id: id?, with_children: true }))
            .collect()
    }
}
