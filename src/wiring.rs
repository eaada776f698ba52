//! Which adapter stands behind which port. Nothing else names adapters.

use crate::config::{Config, ConfigError, ServerKind, StoreSettings, StoreUrl};
use crate::data::DataFolder;
use mouthpiece_embedded::{Directory, MemoryBus, MemoryLines, MemoryPool, NoFleet, Sqlite};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::farm_ports::FarmPorts;
use mouthpiece_ports::fleet::Fleet;
use mouthpiece_ports::lines::Lines;
use mouthpiece_ports::passes::Passes;
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::questions::QuestionBus;
use mouthpiece_ports::records::Records;
use mouthpiece_ports::retention::Retention;
use prometheus::Registry;
use std::path::Path;
use std::sync::Arc;

/// Which store a URL is for, and what may stand there.
type Allowed = (&'static str, fn(&StoreUrl) -> bool, &'static str);

/// Refuses stores that cannot be opened, before any is.
///
/// # Errors
/// [`ConfigError`] with all of them.
pub fn check(stores: &StoreSettings) -> Result<(), ConfigError> {
    const RECORDS: fn(&StoreUrl) -> bool =
        |url| matches!(url, StoreUrl::Sqlite(_) | StoreUrl::Server(ServerKind::Postgres, _));
    const BUS: fn(&StoreUrl) -> bool =
        |url| matches!(url, StoreUrl::Memory | StoreUrl::Server(ServerKind::Rabbitmq, _));
    const POOL: fn(&StoreUrl) -> bool = |url| matches!(url, StoreUrl::Memory | StoreUrl::Server(ServerKind::Redis, _));
    const BLOBS: fn(&StoreUrl) -> bool = |url| matches!(url, StoreUrl::Directory(_) | StoreUrl::Bucket(_));
    const FLEET: fn(&StoreUrl) -> bool = |url| matches!(url, StoreUrl::Nothing | StoreUrl::MachineGroup(_));
    let rules: [(&StoreUrl, Allowed); 5] = [
        (&stores.records, ("stores.records", RECORDS, "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")),
        (&stores.bus, ("stores.bus", BUS, "memory: or amqp://USER:PASSWORD@HOST/VHOST")),
        (&stores.pool, ("stores.pool", POOL, "memory: or redis://HOST:6379")),
        (&stores.blobs, ("stores.blobs", BLOBS, "file:PATH or s3://BUCKET/FOLDER")),
        (&stores.fleet, ("stores.fleet", FLEET, "none: or aws:GROUP")),
    ];
    let problem = |(url, (key, allows, remedy)): (&StoreUrl, Allowed)| match url {
        StoreUrl::Server(..) | StoreUrl::Bucket(_) | StoreUrl::MachineGroup(_) if !cfg!(feature = "cloud") => {
            Some(format!(
                "{key}: this program was built without {}:, which a newcomer does not need: build it with `make release`",
                match url {
                    StoreUrl::Server(kind, _) => kind.scheme(),
                    StoreUrl::MachineGroup(_) => "aws",
                    _ => "s3",
                }
            ))
        }
        url if allows(url) => None,
        _ => Some(format!("{key}: nothing of this kind can be kept there; use {remedy}")),
    };
    let mut problems: Vec<_> = rules.into_iter().filter_map(problem).collect();
    let is_here = |url: &StoreUrl| *url == StoreUrl::Memory;
    if problems.is_empty() && is_here(&stores.bus) != is_here(&stores.pool) {
        let both = "stores.bus and stores.pool go together: both are \"memory:\", or both are servers that other processes reach";
        problems.push(both.to_owned());
    }
    if problems.is_empty() && is_here(&stores.bus) && stores.fleet != StoreUrl::Nothing {
        let alone = "stores.fleet: machines of a group cannot reach a bus within this process: give stores.bus and stores.pool \
                     servers, or leave stores.fleet at \"none:\"";
        problems.push(alone.to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// Opens every store. Relative paths lie in the data folder. Where the pool is shared with other processes, lines and
/// questions go over the network; `takes` them for a worker in this one, too. What happens there is counted in `registry`.
///
/// # Errors
/// [`ConfigError`] where [`check`] refuses, or the store's own.
pub async fn open(config: &Config, data: &DataFolder, registry: &Registry, takes: bool) -> anyhow::Result<FarmPorts> {
    let stores = &config.stores;
    check(stores)?;
    let folder = data.folder();
    let blobs = open_blobs(config, folder, takes).await?;
    let fleet = open_fleet(config).await?;
    let FarmBooks { records, ages, passes } = open_books(&stores.records, folder).await?;
    let Between { bus, pool, lines, questions } = open_between(config, registry, takes).await?;
    Ok(FarmPorts { records, ages, passes, bus, questions, lines, pool, blobs, fleet })
}

/// What is between coordinators and workers.
pub struct Between {
    pub bus: Arc<dyn Bus>,
    pub pool: Arc<dyn Pool>,
    pub lines: Arc<dyn Lines>,
    pub questions: Arc<dyn QuestionBus>,
}

fn in_this_process() -> Between {
    let bus = Arc::new(MemoryBus::new());
    Between {
        bus: Arc::clone(&bus) as _,
        questions: bus,
        lines: Arc::new(MemoryLines::new()),
        pool: Arc::new(MemoryPool::new()),
    }
}

#[cfg(not(feature = "cloud"))]
async fn open_between(_config: &Config, _registry: &Registry, _takes: bool) -> anyhow::Result<Between> {
    Ok(in_this_process())
}

/// Opens what is between coordinators and workers: within this process, or on servers.
///
/// # Errors
/// The servers' own.
#[cfg(feature = "cloud")]
pub async fn open_between(config: &Config, registry: &Registry, takes: bool) -> anyhow::Result<Between> {
    use crate::cloud;
    let (StoreUrl::Server(_, bus), StoreUrl::Server(_, pool)) = (&config.stores.bus, &config.stores.pool) else {
        return Ok(in_this_process());
    };
    let pool = cloud::pool(pool, &config.farm, &config.control.lease)?;
    let observer = Arc::new(cloud::CountedDirect::new(registry)?);
    let direct = cloud::direct(&config.farm, Arc::clone(&pool), observer, takes)?;
    let bus = cloud::bus(bus, &config.farm).await?;
    Ok(Between { bus, pool, lines: Arc::clone(&direct) as _, questions: direct })
}

/// What is written down.
pub struct FarmBooks {
    pub records: Arc<dyn Records>,
    pub ages: Arc<dyn Retention>,
    pub passes: Arc<dyn Passes>,
}

impl FarmBooks {
    /// All of it in one store.
    fn of<S: Records + Retention + Passes + 'static>(store: Arc<S>) -> Self {
        Self { records: Arc::clone(&store) as _, ages: Arc::clone(&store) as _, passes: store }
    }
}

/// Opens the records alone, beside whoever else has them open.
///
/// # Errors
/// As [`open`].
pub async fn records(stores: &StoreSettings) -> anyhow::Result<Arc<dyn Records>> {
    check(stores)?;
    let data = DataFolder::open(&stores.data)?;
    Ok(books(stores, &data).await?.records)
}

/// Opens what is written down, beside whoever else has it open.
///
/// # Errors
/// As [`open`].
pub async fn books(stores: &StoreSettings, data: &DataFolder) -> anyhow::Result<FarmBooks> {
    check(stores)?;
    open_books(&stores.records, data.folder()).await
}

async fn open_books(url: &StoreUrl, folder: &Path) -> anyhow::Result<FarmBooks> {
    match url {
        StoreUrl::Sqlite(path) => Ok(FarmBooks::of(Arc::new(Sqlite::open(&folder.join(path)).await?))),
        #[cfg(feature = "cloud")]
        StoreUrl::Server(_, url) => Ok(FarmBooks::of(crate::cloud::records(url).await?)),
        other => anyhow::bail!("records cannot be kept in {other:?}"),
    }
}

/// Opens the artifact store. A process that runs a worker (`takes`) keeps copies of what it fetches from a bucket.
///
/// # Errors
/// The store's own.
#[cfg_attr(not(feature = "cloud"), allow(unused_variables, reason = "a directory needs no copies"))]
pub async fn open_blobs(config: &Config, folder: &Path, takes: bool) -> anyhow::Result<Arc<dyn Blobs>> {
    match &config.stores.blobs {
        #[cfg(feature = "cloud")]
        StoreUrl::Bucket(url) => crate::cloud::bucket(url, &config.farm, takes.then(|| folder.join("copies"))).await,
        StoreUrl::Directory(path) => Ok(Arc::new(Directory::open(&folder.join(path))?)),
        other => anyhow::bail!("blobs cannot be kept in {other:?}"),
    }
}

/// Opens the fleet. Nothing is asked of it yet: one that is away keeps nobody from starting.
///
/// # Errors
/// The settings cannot be used.
async fn open_fleet(config: &Config) -> anyhow::Result<Arc<dyn Fleet>> {
    match &config.stores.fleet {
        #[cfg(feature = "cloud")]
        StoreUrl::MachineGroup(group) => crate::cloud::fleet(group, &config.farm).await,
        StoreUrl::Nothing => Ok(Arc::new(NoFleet)),
        other => anyhow::bail!("{other:?} is no fleet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServerUrl;

    fn stores(records: StoreUrl, bus: StoreUrl) -> StoreSettings {
        StoreSettings {
            data: "".into(),
            records,
            bus,
            pool: StoreUrl::Memory,
            blobs: StoreUrl::Directory("b".into()),
            fleet: StoreUrl::Nothing,
        }
    }

    #[test]
    fn every_store_that_cannot_be_opened_is_told() {
        assert!(check(&stores(StoreUrl::Sqlite("a".into()), StoreUrl::Memory)).is_ok());
        let told = check(&stores(StoreUrl::Memory, StoreUrl::Nothing)).unwrap_err().to_string();
        assert!(told.contains("stores.records: nothing of this kind can be kept there; use sqlite:PATH"), "{told}");
        assert!(told.contains("stores.bus: nothing of this kind can be kept there; use memory:"), "{told}");
    }

    #[test]
    fn machines_of_a_group_need_a_bus_that_they_reach() {
        let fleet = StoreUrl::MachineGroup("aws:workers".to_owned());
        let alone = StoreSettings { fleet, ..stores(StoreUrl::Sqlite("a".into()), StoreUrl::Memory) };
        let told = check(&alone).unwrap_err().to_string();
        if cfg!(feature = "cloud") {
            assert!(
                told.contains("stores.fleet: machines of a group cannot reach a bus within this process"),
                "{told}"
            );
        } else {
            assert!(told.contains("stores.fleet: this program was built without aws:"), "{told}");
        }
    }

    #[test]
    fn a_server_is_for_its_own_kind_and_not_alone() {
        let server = |kind| StoreUrl::Server(kind, ServerUrl("x://user:hunter2@host".to_owned()));
        let alone = check(&stores(StoreUrl::Sqlite("a".into()), server(ServerKind::Rabbitmq))).unwrap_err().to_string();
        let wrong = check(&stores(server(ServerKind::Redis), StoreUrl::Memory)).unwrap_err().to_string();
        if cfg!(feature = "cloud") {
            assert!(alone.contains("stores.bus and stores.pool go together"), "{alone}");
            assert!(
                wrong.contains("stores.records: nothing of this kind can be kept there; use sqlite:PATH or postgres:"),
                "{wrong}"
            );
            assert!(check(&stores(server(ServerKind::Postgres), StoreUrl::Memory)).is_ok());
        } else {
            assert!(alone.contains("stores.bus: this program was built without amqp:"), "{alone}");
        }
        assert!(!format!("{alone}{wrong}").contains("hunter2"));
    }
}
