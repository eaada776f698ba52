//! Sessions to ask for.

use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::{
    BlobKey, BlobKeyError, Fence, FrameProgress, Phase, RenderPreset, Session, SessionKind, SessionSpec,
};
use mouthpiece_domain::time::Wall;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Faces that sessions choose from.
const FACES: u64 = 64;
/// Callers that they come from.
const CALLERS: u64 = 8;

/// Makes sessions of a few callers and faces. Their ids grow, as real ones do.
pub(crate) struct Sessions {
    specs: Vec<Arc<SessionSpec>>,
    base: u128,
    made: u64,
}

impl Sessions {
    /// `base` goes into all ids, so that two runs on one store do not meet.
    pub(crate) fn new(base: u64) -> Result<Self, BlobKeyError> {
        let spec = |n: u64| {
            Ok(Arc::new(SessionSpec {
                portrait: BlobKey::new(format!("uploads/portrait-{n}.png"))?,
                content: format!("{n:064x}"),
                face: None,
                speech: Some(BlobKey::new("uploads/speech.wav")?),
                size: FrameSize::USUAL,
                fps: FrameRate::Fps25,
                preset: RenderPreset::Balanced,
                seed: 1,
                head: true,
                blinks: true,
                manner: Manner::default(),
                framing: Framing::default(),
                background: None,
                live: None,
            }))
        };
        let specs = (0..FACES).map(spec).collect::<Result<_, BlobKeyError>>()?;
        Ok(Self { specs, base: u128::from(base) << 64, made: 0 })
    }

    pub(crate) fn next(&mut self, now: Wall) -> Session {
        self.made += 1;
        let face = (self.made % FACES) as usize;
        Session {
            id: SessionId(self.base + u128::from(self.made)),
            kind: SessionKind::Render,
            key: KeyId(u128::from(self.made % CALLERS) + 1),
            avatar: AvatarId(face as u128 + 1),
            spec: Arc::clone(&self.specs[face]),
            metadata: BTreeMap::new(),
            queue_timeout: Duration::from_secs(600),
            max_duration: Duration::from_secs(3600),
            fence: Fence::FIRST,
            phase: Phase::Requested,
            place: None,
            moved_from: None,
            moves: 0,
            losses: 0,
            delivered_before: Duration::ZERO,
            progress: FrameProgress::default(),
            end: None,
            created: now,
            updated: now,
        }
    }
}
