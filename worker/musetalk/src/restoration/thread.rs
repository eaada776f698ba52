//! The thread that restores, and the desks in front of it.

use super::network::RestoreMouths;
use super::pace::RestorationPace;
use super::slip::{MouthBuffers, MouthReply};
use mouthpiece_engine::{RestorationOutcome, Restorations};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Mouths that wait, at most.
const MOST_WAITING: usize = 32;

/// A mouth on its way: it answers, whatever becomes of it.
pub(super) struct MouthJob {
    buffers: Option<Box<MouthBuffers>>,
    due: Option<Instant>,
    reply: Arc<MouthReply>,
    restored: bool,
}

impl MouthJob {
    pub fn new(buffers: Box<MouthBuffers>, due: Option<Instant>, reply: Arc<MouthReply>) -> Self {
        Self { buffers: Some(buffers), due, reply, restored: false }
    }
}

impl Drop for MouthJob {
    fn drop(&mut self) {
        self.reply.give((self.buffers.take(), self.restored));
    }
}

/// What lies in front of the network.
struct Queue {
    waiting: Vec<MouthJob>,
    pace: RestorationPace,
    /// None once it failed.
    network: Option<Box<dyn RestoreMouths>>,
    /// The thread runs the network, which it has taken.
    at_work: bool,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
    counts: Arc<Restorations>,
}

impl Shared {
    /// The queue is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that restores. Dropping it ends the thread after the mouth that it has in hand.
pub struct RestorationThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl RestorationThread {
    /// Starts a thread that owns `network`.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(network: Box<dyn RestoreMouths>) -> io::Result<Self> {
        let queue = Queue {
            waiting: Vec::new(),
            pace: RestorationPace::default(),
            network: Some(network),
            at_work: false,
            closed: false,
        };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), news: Condvar::new(), counts: Arc::default() });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("restoration".to_owned()).spawn(move || {
            let _guard = Ending(&of_thread);
            restore_all(&of_thread);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Goes on with another network: what ran the one before was started again.
    pub fn replace(&self, network: Box<dyn RestoreMouths>) {
        let mut queue = self.shared.lock();
        (queue.network, queue.at_work) = (Some(network), false);
    }

    /// Where sessions hand mouths in.
    pub fn desk(&self) -> RestorationDesk {
        RestorationDesk { shared: Arc::clone(&self.shared) }
    }

    /// What became of them.
    pub fn counts(&self) -> Arc<Restorations> {
        Arc::clone(&self.shared.counts)
    }
}

impl Drop for RestorationThread {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.news.notify_all();
        if let Some(thread) = self.thread.take() {
            // Should it have panicked, everybody was answered.
            let _ = thread.join();
        }
    }
}

/// Where sessions hand mouths in. It does not keep the thread alive.
#[derive(Clone)]
pub struct RestorationDesk {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for RestorationDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestorationDesk").finish_non_exhaustive()
    }
}

impl RestorationDesk {
    /// Refuses what would be late, or cannot be restored any more.
    pub(super) fn is_worth(&self, due: Option<Instant>) -> Result<(), RestorationOutcome> {
        let mut queue = self.shared.lock();
        if queue.closed || (queue.network.is_none() && !queue.at_work) {
            return Err(RestorationOutcome::Failed);
        }
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        // Films wait for live sessions, not the other way round.
        let ahead = queue.waiting.iter().filter(|job| job.due.is_some()).count() + usize::from(queue.at_work);
        let full = left.is_some() && queue.waiting.len() >= MOST_WAITING;
        if !full && queue.pace.is_worth(left, ahead) { Ok(()) } else { Err(RestorationOutcome::Skipped) }
    }

    pub(super) fn hand_in(&self, job: MouthJob) {
        let mut queue = self.shared.lock();
        // A closed queue answers at once: the job is dropped, after the lock is.
        let refused = if queue.closed {
            Some(job)
        } else {
            queue.waiting.push(job);
            None
        };
        drop(queue);
        drop(refused);
        self.shared.news.notify_one();
    }

    /// Nobody waits for this one any more.
    pub(super) fn take_back(&self, reply: &Arc<MouthReply>) {
        let mut queue = self.shared.lock();
        let at = queue.waiting.iter().position(|job| Arc::ptr_eq(&job.reply, reply));
        let gone = at.map(|at| queue.waiting.swap_remove(at));
        drop(queue);
        drop(gone);
    }

    /// Mouths that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    pub(super) fn count(&self, outcome: RestorationOutcome) {
        self.shared.counts.add(outcome);
    }
}

/// Answers whoever waits when the thread ends, however it ends.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let left = {
            let mut queue = self.0.lock();
            queue.closed = true;
            std::mem::take(&mut queue.waiting)
        };
        drop(left);
    }
}

/// The thread's life.
fn restore_all(shared: &Shared) {
    loop {
        let (mut job, mut network) = {
            let mut queue = shared.lock();
            while queue.waiting.is_empty() && !queue.closed {
                queue = shared.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.closed {
                return;
            }
            // The most urgent; those that wait as long as it takes come last.
            let urgency = |at: &usize| (queue.waiting[*at].due.is_none(), queue.waiting[*at].due);
            let Some(at) = (0..queue.waiting.len()).min_by_key(urgency) else { continue };
            let job = queue.waiting.remove(at);
            // Without a network its answer is that it failed.
            let Some(network) = queue.network.take() else {
                drop(queue);
                drop(job);
                continue;
            };
            queue.at_work = true;
            (job, network)
        };
        let began = Instant::now();
        let works = job.buffers.as_deref_mut().is_none_or(|MouthBuffers { drawn, restored }| {
            job.restored = network.restore(drawn, restored).is_ok();
            job.restored
        });
        {
            let mut queue = shared.lock();
            queue.pace.took(began.elapsed());
            // Another one may have been given meanwhile: that is the better one.
            if works && queue.network.is_none() {
                queue.network = Some(network);
            }
            queue.at_work = false;
        }
        drop(job);
    }
}
