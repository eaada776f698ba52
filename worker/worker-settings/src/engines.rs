//! Which engines there are, by name.

use thiserror::Error;

/// An engine as configuration and people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEngine {
    /// What it is called in settings and on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// All engines, whether this build has them or not: a coordinator reads the settings of workers that are other builds. The first is taken where none is named.
pub const ENGINES: &[KnownEngine] = &[
    KnownEngine { name: "puppet", about: "Moves the portrait itself, on the CPU, without downloaded weights" },
    KnownEngine {
        name: "musetalk",
        about: "Draws the mouth anew by MuseTalk's networks, on a GPU; needs their graphs",
    },
];

/// The engine that is taken where none is named.
pub const DEFAULT_ENGINE: &str = ENGINES[0].name;

/// An engine that does not exist.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no engine '{asked}': known are {}", names())]
pub struct UnknownEngine {
    /// What was asked for.
    pub asked: String,
}

fn names() -> String {
    ENGINES.iter().map(|engine| engine.name).collect::<Vec<_>>().join(", ")
}

/// Refuses a name that no engine has, without loading anything.
///
/// # Errors
/// [`UnknownEngine`].
pub fn check_engine(name: &str) -> Result<(), UnknownEngine> {
    let known = ENGINES.iter().any(|engine| engine.name == name);
    if known { Ok(()) } else { Err(UnknownEngine { asked: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_engine_is_refused_with_those_that_there_are() {
        let told = format!("there is no engine 'magic': known are {}", names());
        assert!(told.contains("puppet"));
        assert_eq!(check_engine("magic").unwrap_err().to_string(), told);
        for KnownEngine { name, .. } in ENGINES {
            assert_eq!(check_engine(name), Ok(()));
        }
    }
}
