//! The bus on RabbitMQ.
//!
//! Commands go to a durable quorum queue a worker, events to one that coordinators compete for, and what cannot be delivered
//! comes back. `docs/rabbitmq.md` draws exchanges and queues, and `docs/adr/0016-rabbitmq-topology.md` says why they are so.

mod bus;
mod error;
mod inbox;
mod keeper;
mod link;
mod names;
mod options;
mod receipt;
mod removal;
mod socket;
mod topology;
mod worker_lock;

pub use bus::RabbitBus;
pub use error::RabbitError;
pub use options::RabbitOptions;
