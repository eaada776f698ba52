//! The engine behind the trait.

use crate::avatar::MuseTalkAvatar;
use crate::graph::{GraphError, Provider};
use crate::networks::{FaceEncoder, LATENTS, MouthGenerator, SOUND};
use crate::seat::MuseTalkSeat;
use crate::settings::MuseTalkSettings;
use crate::sound::{HearingFault, MuseTalkEar, SoundClip, Whisper};
use mouthpiece_engine::{Engine, EngineError, EngineTick, Expression, SpeechLevel};
use mouthpiece_frame::{I420, Reference};
use mouthpiece_media::face::Runtime;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The MuseTalk engine. Clones share the networks, and run them one after the other.
#[derive(Clone)]
pub struct MuseTalk {
    shared: Arc<Shared>,
}

struct Shared {
    settings: MuseTalkSettings,
    provider: Provider,
    whisper: Whisper,
    encoder: Mutex<FaceEncoder>,
    generator: Mutex<MouthGenerator>,
    /// Why ears cannot hear, if they cannot.
    fault: HearingFault,
}

impl fmt::Debug for MuseTalk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MuseTalk").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// A panic while a network ran leaves a session that can be run again.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MuseTalk {
    /// Loads all networks: by the provider that is asked for, else by the first of all that works here.
    ///
    /// # Errors
    /// [`EngineError::Load`] when ONNX Runtime or a graph is missing or unfit, or the provider that was asked for does not work.
    pub fn load(settings: MuseTalkSettings) -> Result<Self, EngineError> {
        let load = |error: GraphError| EngineError::Load(error.into());
        let runtime = Runtime::get().map_err(|e| EngineError::Load(e.into()))?;
        if let Some(provider) = settings.networks.provider {
            return Self::by(&runtime, settings, provider).map_err(load);
        }
        let mut working = Provider::ALL.into_iter().filter(|provider| provider.is_built_in()).peekable();
        while let Some(provider) = working.next() {
            match Self::by(&runtime, settings.clone(), provider) {
                Ok(engine) => return Ok(engine),
                // A graph that is missing or another one is so whatever runs it.
                Err(GraphError::Provider { .. } | GraphError::Load { .. }) if working.peek().is_some() => {}
                Err(error) => return Err(load(error)),
            }
        }
        Err(load(GraphError::Answer { graph: "unet", what: "nothing can run it" }))
    }

    fn by(runtime: &Runtime, settings: MuseTalkSettings, provider: Provider) -> Result<Self, GraphError> {
        let networks = &settings.networks;
        // The cheap ones first: what is wrong is told before gigabytes are read.
        let whisper = Whisper::load(&networks.source(runtime, "whisper", provider))?;
        let encoder = Mutex::new(FaceEncoder::load(runtime, networks, provider)?);
        let generator = Mutex::new(MouthGenerator::load(runtime, networks, provider)?);
        let fault = HearingFault::default();
        Ok(Self { shared: Arc::new(Shared { settings, provider, whisper, encoder, generator, fault }) })
    }

    /// What runs the networks.
    pub fn provider(&self) -> Provider {
        self.shared.provider
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
        MuseTalkAvatar::prepare(reference, &self.shared.settings.crop, &mut lock(&self.shared.encoder))
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
            return Err(EngineError::Run(error.into()));
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
        let drawn = lock(&self.shared.generator).draw(&given, |nth, face| {
            let tick = &mut ticks[speaking[nth]];
            if let Err(error) = tick.seat.show_face(tick.avatar, tick.reference, face) {
                shown = Err(error);
            }
        });
        drawn.map_err(|e| EngineError::Run(e.into()))?;
        shown
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
