//! The pool's calls, each one script.

use crate::fault::RedisFault;
use crate::link::Link;
use crate::memory::ProcessMemory;
use crate::options::RedisOptions;
use crate::scripts::Scripts;
use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::SlotIndex;
use mouthpiece_ports::pool::{Pool, PoolError, fleet_right};
use redis::{Script, ScriptInvocation};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// A century: an announcement that is meant to last for ever.
const LONGEST_ANNOUNCEMENT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The warm pool in Redis. One a process: what it remembers of its own leases counts (see the crate's documentation).
pub struct RedisPool {
    link: Link,
    scripts: Scripts,
    memory: ProcessMemory,
    prefix: String,
    longest_lease: Duration,
}

impl fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPool").field("place", &self.link.place()).finish_non_exhaustive()
    }
}

impl RedisPool {
    /// A pool that connects when it is first used. A server that is not there makes its calls fail, not this one.
    ///
    /// # Errors
    /// [`RedisFault::Options`] when the options make no pool.
    pub fn open(options: &RedisOptions) -> Result<Self, RedisFault> {
        Ok(Self {
            link: Link::new(options)?,
            scripts: Scripts::new(),
            memory: ProcessMemory::default(),
            prefix: options.prefix.clone(),
            longest_lease: options.longest_lease,
        })
    }

    /// Vouches that nobody holds a slot of this worker, so that its slots may be granted at once. The first announcement of a
    /// worker does this by itself. Whoever says it of a worker that runs something breaks the rule of one holder a slot.
    ///
    /// # Errors
    /// The server cannot be used.
    pub async fn admit(&self, worker: WorkerId) -> Result<(), PoolError> {
        if let Some(token) = self.introduce(worker).await? {
            self.end_grace(worker, &token).await?;
        }
        Ok(())
    }

    /// Makes a worker known. The token of what was begun; `None` when it was known.
    async fn introduce(&self, worker: WorkerId) -> Result<Option<String>, PoolError> {
        let token = token()?;
        // Sent once under one token: a copy that arrived late could begin anew after a loss.
        let begun: u8 =
            self.link.run_once(self.of(&self.scripts.touch, worker).arg(&token)).await.map_err(PoolError::from)?;
        Ok((begun == 1).then_some(token))
    }

    async fn end_grace(&self, worker: WorkerId, token: &str) -> Result<u8, PoolError> {
        self.link.run(self.of(&self.scripts.admit, worker).arg(token)).await.map_err(PoolError::from)
    }

    /// Says that a worker is there. The first time that this process says so, nothing can run on it yet.
    async fn touch(&self, worker: WorkerId) -> Result<(), PoolError> {
        if !self.memory.announcing(worker) {
            let _: u8 = self.link.run(self.of(&self.scripts.touch, worker).arg("")).await.map_err(PoolError::from)?;
        } else if let Some(token) = self.introduce(worker).await?
            && self.memory.is_new(worker)
            && let Err(error) = self.end_grace(worker, &token).await
        {
            tracing::info!(worker_id = %worker, %error, "a new worker takes its first session after the grace");
        }
        Ok(())
    }

    async fn list(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError> {
        let text = serde_json::to_string(heartbeat)
            .map_err(|e| PoolError(format!("a heartbeat cannot be written down: {e}")))?;
        let mut call = self.of_list(&self.scripts.announce);
        call.arg(heartbeat.worker.to_string()).arg(text).arg(micros(expiry.min(LONGEST_ANNOUNCEMENT)));
        let _: u8 = self.link.run(&call).await.map_err(PoolError::from)?;
        Ok(())
    }

    /// A call about a worker. The braces put all that is about it into one hash slot of a cluster.
    fn of<'s>(&self, script: &'s Script, worker: WorkerId) -> ScriptInvocation<'s> {
        self.of_key(script, &worker.to_string())
    }

    fn of_key<'s>(&self, script: &'s Script, name: &str) -> ScriptInvocation<'s> {
        let mut call = script.key(format!("{}{{{name}}}", self.prefix));
        call.arg(micros(self.longest_lease));
        call
    }

    fn of_list<'s>(&self, script: &'s Script) -> ScriptInvocation<'s> {
        let mut call = script.key(format!("{}{{workers}}:until", self.prefix));
        call.key(format!("{}{{workers}}:said", self.prefix));
        call
    }

    /// A call about a hold.
    fn of_hold<'s>(&self, script: &'s Script, hold: &Hold) -> ScriptInvocation<'s> {
        let mut call = self.of(script, hold.worker);
        call.arg(slot_field(hold.slot)).arg(format!("{}:{}", hold.session, hold.fence.0));
        call
    }

    /// A lease that outlasts the grace could be given away while it is held.
    fn grantable(&self, expiry: Duration) -> Result<u64, PoolError> {
        if expiry > self.longest_lease {
            let longest = self.longest_lease;
            return Err(PoolError(format!(
                "a lease of {expiry:?} is longer than the pool's longest of {longest:?}: shorten `lease.expiry`, or raise the \
                 pool's longest lease in every process"
            )));
        }
        Ok(micros(expiry))
    }
}

