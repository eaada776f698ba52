//! Which engines there are, and the one place where one is chosen.
//!
//! Everything else is written for any engine, and gets its own copy of the code for each: no call on a frame's way is looked
//! up. A new engine is a crate that implements [`Engine`], an arm of the `match` in [`with_engine`], and its row of
//! [`ENGINES`].

use crate::RenderError;
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

/// All engines; the first is taken where none is named.
pub const ENGINES: [KnownEngine; 1] =
    [KnownEngine { name: "puppet", about: "Moves the portrait itself, on the CPU, without downloaded weights" }];

/// The engine that is taken where none is named.
pub const DEFAULT_ENGINE: &str = ENGINES[0].name;

/// An engine that this program does not have.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no engine '{asked}': known are {}", ENGINES.map(|engine| engine.name).join(", "))]
pub struct UnknownEngine {
    /// What was asked for.
    pub asked: String,
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

/// Loads the engine called `name` and does `work` with it.
///
/// # Errors
/// [`RenderError::UnknownEngine`], or [`RenderError::Engine`] when it cannot be loaded.
pub fn with_engine<W: ForEngine>(name: &str, work: W) -> Result<W::Output, RenderError> {
    match name {
        "puppet" => Ok(work.with(mouthpiece_puppet::Puppet::load()?)),
        _ => Err(UnknownEngine { asked: name.to_owned() }.into()),
    }
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
        for KnownEngine { name, .. } in ENGINES {
            assert_eq!(check_engine(name), Ok(()));
            let id = with_engine(name, Id).unwrap();
            assert_eq!(id.split_once('/').map(|(id, _)| id), Some(name), "avatars of two engines must not be mixed up");
        }
    }

    #[test]
    fn an_unknown_engine_is_refused_with_those_that_there_are() {
        let told = "there is no engine 'magic': known are puppet";
        assert_eq!(check_engine("magic").unwrap_err().to_string(), told);
        let refused = with_engine("magic", Id).unwrap_err();
        assert!(refused.is_input() && refused.to_string() == told, "{refused}");
    }
}
