//! Sessions.

use super::live::LiveBody;
use super::{ProgressBody, state_name, time_text};
use crate::http::RequestPath;
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::frame::Crop;
use mouthpiece_domain::manner::Demeanour;
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use mouthpiece_domain::session::{Phase, RenderPreset, Session, SessionKind, SessionOutput};
use mouthpiece_domain::time::as_millis;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One use of one avatar.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// Its id.
    #[schema(example = "ses_0197b2c4d5e67f8091a2b3c4d5e6f708")]
    pub id: String,
    /// `render`: a recording becomes a video; `live`: sound streams in, video streams out; `prepare`: a portrait becomes an
    /// avatar.
    #[schema(example = "render")]
    pub kind: &'static str,
    /// `requested`, `assigned`, `preparing`, `rendering` (or `live`), `draining` or `ended`.
    #[schema(example = "rendering")]
    pub state: &'static str,
    /// Whose face.
    pub avatar_id: String,
    /// The key that made it.
    pub key: String,
    /// Counts placements: 1, and one more each time that it was placed again or, while it ran, moved to another worker.
    pub fence: u32,
    /// Its place in the queue, from 1, while it waits.
    pub queue_position: Option<u32>,
    /// Where it runs or ran last.
    pub worker: Option<String>,
    /// In which slot there.
    pub slot: Option<u8>,
    /// How far it is.
    pub progress: ProgressBody,
    /// How it ended; null until then.
    pub end: Option<EndBody>,
    /// What it left; null without a result.
    pub result: Option<ResultBody>,
    /// How to watch a live session and speak in it; null for other kinds.
    pub live: Option<LiveBody>,
    /// What was asked for, defaults filled in.
    pub options: OptionsBody,
    /// The caller's own words.
    pub metadata: BTreeMap<String, String>,
    /// When it was accepted.
    #[schema(example = "2026-11-25T16:00:00.123Z")]
    pub created: String,
    /// When its state last changed.
    #[schema(example = "2026-11-25T16:00:03.456Z")]
    pub updated: String,
    /// How long it may hold a slot.
    pub max_duration_ms: u64,
    /// How long it may wait for a slot.
    pub queue_timeout_ms: u64,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionEnd)]
pub struct EndBody {
    /// `completed`, `cancelled`, `bad_input`, `no_capacity`, `max_duration`, `lost` or `failed`; of live sessions also
    /// `idle_timeout`, `participant_absent` and `participant_left`.
    #[schema(example = "completed")]
    pub reason: &'static str,
    /// A sentence, where there is more to say.
    pub detail: Option<String>,
}

/// A finished video.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionResult)]
pub struct ResultBody {
    /// Where to get it: an MP4. Relative to the address that was asked, as in a link of a page.
    #[schema(example = "../renders/ses_0197b2c4d5e67f8091a2b3c4d5e6f708/result")]
    pub url: String,
    /// Its size.
    pub bytes: u64,
    /// Its frames.
    pub frames: u64,
    /// Its length.
    pub duration_ms: u64,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Which part of the portrait is shown, how large, and why; empty in old records.
    #[schema(example = "768x768, head and shoulders: larger than usual, so that the eyes are 120 pixels apart")]
    pub framing: String,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
    /// The video is kept at least until then. Null: for ever.
    #[schema(example = "2026-12-02T16:00:03.456Z")]
    pub expires_at: Option<String>,
    /// When it was removed because of its age; null while it is there. Then its address answers 410.
    pub removed_at: Option<String>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionOptions)]
pub struct OptionsBody {
    /// Frames a second.
    pub fps: u32,
    /// Longer side in pixels.
    pub size: u32,
    /// The longer side may grow up to this for the sake of a small face; null where the size was named.
    pub size_up_to: Option<u32>,
    /// `none`, `bust` or `head`.
    pub crop: &'static str,
    /// `fast` or `balanced`.
    pub preset: &'static str,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// The head moves.
    pub head: bool,
    /// How much head, gaze, brows and shoulders move, in hundredths.
    pub motion: u8,
    /// `neutral`, `friendly` or `serious`.
    pub expression: &'static str,
    /// The lids close now and then.
    pub blinks: bool,
    /// Which face, if one was named.
    pub face: Option<u32>,
}

