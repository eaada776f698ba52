//! Asking the farm for a session, and what is done about its avatar.
//!
//! An avatar's state is that of the session that prepares it. For a portrait added by itself that is a session of kind
//! prepare; for one that came with a render it is the render, which prepares it on its way. When that session was refused
//! or ended without success, the next one that is accepted for the avatar takes its place.

use super::auth::Caller;
use super::auth::secret::hex;
use super::dto::avatar::Standing;
use super::options::Options;
use super::problem::{Kind as ProblemKind, Problem};
use super::{Api, now};
use actix_web::HttpRequest;
use mouthpiece_domain::control::Answer;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::{BlobKey, Fence, Kind, Phase, Progress, Session, Spec};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::records::Avatar;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The header with the caller's token.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Whoever comes while the server stops may find another after this.
const STOPPING: Duration = Duration::from_secs(5);

/// A use this long ago is as good as one now: no age is that short. It spares the records a write for each session.
const JUST_USED_MS: i64 = 60_000;

/// Sessions that are being asked for: not in the records yet, but on their way.
#[derive(Debug, Default)]
pub struct Submitting(Mutex<HashSet<SessionId>>);

/// Says that a session is on its way, until this is dropped.
pub struct OnItsWay<'a>(&'a Submitting, SessionId);

impl Submitting {
    /// Notes a session.
    pub fn begin(&self, id: SessionId) -> OnItsWay<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        OnItsWay(self, id)
    }

    fn has(&self, id: SessionId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// How far an avatar is.
///
/// # Errors
/// 503 when the records cannot be read.
pub async fn standing(api: &Api, avatar: &Avatar) -> Result<Standing, Problem> {
    if api.submitting.has(avatar.prepared_by) {
        return Ok(Standing::Preparing);
    }
    Ok(Standing::of(api.records.session(avatar.prepared_by).await?.as_ref()))
}

/// The caller's token of a request.
///
/// # Errors
/// 422 when it is not 1 to 255 visible ASCII characters.
pub fn token(req: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(header) = req.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = header.to_str().ok().filter(|t| (1..=255).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()));
    text.map(|t| Some(t.to_owned()))
        .ok_or_else(|| Problem::invalid("Idempotency-Key", "Idempotency-Key must be 1 to 255 visible ASCII characters"))
}

/// A token with the fingerprint of what is asked for.
pub fn idempotency(caller: &Caller, token: Option<String>, asked: &Value) -> Option<Idempotency> {
    let fingerprint = hex(&Sha256::digest(asked.to_string().as_bytes()));
    token.map(|token| Idempotency { key: caller.key.id, token, fingerprint })
}

/// The session that the same request made before.
///
/// # Errors
/// 422 when the token was used for another request, 503 when the records cannot be read.
pub async fn replay(api: &Api, idempotency: Option<&Idempotency>) -> Result<Option<Session>, Problem> {
    let Some(asked) = idempotency else { return Ok(None) };
    match api.records.repeated(asked.key, &asked.token).await? {
        None => Ok(None),
        Some((fingerprint, _)) if fingerprint != asked.fingerprint => Err(reused()),
        Some((_, id)) => Ok(api.records.session(id).await?),
    }
}

fn reused() -> Problem {
    let detail = "this Idempotency-Key was used for another request: make a new one for each request";
    Problem::new(ProblemKind::IdempotencyReused, detail).at("Idempotency-Key")
}

/// Passes while the key has minutes left today.
///
/// # Errors
/// 429 until the next day (UTC).
pub async fn within_quota(api: &Api, caller: &Caller) -> Result<(), Problem> {
    let Some(minutes) = caller.key.minutes_per_day else { return Ok(()) };
    let at = now();
    let delivered = api.records.delivered_since(caller.key.id, at.day()).await?;
    if delivered < Duration::from_secs(60 * u64::from(minutes)) {
        return Ok(());
    }
    let tomorrow = Wall(at.day().0 + 24 * HOUR_MS);
    let wait = Duration::from_millis(u64::try_from(tomorrow.0 - at.0).unwrap_or_default());
    let detail = format!("this key's {minutes} minutes of today are used up: come back after midnight UTC");
    Err(Problem::new(ProblemKind::OverQuota, detail).after(wait))
}

