//! Asking the farm for a session: the same request only once, within the key's bounds, of an avatar that stays.

use super::access::Caller;
use super::avatars::{AvatarState, Avatars};
use super::hex;
use super::options::SessionOptions;
use super::readiness::StoreReadiness;
use super::refusal::refuses_when_unavailable;
use super::submitting::{OnItsWay, Submitting};
use super::{Closing, StoreUnavailable, now};
use crate::farm::Farm;
use mouthpiece_domain::control::SubmitAnswer;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::{BlobKey, Fence, FrameProgress, Phase, Session, SessionKind, SessionSpec};
use mouthpiece_domain::time::{HOUR_MS, Wall, as_millis};
use mouthpiece_ports::records::{Avatar, AvatarRegister, SessionLedger, UsageBooks};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Whoever comes while the server stops may find another after this.
const STOPPING: Duration = Duration::from_secs(5);
/// What could not be recorded may be tried again after this.
const NOT_RECORDED: Duration = Duration::from_secs(2);
/// A use this long ago is as good as one now: no age is that short. It spares the records a write for each session.
const JUST_USED_MS: i64 = 60_000;

/// Why a session is not accepted.
#[derive(Debug)]
pub enum SubmitRefusal {
    /// The server is about to stop.
    Closing {
        /// Another may be there then.
        retry_after: Duration,
    },
    /// The avatar is gone.
    AvatarGone(AvatarId),
    /// The caller's token was used for another request.
    TokenReused,
    /// The key's minutes of the day are used up.
    MinutesUsedUp {
        /// So many it has.
        minutes: u32,
        /// The next day, UTC.
        retry_after: Duration,
    },
    /// The key has as many open sessions as it may have.
    TooManyOpen {
        /// That many.
        open: u32,
        /// At most so many.
        max_open: u32,
        /// Come back then.
        retry_after: Duration,
    },
    /// The queue is full, or the session would wait longer than it may.
    NoCapacity {
        /// Come back then.
        retry_after: Duration,
    },
    /// A store cannot be used just now, without which it would only wait.
    StoreAway {
        /// Which one.
        store: &'static str,
        /// Try again then.
        retry_after: Duration,
    },
    /// It could not be recorded.
    NotRecorded {
        /// Try again then.
        retry_after: Duration,
    },
    /// What is needed cannot be used just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(SubmitRefusal);

/// Whose face a request shows.
#[derive(Debug, Clone, Copy)]
pub enum RequestedFace<'a> {
    /// A registered one.
    Avatar(AvatarId),
    /// One that came with the request.
    Portrait {
        /// SHA-256 of its content.
        sha256: &'a str,
        /// Which of its faces.
        face: Option<u32>,
    },
}

/// What is asked for, as far as it tells one request from another.
#[derive(Debug, Clone, Copy)]
pub enum SessionRequest<'a> {
    /// A render of an avatar and a recording at an address.
    FetchedRender {
        /// The avatar that is drawn.
        avatar: AvatarId,
        /// Where the recording is.
        speech_url: &'a str,
    },
    /// A render of a recording that came with the request.
    UploadedRender {
        /// A registered avatar, or a portrait in the request.
        face: RequestedFace<'a>,
        /// SHA-256 of the recording.
        speech_sha256: &'a str,
    },
    /// A live session.
    Live {
        /// The avatar that is drawn.
        avatar: AvatarId,
        /// Its bounds.
        terms: &'a LiveTerms,
    },
}

impl SessionRequest<'_> {
    /// The same for the same request, whether a default was said or not.
    fn fingerprint(&self, options: &SessionOptions) -> String {
        let options = options.canonical();
        let asked = match self {
            Self::FetchedRender { avatar, speech_url } => json!({
                "kind": "render",
                "avatar": avatar.to_string(),
                "speech": {"url": speech_url},
                "options": options,
            }),
            Self::UploadedRender { face, speech_sha256 } => json!({
                "kind": "render",
                "face": match face {
                    RequestedFace::Avatar(id) => json!({"avatar": id.to_string()}),
                    RequestedFace::Portrait { sha256, face } => json!({"sha256": sha256, "face": face}),
                },
                "speech": {"sha256": speech_sha256},
                "options": options,
            }),
            Self::Live { avatar, terms } => json!({
                "kind": "live",
                "avatar": avatar.to_string(),
                "terms": canonical_terms(terms),
                "options": options,
            }),
        };
        hex(&Sha256::digest(asked.to_string().as_bytes()))
    }
}

