//! The networks that all clones of an engine share: loaded, used to look at faces, loaded again.

use crate::choice::{DecoderTrial, frames_per_second};
use crate::graph::{GraphError, Provider, REMEDY, content_hash, of_engine};
use crate::loading::{DrawMouths, LoadNetworks};
use crate::networks::{DecoderChoice, FaceEncoder};
use crate::recovery::RecoveryPlan;
use crate::restoration::{RestorationDesk, RestorationThread};
use crate::settings::MuseTalkSettings;
use crate::sound::{HearingFault, Whisper};
use mouthpiece_engine::{EngineError, EngineRecovery, EngineStage};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Frames a second that a session is to have.
const HELD_FOR_EACH: f64 = 30.0;

/// A panic while a network ran leaves a session that can be run again.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all clones of an engine share.
pub(crate) struct Shared {
    pub settings: MuseTalkSettings,
    pub loader: Box<dyn LoadNetworks>,
    /// What shapes latents: the network, and the box of the face.
    pub latents_version: String,
    /// What runs the networks, and what was tried when it failed. Held while they are loaded again.
    pub running: Mutex<RunningOn>,
    pub whisper: Whisper,
    /// None while it is loaded again, and when it cannot be.
    pub encoder: Mutex<Option<FaceEncoder>>,
    /// Likewise.
    pub generator: Mutex<Option<Box<dyn DrawMouths>>>,
    /// Why ears cannot hear, if they cannot.
    pub fault: HearingFault,
    /// What putting faces back into their frames took.
    pub blending: Mutex<EngineStage>,
    /// How the decoder was chosen, if it was.
    pub trial: Option<DecoderTrial>,
    /// What restores mouths, if they are.
    pub restoring: Option<RestorationThread>,
}

/// What runs the networks, and what was tried when it failed.
pub(crate) struct RunningOn {
    pub provider: Provider,
    pub plan: RecoveryPlan,
}

type Loaded = (Whisper, FaceEncoder, Box<dyn DrawMouths>, Option<DecoderTrial>);

/// All networks by one provider; the decoder that was chosen stands in the settings afterwards. The cheap ones come first: what is
/// wrong is told before gigabytes are read.
fn loaded(loader: &dyn LoadNetworks, by: Provider, settings: &mut MuseTalkSettings) -> Result<Loaded, GraphError> {
    let (whisper, encoder) = (loader.hearing(by)?, loader.encoder(by)?);
    let mut generator = loader.generator(by, settings.networks.decoder, true)?;
    let Some(sessions) = settings.hold.filter(|_| settings.networks.decoder == DecoderChoice::Full) else {
        return Ok((whisper, encoder, generator, None));
    };
    let wanted = sessions as f64 * HELD_FOR_EACH;
    let mut trial = DecoderTrial { wanted, full: frames_per_second(&mut *generator, sessions)?, tiny: None };
    if trial.full < trial.wanted && loader.has(DecoderChoice::Tiny) {
        // There may be no room for both.
        drop(generator);
        generator = loader.generator(by, DecoderChoice::Tiny, true)?;
        trial.tiny = Some(frames_per_second(&mut *generator, sessions)?);
        settings.networks.decoder = trial.choice();
        if trial.choice() == DecoderChoice::Full {
            drop(generator);
            generator = loader.generator(by, DecoderChoice::Full, true)?;
        }
    }
    Ok((whisper, encoder, generator, Some(trial)))
}

/// What restores mouths, if they are to be.
fn restoring(
    loader: &dyn LoadNetworks,
    by: Provider,
    settings: &MuseTalkSettings,
) -> Result<Option<RestorationThread>, EngineError> {
    if !settings.restores {
        return Ok(None);
    }
    let network = loader.restorer(by).map_err(|e| EngineError::Load(e.into()))?;
    RestorationThread::start(network).map(Some).map_err(|e| EngineError::Load(e.into()))
}

