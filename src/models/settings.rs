//! What is set about models.

use super::licence::AllowedLicences;
use super::sources::Mirror;
use crate::config::{ConfigError, ModelSettings};
use std::path::PathBuf;

/// What is set about models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelsSettings {
    /// The folder of fetched files; empty: one in the user's cache.
    pub folder: PathBuf,
    /// Places that are asked before the one where a file is published.
    pub mirrors: Vec<Mirror>,
    /// Licences that the user accepts beside the permissive ones.
    pub allowed: AllowedLicences,
}

impl ModelsSettings {
    /// Of what stands in the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] about the mirrors that cannot be understood.
    pub fn new(told: ModelSettings) -> Result<Self, ConfigError> {
        let (mut mirrors, mut problems) = (Vec::new(), Vec::new());
        for text in &told.mirrors {
            match Mirror::parse(text) {
                Ok(mirror) => mirrors.push(mirror),
                Err(problem) => problems.push(format!("models.mirrors: {problem}")),
            }
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        Ok(Self { folder: told.folder, mirrors, allowed: AllowedLicences(told.allow_licences) })
    }
}
