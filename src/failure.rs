//! How the command ends.

use crate::config::ConfigError;
use crate::data::DataError;
#[cfg(feature = "worker")]
use crate::eval::TargetsMissed;
use crate::keys::NoSuchKey;
use crate::page_link::NoKeyAtAll;
use crate::say;
use crate::up::ListenError;
#[cfg(feature = "loadtest")]
use mouthpiece_loadtest::LoadError;
#[cfg(feature = "worker")]
use mouthpiece_media::quality::QualityError;
#[cfg(feature = "worker")]
use mouthpiece_worker::RenderError;
use std::process::ExitCode;

/// The exit code for what was given but cannot be used.
const BAD_INPUT: u8 = 2;
/// The exit code for what was measured and is not as good as was asked for.
#[cfg(feature = "worker")]
const TARGETS_MISSED: u8 = 3;
/// The shells' exit code for a program ended by Ctrl-C.
#[cfg(feature = "worker")]
const INTERRUPTED: u8 = 130;

/// Prints an error, if there is one, and says how the process should end.
pub fn exit_code(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    #[cfg(feature = "worker")]
    if let Some(RenderError::Cancelled) = error.downcast_ref() {
        say::aside("interrupted: nothing was written");
        return ExitCode::from(INTERRUPTED);
    }
    #[cfg(feature = "loadtest")]
    if let Some(interrupted @ LoadError::Interrupted) = error.downcast_ref() {
        say::aside(interrupted);
        return ExitCode::from(INTERRUPTED);
    }
    #[cfg(feature = "neural")]
    if let Some(words) = export_interrupted(&error) {
        say::aside(words);
        return ExitCode::from(INTERRUPTED);
    }
    #[cfg(feature = "worker")]
    if let Some(missed @ TargetsMissed { .. }) = error.downcast_ref() {
        say::aside(missed);
        return ExitCode::from(TARGETS_MISSED);
    }
    say::aside(format_args!("error: {}", sentence(&error)));
    let input = of_pictures(&error)
        || error.is::<ConfigError>()
        || error.is::<DataError>()
        || error.is::<ListenError>()
        || error.is::<NoSuchKey>()
        || error.is::<NoKeyAtAll>()
        || of_scenarios(&error)
        || of_models(&error);
    if input { ExitCode::from(BAD_INPUT) } else { ExitCode::FAILURE }
}

/// What was to be drawn or looked at.
#[cfg(feature = "worker")]
fn of_pictures(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(RenderError::is_input) || error.downcast_ref().is_some_and(QualityError::is_input)
}

#[cfg(not(feature = "worker"))]
fn of_pictures(_error: &anyhow::Error) -> bool {
    false
}

/// A scenario's file.
#[cfg(feature = "loadtest")]
fn of_scenarios(error: &anyhow::Error) -> bool {
    error.is::<mouthpiece_loadtest::scenario::ScenarioError>()
}

#[cfg(not(feature = "loadtest"))]
fn of_scenarios(_error: &anyhow::Error) -> bool {
    false
}

/// Names and licences that were asked for, and manifests that were given.
#[cfg(feature = "neural")]
fn of_models(error: &anyhow::Error) -> bool {
    use crate::models::{ManifestError, ModelsError, PythonError};
    error.downcast_ref().is_some_and(ModelsError::is_input)
        || error.downcast_ref().is_some_and(PythonError::is_input)
        || error.is::<ManifestError>()
}

/// What is told when making graphs was interrupted.
#[cfg(feature = "neural")]
fn export_interrupted(error: &anyhow::Error) -> Option<String> {
    use crate::models::{ModelsError, PythonError};
    let graphs = matches!(error.downcast_ref(), Some(ModelsError::Interrupted));
    let packages = matches!(error.downcast_ref(), Some(PythonError::Interrupted));
    (graphs || packages).then(|| error.to_string())
}

#[cfg(not(feature = "neural"))]
fn of_models(_error: &anyhow::Error) -> bool {
    false
}

/// An error with its causes, but for those that it tells itself already.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |mut told, cause| {
        if !told.contains(&cause) {
            told = if told.is_empty() { cause } else { format!("{told}: {cause}") };
        }
        told
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let missing = || anyhow::anyhow!("no such file");
        assert_eq!(sentence(&missing().context("'a.png': no such file")), "'a.png': no such file");
        assert_eq!(sentence(&missing().context("standard output")), "standard output: no such file");
    }
}
