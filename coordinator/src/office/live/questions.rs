//! Asking the worker that runs a live session.

use super::{LiveRefusal, LiveSessions, WorkerTrouble};
use crate::metrics::QuestionOutcome;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::live::{Declined, NotDone, TypedQuestion};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::questions::ask_worker;
use tokio::time::Instant;

impl LiveSessions {
    /// Asks the worker. When the session is not there any more, it is looked for once more.
    ///
    /// # Errors
    /// [`LiveRefusal`]: the worker declines, cannot be asked or does not answer.
    pub async fn ask<Q: TypedQuestion + Clone>(&self, hold: Hold, question: Q) -> Result<Q::Answer, LiveRefusal> {
        match self.once(hold, question.clone()).await? {
            Err(Declined { why: NotDone::NotHere, .. }) => {
                let now = self.settled(hold.session, Instant::now(), |_| true).await?.hold()?;
                if now == hold {
                    return Err(self.moving());
                }
                self.once(now, question).await?.map_err(|declined| self.declined(declined))
            }
            answered => answered.map_err(|declined| self.declined(declined)),
        }
    }

    async fn once<Q: TypedQuestion>(
        &self,
        hold: Hold,
        question: Q,
    ) -> Result<Result<Q::Answer, Declined>, LiveRefusal> {
        let answered = ask_worker(self.questions.as_ref(), hold, question, self.settings.ask_timeout).await;
        let outcome = match &answered {
            Ok(Ok(_)) => QuestionOutcome::Done,
            Ok(Err(_)) => QuestionOutcome::Not,
            Err(BusError::Unanswered(_)) => QuestionOutcome::Unanswered,
            Err(_) => QuestionOutcome::Unreachable,
        };
        self.metrics.live.asked(Q::NAME, outcome);
        answered.map_err(|error| {
            tracing::warn!(%error, session_id = %hold.session, worker_id = %hold.worker, "a worker was asked in vain");
            self.unreachable(match error {
                BusError::Unanswered(_) => WorkerTrouble::Silent,
                BusError::Full => WorkerTrouble::Busy,
                _ => WorkerTrouble::Unreachable,
            })
        })
    }

    fn declined(&self, declined: Declined) -> LiveRefusal {
        match declined.why {
            NotDone::NotHere => self.moving(),
            _ => LiveRefusal::Declined(declined),
        }
    }

    /// It is on its way to another worker, or just came.
    fn moving(&self) -> LiveRefusal {
        LiveRefusal::Moving { retry_after: super::COME_BACK }
    }
}
