//! Which adapter stands behind which port. Nothing else names adapters.

use crate::config::{ConfigError, StoreUrl, Stores};
use crate::data::Data;
use mouthpiece_embedded::{Directory, MemoryBus, MemoryLines, MemoryPool, NoFleet, Sqlite};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::farm_ports::FarmPorts;
use mouthpiece_ports::passes::Passes;
use mouthpiece_ports::records::Records;
use mouthpiece_ports::retention::Retention;
use std::path::Path;
use std::sync::Arc;

/// Which store a URL is for, and what may stand there.
type Allowed = (&'static str, fn(&StoreUrl) -> bool, &'static str);

/// Refuses stores that cannot be opened, before any is.
///
/// # Errors
/// [`ConfigError`] with all of them.
pub fn check(stores: &Stores) -> Result<(), ConfigError> {
    let rules: [(&StoreUrl, Allowed); 5] = [
        (&stores.records, ("stores.records", |url| matches!(url, StoreUrl::Sqlite(_)), "sqlite:PATH")),
        (&stores.bus, ("stores.bus", |url| matches!(url, StoreUrl::Memory), "memory:")),
        (&stores.pool, ("stores.pool", |url| matches!(url, StoreUrl::Memory), "memory:")),
        (&stores.blobs, ("stores.blobs", |url| matches!(url, StoreUrl::Directory(_)), "file:PATH")),
        (&stores.fleet, ("stores.fleet", |url| matches!(url, StoreUrl::Nothing), "none:")),
    ];
    let problem = |(url, (key, allows, remedy)): (&StoreUrl, Allowed)| match url {
        StoreUrl::NotBuilt(scheme) => Some(format!("{key}: {scheme}: is not built yet; use {remedy}")),
        url if allows(url) => None,
        _ => Some(format!("{key}: nothing of this kind can be kept there; use {remedy}")),
    };
    let problems: Vec<_> = rules.into_iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// Opens every store. Relative paths lie in the data folder.
///
/// # Errors
/// [`ConfigError`] where [`check`] refuses, or the store's own.
pub async fn open(stores: &Stores, data: &Data) -> anyhow::Result<FarmPorts> {
    check(stores)?;
    let folder = data.folder();
    let Books { records, ages, passes } = open_books(&stores.records, folder).await?;
    let bus = Arc::new(MemoryBus::new());
    Ok(FarmPorts {
        records,
        ages,
        passes,
        bus: Arc::clone(&bus) as _,
        questions: bus,
        lines: Arc::new(MemoryLines::new()),
        pool: Arc::new(MemoryPool::new()),
        blobs: open_blobs(&stores.blobs, folder)?,
        fleet: Arc::new(NoFleet),
    })
}

/// What is written down.
pub struct Books {
    pub records: Arc<dyn Records>,
    pub ages: Arc<dyn Retention>,
    pub passes: Arc<dyn Passes>,
}

/// Opens the records alone, beside whoever else has them open.
///
/// # Errors
/// As [`open`].
pub async fn records(stores: &Stores) -> anyhow::Result<Arc<dyn Records>> {
    check(stores)?;
    let data = Data::open(&stores.data)?;
    Ok(books(stores, &data).await?.records)
}

/// Opens what is written down, beside whoever else has it open.
///
/// # Errors
/// As [`open`].
pub async fn books(stores: &Stores, data: &Data) -> anyhow::Result<Books> {
    check(stores)?;
    open_books(&stores.records, data.folder()).await
}

async fn open_books(url: &StoreUrl, folder: &Path) -> anyhow::Result<Books> {
    match url {
        StoreUrl::Sqlite(path) => {
            let store = Arc::new(Sqlite::open(&folder.join(path)).await?);
            Ok(Books { records: Arc::clone(&store) as _, ages: Arc::clone(&store) as _, passes: store })
        }
        other => anyhow::bail!("records cannot be kept in {other:?}"),
    }
}

fn open_blobs(url: &StoreUrl, folder: &Path) -> anyhow::Result<Arc<dyn Blobs>> {
    match url {
        StoreUrl::Directory(path) => Ok(Arc::new(Directory::open(&folder.join(path))?)),
        other => anyhow::bail!("blobs cannot be kept in {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stores(records: StoreUrl, bus: StoreUrl) -> Stores {
        Stores {
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
        let told = check(&stores(StoreUrl::Memory, StoreUrl::NotBuilt("amqp"))).unwrap_err().to_string();
        assert!(told.contains("stores.records: nothing of this kind can be kept there; use sqlite:PATH"), "{told}");
        assert!(told.contains("stores.bus: amqp: is not built yet; use memory:"), "{told}");
    }
}
