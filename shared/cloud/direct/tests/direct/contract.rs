//! The ports' contracts, kept over sockets.

use crate::net::{Pair, pair};
use async_trait::async_trait;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::contract;
use mouthpiece_ports::lines::{CallerLine, IncomingLines, LineError, Lines};
use mouthpiece_ports::questions::{QuestionBus, QuestionInbox};
use std::sync::Arc;
use std::time::Duration;

/// What coordinators do is done by one side, what workers do by the other.
#[async_trait]
impl Lines for Pair {
    async fn open(&self, hold: &Hold) -> Result<CallerLine, LineError> {
        self.coordinator.open(hold).await
    }

    async fn calls(&self, worker: WorkerId) -> Result<Box<dyn IncomingLines>, LineError> {
        self.worker().calls(worker).await
    }
}

#[async_trait]
impl QuestionBus for Pair {
    async fn ask(&self, worker: WorkerId, ask: &LiveAsk, patience: Duration) -> Result<LiveAnswer, BusError> {
        self.coordinator.ask(worker, ask, patience).await
    }

    async fn questions(&self, worker: WorkerId) -> Result<Box<dyn QuestionInbox>, BusError> {
        self.worker().questions(worker).await
    }
}

async fn fresh() -> Arc<Pair> {
    Arc::new(pair(Default::default(), Default::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_over_sockets() {
    contract::lines(fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn questions_over_sockets() {
    contract::questions(fresh).await;
}

#[tokio::test]
async fn a_coordinator_takes_nothing_and_says_so() {
    let pair = pair(Default::default(), Default::default());
    let refused = pair.coordinator.calls(WorkerId(1)).await.err().unwrap();
    assert!(matches!(refused, LineError::Unavailable(why) if why.contains("no listener")));
    let refused = pair.coordinator.questions(WorkerId(1)).await.err().unwrap();
    assert!(matches!(refused, BusError::Unavailable(why) if why.contains("no listener")));
}
