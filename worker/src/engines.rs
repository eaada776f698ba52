//! Which engines there are, and the one place where one is chosen.
//!
//! Everything else is written for any engine, and gets its own copy of the code for each: no call on a frame's way is looked
//! up. A new engine is a crate that implements [`Engine`], an arm of the `match` in [`with_engine`], and its row of
//! [`ENGINES`].

use crate::{NeuralSettings, RenderError};
use mouthpiece_engine::Engine;
use thiserror::Error;

/// An engine as configuration and people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEngine {
    /// What it is called in settings and on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// All engines of this build; the first is taken where none is named.
pub const ENGINES: &[KnownEngine] = &[
    KnownEngine { name: "puppet", about: "Moves the portrait itself, on the CPU, without downloaded weights" },
    #[cfg(feature = "neural")]
    KnownEngine {
        name: "musetalk",
        about: "Draws the mouth anew by MuseTalk's networks, on a GPU; needs their graphs",
    },
];

/// The engine that is taken where none is named.
pub const DEFAULT_ENGINE: &str = ENGINES[0].name;

/// An engine that this program does not have.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no engine '{asked}': known are {}", names())]
pub struct UnknownEngine {
    /// What was asked for.
    pub asked: String,
}

fn names() -> String {
    ENGINES.iter().map(|engine| engine.name).collect::<Vec<_>>().join(", ")
}

/// Work that is written once, for any engine.
pub trait ForEngine {
    /// What comes of it.
    type Output;

    /// Does it with `engine`.
    fn with<E: Engine>(self, engine: E) -> Self::Output;
}

/// Refuses a name that no engine has, without loading anything.
///
/// # Errors
/// [`UnknownEngine`].
pub fn check_engine(name: &str) -> Result<(), UnknownEngine> {
    let known = ENGINES.iter().any(|engine| engine.name == name);
    if known { Ok(()) } else { Err(UnknownEngine { asked: name.to_owned() }) }
}

/// Loads the engine called `name` and does `work` with it. Neural ones are set up as `neural` says.
///
/// # Errors
/// [`RenderError::UnknownEngine`], or [`RenderError::Engine`] when it cannot be loaded.
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
        _ => Err(UnknownEngine { asked: name.to_owned() }.into()),
    }
}

/// The settings in the engine's own terms.
#[cfg(feature = "neural")]
fn musetalk(neural: &NeuralSettings) -> Result<mouthpiece_musetalk::MuseTalkSettings, mouthpiece_engine::EngineError> {
    use crate::neural::{NeuralDecoder, NeuralProvider};
    use mouthpiece_musetalk::{DecoderChoice, GraphFolder, MuseTalkSettings, Provider};
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
            assert_eq!(check_engine(name), Ok(()));
            let id = with_engine(name, &neural, Id).unwrap();
            assert_eq!(
                id.split_once('/').map(|(id, _)| id),
                Some(*name),
                "avatars of two engines must not be mixed up"
            );
        }
    }

    #[test]
    fn an_unknown_engine_is_refused_with_those_that_there_are() {
        let told = format!("there is no engine 'magic': known are {}", names());
        assert!(told.contains("puppet"));
        assert_eq!(check_engine("magic").unwrap_err().to_string(), told);
        let refused = with_engine("magic", &NeuralSettings::default(), Id).unwrap_err();
        assert!(refused.is_input() && refused.to_string() == told, "{refused}");
    }
}
