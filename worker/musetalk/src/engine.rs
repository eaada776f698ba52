//! The engine behind the trait.

use crate::avatar::MuseTalkAvatar;
use crate::choice::DecoderTrial;
use crate::face::cut_out;
use crate::graph::{Provider, Runtime, of_engine};
use crate::loading::{GraphLoader, LoadNetworks};
use crate::networks::{DecoderChoice, LATENTS, SIDE, SOUND};
use crate::restoration::RestorationThread;
use crate::seat::MuseTalkSeat;
use crate::settings::MuseTalkSettings;
use crate::shared::{Shared, lock};
use crate::sound::{MuseTalkEar, SoundClip};
use crate::{latents, memory};
use mouthpiece_engine::{
    DeviceMemory, Engine, EngineError, EngineRecovery, EngineStage, EngineTick, Expression, Restorations, SpeechLevel,
};
use mouthpiece_frame::{I420, Reference};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The MuseTalk engine. Clones share the networks, and run them one after the other.
#[derive(Clone)]
pub struct MuseTalk {
    shared: Arc<Shared>,
}

impl fmt::Debug for MuseTalk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MuseTalk").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl MuseTalk {
    /// Loads all networks: by the provider that is asked for, else by the first of all that works here.
    ///
    /// # Errors
    /// [`EngineError::Load`] when ONNX Runtime or a graph is missing or unfit, or the provider that was asked for does not work.
    pub fn load(settings: MuseTalkSettings) -> Result<Self, EngineError> {
        let runtime = Runtime::get().map_err(|e| EngineError::Load(e.into()))?;
        let loader = GraphLoader { runtime, networks: settings.networks.clone() };
        Self::load_by(settings, Box::new(loader))
    }

    /// The same from a loader of the caller's own.
    ///
    /// # Errors
    /// As [`MuseTalk::load`].
    pub fn load_by(settings: MuseTalkSettings, loader: Box<dyn LoadNetworks>) -> Result<Self, EngineError> {
        Ok(Self { shared: Arc::new(Shared::load(settings, loader)?) })
    }

    /// Which decoder draws.
    pub fn decoder(&self) -> DecoderChoice {
        self.shared.settings.networks.decoder
    }

    /// What runs the networks.
    pub fn provider(&self) -> Provider {
        lock(&self.shared.running).provider
    }
}

impl Engine for MuseTalk {
    type Avatar = MuseTalkAvatar;
    type Cue = SoundClip;
    type Seat = MuseTalkSeat;
    type Ear = MuseTalkEar;

