//! What several tests begin with.

use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, RenderPreset, Session, SessionKind, SessionSpec};
use mouthpiece_domain::time::Wall;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A new session of key 1 and avatar 1.
pub fn session(id: SessionId, queue_timeout: Duration) -> Session {
    let spec = SessionSpec {
        portrait: "uploads/p".parse().unwrap(),
        content: "0".repeat(64),
        face: None,
        speech: None,
        size: FrameSize::USUAL,
        fps: FrameRate::Fps25,
        preset: RenderPreset::Fast,
        seed: 1,
        head: true,
        blinks: true,
        manner: Manner::default(),
        framing: Framing::default(),
        background: None,
        live: None,
    };
    Session {
        id,
        kind: SessionKind::Render,
        key: KeyId(1),
        avatar: AvatarId(1),
        spec: Arc::new(spec),
        metadata: BTreeMap::new(),
        queue_timeout,
        max_duration: Duration::from_secs(100),
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        moved_from: None,
        moves: 0,
        losses: 0,
        delivered_before: Duration::ZERO,
        progress: FrameProgress::default(),
        end: None,
        created: Wall(0),
        updated: Wall(0),
    }
}