/// Bounds of a live session: the same whether a default was said or not.
pub fn canonical_terms(terms: &LiveTerms) -> Value {
    json!({
        "idle_timeout_ms": as_millis(terms.idle_timeout),
        "absent_timeout_ms": as_millis(terms.absent_timeout),
        "left_timeout_ms": as_millis(terms.left_timeout),
        "bitrate": terms.bitrate,
    })
}

/// A session to be asked for.
pub struct WantedSession<'a> {
    /// What it does.
    pub kind: SessionKind,
    /// The avatar that is drawn.
    pub avatar: &'a Avatar,
    /// What is said.
    pub speech: Option<BlobKey>,
    /// How it is run.
    pub options: SessionOptions,
    /// The bounds of a live session.
    pub live: Option<LiveTerms>,
}

/// A session that was accepted.
pub struct AcceptedSession {
    /// Its record.
    pub session: Session,
    /// The same request had made it before.
    pub replayed: bool,
}

/// Whether a request is to be carried out.
pub enum Admission {
    /// It was made before, and this came of it.
    Before(Box<AcceptedSession>),
    /// It is new, and within the key's minutes. If the caller has a token for it, it is noted with this.
    New(Option<Idempotency>),
}

/// What sessions are asked for with.
pub(super) struct SubmissionNeeds {
    pub readiness: Arc<StoreReadiness>,
    pub farm: Arc<dyn Farm>,
    pub ledger: Arc<dyn SessionLedger>,
    pub register: Arc<dyn AvatarRegister>,
    pub books: Arc<dyn UsageBooks>,
    pub avatars: Avatars,
}

/// Asks for sessions.
pub struct Submissions {
    needs: SubmissionNeeds,
    submitting: Submitting,
    closing: Closing,
}

impl Submissions {
    pub(super) fn new(needs: SubmissionNeeds, submitting: Submitting, closing: Closing) -> Self {
        Self { needs, submitting, closing }
    }

    /// Says that a session is on its way, before its avatar names it.
    pub fn begin(&self, id: SessionId) -> OnItsWay {
        self.submitting.begin(id)
    }

    /// Looks whether the same request made a session before, by the caller's token for it; a new one must be within the key's
    /// minutes.
    ///
    /// # Errors
    /// [`SubmitRefusal::TokenReused`], [`SubmitRefusal::MinutesUsedUp`].
    pub async fn admit(
        &self,
        caller: &Caller,
        token: Option<String>,
        request: &SessionRequest<'_>,
        options: &SessionOptions,
    ) -> Result<Admission, SubmitRefusal> {
        let fingerprint = |token| Idempotency { key: caller.key.id, token, fingerprint: request.fingerprint(options) };
        let idempotency = token.map(fingerprint);
        if let Some(session) = self.made_before(idempotency.as_ref()).await? {
            return Ok(Admission::Before(Box::new(AcceptedSession { session, replayed: true })));
        }
        self.within_quota(caller).await?;
        Ok(Admission::New(idempotency))
    }

    async fn made_before(&self, asked: Option<&Idempotency>) -> Result<Option<Session>, SubmitRefusal> {
        let Some(asked) = asked else { return Ok(None) };
        match self.needs.ledger.repeated(asked.key, &asked.token).await? {
            None => Ok(None),
            Some((fingerprint, _)) if fingerprint != asked.fingerprint => Err(SubmitRefusal::TokenReused),
            Some((_, id)) => Ok(self.needs.ledger.session(id).await?),
        }
    }

