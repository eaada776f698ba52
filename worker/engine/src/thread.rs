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

use crate::{Artist, Engine, EngineError, EngineTick, Expression};
use batch::{Batch, DeskReply, DeskWork};
use mouthpiece_frame::I420;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// What lies in front of the engine.
struct Queue<E: Engine> {
    waiting: Vec<DeskWork<E>>,
    /// The thread is in a call of the engine.
    drawing: bool,
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
}

impl<E: Engine> Shared<E> {
    /// The queue is whole between any two statements, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { waiting: Vec::new(), drawing: false, closed: false }),
            news: Condvar::new(),
            spare: Mutex::new(engine.helper()),
            calls: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            helped: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let _guard = Ending { shared: &of_thread, ended: Some(ended) };
            draw_all(engine, &of_thread);
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
fn draw_all<E: Engine>(mut engine: E, shared: &Shared<E>) {
    let mut batch = Batch::default();
    loop {
        {
            let mut queue = shared.lock();
            queue.drawing = false;
            while queue.waiting.is_empty() && !queue.closed {
                queue = shared.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.closed {
                return;
            }
            batch.take(&mut queue.waiting);
            queue.drawing = true;
        }
        shared.calls.fetch_add(1, Ordering::Relaxed);
        shared.ticks.fetch_add(batch.len() as u64, Ordering::Relaxed);
        batch.draw(&mut engine);
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
}

impl<E: Engine> EngineDesks<E> {
    /// A desk for one session of `avatar`.
    pub fn desk(&self, avatar: Arc<E::Avatar>) -> EngineDesk<E> {
        let spare = self.shared.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let helper = spare.as_ref().and_then(E::helper);
        let seat = Some(Box::new(E::seat(&avatar)));
        EngineDesk { shared: Arc::clone(&self.shared), reply: Arc::default(), helper, avatar, seat }
    }

    /// How ticks were drawn so far.
    pub fn drawn(&self) -> DrawnTicks {
        let [calls, ticks, helped] =
            [&self.shared.calls, &self.shared.ticks, &self.shared.helped].map(|n| n.load(Ordering::Relaxed));
        DrawnTicks { calls, ticks, helped }
    }
}

/// One session's place in front of the engine's thread.
pub struct EngineDesk<E: Engine> {
    shared: Arc<Shared<E>>,
    reply: Arc<DeskReply<E>>,
    helper: Option<E>,
    avatar: Arc<E::Avatar>,
    /// Away while it is drawn, and lost when the engine is.
    seat: Option<Box<E::Seat>>,
}

impl<E: Engine> fmt::Debug for EngineDesk<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl<E: Engine> Artist for EngineDesk<E> {
    type Cue = E::Cue;

    /// Waits for the picture: at most as long as the batch before and its own take. With a helper it never waits for
    /// others.
    fn draw(&mut self, reference: usize, cue: E::Cue, expression: Expression) -> Result<&I420, EngineError> {
        let seat = self.seat.take().ok_or(EngineError::Gone)?;
        let (seat, drawn) = {
            let mut queue = self.shared.lock();
            if queue.closed {
                return Err(EngineError::Gone);
            }
            match &mut self.helper {
                Some(helper) if queue.drawing => {
                    drop(queue);
                    self.shared.helped.fetch_add(1, Ordering::Relaxed);
                    let mut seat = seat;
                    let tick =
                        EngineTick::<E> { avatar: &self.avatar, seat: &mut seat, reference, cue: &cue, expression };
                    let drawn = helper.draw(&mut [tick]);
                    (Some(seat), drawn)
                }
                _ => {
                    let (avatar, reply) = (Arc::clone(&self.avatar), Arc::clone(&self.reply));
                    queue.waiting.push(DeskWork::new(avatar, seat, reference, cue, expression, reply));
                    drop(queue);
                    self.shared.news.notify_one();
                    self.reply.wait()
                }
            }
        };
        self.seat = seat;
        drawn?;
        self.seat.as_deref().map(E::picture).ok_or(EngineError::Gone)
    }

    /// The seat lies here between two ticks, so nobody is asked and nobody is waited for.
    fn rest(&mut self, reference: usize, expression: Expression) -> Result<&I420, EngineError> {
        let seat = self.seat.as_deref_mut().ok_or(EngineError::Gone)?;
        E::rest(&self.avatar, seat, reference, expression)?;
        Ok(E::picture(seat))
    }
}

#[cfg(test)]
mod tests;
