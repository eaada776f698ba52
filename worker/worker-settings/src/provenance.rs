//! What films are signed with.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What films are signed with (C2PA); nothing is signed where no certificates are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProvenanceSettings {
    /// A PEM file: the certificate that signs, then those above it.
    pub certificates: PathBuf,
    /// A PEM file: its private key, in PKCS#8.
    pub key_file: PathBuf,
    /// How the key signs: `es256`, `es384`, `es512`, `ps256`, `ps384`, `ps512` or `ed25519`.
    pub algorithm: String,
}

impl Default for ProvenanceSettings {
    /// Nothing is signed.
    fn default() -> Self {
        Self { certificates: PathBuf::new(), key_file: PathBuf::new(), algorithm: "es256".to_owned() }
    }
}
