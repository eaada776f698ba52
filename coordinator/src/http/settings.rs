//! How the HTTP side is set up.

use super::public_url::PublicUrl;
use crate::office::{FetchSettings, IntakeSettings, LiveSettings, OfficeSettings, SessionBounds};
use mouthpiece_domain::retention::RetentionAges;
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
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
    /// Uploads (and fetches) at a time; more are answered with 503, of one key more than half of them with 429.
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
    pub retention: RetentionAges,
    /// Where browsers fetch results by links that the artifact store gives, `scheme://host[:port]`; `None`: they are sent from
    /// here.
    pub link_origin: Option<String>,
    /// What a gigabyte costs that viewers are sent, in millionths of a US dollar.
    pub egress_micro_usd_per_gb: u64,
}

impl HttpSettings {
    /// What of this is the office's.
    pub fn office(&self) -> OfficeSettings {
        OfficeSettings {
            intake: IntakeSettings {
                staging: self.staging.clone(),
                max_uploads: self.max_uploads,
                portrait_bytes: self.portrait_bytes,
                speech_bytes: self.speech_bytes,
                fetch: self.fetch.clone(),
            },
            sessions: self.sessions.clone(),
            live: self.live.clone(),
            retention: self.retention,
            egress_micro_usd_per_gb: self.egress_micro_usd_per_gb,
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
            max_uploads: 64,
            max_streams: 1024,
            portrait_bytes: 64 * 1024 * 1024,
            speech_bytes: 512 * 1024 * 1024,
            fetch: FetchSettings::default(),
            sessions: SessionBounds::default(),
            live: LiveSettings::default(),
            retention: RetentionAges::default(),
            link_origin: None,
            egress_micro_usd_per_gb: 0,
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
