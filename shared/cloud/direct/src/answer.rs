//! A worker's side of the questions that come over one connection.

use crate::doors::{Doors, Letter};
use crate::link::{Liveness, Lost, Socket, carry};
use crate::wire::{Asked, Encoded, NoAnswer, ToCoordinator, ToWorker};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::LiveAnswer;
use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Messages that wait in one direction.
const IN_PIPE: usize = 64;
/// Questions of one connection that have no answer yet.
const OPEN: usize = 512;
/// No question is waited for longer.
const LONGEST: Duration = Duration::from_secs(300);

/// What comes of a question that was handed to the taker; `None` where it was withdrawn.
type Outcome = Pin<Box<dyn Future<Output = (u64, Option<Result<LiveAnswer, NoAnswer>>)> + Send>>;

/// Answers until the coordinator is gone.
pub(crate) async fn answer(socket: Socket, worker: WorkerId, doors: &Doors, liveness: Liveness) -> Result<(), Lost> {
    let (to_coordinator, outgoing) = mpsc::channel::<Encoded>(IN_PIPE);
    let (incoming, of_coordinator) = mpsc::channel::<ToWorker>(IN_PIPE);
    let carrying = carry(socket, outgoing, incoming, liveness);
    let ((), ended) = tokio::join!(attend(of_coordinator, to_coordinator, worker, doors), carrying);
    ended
}

/// Hands questions to the taker and answers back. Returns when no more questions come and none is open; when nobody
/// takes answers any more, what is open is withdrawn.
async fn attend(
    mut questions: mpsc::Receiver<ToWorker>,
    answers: mpsc::Sender<Encoded>,
    worker: WorkerId,
    doors: &Doors,
) {
    let mut open: FuturesUnordered<Outcome> = FuturesUnordered::new();
    let mut withdrawals: HashMap<u64, oneshot::Sender<()>> = HashMap::new();
    let mut more = true;
    while more || !open.is_empty() {
        let (id, outcome) = tokio::select! {
            () = answers.closed() => return,
            Some((id, outcome)) = open.next(), if !open.is_empty() => {
                withdrawals.remove(&id);
                match outcome {
                    Some(outcome) => (id, outcome),
                    None => continue,
                }
            }
            question = questions.recv(), if more => match question {
                Some(ToWorker::Ask(asked)) => match hand_over(*asked, worker, doors, open.len()) {
                    Ok((id, withdraw, outcome)) => {
                        withdrawals.insert(id, withdraw);
                        open.push(outcome);
                        continue;
                    }
                    Err((id, why)) => (id, Err(why)),
                },
                Some(ToWorker::Withdraw { id }) => {
                    withdrawals.remove(&id);
                    continue;
                }
                Some(ToWorker::Unknown) => continue,
                None => {
                    more = false;
                    continue;
                }
            },
        };
        let message = match outcome {
            Ok(answer) => ToCoordinator::Answer { id, answer: Box::new(answer) },
            Err(why) => ToCoordinator::None { id, why },
        };
        let encoded = Encoded::of(&message).or_else(|error| {
            tracing::warn!(%error, worker_id = %worker, "an answer cannot be carried");
            Encoded::of(&ToCoordinator::None { id, why: NoAnswer::Dropped })
        });
        if let Ok(encoded) = encoded
            && answers.send(encoded).await.is_err()
        {
            return;
        }
    }
}

/// A question that waits for its answer: its number, what withdraws it, what comes of it.
type Handed = (u64, oneshot::Sender<()>, Outcome);

fn hand_over(asked: Asked, worker: WorkerId, doors: &Doors, open: usize) -> Result<Handed, (u64, NoAnswer)> {
    let Asked { id, patience, ask } = asked;
    let until = Instant::now() + patience.min(LONGEST);
    let (reply, answered) = oneshot::channel();
    let full = open >= OPEN;
    let taker = doors.questions(worker).ok_or((id, NoAnswer::Nobody))?;
    if full {
        return Err((id, NoAnswer::Full));
    }
    taker.try_send(Letter { ask, reply, until }).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => (id, NoAnswer::Full),
        mpsc::error::TrySendError::Closed(_) => (id, NoAnswer::Nobody),
    })?;
    let (withdraw, mut withdrawn) = oneshot::channel::<()>();
    let outcome = async move {
        // Dropping the receiver tells whoever would answer that nobody waits.
        let outcome = tokio::select! {
            answered = timeout_at(until, answered) => match answered {
                Ok(answered) => Some(answered.map_err(|_| NoAnswer::Dropped)),
                Err(_) => Some(Err(NoAnswer::Dropped)),
            },
            _ = &mut withdrawn => None,
        };
        (id, outcome)
    };
    Ok((id, withdraw, Box::pin(outcome)))
}
