//! What breaks.

use super::PlanTerms;
use crate::dice::Dice;
use std::fmt;

/// What a process of the farm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessRole {
    /// `mouthpiece coordinator`.
    Coordinator,
    /// `mouthpiece worker`.
    Worker,
}

/// A process by its place in the farm, whatever process has that just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessName {
    /// What it is.
    pub role: ProcessRole,
    /// Which of these, from 0.
    pub index: u8,
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            ProcessRole::Coordinator => "coordinator",
            ProcessRole::Worker => "worker",
        };
        write!(f, "{role}-{}", self.index)
    }
}

/// A server beside the farm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChaosServer {
    /// Sessions, keys, usage.
    Postgres,
    /// Commands and events.
    RabbitMq,
    /// Leases and heartbeats.
    Redis,
    /// Portraits, recordings, videos.
    S3,
}

impl ChaosServer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::RabbitMq, Self::Redis, Self::S3];
}

impl fmt::Display for ChaosServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "postgres",
            Self::RabbitMq => "rabbitmq",
            Self::Redis => "redis",
            Self::S3 => "s3",
        })
    }
}

/// What happens to the connections of a process to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkHarm {
    /// They are closed, and new ones refused.
    Cut,
    /// No byte moves; what waits goes on afterwards.
    Stall,
    /// Every byte comes later by this, milliseconds.
    Delay(u16),
    /// New ones are accepted, and whatever is said is swallowed; those that are open fall silent for ever.
    Silence,
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChaosFault {
    /// `kill -9`; started again afterwards.
    Kill(ProcessName),
    /// Stopped in the middle of whatever it does, then it goes on.
    Pause(ProcessName),
    /// Asked to end; started again afterwards.
    Stop(ProcessName),
    /// A worker is drained through the API; it is started again when it has left.
    Drain(ProcessName),
    /// `kill -9` of a server; started again afterwards with what it had on disk.
    KillServer(ChaosServer),
    /// A server is stopped in the middle of whatever it does, then it goes on.
    PauseServer(ChaosServer),
    /// The pool loses all that it knows.
    FlushPool,
    /// The connections between a process and a server.
    Link(ProcessName, ChaosServer, LinkHarm),
}

impl fmt::Display for ChaosFault {
    /// What is done, then to whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(process) => write!(f, "kill {process}"),
            Self::Pause(process) => write!(f, "pause {process}"),
            Self::Stop(process) => write!(f, "stop {process}"),
            Self::Drain(process) => write!(f, "drain {process}"),
            Self::KillServer(server) => write!(f, "kill {server}"),
            Self::PauseServer(server) => write!(f, "pause {server}"),
            Self::FlushPool => f.write_str("flush redis"),
            Self::Link(process, server, LinkHarm::Cut) => write!(f, "cut {process} from {server}"),
            Self::Link(process, server, LinkHarm::Stall) => write!(f, "stall {process} to {server}"),
            Self::Link(process, server, LinkHarm::Delay(ms)) => write!(f, "delay {process} to {server} by {ms} ms"),
            Self::Link(process, server, LinkHarm::Silence) => write!(f, "silence {process} to {server}"),
        }
    }
}

fn one_of(role: ProcessRole, count: u8, dice: &mut Dice) -> ProcessName {
    ProcessName { role, index: dice.below(u64::from(count.max(1))) as u8 }
}

pub(super) fn worker_kill(terms: &PlanTerms, dice: &mut Dice) -> ChaosFault {
    ChaosFault::Kill(one_of(ProcessRole::Worker, terms.workers, dice))
}

pub(super) fn of_workers(terms: &PlanTerms, dice: &mut Dice) -> ChaosFault {
    let process = one_of(ProcessRole::Worker, terms.workers, dice);
    match dice.below(8) {
        0..=2 => ChaosFault::Kill(process),
        3..=5 => ChaosFault::Pause(process),
        6 => ChaosFault::Stop(process),
        _ => ChaosFault::Drain(process),
    }
}

pub(super) fn of_coordinators(terms: &PlanTerms, dice: &mut Dice) -> ChaosFault {
    let process = one_of(ProcessRole::Coordinator, terms.coordinators, dice);
    match dice.below(5) {
        0 | 1 => ChaosFault::Kill(process),
        2 | 3 => ChaosFault::Pause(process),
        _ => ChaosFault::Stop(process),
    }
}

pub(super) fn of_servers(_: &PlanTerms, dice: &mut Dice) -> ChaosFault {
    let server = ChaosServer::ALL[dice.below(4) as usize];
    match (server, dice.below(3)) {
        (ChaosServer::Redis, 0) => ChaosFault::FlushPool,
        // The bucket's server is in the harness itself: it cannot be paused alone.
        (ChaosServer::S3, _) => ChaosFault::KillServer(server),
        (_, 0 | 1) => ChaosFault::KillServer(server),
        _ => ChaosFault::PauseServer(server),
    }
}

pub(super) fn of_links(terms: &PlanTerms, dice: &mut Dice) -> ChaosFault {
    let role = if dice.below(3) == 0 { ProcessRole::Coordinator } else { ProcessRole::Worker };
    let count = if role == ProcessRole::Worker { terms.workers } else { terms.coordinators };
    let process = one_of(role, count, dice);
    let server = match (ChaosServer::ALL[dice.below(4) as usize], role) {
        // Workers do not know the records.
        (ChaosServer::Postgres, ProcessRole::Worker) => ChaosServer::Redis,
        (server, _) => server,
    };
    let harm = match dice.below(6) {
        0 | 1 => LinkHarm::Cut,
        2 => LinkHarm::Stall,
        3 | 4 => LinkHarm::Delay(10 + dice.below(190) as u16),
        _ => LinkHarm::Silence,
    };
    ChaosFault::Link(process, server, harm)
}