    /// Passes while the key has minutes left today.
    ///
    /// # Errors
    /// [`SubmitRefusal::MinutesUsedUp`].
    pub async fn within_quota(&self, caller: &Caller) -> Result<(), SubmitRefusal> {
        let Some(minutes) = caller.key.minutes_per_day else { return Ok(()) };
        let at = now();
        let delivered = self.needs.books.delivered_since(caller.key.id, at.day()).await?;
        if delivered < Duration::from_secs(60 * u64::from(minutes)) {
            return Ok(());
        }
        let tomorrow = Wall(at.day().0 + 24 * HOUR_MS);
        let retry_after = Duration::from_millis(u64::try_from(tomorrow.0 - at.0).unwrap_or_default());
        Err(SubmitRefusal::MinutesUsedUp { minutes, retry_after })
    }

    /// Asks for a session under this id. At most `max_open` of the caller's may be open.
    ///
    /// # Errors
    /// [`SubmitRefusal`].
    pub async fn start(
        &self,
        caller: &Caller,
        id: SessionId,
        wanted: WantedSession<'_>,
        idempotency: Option<Idempotency>,
        max_open: u32,
    ) -> Result<AcceptedSession, SubmitRefusal> {
        if self.closing.has_begun() {
            return Err(SubmitRefusal::Closing { retry_after: STOPPING });
        }
        let SubmissionNeeds { readiness, farm, register, avatars, .. } = &self.needs;
        if let Some(store) = readiness.missing().await {
            return Err(SubmitRefusal::StoreAway { store, retry_after: NOT_RECORDED });
        }
        let avatar = wanted.avatar;
        self.take(avatar).await?;
        let registered_here = avatar.prepared_by == id;
        // A live session ends in many ways, and none of them tells whether the avatar is prepared.
        let tells = wanted.kind != SessionKind::Live;
        let takes_over =
            tells && !registered_here && matches!(avatars.state(avatar).await?, AvatarState::Failed { .. });
        let answer = farm.submit(record(caller, id, wanted), idempotency, max_open).await?;
        let (session, replayed) = match answer {
            SubmitAnswer::Accepted(session) => (session, false),
            SubmitAnswer::Repeated(session) => (session, true),
            SubmitAnswer::TokenReused => return Err(SubmitRefusal::TokenReused),
            SubmitAnswer::OverQuota { open, retry_after } => {
                return Err(SubmitRefusal::TooManyOpen { open, max_open, retry_after });
            }
            SubmitAnswer::NoCapacity { retry_after } => return Err(SubmitRefusal::NoCapacity { retry_after }),
            SubmitAnswer::StoreFailed => return Err(SubmitRefusal::NotRecorded { retry_after: NOT_RECORDED }),
        };
        if takes_over || (registered_here && replayed) {
            // The session stands whatever becomes of this; the next one tries again.
            if let Err(error) = register.prepare_again(avatar.id, session.id).await {
                tracing::warn!(%error, avatar = %avatar.id, "an avatar keeps an earlier preparation");
            }
        }
        Ok(AcceptedSession { session: *session, replayed })
    }

    /// Makes sure that an avatar and its portrait are young: so they stay until the session is on record and needs them.
    async fn take(&self, avatar: &Avatar) -> Result<(), SubmitRefusal> {
        let at = now();
        let is_young = at.0 - avatar.used.0 < JUST_USED_MS;
        if is_young || self.needs.register.use_avatar(avatar.id, at).await?.is_some() {
            return Ok(());
        }
        Err(SubmitRefusal::AvatarGone(avatar.id))
    }
}

fn record(caller: &Caller, id: SessionId, wanted: WantedSession<'_>) -> Session {
    let WantedSession { kind, avatar, speech, options, live } = wanted;
    let at = now();
    Session {
        id,
        kind,
        key: caller.key.id,
        avatar: avatar.id,
        spec: Arc::new(SessionSpec {
            portrait: avatar.portrait.clone(),
            content: avatar.content.clone(),
            face: avatar.face,
            speech,
            size: options.size,
            framing: options.framing,
            fps: options.fps,
            preset: options.preset,
            seed: options.seed,
            head: options.head,
            blinks: options.blinks,
            manner: options.manner,
            background: options.background,
            live,
        }),
        metadata: options.metadata,
        queue_timeout: options.queue_timeout,
        max_duration: options.max_duration,
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        moved_from: None,
        moves: 0,
        losses: 0,
        delivered_before: Duration::ZERO,
        progress: FrameProgress::default(),
        end: None,
        created: at,
        updated: at,
    }
}
