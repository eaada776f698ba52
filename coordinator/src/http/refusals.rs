//! The office's refusals in the words and with the status of this API.

use super::problem::{Problem, ProblemKind};
use super::words;
use crate::office::access::AccessRefusal;
use crate::office::costs::{CostRefusal, MOST_ROWS};
use crate::office::intake::{FetchFailure, FetchRefusal, IntakeRefusal, NotFetchable};
use crate::office::keys::{KeyRefusal, MOST_KEYS};
use crate::office::live::{COME_BACK, LiveRefusal, WorkerTrouble};
use crate::office::orders::OrderRefusal;
use crate::office::submission::SubmitRefusal;
use crate::office::{LINK_HOURS, StoreUnavailable};
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::file_kind::FileKind;
use mouthpiece_domain::live::{Declined, NotDone};
use mouthpiece_domain::session::{Phase, Session};
use std::time::Duration;

/// As many as can watch do: somebody may leave within this.
const VIEWERS_FULL: Duration = Duration::from_secs(5);

impl From<StoreUnavailable> for Problem {
    fn from(error: StoreUnavailable) -> Self {
        match error {
            StoreUnavailable::Records(error) => error.into(),
            StoreUnavailable::Blobs(error) => error.into(),
            StoreUnavailable::Farm(error) => error.into(),
            StoreUnavailable::Random(error) => Self::internal(error),
        }
    }
}

impl From<AccessRefusal> for Problem {
    fn from(refusal: AccessRefusal) -> Self {
        let unauthorized = |detail| Self::new(ProblemKind::Unauthorized, detail);
        let forbidden = |detail| Self::new(ProblemKind::Forbidden, detail);
        match refusal {
            AccessRefusal::UnknownSecret => unauthorized("this API key is not valid: it was revoked or never existed"),
            AccessRefusal::PageOver => unauthorized(
                "the page's session is over: open it with a new link (`mouthpiece page-link`), or give an API key",
            ),
            AccessRefusal::TokenNeedsKey => forbidden(
                "a session's token is good for watching, speaking in and looking at that session only: \
                 use an API key",
            ),
            AccessRefusal::MissingScope(scope) => {
                let name = scope.name();
                Self::new(ProblemKind::Forbidden, format!("this key lacks the scope '{name}': use one that has it"))
            }
            AccessRefusal::UnknownToken => {
                unauthorized("this session token is not valid: take it from the session's `live.token`")
            }
            AccessRefusal::TokenExpired => {
                unauthorized("the session's token expired: whoever made the session gets a new one by GET")
            }
            AccessRefusal::KeyRevoked => forbidden("the API key that made this session was revoked"),
            AccessRefusal::OtherSession => forbidden("this token is good for another session than this one"),
            AccessRefusal::LinkOver => Self::new(
                ProblemKind::Unauthorized,
                format!(
                    "this link was followed before, is older than {LINK_HOURS} hours, or a newer one took its place: \
                     `mouthpiece page-link` prints a new one"
                ),
            )
            .at("link"),
            AccessRefusal::Unavailable(error) => error.into(),
        }
    }
}

impl From<KeyRefusal> for Problem {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::CannotGive(scope) => {
                let detail = format!("this key lacks the scope '{}' itself and cannot give it", scope.name());
                Self::new(ProblemKind::Forbidden, detail).at("scopes")
            }
            KeyRefusal::TooMany => {
                Self::new(ProblemKind::Conflict, format!("there are {MOST_KEYS} valid keys: revoke some first"))
            }
            KeyRefusal::Unknown(id) => Self::not_found(format!("valid key {id}")),
            KeyRefusal::LastManager => {
                Self::new(ProblemKind::Conflict, "this is the last key that can manage keys: make another one first")
            }
            KeyRefusal::Unavailable(error) => error.into(),
        }
    }
}

impl From<CostRefusal> for Problem {
    fn from(refusal: CostRefusal) -> Self {
        match refusal {
            CostRefusal::TooManyRows => {
                let detail =
                    format!("the report would have more than {MOST_ROWS} rows: shorten the period, or group by day");
                Self::invalid("group_by", detail)
            }
            CostRefusal::Unavailable(error) => error.into(),
        }
    }
}

