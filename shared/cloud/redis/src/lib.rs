//! The warm pool in Redis (or Valkey).
//!
//! A worker has one key, a hash: its slots with their holders, and until when each holds. Every call is one Lua script about one
//! key, so it is atomic, and it is judged by the server's clock (`TIME` inside the script; the clock must be slewed, not
//! stepped: see below). Who is there and what each said last stands in a sorted set and a hash of their own: announcing costs
//! the same however many workers there are, and listing them is one call without a search for keys.
//!
//! # When the server loses its data
//!
//! A server may be flushed, come back empty or with an old copy, evict a key, or give way to a replica that had not heard
//! everything. Leases that were granted before are then still believed in by their holders. Yet **no slot has two holders**:
//!
//! 1. *A loss is noticed, worker by worker.* All that is known of a worker is one key, so it is lost as a whole, and the key
//!    carries the `run_id` of the server process that wrote it. A worker whose key is missing, of another process, or dated
//!    later than now is *unknown*.
//! 2. *An unknown worker gets no new holder.* A claim is refused. The first announcement, renewal or question makes the key
//!    again, with a *grace* as long as the longest lease. Until it is over, claims are refused: by then, every lease that was granted
//!    before the loss has run out by its holder's own clock, which counts from before the question, or was asserted again.
//! 3. *Within the grace a holder asserts its lease* by renewing it as always: granted if the slot is free and the calling
//!    process knows by its own clock that the lease was granted to it and still lasts. After the grace such a renewal is refused.
//!
//! Why two cannot meet. Say *h* is asserted at a moment *r* after the loss at *f*, and another hold *g* of the slot is believed in
//! at some moment after *r*.
//! - If *g* was granted after *f*, it was by a claim, which comes after the grace and finds the slot free, so *h* had run out;
//!   or by an assertion or renewal, which finds the slot free or its own, so one of both had run out or never was.
//! - If *g* was last granted before *f*, it was valid in the pool at *f*. *h* was believed in when its renewal was sent. If that was
//!   before *f*, or its belief goes back to before *f*, both were granted for *f*: the pool had two holders before it lost
//!   anything, which the scripts exclude. What is asserted was granted before *f*, so there is no third case.
//! - A *late* renewal (sent while *h* was held, arriving when *h* had run out or was released, and perhaps *g* granted, and
//!   then the data lost) may take the slot for *h* within the grace. Nobody believes in *h*: its holder stopped by its own clock and
//!   does not start again on an answer to an old question. *g* is refused then and stops: a session is placed again
//!   for nothing, but no slot has two holders. The assertion runs out by itself.
//! - Several losses in a row are several times the same argument: each begins a grace of full length.
//!
//! A hold that was claimed but not yet renewed by its worker when the data were lost is refused to the worker and placed again: the
//! worker's process cannot vouch for it. For the same reason [`Pool::remaining`](mouthpiece_ports::pool::Pool::remaining) answers
//! with the rest of the grace for a slot that nobody asserted yet: such a hold is not known to be gone.
//!
//! # New workers
//!
//! A worker that starts is unknown too, but needs no grace: a worker's id is that of one run of its process, so at its first
//! announcement nothing runs on it. The process marks the key that this announcement begins with a random token, and ends the
//! grace of exactly that key, unless it renewed something meanwhile. An announcement whose answer was lost is not
//! vouched for a second time; the worker then takes its first session after the grace.
//!
//! # What is asked of the server
//!
//! Redis 5 or newer, or Valkey, with all hash slots (keys of one worker share one, so scripts also run on a cluster's node or
//! behind a cluster's proxy). `maxmemory-policy noeviction` is best; eviction costs a grace, not the rule. Persistence is not
//! needed. Every restart and failover costs a grace. A clock that is set forward by more than the gap between a worker's hard stop
//! and its lease's expiry can give a slot away too early, as with any lease; one set back begins a grace.

mod fault;
mod link;
mod memory;
mod options;
mod pool;
mod scripts;

pub use fault::RedisFault;
pub use options::RedisOptions;
pub use pool::RedisPool;
