//! Who asks for sessions: flat out with a bounded number in flight, or by a timetable.

use super::Pace;
use super::seen::SeenLedger;
use crate::{LoadError, setup};
use mouthpiece_coordinator::farm::{Farm, FarmNews};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::Phase;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};
use tokio::time::{interval, sleep_until, timeout};
#[cfg(feature = "cloud")]
use {mouthpiece_ports::records::SessionLedger, std::collections::HashSet, tokio::sync::mpsc::UnboundedReceiver};

/// News can be lost by a watcher that lags: sessions that are this old are asked after.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// All must have ended this long after the last one was asked for.
const END_WITHIN: Duration = Duration::from_secs(60);
/// By a timetable at most so many are under way: a farm that is that far behind does not keep up.
const BEHIND: usize = 20_000;

/// The records are looked at so often for ends that workers told.
#[cfg(feature = "cloud")]
const LOOK: Duration = Duration::from_millis(50);

/// Asks for one session; its id when it was accepted.
pub(super) trait CallerAsk {
    fn ask(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<Option<SessionId>, LoadError>>>>;
}

/// All callers together.
pub(super) struct Callers {
    ledger: Arc<SeenLedger>,
    /// One permit a session that may be under way.
    free: Arc<Semaphore>,
    /// Asked for, and not answered yet: a session may have ended before its caller has read that it was accepted.
    unanswered: Cell<u64>,
    turned_away: Cell<u64>,
    failed: RefCell<Option<LoadError>>,
}

impl Callers {
    pub(super) fn new(ledger: Arc<SeenLedger>, pace: Pace) -> Rc<Self> {
        let free = Arc::new(Semaphore::new(permits(pace)));
        let (unanswered, turned_away) = (Cell::new(0), Cell::new(0));
        Rc::new(Self { ledger, free, unanswered, turned_away, failed: RefCell::new(None) })
    }

    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.get()
    }

    /// Asks for all sessions and waits until all that were accepted have ended.
    pub(super) async fn run(
        self: &Rc<Self>,
        ask: &Rc<dyn CallerAsk>,
        sessions: u64,
        pace: Pace,
    ) -> Result<(), LoadError> {
        self.ask_all(ask, sessions, pace).await?;
        self.all_ended(pace).await
    }

    /// Asks for all sessions; the first tenth warms up. The last ones may not have been answered when it returns.
    pub(super) async fn ask_all(
        self: &Rc<Self>,
        ask: &Rc<dyn CallerAsk>,
        sessions: u64,
        pace: Pace,
    ) -> Result<(), LoadError> {
        let started = Instant::now();
        let warm_up = sessions / 10;
        for n in 0..sessions {
            let asked = match pace {
                Pace::FlatOut { .. } => None,
                Pace::PerSecond(rate) => {
                    let at = started + Duration::from_secs_f64(n as f64 / rate);
                    sleep_until(at.into()).await;
                    if self.free.available_permits() == 0 {
                        return Err(LoadError::Setup(format!("{BEHIND} sessions are under way: it does not keep up")));
                    }
                    Some(at)
                }
            };
            let permit = timeout(END_WITHIN, Arc::clone(&self.free).acquire_owned()).await;
            permit.map_err(|_| self.stuck())?.map_err(setup)?.forget();
            // By a timetable the wait counts from when it should have been asked for, however late that is done.
            let asked = asked.unwrap_or_else(Instant::now);
            let (callers, ask) = (Rc::clone(self), Rc::clone(ask));
            self.unanswered.set(self.unanswered.get() + 1);
            actix_rt::spawn(async move {
                callers.one(ask.ask(n).await, asked, n < warm_up);
                callers.unanswered.set(callers.unanswered.get() - 1);
            });
            self.check()?;
        }
        Ok(())
    }

    /// Waits until all that were accepted have ended.
    pub(super) async fn all_ended(&self, pace: Pace) -> Result<(), LoadError> {
        self.until(|| self.unanswered.get() == 0 && self.free.available_permits() >= permits(pace)).await
    }