/// A session to be asked for.
pub struct Wanted<'a> {
    /// What it does.
    pub kind: Kind,
    /// Whose face.
    pub avatar: &'a Avatar,
    /// What is said.
    pub speech: Option<BlobKey>,
    /// How.
    pub options: Options,
    /// The bounds of a live session.
    pub live: Option<LiveTerms>,
}

/// A session that was accepted.
pub struct Started {
    /// Its record.
    pub session: Session,
    /// The same request had made it before.
    pub replayed: bool,
}

/// Asks for a session under this id. At most `max_open` of the caller's may be open.
///
/// # Errors
/// 429 or 503 when it is not accepted, 422 when the token was used for another request or the avatar is gone.
pub async fn start(
    api: &Api,
    caller: &Caller,
    id: SessionId,
    wanted: Wanted<'_>,
    idempotency: Option<Idempotency>,
    max_open: u32,
) -> Result<Started, Problem> {
    if api.is_closing() {
        return Err(
            Problem::new(ProblemKind::NoCapacity, "the server is about to stop: come back later").after(STOPPING)
        );
    }
    let avatar = wanted.avatar;
    take(api, avatar).await?;
    let registered_here = avatar.prepared_by == id;
    // A live session ends in many ways, and none of them tells whether the avatar is prepared.
    let tells = wanted.kind != Kind::Live;
    let takes_over = tells && !registered_here && matches!(standing(api, avatar).await?, Standing::Failed(_));
    let answer = api.farm.submit(record(caller, id, wanted), idempotency, max_open).await?;
    let (session, replayed) = match answer {
        Answer::Accepted(session) => (session, false),
        Answer::Repeated(session) => (session, true),
        refused => return Err(refusal(&refused, max_open)),
    };
    if takes_over || (registered_here && replayed) {
        // The session stands whatever becomes of this; the next one tries again.
        if let Err(error) = api.records.prepare_again(avatar.id, session.id).await {
            tracing::warn!(%error, avatar = %avatar.id, "an avatar keeps an earlier preparation");
        }
    }
    Ok(Started { session: *session, replayed })
}

/// Makes sure that an avatar and its portrait are young: so they stay until the session is on record and needs them.
async fn take(api: &Api, avatar: &Avatar) -> Result<(), Problem> {
    let at = now();
    if at.0 - avatar.used.0 < JUST_USED_MS || api.records.use_avatar(avatar.id, at).await?.is_some() {
        return Ok(());
    }
    Err(Problem::invalid("avatar_id", format!("there is no avatar {} any more: add the portrait", avatar.id)))
}

fn record(caller: &Caller, id: SessionId, wanted: Wanted<'_>) -> Session {
    let Wanted { kind, avatar, speech, options, live } = wanted;
    let at = now();
    Session {
        id,
        kind,
        key: caller.key.id,
        avatar: avatar.id,
        spec: Arc::new(Spec {
            portrait: avatar.portrait.clone(),
            content: avatar.content.clone(),
            face: avatar.face,
            speech,
            size: options.size,
            fps: options.fps,
            preset: options.preset,
            seed: options.seed,
            head: options.head,
            blinks: options.blinks,
            background: options.background,
            live,
        }),
        metadata: options.metadata,
        queue_timeout: options.queue_timeout,
        max_duration: options.max_duration,
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        progress: Progress::default(),
        end: None,
        created: at,
        updated: at,
    }
}

fn refusal(answer: &Answer, max_open: u32) -> Problem {
    match answer {
        Answer::TokenReused => reused(),
        Answer::OverQuota { open, retry_after } => {
            let detail =
                format!("this key has {open} open sessions, at most {max_open} are allowed: wait or cancel one");
            Problem::new(ProblemKind::OverQuota, detail).after(*retry_after)
        }
        Answer::NoCapacity { retry_after } => {
            let detail =
                "the queue is full, or the session would wait longer than its queue_timeout_s: come back later";
            Problem::new(ProblemKind::NoCapacity, detail).after(*retry_after)
        }
        Answer::StoreFailed => {
            let detail = "the session could not be recorded: try again, with the same Idempotency-Key if there was one";
            Problem::store_unavailable(detail, Duration::from_secs(2))
        }
        Answer::Accepted(_) | Answer::Repeated(_) => {
            Problem::internal("an accepted session was taken for a refused one")
        }
    }
}
