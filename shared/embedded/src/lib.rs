//! Adapters that need no service: the embedded default.
//!
//! [`Sqlite`] keeps the records in one file, [`MemoryBus`] carries messages within the process, [`MemoryPool`] holds leases
//! in memory, [`Directory`] keeps blobs as files. One process with these is a whole farm; each passes the same contract
//! suite as its production counterpart.

mod asks;
mod bus;
mod directory;
mod farm_ports;
mod lines;
mod no_fleet;
mod pool;
mod queue;
mod sqlite;

pub use bus::MemoryBus;
pub use directory::Directory;
pub use farm_ports::farm_ports;
pub use lines::MemoryLines;
pub use no_fleet::NoFleet;
pub use pool::MemoryPool;
pub use sqlite::Sqlite;
