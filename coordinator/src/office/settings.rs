//! How the office is set up.

use super::live::LiveSettings;
use mouthpiece_domain::retention::RetentionAges;
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Limits and habits.
#[derive(Debug, Clone)]
pub struct OfficeSettings {
    /// Of files from callers.
    pub intake: IntakeSettings,
    /// What sessions may ask for.
    pub sessions: SessionBounds,
    /// Of live sessions.
    pub live: LiveSettings,
    /// How long things are kept.
    pub retention: RetentionAges,
    /// What a gigabyte (a thousand million bytes) costs that viewers are sent, in millionths of a US dollar.
    pub egress_micro_usd_per_gb: u64,
}

/// Limits of files.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// Where they lie while they arrive.
    pub staging: PathBuf,
    /// So many arrive at a time.
    pub max_uploads: usize,
    /// The largest portrait.
    pub portrait_bytes: u64,
    /// The largest recording.
    pub speech_bytes: u64,
    /// How files are fetched.
    pub fetch: FetchSettings,
}

/// How files are fetched that a caller names by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchSettings {
    /// How long a connection may take.
    #[serde(with = "millis")]
    pub connect_timeout: Duration,
    /// How long everything may take, redirects included.
    #[serde(with = "millis")]
    pub total_timeout: Duration,
    /// Addresses that may be fetched from although they are not public, for example an artifact store of one's own.
    pub private_addresses: Vec<IpAddr>,
}

/// What sessions may ask for, and what they get when they do not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionBounds {
    /// How long a session waits for a slot if it does not say.
    #[serde(with = "millis")]
    pub queue_timeout: Duration,
    /// How long it may ask to wait at most.
    #[serde(with = "millis")]
    pub longest_queue_timeout: Duration,
    /// How long a session may hold a slot if it does not say.
    #[serde(with = "millis")]
    pub max_duration: Duration,
    /// How long it may ask for at most.
    #[serde(with = "millis")]
    pub longest_duration: Duration,
    /// Open sessions of a new key, unless it is made with another number.
    pub key_max_open: u32,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(60),
            private_addresses: Vec::new(),
        }
    }
}

impl Default for SessionBounds {
    fn default() -> Self {
        Self {
            queue_timeout: Duration::from_secs(600),
            longest_queue_timeout: Duration::from_secs(24 * 3600),
            max_duration: Duration::from_secs(3600),
            longest_duration: Duration::from_secs(24 * 3600),
            key_max_open: 16,
        }
    }
}