/// What shapes latents besides the reference, in 16 hexadecimal digits: the network's weights, and how much of the face it sees.
fn latents_version(settings: &MuseTalkSettings) -> Result<String, GraphError> {
    let network = content_hash(&settings.networks.graphs, "vae_encoder", REMEDY)?;
    let seen = Sha256::new().chain_update(network).chain_update(settings.crop.extra_margin.to_le_bytes()).finalize();
    Ok(seen[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Shared {
    /// Loads all networks by the first of the loader's providers that works.
    ///
    /// # Errors
    /// [`EngineError::Load`].
    pub fn load(mut settings: MuseTalkSettings, loader: Box<dyn LoadNetworks>) -> Result<Self, EngineError> {
        let load = |error: GraphError| EngineError::Load(error.into());
        let providers = loader.providers();
        let mut left = providers.iter().peekable();
        while let Some(provider) = left.next() {
            match loaded(&*loader, *provider, &mut settings) {
                Ok((whisper, encoder, generator, trial)) => {
                    let running = Mutex::new(RunningOn { provider: *provider, plan: RecoveryPlan::default() });
                    let (encoder, generator) = (Mutex::new(Some(encoder)), Mutex::new(Some(generator)));
                    let fault = HearingFault::default();
                    let latents_version = latents_version(&settings).map_err(load)?;
                    let restoring = restoring(&*loader, *provider, &settings)?;
                    let blending = Mutex::new(EngineStage::new("blend"));
                    return Ok(Self {
                        settings,
                        loader,
                        latents_version,
                        running,
                        whisper,
                        encoder,
                        generator,
                        fault,
                        blending,
                        trial,
                        restoring,
                    });
                }
                // A graph that is missing or another one is so whatever runs it.
                Err(error) if error.is_of_provider() && left.peek().is_some() => {}
                Err(error) => return Err(load(error)),
            }
        }
        Err(load(GraphError::Answer { graph: "unet", what: "nothing can run it" }))
    }

    /// Where mouths are restored, if they are.
    pub fn restoration(&self) -> Option<RestorationDesk> {
        self.restoring.as_ref().map(RestorationThread::desk)
    }

    /// The latents of a face. A network that fails at them is loaded again, once: preparing is worth the wait, and nobody draws
    /// by this one.
    pub fn encode(&self, picture: &[u8]) -> Result<Vec<f32>, EngineError> {
        let running = lock(&self.running);
        let mut encoder = lock(&self.encoder);
        let provider = running.provider;
        drop(running);
        let at_work = encoder.as_mut().ok_or(EngineError::Broken)?;
        match at_work.encode(picture) {
            Err(error) if error.is_of_device() => {}
            encoded => return encoded.map_err(of_engine),
        }
        // The old one goes first: there may be no room for both.
        *encoder = None;
        let fresh = self.loader.encoder(provider).map_err(|e| EngineError::Device(e.into()))?;
        encoder.insert(fresh).encode(picture).map_err(of_engine)
    }

    /// Loads everything again. Ears go on meanwhile, with the network that they have.
    fn load_again(&self, by: Provider) -> Result<(), GraphError> {
        // The large ones go first: there may be no room for two of each.
        (*lock(&self.generator), *lock(&self.encoder)) = (None, None);
        self.whisper.replace(self.loader.hearing(by)?);
        *lock(&self.encoder) = Some(self.loader.encoder(by)?);
        *lock(&self.generator) = Some(self.loader.generator(by, self.settings.networks.decoder, false)?);
        if let Some(restoring) = &self.restoring {
            restoring.replace(self.loader.restorer(by)?);
        }
        // What was heard amiss before is no news any more.
        *lock(&self.fault) = None;
        Ok(())
    }

    /// What was done, with what a provider makes of frames that was not measured at the start. One that fails already now is
    /// found out by whoever draws next.
    fn measured(&self, how: EngineRecovery) -> EngineRecovery {
        let EngineRecovery::FellBack { from, to, .. } = how else { return how };
        let mut generator = lock(&self.generator);
        let rate = generator.as_mut().and_then(|it| frames_per_second(&mut **it, self.settings.sessions).ok());
        EngineRecovery::FellBack { from, to, makes: rate.map(|rate| rate as u32) }
    }

    /// Has all clones draw again, after what runs the networks failed.
    ///
    /// # Errors
    /// [`EngineError`] when nothing is left to try; nothing is loaded then.
    pub fn recover(&self) -> Result<EngineRecovery, EngineError> {
        let mut running = lock(&self.running);
        let mut failed = EngineError::Broken;
        while let Some((provider, how)) = {
            let now = running.provider;
            running.plan.next(now, &self.loader.providers())
        } {
            match self.load_again(provider) {
                Ok(()) => {
                    running.provider = provider;
                    return Ok(self.measured(how));
                }
                Err(error) => failed = EngineError::Load(error.into()),
            }
        }
        // Whatever is left of it does no good.
        (*lock(&self.generator), *lock(&self.encoder)) = (None, None);
        Err(failed)
    }
}
