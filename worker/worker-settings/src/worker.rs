//! How a worker is set up.

use crate::{DEFAULT_ENGINE, NeuralSettings, ProvenanceSettings};
use mouthpiece_domain::fleet::MachineId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Most slots of one worker.
pub const MAX_SLOTS: u8 = 64;

/// How a worker is set up. Keys that are not known are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Slots at most, 1 to 64; a machine that is measured too slow for them offers fewer.
    pub slots: u8,
    /// A name for people; the machine's if it is not given.
    pub name: String,
    /// The engine that draws, by its name; an unknown one is refused at the start.
    pub engine: String,
    /// How it is set up if it is a neural one.
    pub neural: NeuralSettings,
    /// What the machine costs is looked up under this.
    pub instance_type: String,
    /// How long the machine was up already when this process began, where it was started for this worker: that is its time too.
    #[serde(with = "millis")]
    pub up_before: Duration,
    /// The cloud's name for the machine, where it is given back when the worker leaves.
    pub machine: Option<MachineId>,
    /// Prepared avatars are kept in memory up to this size, in MiB.
    pub cache_mib: u32,
    /// Where files are made before they are stored. A folder for each worker is made in it, and removed.
    pub scratch: PathBuf,
    /// A draining worker hands over what still runs after this long.
    #[serde(with = "millis")]
    pub drain_timeout: Duration,
    /// Measure at the start how many frames a second are sustained. Without it all slots are offered.
    pub measure: bool,
    /// Every frame of every film and live session bears a visible mark: it was made by a machine.
    pub mark: bool,
    /// What films are signed with.
    pub provenance: ProvenanceSettings,
    /// How viewers of live sessions reach this worker.
    pub rtc: RtcSettings,
    /// Its `renew` paces the heartbeats, which count for `expiry`. Sessions come with terms of their own.
    pub lease: LeaseTerms,
}

/// How viewers of live sessions reach a worker: one UDP port for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RtcSettings {
    /// Where the port is opened; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The addresses that viewers are told. Found by itself where none are given.
    pub addresses: Vec<IpAddr>,
    /// The told addresses are reachable from everywhere: viewers connect to them without negotiation (ICE-lite).
    pub public: bool,
    /// A STUN server, `host:port`: asked at the start for the address that the world sees.
    pub stun: Option<String>,
    /// Viewers of all sessions, at most.
    pub max_viewers: usize,
    /// Viewers of one session, at most.
    pub max_viewers_per_session: usize,
}

impl Default for RtcSettings {
    /// Any free port on all addresses, of IPv6 where there is any, found by itself, 256 viewers, 16 a session.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
            addresses: Vec::new(),
            public: false,
            stun: None,
            max_viewers: 256,
            max_viewers_per_session: 16,
        }
    }
}

impl Default for WorkerSettings {
    /// Two slots, named after the machine, the first engine, type `local`, 512 MiB of avatars, an hour for draining, measured, no mark, nothing signed.
    fn default() -> Self {
        Self {
            slots: 2,
            name: machine(),
            engine: DEFAULT_ENGINE.to_owned(),
            neural: NeuralSettings::default(),
            instance_type: "local".to_owned(),
            up_before: Duration::ZERO,
            machine: None,
            cache_mib: 512,
            scratch: std::env::temp_dir().join("mouthpiece"),
            drain_timeout: Duration::from_secs(3600),
            measure: true,
            mark: false,
            provenance: ProvenanceSettings::default(),
            rtc: RtcSettings::default(),
            lease: LeaseTerms::default(),
        }
    }
}

/// A setting out of its range.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("worker.{key} is {got}: it must be {range}")]
pub struct SettingsError {
    key: &'static str,
    got: String,
    range: &'static str,
}

impl WorkerSettings {
    /// Refuses what makes no worker.
    ///
    /// # Errors
    /// [`SettingsError`] names the setting and its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        let refuse = |key, got: &dyn ToString, range| Err(SettingsError { key, got: got.to_string(), range });
        if !(1..=MAX_SLOTS).contains(&self.slots) {
            return refuse("slots", &self.slots, "1 to 64");
        }
        if self.name.is_empty() || self.name.len() > 100 {
            return refuse("name", &format_args!("'{}'", self.name), "1 to 100 bytes long");
        }
        if self.instance_type.is_empty() || self.instance_type.len() > 100 {
            return refuse("instance_type", &format_args!("'{}'", self.instance_type), "1 to 100 bytes long");
        }
        if self.scratch.as_os_str().is_empty() {
            return refuse("scratch", &"''", "the name of a folder");
        }
        Ok(())
    }
}

/// The machine's name, as far as the system tells it.
fn machine() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    let name: String = told.unwrap_or_default().trim().chars().take(60).collect();
    if name.is_empty() { "worker".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_bad_values_are_refused() {
        let read = |text: &str| serde_json::from_str::<WorkerSettings>(text);
        assert_eq!(read(r#"{"slots":3}"#).unwrap(), WorkerSettings { slots: 3, ..WorkerSettings::default() });
        assert!(read(r#"{"slot":3}"#).unwrap_err().to_string().contains("unknown field `slot`"));
        assert!(WorkerSettings::default().check().is_ok());
        let error = WorkerSettings { slots: 0, ..WorkerSettings::default() }.check().unwrap_err().to_string();
        assert_eq!(error, "worker.slots is 0: it must be 1 to 64");
    }
}
