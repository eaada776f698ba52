//! What callers order: a render, a live session, an avatar. Each is one call, whatever the dialect.

use super::access::Caller;
use super::avatars::{AvatarSeen, AvatarState};
use super::intake::{IntakeRefusal, StagedFile};
use super::options::SessionOptions;
use super::submission::{AcceptedSession, Admission, RequestedFace, SessionRequest, SubmitRefusal, WantedSession};
use super::{Office, StoreUnavailable, new_id};
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::frame::Framing;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::SessionKind;
use mouthpiece_ports::records::Avatar;
use std::time::Duration;

/// A preparation takes seconds; one that takes this long will not end.
const LONGEST_PREPARATION: Duration = Duration::from_secs(600);

/// Why an order is not carried out.
#[derive(Debug)]
pub enum OrderRefusal {
    /// There is no avatar of this id that the caller sees.
    UnknownAvatar(AvatarId),
    /// A file is not taken.
    Intake(IntakeRefusal),
    /// The session is not accepted.
    Submit(SubmitRefusal),
}

impl From<IntakeRefusal> for OrderRefusal {
    fn from(refusal: IntakeRefusal) -> Self {
        Self::Intake(refusal)
    }
}

impl From<SubmitRefusal> for OrderRefusal {
    fn from(refusal: SubmitRefusal) -> Self {
        Self::Submit(refusal)
    }
}

impl From<StoreUnavailable> for OrderRefusal {
    fn from(error: StoreUnavailable) -> Self {
        Self::Submit(SubmitRefusal::Unavailable(error))
    }
}

/// Whose face a render with an uploaded recording shows.
pub enum UploadedFace {
    /// A registered one.
    Avatar(AvatarId),
    /// One that came with it, and which of its faces.
    Portrait(StagedFile, Option<u32>),
}

/// An avatar that was added.
pub struct AddedAvatar {
    /// The avatar as it stands now.
    pub seen: AvatarSeen,
    /// It is being prepared; else it was registered before.
    pub preparing: bool,
}

impl Office {
    /// Renders an avatar with a recording at an address, which came in the field `speech_url`.
    ///
    /// # Errors
    /// [`OrderRefusal`].
    pub async fn render_fetched(
        &self,
        caller: &Caller,
        token: Option<String>,
        avatar: AvatarId,
        speech_url: &str,
        options: SessionOptions,
    ) -> Result<AcceptedSession, OrderRefusal> {
        let avatar = self.usable(caller, avatar).await?;
        let request = SessionRequest::FetchedRender { avatar: avatar.id, speech_url };
        let idempotency = match self.submissions.admit(caller, token, &request, &options).await? {
            Admission::Before(started) => return Ok(*started),
            Admission::New(idempotency) => idempotency,
        };
        let speech = self.intake.fetch(caller.key.id, "speech_url", speech_url, FileUse::Speech).await?;
        let speech = Some(self.intake.keep(&speech).await?);
        let wanted = WantedSession { kind: SessionKind::Render, avatar: &avatar, speech, options, live: None };
        let id = SessionId(new_id());
        Ok(self.submissions.start(caller, id, wanted, idempotency, caller.key.max_open).await?)
    }

    /// Renders a recording that was uploaded.
    ///
    /// # Errors
    /// [`OrderRefusal`].
    pub async fn render_uploaded(
        &self,
        caller: &Caller,
        token: Option<String>,
        face: UploadedFace,
        speech: &StagedFile,
        options: SessionOptions,
    ) -> Result<AcceptedSession, OrderRefusal> {
        let requested = match &face {
            UploadedFace::Avatar(avatar) => RequestedFace::Avatar(*avatar),
            UploadedFace::Portrait(portrait, face) => RequestedFace::Portrait { sha256: &portrait.sha256, face: *face },
        };
        let request = SessionRequest::UploadedRender { face: requested, speech_sha256: &speech.sha256 };
        let idempotency = match self.submissions.admit(caller, token, &request, &options).await? {
            Admission::Before(started) => return Ok(*started),
            Admission::New(idempotency) => idempotency,
        };
        let id = SessionId(new_id());
        let _on_its_way = self.submissions.begin(id);
        let avatar = match face {
            UploadedFace::Avatar(avatar) => self.usable(caller, avatar).await?,
            UploadedFace::Portrait(portrait, face) => {
                let stored = self.intake.keep(&portrait).await?;
                self.avatars.register(caller, &portrait, stored, face, portrait.called.clone(), id).await?
            }
        };
        let speech = Some(self.intake.keep(speech).await?);
        let wanted = WantedSession { kind: SessionKind::Render, avatar: &avatar, speech, options, live: None };
        Ok(self.submissions.start(caller, id, wanted, idempotency, caller.key.max_open).await?)
    }

    /// Makes a live session.
    ///
    /// # Errors
    /// [`OrderRefusal`].
    pub async fn go_live(
        &self,
        caller: &Caller,
        token: Option<String>,
        avatar: AvatarId,
        options: SessionOptions,
        terms: LiveTerms,
    ) -> Result<AcceptedSession, OrderRefusal> {
        let avatar = self.usable(caller, avatar).await?;
        let request = SessionRequest::Live { avatar: avatar.id, terms: &terms };
        let idempotency = match self.submissions.admit(caller, token, &request, &options).await? {
            Admission::Before(started) => return Ok(*started),
            Admission::New(idempotency) => idempotency,
        };
        let wanted =
            WantedSession { kind: SessionKind::Live, avatar: &avatar, speech: None, options, live: Some(terms) };
        let id = SessionId(new_id());
        Ok(self.submissions.start(caller, id, wanted, idempotency, caller.key.max_open).await?)
    }

    /// Registers a portrait and has it prepared, unless the caller has it already and it did not fail.
    ///
    /// # Errors
    /// [`OrderRefusal`].
    pub async fn add_avatar(
        &self,
        caller: &Caller,
        portrait: &StagedFile,
        face: Option<u32>,
        name: String,
    ) -> Result<AddedAvatar, OrderRefusal> {
        let id = SessionId(new_id());
        let on_its_way = self.submissions.begin(id);
        let stored = self.intake.keep(portrait).await?;
        let avatar = self.avatars.register(caller, portrait, stored, face, name, id).await?;
        let preparing =
            avatar.prepared_by == id || matches!(self.avatars.state(&avatar).await?, AvatarState::Failed { .. });
        if preparing {
            let mut options = SessionOptions::new(&self.bounds);
            // A conversation shall not wait for its face: what one would be drawn from is prepared.
            options.framing.size_up_to = Some(Framing::LARGEST_LIVE);
            options.max_duration = LONGEST_PREPARATION.min(self.bounds.longest_duration);
            let wanted =
                WantedSession { kind: SessionKind::Prepare, avatar: &avatar, speech: None, options, live: None };
            // How many sessions a key may have open does not count here: adding a portrait is not using it.
            self.submissions.start(caller, id, wanted, None, u32::MAX).await?;
        }
        drop(on_its_way);
        Ok(AddedAvatar { seen: self.avatars.seen_again(avatar).await?, preparing })
    }

    /// An avatar that a new session may use.
    async fn usable(&self, caller: &Caller, id: AvatarId) -> Result<Avatar, OrderRefusal> {
        self.avatars.usable(caller, id).await?.ok_or(OrderRefusal::UnknownAvatar(id))
    }
}