    fn id(&self) -> &'static str {
        "musetalk/1"
    }

    fn prepare(&self, reference: Reference) -> Result<MuseTalkAvatar, EngineError> {
        let mut look = |picture: &I420, area| {
            let face = cut_out(picture, area, SIDE).map_err(|e| EngineError::Run(e.into()))?;
            self.shared.encode(&face)
        };
        let avatar = MuseTalkAvatar::prepare(reference, &self.shared.settings.crop, &mut look)?;
        Ok(avatar.with_restoration(self.shared.restoration()))
    }

    fn kept_version(&self) -> Option<String> {
        Some(self.shared.latents_version.clone())
    }

    fn keep(avatar: &MuseTalkAvatar) -> Vec<u8> {
        avatar.latents()
    }

    fn can_use(&self, reference: &Reference, kept: &[u8]) -> bool {
        latents::from_bytes(kept, reference.frames.len()).is_some()
    }

    fn prepare_kept(&self, reference: Reference, kept: &[u8]) -> Result<MuseTalkAvatar, EngineError> {
        let Some(kept) = latents::from_bytes(kept, reference.frames.len()) else { return self.prepare(reference) };
        let mut kept = kept.into_iter();
        // One for each frame, in order.
        let mut next = |_: &I420, _| kept.next().ok_or(EngineError::EmptyReference);
        let avatar = MuseTalkAvatar::prepare(reference, &self.shared.settings.crop, &mut next)?;
        Ok(avatar.with_restoration(self.shared.restoration()))
    }

    fn bytes(avatar: &MuseTalkAvatar) -> usize {
        avatar.bytes()
    }

    fn seat(avatar: &MuseTalkAvatar) -> MuseTalkSeat {
        MuseTalkSeat::new(avatar)
    }

    fn ear(&self, level: SpeechLevel) -> MuseTalkEar {
        let Shared { settings, whisper, fault, .. } = &*self.shared;
        MuseTalkEar::new(Box::new(whisper.encoder()), settings.recording, Some(level), Arc::clone(fault))
    }

    fn live_ear(&self) -> MuseTalkEar {
        let Shared { settings, whisper, fault, .. } = &*self.shared;
        MuseTalkEar::new(Box::new(whisper.encoder()), settings.live, None, Arc::clone(fault))
    }

    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        if let Some(error) = lock(&self.shared.fault).take() {
            return Err(of_engine(error));
        }
        let (mut speaking, mut given) = (Vec::with_capacity(ticks.len()), Vec::with_capacity(ticks.len()));
        for (i, tick) in ticks.iter_mut().enumerate() {
            let (avatar, cue): (&MuseTalkAvatar, &SoundClip) = (tick.avatar, tick.cue);
            match cue.values() {
                None => tick.seat.show(avatar, tick.reference)?,
                Some(sound) => {
                    let latents = avatar.frame(tick.reference)?.latents.as_slice();
                    debug_assert!(latents.len() == LATENTS && sound.len() == SOUND);
                    speaking.push(i);
                    given.push((latents, sound));
                }
            }
        }
        let mut shown = Ok(());
        let mut show = |nth: usize, face: &[u8]| {
            let (began, tick) = (Instant::now(), &mut ticks[speaking[nth]]);
            if let Err(error) = tick.seat.show_face(tick.avatar, tick.reference, face) {
                shown = Err(error);
            }
            lock(&self.shared.blending).ran_since(began);
        };
        let mut generator = lock(&self.shared.generator);
        generator.as_mut().ok_or(EngineError::Broken)?.draw(&given, &mut show).map_err(of_engine)?;
        shown
    }

    fn finish(avatar: &MuseTalkAvatar, seat: &mut MuseTalkSeat, due: Option<Instant>) -> Result<(), EngineError> {
        seat.restore(avatar, due)
    }

    fn restorations(&self) -> Option<Arc<Restorations>> {
        self.shared.restoring.as_ref().map(RestorationThread::counts)
    }

    fn about(&self) -> Option<String> {
        let (by, decoder) = (self.provider().name(), self.decoder().graph());
        let about = match self.shared.trial {
            None => format!("{decoder} by {by}"),
            Some(DecoderTrial { wanted, full, tiny: None }) => {
                format!("{decoder} by {by}: it makes {full:.0} frames a second, and {wanted:.0} are wanted")
            }
            Some(DecoderTrial { wanted, full, tiny: Some(tiny) }) => format!(
                "{decoder} by {by}: the full one makes {full:.0} frames a second, the tiny one {tiny:.0}, and {wanted:.0} are wanted"
            ),
        };
        let launched = lock(&self.shared.generator).as_ref().and_then(|generator| generator.launched());
        Some(match launched {
            Some(launched) => format!("{about}; work is handed over {launched}"),
            None => about,
        })
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        let by = self.provider();
        let restores = self.shared.settings.restores;
        by.is_gpu().then(|| memory::device_memory(&self.shared.settings.networks, restores, by))
    }

    fn take_stages(&self) -> Vec<EngineStage> {
        let Shared { whisper, generator, blending, .. } = &*self.shared;
        let networks = lock(generator).as_mut().map(|generator| generator.take_stages()).unwrap_or_default();
        [vec![whisper.take_stage()], networks, vec![lock(blending).take()]].concat()
    }

    fn recover(&mut self) -> Result<EngineRecovery, EngineError> {
        self.shared.recover()
    }

    /// The reference as it is: eyes, brows and head are those of its frames.
    fn rest(
        avatar: &MuseTalkAvatar,
        seat: &mut MuseTalkSeat,
        reference: usize,
        _expression: Expression,
    ) -> Result<(), EngineError> {
        seat.show(avatar, reference)
    }

    fn picture(seat: &MuseTalkSeat) -> &I420 {
        seat.picture()
    }
}
