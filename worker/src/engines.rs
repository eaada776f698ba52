//! Which engines there are, and the one place where one is chosen.
//!
//! Everything else is written for any engine, and gets its own copy of the code for each: no call on a frame's way is looked
//! up. A new engine is a crate that implements [`Engine`], an arm of the `match` in [`with_engine`], and its row of
//! [`ENGINES`](mouthpiece_worker_settings::ENGINES).

use crate::RenderError;
use mouthpiece_engine::Engine;
use mouthpiece_worker_settings::{NeuralSettings, UnknownEngine};

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

/// The settings in the engine's own terms.
#[cfg(feature = "neural")]
fn musetalk(neural: &NeuralSettings) -> Result<mouthpiece_musetalk::MuseTalkSettings, mouthpiece_engine::EngineError> {
    use mouthpiece_musetalk::{DecoderChoice, GraphFolder, MuseTalkSettings, Provider};
    use mouthpiece_worker_settings::{NeuralDecoder, NeuralProvider};
    let folder = GraphFolder::named_or_cached(&neural.graphs)?;
    let mut settings = MuseTalkSettings::new(folder.0);
    settings.networks.provider = match neural.provider {
        NeuralProvider::Auto => None,
        NeuralProvider::TensorRt => Some(Provider::TensorRt),
        NeuralProvider::Cuda => Some(Provider::Cuda),
        NeuralProvider::Cpu => Some(Provider::Cpu),
    };
    settings.networks.decoder = match neural.decoder {
        NeuralDecoder::Full => DecoderChoice::Full,
        NeuralDecoder::Tiny => DecoderChoice::Tiny,
    };
    settings.networks.device = neural.device.into();
    settings.networks.threads = neural.threads.into();
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
