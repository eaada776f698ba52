//! Which engines there are, and the one place where one is chosen.
//!
//! Everything else is written for any engine, and gets its own copy of the code for each: no call on a frame's way is looked
//! up. A new engine is a crate that implements [`Engine`], an arm of the `match` in [`with_engine`], and its row of
//! [`ENGINES`](mouthpiece_worker_settings::ENGINES).

use crate::RenderError;
use mouthpiece_engine::Engine;
use mouthpiece_worker_settings::{NeuralProvider, NeuralSettings, UnknownEngine, check_engine};

/// Work that is written once, for any engine.
pub trait ForEngine {
    /// What comes of it.
    type Output;

    /// Does it with `engine`.
    fn with<E: Engine>(self, engine: E) -> Self::Output;
}

/// Loads the engine called `name` and does `work` with it. Neural ones are set up as `neural` says.
///
/// # Errors
/// [`RenderError::UnknownEngine`], [`RenderError::NotInThisBuild`], or [`RenderError::Engine`] when it cannot be loaded.
pub fn with_engine<W: ForEngine>(
    name: &str,
    #[cfg_attr(not(feature = "neural"), allow(unused_variables, reason = "this build has no neural engine"))]
    neural: &NeuralSettings,
    work: W,
) -> Result<W::Output, RenderError> {
    match name {
        "puppet" => Ok(work.with(mouthpiece_puppet::Puppet::load()?)),
        #[cfg(feature = "neural")]
        "musetalk" => Ok(work.with(mouthpiece_musetalk::MuseTalk::load(musetalk(neural)?)?)),
        #[cfg(not(feature = "neural"))]
        "musetalk" => Err(RenderError::NotInThisBuild("musetalk")),
        _ => Err(UnknownEngine { asked: name.to_owned() }.into()),
    }
}

/// What may run the engine called `name` here, as `neural` says, fastest first: one for each time that it is to be measured.
/// Engines without networks of their own run on the processor.
///
/// # Errors
/// [`RenderError::UnknownEngine`], or [`RenderError::Runtime`] when ONNX Runtime is missing.
pub fn providers_of(name: &str, neural: &NeuralSettings) -> Result<Vec<NeuralProvider>, RenderError> {
    check_engine(name)?;
    match (name, neural.provider) {
        #[cfg(feature = "neural")]
        ("musetalk", NeuralProvider::Auto) => {
            use mouthpiece_musetalk::Provider;
            // Which were built in is known once it is loaded.
            mouthpiece_media::face::Runtime::get()?;
            let there = Provider::ALL.into_iter().filter(|provider| provider.is_built_in());
            Ok(there.filter_map(|provider| provider.name().parse().ok()).collect())
        }
        ("musetalk", asked) => Ok(vec![asked]),
        _ => Ok(vec![NeuralProvider::Cpu]),
    }
}

/// Builds for TensorRT what neural engines draw with, on the GPU that `neural` names; `told` hears a line for each step.
///
/// # Errors
/// [`RenderError::Runtime`] and [`RenderError::Engine`]: what is missing, and what to install.
#[cfg(feature = "neural")]
pub fn build_engines(neural: &NeuralSettings, told: &mut dyn FnMut(String)) -> Result<(), RenderError> {
    use mouthpiece_engine::EngineError;
    use mouthpiece_musetalk::BuildProgress;
    let (runtime, networks) = (mouthpiece_media::face::Runtime::get()?, musetalk(neural)?.networks);
    let mut tell = |progress| {
        told(match progress {
            BuildProgress::Fresh { graph } => format!("{graph}: built already"),
            BuildProgress::Building { graph, stale: None } => format!("{graph}: being built, which takes minutes"),
            BuildProgress::Building { graph, stale: Some(why) } => {
                format!("{graph}: built again, which takes minutes, since {why}")
            }
            BuildProgress::Built { graph, took } => format!("{graph}: built in {:.0} s", took.as_secs_f64()),
        });
    };
    let built = mouthpiece_musetalk::build_engines(&runtime, &networks, &mut tell);
    built.map_err(|e| RenderError::Engine(EngineError::Load(e.into())))
}

/// The settings in the engine's own terms.
#[cfg(feature = "neural")]
fn musetalk(neural: &NeuralSettings) -> Result<mouthpiece_musetalk::MuseTalkSettings, mouthpiece_engine::EngineError> {
    use mouthpiece_musetalk::{CropOptions, DecoderChoice, GraphFolder, LaunchChoice, MuseTalkSettings, Provider};
    use mouthpiece_worker_settings::{NeuralDecoder, NeuralLaunch};
    let folder =
        GraphFolder::named_or_cached(&neural.graphs).map_err(|e| mouthpiece_engine::EngineError::Load(e.into()))?;
    let mut settings = MuseTalkSettings::new(folder.0);
    settings.networks.provider = match neural.provider {
        NeuralProvider::Auto => None,
        NeuralProvider::TensorRt => Some(Provider::TensorRt),
        NeuralProvider::TensorRtRtx => Some(Provider::TensorRtRtx),
        NeuralProvider::Cuda => Some(Provider::Cuda),
        NeuralProvider::Cpu => Some(Provider::Cpu),
    };
    settings.networks.decoder = match neural.decoder {
        NeuralDecoder::Auto | NeuralDecoder::Full => DecoderChoice::Full,
        NeuralDecoder::Tiny => DecoderChoice::Tiny,
    };
    settings.networks.launch = match neural.launch {
        NeuralLaunch::Auto => LaunchChoice::Auto,
        NeuralLaunch::Plain => LaunchChoice::Plain,
    };
    settings.sessions = neural.sessions.max(1).into();
    settings.hold = (neural.decoder == NeuralDecoder::Auto).then(|| neural.sessions.max(1).into());
    settings.networks.device = neural.device.into();
    settings.networks.threads = neural.threads.into();
    let share = |percent: u8| f32::from(percent) / 100.0;
    let (extra_margin, cheeks, jaw) = (f32::from(neural.extra_margin), share(neural.cheeks), share(neural.jaw));
    settings.restores = neural.restoration;
    settings.crop = CropOptions { extra_margin, cheeks, jaw };
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_worker_settings::{ENGINES, KnownEngine};

    struct Id;

    impl ForEngine for Id {
        type Output = &'static str;

        fn with<E: Engine>(self, engine: E) -> &'static str {
            engine.id()
        }
    }

    #[test]
    fn every_known_engine_can_be_chosen() {
        let graphs = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/twins").into();
        let neural = NeuralSettings { graphs, ..NeuralSettings::default() };
        for KnownEngine { name, .. } in ENGINES {
            let id = match with_engine(name, &neural, Id) {
                Err(RenderError::NotInThisBuild(absent)) if !cfg!(feature = "neural") => format!("{absent}/"),
                loaded => loaded.unwrap().to_owned(),
            };
            assert_eq!(
                id.split_once('/').map(|(id, _)| id),
                Some(*name),
                "avatars of two engines must not be mixed up"
            );
        }
    }

    #[test]
    fn an_unknown_engine_is_refused() {
        let refused = with_engine("magic", &NeuralSettings::default(), Id).unwrap_err();
        assert!(refused.is_input() && refused.to_string().starts_with("there is no engine 'magic'"), "{refused}");
    }
}
