//! All ports of a farm in one place, and what each of its parts is given of them.
//!
//! The wiring fills [`FarmPorts`]; a part takes its own view, so that it can use what it is given and nothing else, and a test's
//! double stands in for one port.

use crate::blobs::Blobs;
use crate::bus::Bus;
use crate::fleet::Fleet;
use crate::lines::Lines;
use crate::passes::Passes;
use crate::pool::Pool;
use crate::questions::QuestionBus;
use crate::records::{AvatarRegister, KeyRegister, Records, SessionLedger, UsageBooks};
use crate::retention::{Removals, Retention};
use std::sync::Arc;

/// All ports of a farm.
#[derive(Clone)]
pub struct FarmPorts {
    /// Sessions, avatars, keys, usage, prices.
    pub records: Arc<dyn Records>,
    /// What is old among them.
    pub ages: Arc<dyn Retention>,
    /// Links to the page, and its sessions: where the records are.
    pub passes: Arc<dyn Passes>,
    /// Commands to workers and their events.
    pub bus: Arc<dyn Bus>,
    /// Questions to workers.
    pub questions: Arc<dyn QuestionBus>,
    /// Callers' direct way to live sessions.
    pub lines: Arc<dyn Lines>,
    /// Workers, slots, leases.
    pub pool: Arc<dyn Pool>,
    /// Uploads, prepared avatars, results.
    pub blobs: Arc<dyn Blobs>,
    /// Machines.
    pub fleet: Arc<dyn Fleet>,
}

/// What the coordinator's actors work with.
#[derive(Clone)]
pub struct ActorPorts {
    /// Sessions and books.
    pub ledger: Arc<dyn SessionLedger>,
    /// Commands and events.
    pub bus: Arc<dyn Bus>,
    /// Workers, slots, leases.
    pub pool: Arc<dyn Pool>,
    /// Machines.
    pub fleet: Arc<dyn Fleet>,
    /// What machines cost.
    pub books: Arc<dyn UsageBooks>,
}

/// What the coordinator serves callers with.
#[derive(Clone)]
pub struct OfficePorts {
    /// Sessions, to be read: the actors write them.
    pub ledger: Arc<dyn SessionLedger>,
    /// Avatars and uploads.
    pub avatars: Arc<dyn AvatarRegister>,
    /// API keys.
    pub keys: Arc<dyn KeyRegister>,
    /// Usage, machines, prices.
    pub books: Arc<dyn UsageBooks>,
    /// Links to the page, and its sessions.
    pub passes: Arc<dyn Passes>,
    /// What somebody wants to be removed.
    pub removals: Arc<dyn Removals>,
    /// Uploads and results.
    pub blobs: Arc<dyn Blobs>,
    /// Asked for its health only.
    pub bus: Arc<dyn Bus>,
    /// Questions to workers about live sessions.
    pub questions: Arc<dyn QuestionBus>,
    /// Speech to live sessions.
    pub lines: Arc<dyn Lines>,
    /// Asked for its health only.
    pub pool: Arc<dyn Pool>,
}

/// What removes what is old.
#[derive(Clone)]
pub struct RetentionPorts {
    /// Lets go.
    pub ages: Arc<dyn Retention>,
    /// Deletes.
    pub blobs: Arc<dyn Blobs>,
}

/// What looks after the machines.
#[derive(Clone)]
pub struct MachinePorts {
    /// Protects machines, and knows what they cost.
    pub fleet: Arc<dyn Fleet>,
    /// Where prices are recorded.
    pub books: Arc<dyn UsageBooks>,
}

/// What a worker talks to.
#[derive(Clone)]
pub struct WorkerPorts {
    /// Commands and news.
    pub bus: Arc<dyn Bus>,
    /// What is asked about its live sessions.
    pub questions: Arc<dyn QuestionBus>,
    /// Leases and heartbeats.
    pub pool: Arc<dyn Pool>,
    /// Inputs, avatars, results.
    pub blobs: Arc<dyn Blobs>,
    /// Callers of live sessions.
    pub lines: Arc<dyn Lines>,
}

impl FarmPorts {
    /// For the coordinator's actors.
    pub fn actors(&self) -> ActorPorts {
        ActorPorts {
            ledger: Arc::clone(&self.records) as _,
            bus: Arc::clone(&self.bus),
            pool: Arc::clone(&self.pool),
            fleet: Arc::clone(&self.fleet),
            books: Arc::clone(&self.records) as _,
        }
    }

    /// For the coordinator's office.
    pub fn office(&self) -> OfficePorts {
        OfficePorts {
            ledger: Arc::clone(&self.records) as _,
            avatars: Arc::clone(&self.records) as _,
            keys: Arc::clone(&self.records) as _,
            books: Arc::clone(&self.records) as _,
            passes: Arc::clone(&self.passes),
            removals: Arc::clone(&self.ages) as _,
            blobs: Arc::clone(&self.blobs),
            bus: Arc::clone(&self.bus),
            questions: Arc::clone(&self.questions),
            lines: Arc::clone(&self.lines),
            pool: Arc::clone(&self.pool),
        }
    }

    /// For the removal of what is old.
    pub fn retention(&self) -> RetentionPorts {
        RetentionPorts { ages: Arc::clone(&self.ages), blobs: Arc::clone(&self.blobs) }
    }

    /// For the care of machines.
    pub fn machines(&self) -> MachinePorts {
        MachinePorts { fleet: Arc::clone(&self.fleet), books: Arc::clone(&self.records) as _ }
    }

    /// For a worker.
    pub fn worker(&self) -> WorkerPorts {
        WorkerPorts {
            bus: Arc::clone(&self.bus),
            questions: Arc::clone(&self.questions),
            pool: Arc::clone(&self.pool),
            blobs: Arc::clone(&self.blobs),
            lines: Arc::clone(&self.lines),
        }
    }
}