/// Some sessions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionBody>,
    /// Give this as `before` to see older ones; null when there are none.
    pub next: Option<String>,
}

/// Words and presets.
pub const PRESETS: [(&str, RenderPreset); 2] = [("fast", RenderPreset::Fast), ("balanced", RenderPreset::Balanced)];

/// Words and crops.
pub const CROPS: [(&str, Crop); 3] = [("none", Crop::None), ("bust", Crop::Bust), ("head", Crop::Head)];

/// Words and demeanours.
pub const EXPRESSIONS: [(&str, Demeanour); 3] =
    [("neutral", Demeanour::Neutral), ("friendly", Demeanour::Friendly), ("serious", Demeanour::Serious)];

fn expression_name(demeanour: Demeanour) -> &'static str {
    match demeanour {
        Demeanour::Neutral => "neutral",
        Demeanour::Friendly => "friendly",
        Demeanour::Serious => "serious",
    }
}

fn preset_name(preset: RenderPreset) -> &'static str {
    match preset {
        RenderPreset::Fast => "fast",
        RenderPreset::Balanced => "balanced",
    }
}

impl SessionBody {
    /// A session, for whoever asked there. `ages` say until when its result is kept.
    pub fn new(session: &Session, ages: &RetentionAges, asked: &RequestPath) -> Self {
        let spec = &session.spec;
        Self {
            id: session.id.to_string(),
            kind: session.kind.name(),
            state: state_name(session.kind, session.phase),
            avatar_id: session.avatar.to_string(),
            key: session.key.to_string(),
            fence: session.fence.0,
            queue_position: None,
            worker: session.place.map(|(worker, _)| worker.to_string()),
            slot: session.place.map(|(_, slot)| slot.0),
            progress: session.progress.into(),
            end: session.end.as_ref().map(|end| EndBody { reason: end.reason.name(), detail: end.detail.clone() }),
            result: result(session, ages, asked),
            live: LiveBody::of(session, asked),
            options: OptionsBody {
                fps: spec.fps.per_second(),
                size: spec.size.pixels(),
                size_up_to: spec.framing.size_up_to.map(|most| most.pixels()),
                crop: spec.framing.crop.name(),
                preset: preset_name(spec.preset),
                seed: spec.seed,
                head: spec.head,
                motion: spec.manner.motion.hundredths(),
                expression: expression_name(spec.manner.demeanour),
                blinks: spec.blinks,
                face: spec.face,
            },
            metadata: session.metadata.clone(),
            created: time_text(session.created),
            updated: time_text(session.updated),
            max_duration_ms: as_millis(session.max_duration),
            queue_timeout_ms: as_millis(session.queue_timeout),
        }
    }

    /// A session as the brain sees it, with its place in the queue.
    pub fn now(change: &SessionChange, ages: &RetentionAges, asked: &RequestPath) -> Self {
        let waits = change.queue_position.filter(|_| change.session.phase == Phase::Requested);
        Self { queue_position: waits, ..Self::new(&change.session, ages, asked) }
    }
}

/// Only a render leaves something to download; what a preparation leaves is shown as the avatar's preview.
fn result(session: &Session, ages: &RetentionAges, asked: &RequestPath) -> Option<ResultBody> {
    let left = |o: &&SessionOutput| (o.blob.is_some() || o.removed.is_some()) && session.kind == SessionKind::Render;
    let output = session.end.as_ref()?.output.as_deref().filter(left)?;
    Some(ResultBody {
        url: asked.to(&format!("/v1/renders/{}/result", session.id)),
        bytes: output.bytes,
        frames: output.frames,
        duration_ms: as_millis(output.length),
        size: output.size,
        framing: output.framing.clone(),
        warnings: output.warnings.clone(),
        expires_at: ages.until(RetentionClass::Results, session.updated).map(time_text),
        removed_at: output.removed.map(time_text),
    })
}