impl From<IntakeRefusal> for Problem {
    fn from(refusal: IntakeRefusal) -> Self {
        match refusal {
            IntakeRefusal::TooManyOfOne { most, retry_after } => {
                let detail = format!("{most} uploads of this key are under way already: wait for one to end");
                Self::new(ProblemKind::OverQuota, detail).after(retry_after)
            }
            IntakeRefusal::TooMany { retry_after } => {
                Self::new(ProblemKind::NoCapacity, "too many uploads are under way: come back later").after(retry_after)
            }
            IntakeRefusal::TooLarge { field, limit } => Self::too_large(&field, limit).at(field),
            IntakeRefusal::NotTaken { field, why } => {
                let detail = format!("{field} {why}");
                match why.kind {
                    FileKind::Empty => Self::invalid(field, detail),
                    _ => Self::new(ProblemKind::UnsupportedMedia, detail).at(field),
                }
            }
            IntakeRefusal::NotFetched { field, why } => {
                let detail = format!("{field} {}", not_fetched(why));
                Self::invalid(field, detail)
            }
            IntakeRefusal::Disk { full, retry_after } => {
                let detail =
                    if full { "the disk for uploads is full" } else { "uploads cannot be written to disk just now" };
                Self::store_unavailable(detail, retry_after)
            }
            IntakeRefusal::Unnamed(error) => Self::internal(error),
            IntakeRefusal::Unavailable(error) => error.into(),
        }
    }
}

/// Goes on after the field's name.
fn not_fetched(why: FetchRefusal) -> String {
    match why {
        FetchRefusal::NotAUrl(error) => format!("is not a URL: {}", words::url(error)),
        FetchRefusal::NotAllowed(why) => {
            let why = match why {
                NotFetchable::Scheme => "only http and https addresses are",
                NotFetchable::Credentials => "it has a user name or password in it",
                NotFetchable::NoHost => "it names no host",
                NotFetchable::NotPublic => "it does not lead to a public address",
            };
            format!("may not be fetched: {why}")
        }
        FetchRefusal::RedirectsNowhere => "redirects to nowhere".to_owned(),
        FetchRefusal::RedirectsTooOften { most } => format!("redirects more than {most} times"),
        FetchRefusal::Status(status) => format!("was answered with status {status}"),
        FetchRefusal::Slow(limit) => format!("could not be fetched within {} s", limit.as_secs()),
        FetchRefusal::Failed(failure) => {
            let why = match failure {
                FetchFailure::Connect => "no connection could be made",
                FetchFailure::Timeout => "it took too long",
                FetchFailure::BrokeOff => "the answer broke off",
                FetchFailure::Request => "the request failed",
            };
            format!("could not be fetched: {why}")
        }
    }
}

impl From<SubmitRefusal> for Problem {
    fn from(refusal: SubmitRefusal) -> Self {
        match refusal {
            SubmitRefusal::Closing { retry_after } => closing(retry_after),
            SubmitRefusal::AvatarGone(id) => {
                Self::invalid("avatar_id", format!("there is no avatar {id} any more: add the portrait"))
            }
            SubmitRefusal::TokenReused => {
                let detail = "this Idempotency-Key was used for another request: make a new one for each request";
                Self::new(ProblemKind::IdempotencyReused, detail).at("Idempotency-Key")
            }
            SubmitRefusal::MinutesUsedUp { minutes, retry_after } => {
                let detail = format!("this key's {minutes} minutes of today are used up: come back after midnight UTC");
                Self::new(ProblemKind::OverQuota, detail).after(retry_after)
            }
            SubmitRefusal::TooManyOpen { open, max_open, retry_after } => {
                let detail =
                    format!("this key has {open} open sessions, at most {max_open} are allowed: wait or cancel one");
                Self::new(ProblemKind::OverQuota, detail).after(retry_after)
            }
            SubmitRefusal::NoCapacity { retry_after } => {
                let detail =
                    "the queue is full, or the session would wait longer than its queue_timeout_s: come back later";
                Self::new(ProblemKind::NoCapacity, detail).after(retry_after)
            }
            SubmitRefusal::StoreAway { store, retry_after } => {
                let detail =
                    format!("nothing new can be begun while '{store}' cannot be used (see /readyz): try again later");
                Self::store_unavailable(detail, retry_after)
            }
            SubmitRefusal::NotRecorded { retry_after } => {
                let detail =
                    "the session could not be recorded: try again, with the same Idempotency-Key if there was one";
                Self::store_unavailable(detail, retry_after)
            }
            SubmitRefusal::Unavailable(error) => error.into(),
        }
    }
}

