//! Avatars.

use super::time_text;
use crate::http::RequestPath;
use crate::office::avatars::{AvatarSeen, AvatarState, is_picture};
use mouthpiece_domain::session::EndReason;
use serde::Serialize;
use utoipa::ToSchema;

/// A registered portrait.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Avatar)]
pub struct AvatarBody {
    /// Its id.
    #[schema(example = "avt_0197b2c4d5e67f8091a2b3c4d5e6f708")]
    pub id: String,
    /// A name for people; may be empty.
    pub name: String,
    /// `preparing`, `ready` or `failed`. A failed one can be rendered with all the same, if its portrait can be used; adding
    /// the portrait again prepares it again.
    #[schema(example = "ready")]
    pub state: &'static str,
    /// Why it failed.
    pub detail: Option<String>,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
    /// Of the portrait.
    #[schema(example = "image/png")]
    pub media_type: String,
    /// Of the portrait.
    pub bytes: u64,
    /// Which face, if one was named.
    pub face: Option<u32>,
    /// Width and height in pixels; null until it is prepared by itself, not as part of a render.
    pub size: Option<[u32; 2]>,
    /// Which part of the portrait is shown when nobody asks for another, how large, and why; null until it is prepared by
    /// itself.
    #[schema(
        example = "512x512, the whole picture: the usual size, which shows the face well; the eyes are 131 pixels apart"
    )]
    pub framing: Option<String>,
    /// Reference frames; null until it is prepared by itself.
    pub frames: Option<u64>,
    /// Where to get a picture of it; null while there is none. Relative to the address that was asked, as in a link of a page.
    #[schema(example = "avatars/avt_0197b2c4d5e67f8091a2b3c4d5e6f708/preview")]
    pub preview: Option<String>,
    /// The session that prepares or prepared it.
    pub prepared_by: String,
    /// Whose it is.
    pub key: String,
    /// When it was registered.
    #[schema(example = "2026-11-25T16:00:00.123Z")]
    pub created: String,
    /// Kept at least until then; each use of it makes that later. Null: for ever.
    #[schema(example = "2027-02-23T16:00:00.123Z")]
    pub expires_at: Option<String>,
}

/// Some avatars, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AvatarList {
    /// The avatars.
    pub avatars: Vec<AvatarBody>,
}

impl AvatarBody {
    /// An avatar as it is told to whoever asked there.
    pub fn new(seen: &AvatarSeen, asked: &RequestPath) -> Self {
        let AvatarSeen { avatar, state, until } = seen;
        let (state, detail, output, ready) = match state {
            AvatarState::Preparing => ("preparing", None, None, false),
            AvatarState::Ready(output) => ("ready", None, output.as_ref(), true),
            AvatarState::Failed { detail, reason } => ("failed", Some(failed(detail.as_deref(), *reason)), None, false),
        };
        let shown = ready && (is_picture(avatar) || output.is_some_and(|o| o.blob.is_some()));
        Self {
            id: avatar.id.to_string(),
            name: avatar.name.clone(),
            state,
            detail,
            warnings: output.map(|o| o.warnings.clone()).unwrap_or_default(),
            media_type: avatar.media_type.clone(),
            bytes: avatar.bytes,
            face: avatar.face,
            size: output.map(|o| o.size),
            framing: output.map(|o| o.framing.clone()).filter(|words| !words.is_empty()),
            frames: output.map(|o| o.frames),
            preview: shown.then(|| asked.to(&format!("/v1/avatars/{}/preview", avatar.id))),
            prepared_by: avatar.prepared_by.to_string(),
            key: avatar.key.to_string(),
            created: time_text(avatar.created),
            expires_at: until.map(time_text),
        }
    }
}

/// Why a preparation failed, and the remedy.
fn failed(detail: Option<&str>, reason: Option<EndReason>) -> String {
    match (detail, reason) {
        (Some(detail), _) => detail.to_owned(),
        (None, Some(reason)) => format!("its preparation ended: {}. Add the portrait again", reason.name()),
        (None, None) => "its preparation was not accepted: add the portrait again".to_owned(),
    }
}
