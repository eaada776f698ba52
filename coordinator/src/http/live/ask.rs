//! Asking the worker that runs a live session, and what its answers mean to callers.

use super::wait::{COME_BACK, Whereabouts, settled};
use crate::http::Api;
use crate::http::problem::{Kind, Problem};
use crate::metrics::Asked;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::live::{Ask, NotDone, Question, Told};
use mouthpiece_ports::bus::BusError;
use tokio::time::Instant;

/// As many as can watch do: somebody may leave within this.
const FULL: std::time::Duration = std::time::Duration::from_secs(5);

/// The word of a question, for metrics.
fn name(question: &Question) -> &'static str {
    match question {
        Question::Offer { .. } => "offer",
        Question::Trickle { .. } => "trickle",
        Question::Restart { .. } => "restart",
        Question::HangUp { .. } => "hang_up",
        Question::Interrupt => "interrupt",
        Question::KeepAlive => "keep_alive",
        Question::Status => "status",
    }
}

/// Asks the worker. When the session is not there any more, it is looked for once more.
///
/// # Errors
/// The problem that the worker's refusal is; 503 when it cannot be asked or does not answer.
pub async fn ask(api: &Api, hold: Hold, what: Question) -> Result<Told, Problem> {
    match once(api, hold, &what).await? {
        Told::Not { why: NotDone::NotHere, .. } => {
            let now = settled(api, hold.session, Instant::now(), |_| true).await?;
            match now {
                Whereabouts::Runs(other) if other != hold => once(api, other, &what).await.and_then(done),
                Whereabouts::Runs(_) => Err(moving()),
                elsewhere => elsewhere.hold().and(Err(moving())),
            }
        }
        told => done(told),
    }
}

async fn once(api: &Api, hold: Hold, what: &Question) -> Result<Told, Problem> {
    let question = Ask { hold, what: what.clone() };
    let told = api.bus.ask(hold.worker, &question, api.settings.live.ask_timeout).await;
    let outcome = match &told {
        Ok(Told::Not { .. }) => Asked::Not,
        Ok(_) => Asked::Done,
        Err(BusError::Unanswered(_)) => Asked::Unanswered,
        Err(_) => Asked::Unreachable,
    };
    api.metrics.live.asked(name(what), outcome);
    told.map_err(|error| {
        tracing::warn!(%error, session_id = %hold.session, worker_id = %hold.worker, "a worker was asked in vain");
        unreachable(match error {
            BusError::Unanswered(_) => "the worker that runs the session did not answer in time: try again",
            BusError::Full => "the worker that runs the session has too much to do just now: try again",
            _ => "the worker that runs the session cannot be reached just now: try again",
        })
    })
}

/// 503: the session's worker cannot be reached.
pub fn unreachable(detail: &str) -> Problem {
    Problem::new(Kind::WorkerUnreachable, detail).after(COME_BACK)
}

/// 409: it is on its way to another worker, or just came.
fn moving() -> Problem {
    Problem::new(Kind::Conflict, "the session is just being moved to another worker: come back").after(COME_BACK)
}

fn done(told: Told) -> Result<Told, Problem> {
    let Told::Not { why, detail } = told else { return Ok(told) };
    let problem = |kind| Problem::new(kind, detail.clone());
    Err(match why {
        NotDone::NotHere => moving(),
        NotDone::NotYet => problem(Kind::Conflict).after(COME_BACK),
        NotDone::NoViewer => problem(Kind::NotFound),
        NotDone::Malformed => problem(Kind::BadRequest),
        NotDone::NoCodec => problem(Kind::NotAcceptable),
        NotDone::StaleTag => problem(Kind::PreconditionFailed),
        NotDone::Unprocessable => problem(Kind::Unprocessable),
        NotDone::Full => problem(Kind::NoCapacity).after(FULL),
    })
}

/// For an answer of another kind than the question's.
pub fn strange(told: &Told) -> Problem {
    let kind = match told {
        Told::Answer { .. } => "an answer",
        Told::Restarted { .. } => "a restart",
        Told::Done => "nothing",
        Told::Status(_) => "a status",
        Told::Not { .. } => "a refusal",
    };
    Problem::internal(format!("a worker told {kind} when it was asked something else"))
}
