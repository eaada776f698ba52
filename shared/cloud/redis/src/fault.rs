//! What can be wrong with the server, each in a sentence that says what to do. No sentence holds a password.

use mouthpiece_ports::pool::PoolError;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use std::time::Duration;
use thiserror::Error;

/// Why Redis cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RedisFault {
    /// The options make no pool.
    #[error("{0}")]
    Options(String),
    /// There is no connection.
    #[error("Redis at {place} cannot be reached ({why}): is it running, and is the address right?")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system said.
        why: String,
    },
    /// No answer came in time.
    #[error("Redis at {place} did not answer within {limit:?}: it is overloaded, stopped, or the network is cut")]
    Silent {
        /// Host and port.
        place: String,
        /// How long was waited.
        limit: Duration,
    },
    /// TLS does not come about.
    #[error(
        "TLS with Redis at {place} fails ({why}): it must speak TLS on this port, and its certificate must be for this \
         name, from an authority that this machine or the file of `ca_file` knows"
    )]
    Tls {
        /// Host and port.
        place: String,
        /// What the library said.
        why: String,
    },
    /// User or password.
    #[error("Redis at {0} refuses the user or the password: set both as its ACL has them")]
    Credentials(String),
    /// The user may not do something.
    #[error(
        "the user of Redis at {0} lacks rights: allow it `+@connection +@scripting +@read +@write +info +time` on the keys `{1}*`"
    )]
    Rights(String, String),
    /// A replica.
    #[error("Redis at {0} is a read-only replica: give the address of the primary")]
    Replica(String),
    /// Memory is used up.
    #[error("Redis at {0} is out of memory: raise its `maxmemory`, or give the pool a server of its own")]
    Memory(String),
    /// It refuses writes because its disk does.
    #[error("Redis at {0} cannot save its data and refuses writes: make room on its disk, or turn saving off")]
    Disk(String),
    /// It reads its data.
    #[error("Redis at {0} is still loading its data: it answers when it is done")]
    Loading(String),
    /// A cluster of several nodes.
    #[error(
        "Redis at {0} is a node of a cluster that does not serve these keys: give the address of a primary with all slots"
    )]
    Cluster(String),
    /// Something else.
    #[error("Redis at {place} refused: {said}")]
    Refused {
        /// Host and port.
        place: String,
        /// Its words, shortened.
        said: String,
    },
}

impl RedisFault {
    /// Says what an error of the library means.
    pub(crate) fn of(error: &RedisError, place: &str, tls: bool, prefix: &str) -> Self {
        let place = place.to_owned();
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => Self::Credentials(place),
            (ErrorKind::Server(ServerErrorKind::NoPerm), _) => Self::Rights(place, prefix.to_owned()),
            (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => Self::Replica(place),
            (ErrorKind::Server(ServerErrorKind::BusyLoading), _) => Self::Loading(place),
            (_, Some("OOM")) => Self::Memory(place),
            (_, Some("MISCONF")) => Self::Disk(place),
            (_, Some("MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT")) => Self::Cluster(place),
            // What a script may not do comes without a code of its own.
            _ if error.detail().is_some_and(|said| said.contains("The user executing the script")) => {
                Self::Rights(place, prefix.to_owned())
            }
            (ErrorKind::Io, _) if tls && !error.is_connection_refusal() && !error.is_timeout() => {
                Self::Tls { place, why: short(error) }
            }
            (ErrorKind::Io, _) => Self::Unreachable { place, why: short(error) },
            _ => Self::Refused { place, said: short(error) },
        }
    }
}

impl From<RedisFault> for PoolError {
    fn from(fault: RedisFault) -> Self {
        Self(fault.to_string())
    }
}

/// An error's words, not too many.
fn short(error: &RedisError) -> String {
    error.to_string().chars().take(200).collect()
}
