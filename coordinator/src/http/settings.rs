//! How the HTTP side is set up.

use super::live::LiveSettings;
use super::public_url::PublicUrl;
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::retention::Ages;
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Limits and habits of the HTTP side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Threads that serve requests; each takes its share of the connections.
    pub threads: usize,
    /// Connections at a time; more wait in the system's backlog.
    pub max_connections: usize,
    /// How long an idle connection is kept.
    #[serde(with = "millis")]
    pub keep_alive: Duration,
    /// How long a client may take for a request's head.
    #[serde(with = "millis")]
    pub head_timeout: Duration,
    /// How long a client may pause within a request's body.
    #[serde(with = "millis")]
    pub body_pause: Duration,
    /// How long requests may go on after the server was asked to stop.
    #[serde(with = "millis")]
    pub shutdown_timeout: Duration,
    /// Where callers reach this server, if a proxy stands before it. Trusted for what is printed and described, and for
    /// which pages are its own.
    pub public_url: Option<PublicUrl>,
    /// Where uploads lie while they arrive. On the same disk as the artifacts, storing them is cheap.
    pub staging: PathBuf,
    /// Uploads (and fetches) at a time; more are answered with 503.
    pub max_uploads: usize,
    /// Event streams at a time; more are answered with 503.
    pub max_streams: usize,
    /// The largest portrait.
    pub portrait_bytes: u64,
    /// The largest recording.
    pub speech_bytes: u64,
    /// How files are fetched that a caller names by address.
    pub fetch: FetchSettings,
    /// What sessions may ask for.
    pub sessions: SessionBounds,
    /// How live sessions are served.
    pub live: LiveSettings,
    /// How long things are kept, for people to be told.
    pub retention: Ages,
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

impl HttpSettings {
    /// The most bytes of a file.
    pub fn file_bytes(&self, given_as: FileUse) -> u64 {
        match given_as {
            FileUse::Picture | FileUse::Video | FileUse::Portrait => self.portrait_bytes,
            FileUse::Speech => self.speech_bytes,
        }
    }

    /// The name of the page's cookie. Cookies know no ports: two farms on one host tell theirs apart by this.
    pub fn cookie_name(&self) -> String {
        format!("mp_page_{}", self.bind.port())
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            threads: 2,
            max_connections: 4096,
            keep_alive: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
            body_pause: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(10),
            public_url: None,
            staging: std::env::temp_dir().join("mouthpiece-staging"),
            max_uploads: 32,
            max_streams: 1024,
            portrait_bytes: 64 * 1024 * 1024,
            speech_bytes: 512 * 1024 * 1024,
            fetch: FetchSettings::default(),
            sessions: SessionBounds::default(),
            live: LiveSettings::default(),
            retention: Ages::default(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_back_and_unknown_ones_refused() {
        let written = serde_json::to_string(&HttpSettings::default()).unwrap();
        assert_eq!(serde_json::from_str::<HttpSettings>(&written).unwrap(), HttpSettings::default());
        assert_eq!(serde_json::from_str::<HttpSettings>("{}").unwrap(), HttpSettings::default());
        assert!(serde_json::from_str::<HttpSettings>(r#"{"bnid":"127.0.0.1:1"}"#).is_err());
        assert!(serde_json::from_str::<HttpSettings>(r#"{"fetch":{"proxy":"x"}}"#).is_err());
        let live = r#"{"live":{"ice_servers":[{"urls":["stun:a"]}],"sockets":{"room":5}}}"#;
        let live = serde_json::from_str::<HttpSettings>(live).unwrap().live;
        assert_eq!((live.ice_servers[0].ttl_s, live.sockets.room.as_millis()), (86_400, 5));
        assert!(serde_json::from_str::<HttpSettings>(r#"{"live":{"turn":[]}}"#).is_err());
    }
}
