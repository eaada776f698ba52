//! An avatar from its reference, and a reference from a portrait.

use crate::stop::Stop;
use crate::{PortraitOptions, RenderError, load_reference_while};
use bytes::Bytes;
use mouthpiece_engine::{Engine, EngineError};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::reference::{FaceReport, PreparedReference, preview};
use std::path::Path;
use tokio::sync::OwnedMutexGuard;

/// An avatar, and what is stored of it.
pub(super) struct Made<A> {
    pub(super) avatar: A,
    pub(super) report: FaceReport,
    pub(super) frames: usize,
    pub(super) frames_per_second: f32,
    pub(super) data: Vec<u8>,
    pub(super) preview: Option<Vec<u8>>,
    /// What the engine made that it did not find, and that is worth keeping.
    pub(super) kept: Option<Vec<u8>>,
}

impl<A> Made<A> {
    /// The engine takes the reference itself: a video's is large, and not copied. `found` is what an engine made of it before.
    pub(super) fn new<E: Engine<Avatar = A>>(
        engine: &E,
        prepared: PreparedReference,
        data: Vec<u8>,
        preview: Option<Vec<u8>>,
        found: Option<Bytes>,
    ) -> Result<Self, EngineError> {
        let PreparedReference { reference, report } = prepared;
        let (frames, frames_per_second) = (reference.frames.len(), reference.frames_per_second);
        let usable = found.filter(|found| engine.can_use(&reference, found));
        let (avatar, kept) = match usable {
            Some(found) => (engine.prepare_kept(reference, &found)?, None),
            None => {
                let avatar = engine.prepare(reference)?;
                let kept = engine.kept_version().map(|_| E::keep(&avatar)).filter(|kept| !kept.is_empty());
                (avatar, kept)
            }
        };
        Ok(Self { avatar, report, frames, frames_per_second, data, preview, kept })
    }
}

pub(super) fn make<E: Engine>(
    engine: &E,
    mut finder: OwnedMutexGuard<Option<FaceFinder>>,
    portrait: &Path,
    options: PortraitOptions,
    stop: &Stop,
) -> Result<Made<E::Avatar>, RenderError> {
    let finder = match &mut *finder {
        Some(finder) => finder,
        none => none.insert(FaceFinder::new(&Runtime::get()?)?),
    };
    let prepared = load_reference_while(portrait, options, finder, &mut |_| !stop.is_set())?;
    let no_picture = |source| RenderError::Reference { file: portrait.into(), source };
    let preview = preview(&prepared.reference).map_err(no_picture)?;
    let data = prepared.to_bytes();
    if stop.is_set() {
        return Err(RenderError::Cancelled);
    }
    Ok(Made::new(engine, prepared, data, Some(preview), None)?)
}
