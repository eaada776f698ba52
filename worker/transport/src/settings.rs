//! What a transport and its streams are told at their start.

use crate::error::TransportError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// How a worker is reached by viewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportSettings {
    /// Where the one UDP socket is bound; port 0 takes any free one.
    pub bind: SocketAddr,
    /// The addresses told to viewers. Empty: those that this machine uses towards the world, and the loopback address when
    /// `bind` allows it.
    pub addresses: Vec<IpAddr>,
    /// The addresses are reachable from everywhere: ICE-lite, which needs no checks of ours.
    pub public: bool,
    /// A STUN server, `host:port`, asked at the start which public address this socket has behind its NAT.
    pub stun: Option<String>,
    /// Viewers of all streams together, at least 1.
    pub max_viewers: usize,
    /// Viewers of one stream, at least 1.
    pub max_viewers_per_stream: usize,
}

impl TransportSettings {
    /// Refuses what cannot work, by name.
    ///
    /// # Errors
    /// [`TransportError::Setting`].
    pub(crate) fn check(&self) -> Result<(), TransportError> {
        let refuse = |key, range| Err(TransportError::Setting { key, range });
        if self.max_viewers == 0 {
            return refuse("max_viewers", "at least 1");
        }
        if self.max_viewers_per_stream == 0 {
            return refuse("max_viewers_per_stream", "at least 1");
        }
        if self.addresses.iter().any(|a| a.is_unspecified() || a.is_multicast()) {
            return refuse("addresses", "addresses that a viewer can send to");
        }
        Ok(())
    }
}

/// The media of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamParams {
    /// Frames a second, 1 to 240.
    pub fps: u32,
    /// Video, bits a second: least and most. What the network bears is told within these.
    pub bitrate: [u32; 2],
}

impl StreamParams {
    /// Refuses what cannot work, by name.
    ///
    /// # Errors
    /// [`TransportError::Setting`].
    pub(crate) fn check(&self) -> Result<(), TransportError> {
        if !(1..=240).contains(&self.fps) {
            return Err(TransportError::Setting { key: "fps", range: "1 to 240" });
        }
        let [least, most] = self.bitrate;
        if least == 0 || least > most {
            return Err(TransportError::Setting { key: "bitrate", range: "least and most, neither 0" });
        }
        Ok(())
    }
}

/// Names a stream of one transport. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TransportSettings {
        TransportSettings {
            bind: SocketAddr::from(([0, 0, 0, 0], 0)),
            addresses: vec![],
            public: false,
            stun: None,
            max_viewers: 1,
            max_viewers_per_stream: 1,
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        assert!(settings().check().is_ok());
        let none = TransportSettings { max_viewers: 0, ..settings() };
        assert!(none.check().unwrap_err().to_string().contains("max_viewers"));
        let none = TransportSettings { max_viewers_per_stream: 0, ..settings() };
        assert!(none.check().unwrap_err().to_string().contains("max_viewers_per_stream"));
        let anywhere = TransportSettings { addresses: vec![[0, 0, 0, 0].into()], ..settings() };
        assert!(anywhere.check().unwrap_err().to_string().contains("addresses"));
    }

    #[test]
    fn a_stream_has_a_rate_and_bounds() {
        assert!(StreamParams { fps: 25, bitrate: [1, 1] }.check().is_ok());
        assert!(StreamParams { fps: 0, bitrate: [1, 1] }.check().is_err());
        assert!(StreamParams { fps: 25, bitrate: [2, 1] }.check().is_err());
        assert!(StreamParams { fps: 25, bitrate: [0, 1] }.check().is_err());
    }
}
