//! Live sessions.

use crate::http::RequestPath;
use crate::office::live::IceAccess;
use mouthpiece_domain::live::{LiveStatus, LiveTerms, StageTime};
use mouthpiece_domain::session::{Session, SessionKind};
use mouthpiece_domain::time::as_millis;
use serde::Serialize;
use utoipa::ToSchema;

/// How to watch a live session and speak in it. Addresses are relative to the one that was asked, as in a link of a page;
/// the audio socket's is for `ws:` or `wss:`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Live)]
pub struct LiveBody {
    /// The right to this one session, for whoever watches or speaks: send it as `Authorization: Bearer`. Told to the key
    /// that made the session, in the answer to POST and to GET; else null.
    #[schema(example = "mps_AZeyxNXmf4CRorPE1eb3CAAAAABrT2AoQmEdxLBYg3vFZJmVqX0H3g")]
    pub token: Option<String>,
    /// When the token expires; GET gives a new one. Null without one.
    #[schema(example = "2026-11-25T19:00:00.000Z")]
    pub token_expires: Option<String>,
    /// Where to watch, by WHEP.
    #[schema(example = "sessions/ses_0197b2c4d5e67f8091a2b3c4d5e6f708/whep")]
    pub whep_url: String,
    /// Where to speak, by WebSocket.
    #[schema(example = "sessions/ses_0197b2c4d5e67f8091a2b3c4d5e6f708/audio")]
    pub audio_url: String,
    /// Where to speak straight to the worker that runs the session, without a coordinator between: the same messages, another address
    /// for each placement. The right to open it stands in it, for this one session, so it is nobody else's to know; `sample_rate`
    /// and `after` may be added with `&`. Null while it does not run, and where its worker lets nobody come.
    #[schema(example = "wss://w1.farm.example/v1/sessions/ses_0197b2c4d5e67f8091a2b3c4d5e6f708/audio?ticket=AdbW3a4D")]
    pub direct_audio_url: Option<String>,
    /// Until then that one may be opened, half a minute; GET gives a fresh one. What is open stays open.
    #[schema(example = "2026-11-25T16:00:30.000Z")]
    pub direct_audio_expires: Option<String>,
    /// STUN and TURN servers, as `RTCPeerConnection` takes them. Told to whoever may watch; else empty.
    pub ice_servers: Vec<IceServerBody>,
    /// It ends when for so long nothing was said and nobody asked to keep it alive.
    pub idle_timeout_ms: u64,
    /// It ends when nobody came to watch within so long.
    pub absent_timeout_ms: u64,
    /// It ends when the last viewer has been gone for so long.
    pub left_timeout_ms: u64,
    /// The least that the video is squeezed to, kilobits a second.
    pub video_kbps_min: u32,
    /// The most that the video takes, kilobits a second.
    pub video_kbps_max: u32,
}

/// A STUN or TURN server, as `RTCPeerConnection` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IceServer)]
pub struct IceServerBody {
    /// Its addresses.
    #[schema(example = json!(["stun:stun.example.com:3478"]))]
    pub urls: Vec<String>,
    /// The name for it, where it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub username: Option<String>,
    /// The password for it, where it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub credential: Option<String>,
}

impl From<IceAccess> for IceServerBody {
    fn from(IceAccess { urls, username, credential }: IceAccess) -> Self {
        Self { urls, username, credential }
    }
}

/// How a live session is, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = LiveStatus)]
pub struct LiveStatusBody {
    /// What the face does: `idle`, `listening` or `talking`.
    #[schema(example = "talking")]
    pub mood: &'static str,
    /// Viewers that are connected.
    pub viewers: u32,
    /// Frames a second that were sent, over the last few seconds.
    pub fps: f32,
    /// Frames due since the start: made and skipped.
    pub ticks: u64,
    /// Frames skipped since the start.
    pub missed: u64,
    /// Video that is asked of the encoder, bits a second.
    pub bitrate: u32,
    /// Speech that waits to be said.
    pub buffered_ms: u64,
    /// How long each stage takes, over the last few seconds.
    pub stages: Vec<StageBody>,
}

/// How long one stage takes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = LiveStage)]
pub struct StageBody {
    /// `chunk` (sound waits for its place), `features` (the ear makes a cue of the sound), `generation` (the engine draws the
    /// mouth), `compose` (a frame at rest is put together without the engine), `encode` (the picture is encoded), `send` (from its
    /// time to the socket), `total` (from a sound's arrival to its frame's departure).
    #[schema(example = "total")]
    pub stage: &'static str,
    /// Median, milliseconds.
    pub p50_ms: f32,
    /// 99th percentile, milliseconds.
    pub p99_ms: f32,
}

impl LiveBody {
    /// Of a live session, as anybody who may see the session may know it; `None` for other kinds.
    pub fn of(session: &Session, asked: &RequestPath) -> Option<Self> {
        if session.kind != SessionKind::Live {
            return None;
        }
        let terms: LiveTerms = session.spec.live.unwrap_or_default();
        let [least, most] = terms.bitrate;
        Some(Self {
            token: None,
            token_expires: None,
            whep_url: asked.to(&format!("/v1/sessions/{}/whep", session.id)),
            audio_url: asked.to(&format!("/v1/sessions/{}/audio", session.id)),
            direct_audio_url: None,
            direct_audio_expires: None,
            ice_servers: Vec::new(),
            idle_timeout_ms: as_millis(terms.idle_timeout),
            absent_timeout_ms: as_millis(terms.absent_timeout),
            left_timeout_ms: as_millis(terms.left_timeout),
            video_kbps_min: least / 1000,
            video_kbps_max: most / 1000,
        })
    }
}

impl From<LiveStatus> for LiveStatusBody {
    fn from(status: LiveStatus) -> Self {
        Self {
            mood: status.mood.name(),
            viewers: status.viewers,
            fps: status.fps,
            ticks: status.ticks,
            missed: status.missed,
            bitrate: status.bitrate,
            buffered_ms: status.buffered_ms,
            stages: status.stages.into_iter().map(StageBody::from).collect(),
        }
    }
}

impl From<StageTime> for StageBody {
    fn from(StageTime { stage, p50_ms, p99_ms }: StageTime) -> Self {
        Self { stage: stage.name(), p50_ms, p99_ms }
    }
}