    /// Waits until something is so, for as long as sessions may take to end.
    pub(super) async fn until(&self, is_so: impl Fn() -> bool) -> Result<(), LoadError> {
        let begun = Instant::now();
        let mut tick = interval(Duration::from_millis(10));
        while !is_so() {
            tick.tick().await;
            self.check()?;
            if begun.elapsed() > END_WITHIN {
                return Err(self.stuck());
            }
        }
        Ok(())
    }

    /// Sessions that were asked for and not answered yet.
    #[cfg(feature = "cloud")]
    pub(super) fn unanswered(&self) -> u64 {
        self.unanswered.get()
    }

    fn check(&self) -> Result<(), LoadError> {
        self.failed.borrow_mut().take().map_or(Ok(()), Err)
    }

    fn stuck(&self) -> LoadError {
        let open = self.ledger.open_count();
        LoadError::Audit(format!("{open} accepted sessions had not ended after {} s", END_WITHIN.as_secs()))
    }

    /// Counts in a session that was accepted before the others.
    pub(super) fn count_in(&self, id: SessionId) {
        self.free.forget_permits(1);
        self.one(Ok(Some(id)), Instant::now(), true);
    }

    fn one(&self, answer: Result<Option<SessionId>, LoadError>, asked: Instant, warm_up: bool) {
        match answer {
            Ok(Some(id)) => {
                let now = Instant::now();
                self.ledger.note(id, |s| {
                    (s.asked, s.accepted, s.warm_up) = (Some(asked), Some(now), warm_up);
                });
            }
            Ok(None) => {
                self.turned_away.set(self.turned_away.get() + 1);
                self.free.add_permits(1);
            }
            Err(error) => {
                self.failed.borrow_mut().get_or_insert(error);
            }
        }
    }

    /// Follows the news until the farm stops.
    pub(super) async fn watch(self: Rc<Self>, farm: Arc<dyn Farm>, mut news: broadcast::Receiver<FarmNews>) {
        let mut ask = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                heard = news.recv() => match heard {
                    Ok(FarmNews::Session(change)) if change.session.phase == Phase::Ended => self.ended(change.session.id),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = ask.tick() => for id in self.ledger.late(ASK_AFTER) {
                    if let Ok(None) = farm.session(id).await {
                        self.ended(id);
                    }
                },
            }
        }
    }

    /// Hears of every end from the workers, and looks when it is on record, until they are gone.
    #[cfg(feature = "cloud")]
    pub(super) async fn watch_records(
        self: Rc<Self>,
        mut told: UnboundedReceiver<SessionId>,
        records: Arc<dyn SessionLedger>,
    ) {
        let mut ended_there = HashSet::new();
        while let Some(id) = told.recv().await {
            ended_there.insert(id);
            while !ended_there.is_empty() {
                while let Ok(id) = told.try_recv() {
                    ended_there.insert(id);
                }
                match records.open_sessions().await {
                    Ok(open) => {
                        let open: HashSet<_> = open.into_iter().map(|session| session.id).collect();
                        ended_there.extract_if(|id| !open.contains(id)).for_each(|id| self.recorded(id));
                    }
                    Err(error) => tracing::warn!(%error, "the open sessions cannot be read, trying again"),
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// An end is on record. A session that was placed again may be told twice.
    #[cfg(feature = "cloud")]
    fn recorded(&self, id: SessionId) {
        if self.ledger.note(id, |s| s.ended.is_none()) {
            self.ended(id);
        }
    }

    fn ended(&self, id: SessionId) {
        let now = Instant::now();
        let first = self.ledger.note(id, |s| {
            s.ends += 1;
            s.ended.replace(s.ended.unwrap_or(now)).is_none()
        });
        if first {
            self.free.add_permits(1);
        }
    }
}

/// Sessions that may be under way.
fn permits(pace: Pace) -> usize {
    match pace {
        Pace::FlatOut { in_flight } => in_flight as usize,
        Pace::PerSecond(_) => BEHIND,
    }
}