impl From<OrderRefusal> for Problem {
    fn from(refusal: OrderRefusal) -> Self {
        match refusal {
            OrderRefusal::UnknownAvatar(id) => {
                Self::invalid("avatar_id", format!("there is no avatar {id}: add the portrait first"))
            }
            OrderRefusal::Intake(refusal) => refusal.into(),
            OrderRefusal::Submit(refusal) => refusal.into(),
        }
    }
}

impl From<LiveRefusal> for Problem {
    fn from(refusal: LiveRefusal) -> Self {
        match refusal {
            LiveRefusal::NoSuchSession(id) => Self::not_found(format!("session {id}")),
            LiveRefusal::NotLive(kind) => {
                let detail = format!("this is a session of kind {}: only live ones can be watched", kind.name());
                Self::new(ProblemKind::Conflict, detail)
            }
            LiveRefusal::NotRunning(change) => not_running(&change),
            LiveRefusal::Ended(session) => ended(&session),
            LiveRefusal::Moving { retry_after } => {
                let detail = "the session is just ending, or being moved to another worker: come back";
                Self::new(ProblemKind::Conflict, detail).after(retry_after)
            }
            LiveRefusal::Declined(declined) => self::declined(declined),
            LiveRefusal::Worker { trouble, retry_after } => {
                let detail = match trouble {
                    WorkerTrouble::Silent => "the worker that runs the session did not answer in time: try again",
                    WorkerTrouble::Busy => "the worker that runs the session has too much to do just now: try again",
                    WorkerTrouble::Unreachable => {
                        "the worker that runs the session cannot be reached just now: try again"
                    }
                };
                Self::new(ProblemKind::WorkerUnreachable, detail).after(retry_after)
            }
            LiveRefusal::SessionSpeakers { most, retry_after } => {
                let detail = format!("the session has {most} audio sockets already: close one first");
                Self::new(ProblemKind::OverQuota, detail).after(retry_after)
            }
            LiveRefusal::AllSpeakers { retry_after } => {
                Self::new(ProblemKind::NoCapacity, "too many audio sockets are open: come back later")
                    .after(retry_after)
            }
            LiveRefusal::Closing { retry_after } => closing(retry_after),
            LiveRefusal::Unavailable(error) => error.into(),
        }
    }
}

fn not_running(change: &SessionChange) -> Problem {
    let phase = change.session.phase;
    let queue = match (phase, change.queue_position) {
        (Phase::Requested, Some(n)) => format!(", number {n} in the queue for a slot"),
        _ => String::new(),
    };
    let detail = format!("the session is {}{queue}: come back when it is live", phase.name());
    Problem::new(ProblemKind::Conflict, detail).after(COME_BACK)
}

fn ended(session: &Session) -> Problem {
    let reason = session.end.as_ref().map_or("lost", |end| end.reason.name());
    Problem::new(ProblemKind::Conflict, format!("the session has ended ({reason}): make a new one"))
}

fn declined(Declined { why, detail }: Declined) -> Problem {
    let (kind, retry_after) = match why {
        NotDone::NotHere => (ProblemKind::Conflict, Some(COME_BACK)),
        NotDone::NoViewer => (ProblemKind::NotFound, None),
        NotDone::Malformed => (ProblemKind::BadRequest, None),
        NotDone::NoCodec => (ProblemKind::NotAcceptable, None),
        NotDone::StaleTag => (ProblemKind::PreconditionFailed, None),
        NotDone::Unprocessable => (ProblemKind::Unprocessable, None),
        NotDone::Full => (ProblemKind::NoCapacity, Some(VIEWERS_FULL)),
    };
    Problem { retry_after, ..Problem::new(kind, detail) }
}

fn closing(retry_after: Duration) -> Problem {
    Problem::new(ProblemKind::NoCapacity, "the server is about to stop: come back later").after(retry_after)
}
