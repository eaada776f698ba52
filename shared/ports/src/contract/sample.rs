//! Records and messages to try things with.

use mouthpiece_domain::fleet::{Assignment, Capability, Heartbeat, Hold, RunningSession, WorkerCommand, WorkerEvent};
use mouthpiece_domain::frame::{Crop, FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, ViewerId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::live::{
    Declined, FaceMood, HangUp, LiveAnswer, LiveAsk, LiveQuestion, LiveStage, LiveStatus, LiveTerms, NotDone,
    OfferToWatch, RestartIce, RestartedIce, SdpAnswer, StageTime, TrickleIce,
};
use mouthpiece_domain::manner::{Demeanour, Manner, MotionShare};
use mouthpiece_domain::session::{
    BlobKey, EndReason, Fence, FrameProgress, Phase, RenderPreset, Session, SessionEnd, SessionKind, SessionOutput,
    SessionSpec, SlotIndex,
};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use std::sync::Arc;
use std::time::Duration;

/// The start of some hour.
pub(super) const HOUR: Wall = Wall(490_000 * HOUR_MS);

/// So many milliseconds into [`HOUR`].
pub(super) fn at(ms: i64) -> Wall {
    Wall(HOUR.0 + ms)
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn key(text: &str) -> BlobKey {
    BlobKey::new(text).unwrap()
}

fn spec() -> SessionSpec {
    SessionSpec {
        portrait: key("uploads/ab/portrait.png"),
        content: "5e".repeat(32),
        face: Some(2),
        speech: Some(key("uploads/ab/speech.ogg")),
        size: FrameSize::USUAL,
        fps: FrameRate::Fps25,
        preset: RenderPreset::Fast,
        // Beyond what a signed or a floating point number holds exactly.
        seed: u64::MAX - 1,
        head: true,
        blinks: false,
        manner: Manner { motion: MotionShare::from(40), demeanour: Demeanour::Serious },
        framing: Framing { crop: Crop::Bust, size_up_to: FrameSize::new(900).ok() },
        background: None,
        live: None,
    }
}

/// A new session of key 1 and avatar 1.
pub fn session(id: u128) -> Session {
    Session {
        id: SessionId(id),
        kind: SessionKind::Render,
        key: KeyId(1),
        avatar: AvatarId(1),
        spec: Arc::new(spec()),
        metadata: [("who", "Zoë \"Z\" 'O\u{2019}Hara'\n\u{1f5e3}"), ("", "")].map(|(k, v)| (k.into(), v.into())).into(),
        queue_timeout: ms(30_001),
        max_duration: ms(3_600_002),
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        moved_from: None,
        moves: 0,
        losses: 0,
        delivered_before: Duration::ZERO,
        progress: FrameProgress::default(),
        end: None,
        created: at(1),
        updated: at(1),
    }
}

pub(super) fn hold(session: u128, fence: u32, worker: u128, slot: u8) -> Hold {
    Hold { session: SessionId(session), fence: Fence(fence), worker: WorkerId(worker), slot: SlotIndex(slot) }
}

/// An end with everything that an end may have.
pub(super) fn completed() -> SessionEnd {
    let output = SessionOutput {
        blob: Some(key("results/ab/1.mp4")),
        removed: None,
        bytes: 123_456,
        frames: 250,
        length: ms(10_000),
        size: [512, 384],
        framing: "512x512, the whole picture".into(),
        warnings: vec!["the face is turned away".into()],
    };
    SessionEnd { reason: EndReason::Completed, detail: Some("done, \u{fc}".into()), output: Some(Box::new(output)) }
}

pub(super) fn capability(instance_type: &str) -> Capability {
    Capability {
        name: "a machine".into(),
        engine: "puppet/1".into(),
        instance_type: instance_type.into(),
        slots: 2,
        frames_per_second: 120,
        impaired: None,
        machine: None,
    }
}

pub(super) fn heartbeat(worker: u128) -> Heartbeat {
    Heartbeat {
        worker: WorkerId(worker),
        capability: capability("local"),
        address: Some("10.0.0.7:9000".into()),
        draining: false,
        uptime: ms(5000),
        busy: ms(100),
        resident: vec!["5e".repeat(32)],
        running: vec![RunningSession {
            session: SessionId(1),
            fence: Fence::FIRST,
            slot: SlotIndex(1),
            phase: Phase::Running,
            progress: FrameProgress { done: 3, total: 9 },
            delivered: ms(120),
            prepared: false,
        }],
        ended: Vec::new(),
    }
}

/// A command that can be told from others by its number.
pub(super) fn command(n: u128) -> WorkerCommand {
    WorkerCommand::Assign(Box::new(Assignment {
        hold: hold(n, 1, 7, 0),
        kind: SessionKind::Render,
        spec: Arc::new(spec()),
        lease: LeaseTerms::default(),
    }))
}

/// An event that can be told from others by its number.
pub(super) fn event(n: u128) -> WorkerEvent {
    WorkerEvent::Goodbye { worker: WorkerId(n), ended: Vec::new() }
}

/// Every kind of question, about a session on this worker.
pub(super) fn asks(worker: u128) -> Vec<LiveAsk> {
    let viewer = ViewerId(u128::MAX);
    let text = |n: usize| "v=0\r\ns=-\r\na=\u{fc}\"\\\r\n".repeat(n);
    [
        LiveQuestion::Offer(OfferToWatch { viewer, sdp: text(2000) }),
        LiveQuestion::Trickle(TrickleIce { viewer, tag: "a:b".into(), fragment: text(1) }),
        LiveQuestion::Restart(RestartIce { viewer, fragment: String::new() }),
        LiveQuestion::HangUp(HangUp { viewer }),
        LiveQuestion::Interrupt,
        LiveQuestion::KeepAlive,
        LiveQuestion::Status,
    ]
    .into_iter()
    .map(|what| LiveAsk { hold: hold(9, 3, worker, 63), what })
    .collect()
}

/// Every kind of answer.
pub(super) fn answers() -> Vec<LiveAnswer> {
    let status = LiveStatus {
        mood: FaceMood::Talking,
        viewers: 2,
        fps: 24.9,
        ticks: u64::MAX,
        missed: 1,
        bitrate: 800_000,
        buffered_ms: 40,
        stages: vec![StageTime { stage: LiveStage::Total, p50_ms: 61.5, p99_ms: 98.25 }],
    };
    vec![
        LiveAnswer::Answer(SdpAnswer { sdp: "v=0\r\n".repeat(2000), tag: "x".into() }),
        LiveAnswer::Restarted(RestartedIce { fragment: "a=ice-ufrag:x\r\n".into(), tag: "y".into() }),
        LiveAnswer::Done,
        LiveAnswer::Status(Box::new(status)),
        LiveAnswer::Declined(Declined { why: NotDone::NotHere, detail: "it does not run here".into() }),
        LiveAnswer::Declined(Declined { why: NotDone::Full, detail: String::new() }),
    ]
}

/// A new live session of key 1 and avatar 1.
pub(super) fn live_session(id: u128) -> Session {
    let terms = LiveTerms { left_timeout: ms(0), bitrate: [100_000, 8_000_000], ..LiveTerms::default() };
    let spec = SessionSpec { speech: None, live: Some(terms), ..spec() };
    Session { kind: SessionKind::Live, spec: Arc::new(spec), ..session(id) }
}