#[async_trait]
impl Pool for RedisPool {
    async fn claim(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        let (asked, granted_for) = (Instant::now(), self.grantable(expiry)?);
        let mut call = self.of_hold(&self.scripts.claim, hold);
        let granted: bool = self.link.run(call.arg(granted_for)).await.map_err(PoolError::from)?;
        if granted {
            self.memory.granted(hold, asked + expiry);
        }
        Ok(granted)
    }

    async fn renew(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        let (asked, granted_for) = (Instant::now(), self.grantable(expiry)?);
        let believed = u8::from(self.memory.renewing(hold));
        let mut call = self.of_hold(&self.scripts.renew, hold);
        let granted: bool = self.link.run(call.arg(granted_for).arg(believed)).await.map_err(PoolError::from)?;
        if granted {
            self.memory.granted(hold, asked + expiry);
        } else {
            self.memory.gone(hold);
        }
        Ok(granted)
    }

    async fn release(&self, hold: &Hold) -> Result<bool, PoolError> {
        self.memory.gone(hold);
        self.link.run(&self.of_hold(&self.scripts.release, hold)).await.map_err(PoolError::from)
    }

    async fn remaining(&self, hold: &Hold) -> Result<Option<Duration>, PoolError> {
        let left: String =
            self.link.run(&self.of_hold(&self.scripts.remaining, hold)).await.map_err(PoolError::from)?;
        Ok(left.parse().ok().map(Duration::from_micros))
    }

    async fn announce(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError> {
        let (listed, touched) = tokio::join!(self.list(heartbeat, expiry), self.touch(heartbeat.worker));
        listed.and(touched)
    }

    async fn forget(&self, worker: WorkerId) -> Result<(), PoolError> {
        self.memory.forgotten(worker);
        let mut leave = self.of_list(&self.scripts.leave);
        leave.arg(worker.to_string());
        let forget = self.of(&self.scripts.forget, worker);
        let (left, dropped) = tokio::join!(self.link.run::<u8>(&leave), self.link.run::<u8>(&forget));
        left.and(dropped).map(|_| ()).map_err(PoolError::from)
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError> {
        let said: Vec<Vec<u8>> = self.link.run(&self.of_list(&self.scripts.workers)).await.map_err(PoolError::from)?;
        let read = |text: &Vec<u8>| match serde_json::from_slice(text) {
            Ok(heartbeat) => Some(heartbeat),
            Err(error) => {
                tracing::warn!(%error, "a worker in the pool cannot be understood and is left out: is its version newer?");
                None
            }
        };
        Ok(said.iter().filter_map(read).collect())
    }

    /// Nobody announces the worker whose slot stands for the right: it becomes known here, and its grace begins.
    async fn decide(&self, who: u128, expiry: Duration) -> Result<bool, PoolError> {
        let right = fleet_right(who);
        let _: u8 = self.link.run(self.of(&self.scripts.touch, right.worker).arg("")).await.map_err(PoolError::from)?;
        Ok(self.renew(&right, expiry).await? || self.claim(&right, expiry).await?)
    }

    /// Writes something, so that a replica, a full server or a user without rights shows.
    async fn check(&self) -> Result<(), PoolError> {
        let mut call = self.of_key(&self.scripts.touch, "check");
        self.link.run::<u8>(call.arg("")).await.map(|_| ()).map_err(PoolError::from)
    }
}

fn slot_field(slot: SlotIndex) -> String {
    format!("slot:{}", slot.0)
}

/// Rounded up: the pool never keeps a lease for less than its holder believes in it.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)
}

fn token() -> Result<String, PoolError> {
    let random = getrandom::u64().map_err(|e| PoolError(format!("the system gives no random numbers: {e}")))?;
    Ok(format!("{random:016x}"))
}
