//! The engine's own thread, and the desks in front of it.
//!
//! One OS thread owns one engine. Each session has a [`EngineDesk`]: it hands its seat in with what shall be drawn and gets it
//! back with the picture. The thread takes all that lies there and draws it in one [`Engine::draw`]; it never waits for
//! a batch to fill, and while it draws the next batch gathers. A desk hands in one tick at a time, so there are never
//! more waiting than there are desks. Buffers are reused: a frame allocates nothing here.
//!
//! An engine that draws on the CPU gives its desks helpers ([`Engine::helper`]): while the thread is busy, a session
//! draws with its own instead of waiting, so that two sessions keep two cores busy.

mod batch;
mod desk;

pub use desk::EngineDesk;

use crate::recovery::EngineAbsence;
use crate::{Engine, EngineNews};
use batch::{Batch, DeskWork};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What lies in front of the engine.
struct Queue<E: Engine> {
    waiting: Vec<DeskWork<E>>,
    /// The thread is in a call of the engine.
    drawing: bool,
    /// Why the engine draws nothing just now.
    absence: Option<EngineAbsence>,
    /// The thread takes nothing any more.
    closed: bool,
}

struct Shared<E: Engine> {
    queue: Mutex<Queue<E>>,
    /// Something lies there, or the queue was closed.
    news: Condvar,
    /// Makes helpers; itself never draws.
    spare: Mutex<Option<E>>,
    calls: AtomicU64,
    ticks: AtomicU64,
    helped: AtomicU64,
    /// Nanoseconds within calls of the engine.
    busy: AtomicU64,
}

impl<E: Engine> Shared<E> {
    /// The queue is whole between any two statements, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine is away from now on, or back. Whoever does not wait for it is told.
    fn leave(&self, absence: Option<EngineAbsence>, batch: &mut Batch<E>) {
        {
            let mut queue = self.lock();
            queue.absence = absence;
            batch.gather(&mut queue.waiting);
        }
        if let Some(absence) = absence {
            batch.refuse(absence);
        }
    }

    /// Nothing is taken any more; whoever waits is told.
    fn close(&self) {
        let left = {
            let mut queue = self.lock();
            queue.closed = true;
            std::mem::take(&mut queue.waiting)
        };
        self.news.notify_all();
        drop(left);
    }
}

/// The thread that owns an engine. Dropping it ends the thread: what is being drawn is finished, what waits is refused.
pub struct EngineThread<E: Engine> {
    shared: Arc<Shared<E>>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Engine> EngineThread<E> {
    /// Starts a thread that owns `engine`. `ended` is called on that thread as its last act: with true when the engine
    /// panicked.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(engine: E, ended: impl FnOnce(bool) + Send + 'static) -> io::Result<Self> {
        Self::start_watched(engine, |_| {}, ended)
    }

    /// The same; `news` is called on that thread when the engine fails, and with what became of it. Sessions hear of it
    /// later.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start_watched(
        engine: E,
        mut news: impl FnMut(EngineNews<'_>) + Send + 'static,
        ended: impl FnOnce(bool) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { waiting: Vec::new(), drawing: false, absence: None, closed: false }),
            news: Condvar::new(),
            spare: Mutex::new(engine.helper()),
            calls: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            helped: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let _guard = Ending { shared: &of_thread, ended: Some(ended) };
            draw_all(engine, &of_thread, &mut news);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Where sessions get their desks.
    pub fn desks(&self) -> EngineDesks<E> {
        EngineDesks { shared: Arc::clone(&self.shared) }
    }
}

impl<E: Engine> Drop for EngineThread<E> {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // Its panic was told to `ended` already. The thread itself may be the one that drops the last handle.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl<E: Engine> fmt::Debug for EngineThread<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineThread").finish_non_exhaustive()
    }
}

/// Closes the queue when the thread ends, however it ends.
struct Ending<'a, E: Engine, F: FnOnce(bool)> {
    shared: &'a Shared<E>,
    ended: Option<F>,
}

impl<E: Engine, F: FnOnce(bool)> Drop for Ending<'_, E, F> {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(ended) = self.ended.take() {
            ended(thread::panicking());
        }
    }
}

/// The thread's life.
fn draw_all<E: Engine>(mut engine: E, shared: &Shared<E>, news: &mut impl FnMut(EngineNews<'_>)) {
    let mut batch = Batch::default();
    loop {
        {
            let mut queue = shared.lock();
            queue.drawing = false;
            while queue.waiting.is_empty() && batch.is_empty() && !queue.closed {
                queue = shared.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.closed {
                return;
            }
            if batch.is_empty() {
                batch.take(&mut queue.waiting);
            } else {
                // What the engine failed at is drawn with what came meanwhile.
                batch.gather(&mut queue.waiting);
            }
            queue.drawing = true;
        }
        shared.calls.fetch_add(1, Ordering::Relaxed);
        shared.ticks.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let began = Instant::now();
        let drawn = batch.draw(&mut engine);
        shared.busy.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        if let Err(failure) = drawn {
            news(EngineNews::Failed(&failure));
            shared.leave(Some(EngineAbsence::Recovering), &mut batch);
            match engine.recover() {
                Ok(how) => {
                    news(EngineNews::Recovered(how));
                    shared.leave(None, &mut batch);
                }
                Err(why) => {
                    news(EngineNews::Broken(&why));
                    shared.leave(Some(EngineAbsence::Broken), &mut batch);
                }
            }
        }
    }
}

/// Where sessions get their desks. Holds no engine: when the thread ends, every desk says [`EngineError::Gone`].
pub struct EngineDesks<E: Engine> {
    shared: Arc<Shared<E>>,
}

impl<E: Engine> Clone for EngineDesks<E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<E: Engine> fmt::Debug for EngineDesks<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.drawn().fmt(f)
    }
}

/// How ticks were drawn so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnTicks {
    /// Calls of the engine by its thread.
    pub calls: u64,
    /// Ticks in them: more than calls when sessions shared one.
    pub ticks: u64,
    /// Ticks that sessions drew with helpers meanwhile.
    pub helped: u64,
    /// How long the calls took in all.
    pub busy: Duration,
}

impl<E: Engine> EngineDesks<E> {
    /// A desk for one session of `avatar`. It waits while an engine that failed is recovered.
    pub fn desk(&self, avatar: Arc<E::Avatar>) -> EngineDesk<E> {
        EngineDesk::new(Arc::clone(&self.shared), avatar, true)
    }

    /// A desk for a live session of `avatar`, which says [`EngineError::Recovering`] instead of waiting then.
    pub fn live_desk(&self, avatar: Arc<E::Avatar>) -> EngineDesk<E> {
        EngineDesk::new(Arc::clone(&self.shared), avatar, false)
    }

    /// How ticks were drawn so far.
    pub fn drawn(&self) -> DrawnTicks {
        let Shared { calls, ticks, helped, busy, .. } = &*self.shared;
        let [calls, ticks, helped, busy] = [calls, ticks, helped, busy].map(|n| n.load(Ordering::Relaxed));
        DrawnTicks { calls, ticks, helped, busy: Duration::from_nanos(busy) }
    }
}

#[cfg(test)]
mod recovery_tests;
#[cfg(test)]
mod tests;
