//! A farm that does what a test tells it. It admits and records as the real one does; nothing runs by itself.

use crate::memory::Memory;
use async_trait::async_trait;
use mouthpiece_coordinator::farm::{Farm, FarmError, FarmNews};
use mouthpiece_domain::control::{FarmView, SessionChange, SlotView, SubmitAnswer, WorkerState, WorkerView};
use mouthpiece_domain::fleet::Capability;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::session::{EndReason, Phase, Session, SessionEnd, SlotIndex};
use mouthpiece_domain::warm_pool::ScalingMode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;

pub const WORKER: WorkerId = WorkerId(7);

pub struct Script {
    memory: Arc<Memory>,
    news: broadcast::Sender<FarmNews>,
    /// What the next submissions are answered with instead of being accepted.
    pub refuse: Mutex<Option<Result<SubmitAnswer, FarmError>>>,
    pub draining: Mutex<bool>,
}

impl Script {
    pub fn new(memory: Arc<Memory>) -> Self {
        let (news, _) = broadcast::channel(16);
        Self { memory, news, refuse: Mutex::new(None), draining: Mutex::new(false) }
    }

    /// Changes a session's record and tells whoever watches.
    pub fn change(&self, id: SessionId, change: impl FnOnce(&mut Session)) {
        let mut kept = self.memory.kept();
        let session = kept.sessions.get_mut(&id).unwrap();
        change(session);
        let change = SessionChange { session: session.clone(), queue_position: None };
        drop(kept);
        let _ = self.news.send(FarmNews::Session(Arc::new(change)));
    }

    pub fn run(&self, id: SessionId, done: u64, total: u64) {
        self.change(id, |s| {
            s.phase = Phase::Running;
            s.place = Some((WORKER, SlotIndex(0)));
            s.progress.done = done;
            s.progress.total = total;
        });
    }

    pub fn end(&self, id: SessionId, end: SessionEnd) {
        self.change(id, |s| {
            s.phase = Phase::Ended;
            s.end = Some(end);
        });
    }

    /// How many wait for news.
    pub fn watchers(&self) -> usize {
        self.news.receiver_count()
    }

    pub fn tell(&self, news: FarmNews) {
        let _ = self.news.send(news);
    }
}

#[async_trait]
impl Farm for Script {
    async fn submit(
        &self,
        session: Session,
        idempotency: Option<Idempotency>,
        max_open: u32,
    ) -> Result<SubmitAnswer, FarmError> {
        if let Some(refused) = self.refuse.lock().unwrap().clone() {
            return refused;
        }
        let mut kept = self.memory.kept();
        let open = kept.sessions.values().filter(|s| s.key == session.key && s.phase < Phase::Ended).count() as u32;
        if open >= max_open {
            return Ok(SubmitAnswer::OverQuota { open, retry_after: Duration::from_millis(1500) });
        }
        if let Some(asked) = idempotency {
            let known = kept.tokens.get(&(asked.key, asked.token.clone())).cloned();
            if let Some((fingerprint, id)) = known {
                let same = fingerprint == asked.fingerprint;
                let made = || Box::new(kept.sessions[&id].clone());
                return Ok(if same { SubmitAnswer::Repeated(made()) } else { SubmitAnswer::TokenReused });
            }
            kept.tokens.insert((asked.key, asked.token), (asked.fingerprint, session.id));
        }
        kept.sessions.insert(session.id, session.clone());
        Ok(SubmitAnswer::Accepted(Box::new(session)))
    }

    async fn cancel(&self, id: SessionId) -> Result<(), FarmError> {
        self.change(id, |s| s.phase = Phase::Draining);
        self.end(id, SessionEnd::new(EndReason::Cancelled, None));
        Ok(())
    }

    async fn drain(&self, id: WorkerId) -> Result<Option<Vec<SessionId>>, FarmError> {
        *self.draining.lock().unwrap() = true;
        Ok((id == WORKER).then(|| vec![SessionId(1)]))
    }

    async fn view(&self) -> Result<FarmView, FarmError> {
        let draining = *self.draining.lock().unwrap();
        Ok(FarmView {
            workers: vec![WorkerView {
                id: WORKER,
                capability: Capability {
                    name: "here".into(),
                    engine: "puppet/1".into(),
                    instance_type: "local".into(),
                    slots: 1,
                    frames_per_second: 90,
                    impaired: None,
                    machine: None,
                },
                state: if draining { WorkerState::Draining } else { WorkerState::Idle },
                up: Duration::from_secs(5),
                seen_ago: Duration::from_millis(20),
                slots: vec![SlotView { slot: SlotIndex(0), session: None }],
                resident: vec!["ab".into()],
            }],
            queue_length: 2,
            oldest_wait: Some(Duration::from_millis(1234)),
            queue_limit: 10,
            desired_workers: 3,
            scaling: ScalingMode::Announced,
        })
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionChange>, FarmError> {
        let kept = self.memory.kept();
        let open = kept.sessions.get(&id).filter(|s| s.phase < Phase::Ended);
        let queue_position = open.filter(|s| s.phase == Phase::Requested).map(|_| 1);
        Ok(open.map(|s| SessionChange { session: s.clone(), queue_position }))
    }

    fn watch(&self) -> broadcast::Receiver<FarmNews> {
        self.news.subscribe()
    }
}
