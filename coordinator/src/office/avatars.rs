//! Avatars: registered portraits.
//!
//! An avatar's state is that of the session that prepares it. For a portrait added by itself that is a session of kind
//! prepare; for one that came with a render it is the render, which prepares it on its way. When that session was refused
//! or ended without success, the next one that is accepted for the avatar takes its place.

use super::access::{AccessRefusal, Caller};
use super::intake::StagedFile;
use super::submitting::Submitting;
use super::{StoreUnavailable, new_id, now};
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use mouthpiece_domain::session::{BlobKey, EndReason, Session, SessionKind, SessionOutput};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::records::{Avatar, AvatarRegister, SessionLedger};
use std::sync::Arc;

/// How far an avatar is: told by the session that prepares it.
#[derive(Debug, Clone, PartialEq)]
pub enum AvatarState {
    /// That session goes on.
    Preparing,
    /// It was completed. What it left, if it was a preparation by itself.
    Ready(Option<SessionOutput>),
    /// It ended otherwise.
    Failed {
        /// What it said of that.
        detail: Option<String>,
        /// How it ended; `None`: it was never accepted.
        reason: Option<EndReason>,
    },
}

impl AvatarState {
    /// Of the avatar that `session` prepares.
    pub fn of(session: Option<&Session>) -> Self {
        let Some(session) = session else { return Self::Failed { detail: None, reason: None } };
        let Some(end) = &session.end else { return Self::Preparing };
        if end.reason == EndReason::Completed {
            return Self::Ready(end.output.as_deref().filter(|_| session.kind == SessionKind::Prepare).cloned());
        }
        Self::Failed { detail: end.detail.clone(), reason: Some(end.reason) }
    }
}

/// A picture of an avatar.
pub struct AvatarPreview {
    /// Where it lies.
    pub blob: BlobKey,
    /// What it is.
    pub media_type: String,
}

/// An avatar that somebody looks at.
pub struct AvatarSeen {
    /// The avatar as it is registered.
    pub avatar: Avatar,
    /// How far it is.
    pub state: AvatarState,
    /// Kept at least until then; `None`: for ever.
    pub until: Option<Wall>,
}

/// Keeps avatars.
#[derive(Clone)]
pub struct Avatars {
    register: Arc<dyn AvatarRegister>,
    blobs: Arc<dyn Blobs>,
    ledger: Arc<dyn SessionLedger>,
    submitting: Submitting,
    ages: RetentionAges,
}

/// True when a portrait can itself be shown where a picture is wanted: browsers show most kinds.
pub fn is_picture(avatar: &Avatar) -> bool {
    avatar.media_type.starts_with("image/") && !matches!(avatar.media_type.as_str(), "image/heic" | "image/tiff")
}

impl Avatars {
    pub(super) fn new(
        register: Arc<dyn AvatarRegister>,
        blobs: Arc<dyn Blobs>,
        ledger: Arc<dyn SessionLedger>,
        submitting: Submitting,
        ages: RetentionAges,
    ) -> Self {
        Self { register, blobs, ledger, submitting, ages }
    }

    /// Registers a portrait that lies in the store, to be prepared by `prepared_by`; when the caller has it already, that
    /// avatar is returned.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn register(
        &self,
        caller: &Caller,
        portrait: &StagedFile,
        stored: BlobKey,
        face: Option<u32>,
        name: String,
        prepared_by: SessionId,
    ) -> Result<Avatar, StoreUnavailable> {
        let at = now();
        let avatar = Avatar {
            id: AvatarId(new_id()),
            key: caller.key.id,
            name,
            content: portrait.sha256.clone(),
            portrait: stored,
            media_type: portrait.media_type.to_owned(),
            bytes: portrait.bytes,
            face,
            prepared_by,
            created: at,
            used: at,
        };
        Ok(self.register.add_avatar(&avatar).await?)
    }

    /// How far an avatar is.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn state(&self, avatar: &Avatar) -> Result<AvatarState, StoreUnavailable> {
        if self.submitting.has(avatar.prepared_by) {
            return Ok(AvatarState::Preparing);
        }
        Ok(AvatarState::of(self.ledger.session(avatar.prepared_by).await?.as_ref()))
    }

    /// An avatar as it is now.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn seen(&self, avatar: Avatar) -> Result<AvatarSeen, StoreUnavailable> {
        let state = self.state(&avatar).await?;
        Ok(AvatarSeen { state, until: self.ages.until(RetentionClass::Avatars, avatar.used), avatar })
    }

    /// An avatar as it is now, as it is recorded by now.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn seen_again(&self, avatar: Avatar) -> Result<AvatarSeen, StoreUnavailable> {
        let recorded = self.register.avatar(avatar.id).await?;
        self.seen(recorded.unwrap_or(avatar)).await
    }

    /// An avatar that the caller may use; `None` when there is none such.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn usable(&self, caller: &Caller, id: AvatarId) -> Result<Option<Avatar>, StoreUnavailable> {
        Ok(self.register.avatar(id).await?.filter(|a| caller.sees(a.key)))
    }

    /// An avatar that the caller may look at; `None` when there is none such.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub async fn visible(&self, caller: &Caller, id: AvatarId) -> Result<Option<Avatar>, AccessRefusal> {
        caller.may_read()?;
        Ok(self.usable(caller, id).await?)
    }

    /// Avatars, newest first, at most `limit`: the caller's own, or all.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub async fn list(&self, caller: &Caller, limit: u32) -> Result<Vec<AvatarSeen>, AccessRefusal> {
        caller.may_read()?;
        let mut avatars = Vec::new();
        for avatar in self.register.avatars(caller.sees_only(), limit).await? {
            avatars.push(self.seen(avatar).await?);
        }
        Ok(avatars)
    }

    /// Forgets an avatar; false when there is none. Sessions that use it go on.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn remove(&self, id: AvatarId) -> Result<bool, StoreUnavailable> {
        Ok(self.register.remove_avatar(id).await?)
    }

    /// A picture of an avatar: the one made at its preparation, or the portrait where a render prepared it. `None` while there
    /// is none.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn preview(&self, avatar: &Avatar) -> Result<Option<AvatarPreview>, StoreUnavailable> {
        let AvatarState::Ready(output) = self.state(avatar).await? else { return Ok(None) };
        let made = output.and_then(|o| o.blob);
        // What was prepared is missing until it is prepared again when its portrait left and came back.
        let is_there = match &made {
            Some(blob) => self.blobs.size(blob).await?.is_some(),
            None => false,
        };
        Ok(match made {
            Some(blob) if is_there || !is_picture(avatar) => {
                Some(AvatarPreview { blob, media_type: "image/png".to_owned() })
            }
            _ if is_picture(avatar) => {
                Some(AvatarPreview { blob: avatar.portrait.clone(), media_type: avatar.media_type.clone() })
            }
            _ => None,
        })
    }
}
