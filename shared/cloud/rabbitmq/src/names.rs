//! What the farm's exchanges and queues are called.

use mouthpiece_domain::ids::WorkerId;

/// Names below a farm's prefix. `docs/rabbitmq.md` draws what they are for.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn name(&self, what: &str) -> String {
        format!("{}.{what}", self.prefix)
    }

    /// Exchange: commands, by worker.
    pub(crate) fn commands(&self) -> String {
        self.name("commands")
    }

    /// Queue: one worker's commands.
    pub(crate) fn worker(&self, worker: WorkerId) -> String {
        self.name(&format!("commands.{worker}"))
    }

    /// Exchange and queue: what workers report.
    pub(crate) fn events(&self) -> String {
        self.name("events")
    }

    /// Exchange and queue: commands that were not acknowledged.
    pub(crate) fn returned(&self) -> String {
        self.name("returned")
    }

    /// Exchange: a worker's queue is being removed.
    pub(crate) fn removals(&self) -> String {
        self.name("removals")
    }

    /// Exchange and queue: what could not be read.
    pub(crate) fn unread(&self) -> String {
        self.name("unread")
    }

    /// An exclusive queue whose only use is that one connection can have it.
    pub(crate) fn lock(&self, worker: WorkerId) -> String {
        self.name(&format!("lock.{worker}"))
    }

    /// A queue of one connection's own. Named by us, so that a user needs rights below the prefix only.
    pub(crate) fn private(&self) -> Result<String, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(self.name(&format!("private.{:032x}", u128::from_be_bytes(random))))
    }
}

/// The routing key of a command: the worker, one word.
pub(crate) fn command_key(worker: WorkerId) -> String {
    worker.to_string()
}

/// The routing key of a removal's marker: two words, so that it is told from a command's.
pub(crate) fn marker_key(worker: WorkerId) -> String {
    format!("marker.{worker}")
}
