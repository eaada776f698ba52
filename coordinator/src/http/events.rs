//! Server-sent events: how a session goes, how the farm goes.
//!
//! A stream tells states, not differences, so a reader that comes late or was too slow misses nothing that still matters:
//! it reads the state again. Streams end when the server stops, when the caller's key is revoked, or when its token expires.

use super::api::StreamOf;
use super::auth::{Caller, KeyScope, LinkedVisitor, Visitor};
use super::dto::FarmBody;
use super::problem::Problem;
use super::{Api, RequestPath, answers};
use crate::farm::FarmNews;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Data, Path};
use actix_web::{Error, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{Fence, Phase};
use mouthpiece_ports::records::SessionFilter;
use mouthpiece_ports::seats::BoundedSeat;
use serde::Serialize;
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

/// A quiet stream says so much that it is there; then its key is looked at again, too.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A session that another coordinator takes care of makes no news here: its record is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// The farm is told at most so often ...
const FARM_SOONEST: Duration = Duration::from_millis(500);
/// ... and at least so often.
const FARM_LATEST: Duration = Duration::from_secs(5);
/// A reader of the farm's stream that was too slow is told of so many sessions, the newest.
const TOLD_AGAIN: u32 = 100;

/// What all streams have.
struct Base {
    api: Data<Api>,
    visitor: Visitor,
    asked: RequestPath,
    closing: watch::Receiver<bool>,
    beat: Interval,
    _seat: BoundedSeat<StreamOf>,
}

impl Base {
    fn new(api: Data<Api>, visitor: Visitor, asked: RequestPath, of: StreamOf) -> Result<Self, Problem> {
        let seat = api.stream_seat(of)?;
        let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { closing: api.office.closing.watch(), api, visitor, asked, beat, _seat: seat })
    }

    async fn still_allowed(&self) -> bool {
        self.api.office.access.still_allowed(&self.visitor).await
    }

    /// The event that tells how a session stands.
    fn session(&self, change: &SessionChange) -> Bytes {
        event("session", &answers::told(&self.api, change, &self.asked))
    }
}

/// Returns when the server is about to stop.
async fn stops(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn heartbeat() -> Bytes {
    Bytes::from_static(b": here\n\n")
}

/// Answers with a stream of what `next` says, until it says nothing.
fn answer<F, N, Fut>(feed: F, next: N) -> HttpResponse
where
    F: 'static,
    N: Fn(F) -> Fut + 'static,
    Fut: Future<Output = Option<(Bytes, F)>> + 'static,
{
    let said = stream::unfold(feed, move |feed| {
        let next = next(feed);
        async move { next.await.map(|(bytes, feed)| (Ok::<_, Error>(bytes), feed)) }
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(said))
}

/// Follows a session: an event `session` at once and at every change, until it has ended. When a live session is moved because its
/// worker is about to leave, `fence` and `worker` change while `state` stays `live`: a viewer that makes a new connection now, and shows
/// it before it lets go of the old one, sees nothing of that. The old worker goes on for 10 s.
#[utoipa::path(
    get, operation_id = "follow_session", path = "/v1/sessions/{id}/events", tag = "sessions",
    params(
        ("id" = String, Path),
        ("token" = Option<String>, Query, description = "A live session's token, where a browser cannot send headers"),
    ),
    responses(
        (status = 200, description = "Events `session`, each with a session as data", content_type = "text/event-stream", body = String),
        (status = 429, description = "As many such streams are open as one may have: close one first"),
    ),
)]
pub async fn session(
    api: Data<Api>,
    LinkedVisitor(visitor): LinkedVisitor,
    id: Path<String>,
    asked: RequestPath,
) -> Result<HttpResponse, Problem> {
    let news = api.office.farm.watch(); // before the state is read, so that nothing falls between
    let change = answers::visited(&api, &visitor, &id).await?;
    let mut look = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = SessionFeed {
        base: Base::new(api, visitor, asked, StreamOf::Session(change.session.id))?,
        id: change.session.id,
        news,
        look,
        first: Some(change),
        told: None,
        seen: None,
    };
    Ok(answer(feed, SessionFeed::next))
}

struct SessionFeed {
    base: Base,
    id: SessionId,
    news: Receiver<FarmNews>,
    look: Interval,
    first: Option<SessionChange>,
    /// The last event.
    told: Option<Bytes>,
    /// How far the last event was: news that are older are not told.
    seen: Option<(Fence, Phase, u64)>,
}

