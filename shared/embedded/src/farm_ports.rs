//! All ports of a farm in one process.

use crate::{Directory, MemoryBus, MemoryLines, MemoryPool, NoFleet, Sqlite};
use mouthpiece_ports::farm_ports::FarmPorts;
use std::sync::Arc;

/// A farm of one process: what is kept lies in `store` and `blobs`, everything else in memory.
pub fn farm_ports(store: Arc<Sqlite>, blobs: Arc<Directory>) -> FarmPorts {
    let bus = Arc::new(MemoryBus::new());
    FarmPorts {
        records: Arc::clone(&store) as _,
        ages: Arc::clone(&store) as _,
        passes: store,
        bus: Arc::clone(&bus) as _,
        questions: bus,
        lines: Arc::new(MemoryLines::new()),
        pool: Arc::new(MemoryPool::new()),
        blobs,
        fleet: Arc::new(NoFleet),
    }
}