impl SessionFeed {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.seen.is_some_and(|(_, phase, _)| phase == Phase::Ended) {
            return None;
        }
        if let Some(first) = self.first.take() {
            let bytes = self.tell(&first).unwrap_or_else(heartbeat);
            return Some((bytes, self));
        }
        loop {
            let said = tokio::select! {
                () = stops(&mut self.base.closing) => return None,
                news = self.news.recv() => match news {
                    Ok(FarmNews::Session(change)) if change.session.id == self.id => self.tell(&change),
                    Ok(_) => None,
                    Err(RecvError::Lagged(_)) => self.look_again().await,
                    Err(RecvError::Closed) => return None,
                },
                _ = self.look.tick() => self.look_again().await,
                _ = self.base.beat.tick() => {
                    if !self.base.still_allowed().await {
                        return None;
                    }
                    Some(heartbeat())
                }
            };
            if let Some(bytes) = said {
                return Some((bytes, self));
            }
        }
    }

    /// The event of a state, if it is not older than or the same as what was told last.
    fn tell(&mut self, change: &SessionChange) -> Option<Bytes> {
        let (fence, phase) = change.session.version();
        let seen = Some((fence, phase, change.session.progress.done));
        let bytes = self.base.session(change);
        if seen < self.seen || self.told.as_ref() == Some(&bytes) {
            return None;
        }
        self.seen = seen;
        self.told = Some(bytes.clone());
        Some(bytes)
    }

    async fn look_again(&mut self) -> Option<Bytes> {
        match self.base.api.office.sessions.current(self.id).await {
            Ok(change) => self.tell(&change?),
            // The problem was logged; the next look may go through.
            Err(_) => None,
        }
    }
}

/// Follows the farm: an event `farm` at once and whenever something changed, `session` for each change of a session.
/// Needs the scope `farm`.
#[utoipa::path(
    get, operation_id = "follow_farm", path = "/v1/events", tag = "farm",
    responses(
        (status = 200, description = "Events `farm`, each with what /v1/workers answers, and `session`",
            content_type = "text/event-stream", body = String),
        (status = 429, description = "As many such streams are open as one may have: close one first"),
    ),
)]
pub async fn farm(api: Data<Api>, caller: Caller, asked: RequestPath) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Farm)?;
    let news = api.office.farm.watch();
    let now = event("farm", &FarmBody::from(&api.office.farm.view().await?));
    let of = StreamOf::Farm(caller.key.id);
    let feed = FarmFeed {
        base: Base::new(api, Visitor::Key(caller), asked, of)?,
        news,
        waiting: VecDeque::from([now]),
        changed: false,
        told: Instant::now(),
    };
    Ok(answer(feed, FarmFeed::next))
}

struct FarmFeed {
    base: Base,
    news: Receiver<FarmNews>,
    /// Events to be told first.
    waiting: VecDeque<Bytes>,
    /// Something changed since the farm was told.
    changed: bool,
    /// When the farm was told.
    told: Instant,
}

impl FarmFeed {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if let Some(bytes) = self.waiting.pop_front() {
                return Some((bytes, self));
            }
            let due = self.told + if self.changed { FARM_SOONEST } else { FARM_LATEST };
            tokio::select! {
                () = stops(&mut self.base.closing) => return None,
                () = sleep_until(due) => {
                    self.changed = false;
                    self.told = Instant::now();
                    let view = self.base.api.office.farm.view().await.ok()?;
                    self.waiting.push_back(event("farm", &FarmBody::from(&view)));
                }
                news = self.news.recv() => {
                    self.changed = true;
                    match news {
                        Ok(FarmNews::Session(change)) => {
                            self.waiting.push_back(self.base.session(&change));
                        }
                        Ok(FarmNews::Farm) => {}
                        Err(RecvError::Lagged(_)) => self.tell_again().await,
                        Err(RecvError::Closed) => return None,
                    }
                }
                _ = self.base.beat.tick() => {
                    if !self.base.still_allowed().await {
                        return None;
                    }
                    self.waiting.push_back(heartbeat());
                }
            }
        }
    }

    async fn tell_again(&mut self) {
        let filter = SessionFilter { limit: TOLD_AGAIN, ..SessionFilter::default() };
        let Ok(sessions) = self.base.api.office.sessions.list(&filter).await else { return };
        for change in sessions.iter().rev() {
            self.waiting.push_back(self.base.session(change));
        }
    }
}
