//! Where the broker is, and how it is spoken to.

use crate::error::RabbitError;
use lapin::uri::{AMQPScheme, AMQPUri};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How the bus is opened. The address holds credentials: nothing here is shown by `Debug` but its harmless parts.
#[derive(Clone)]
pub struct RabbitOptions {
    /// `amqp://user:password@host:port/vhost`, or `amqps:` for TLS.
    pub url: String,
    /// A PEM file with the authorities that are trusted beside the system's, for `amqps:`.
    pub ca_file: Option<PathBuf>,
    /// Every exchange and queue of the farm begins with it, so that several farms can share a broker.
    pub prefix: String,
    /// The longest that one call to the broker may take, a publisher's confirm included.
    pub patience: Duration,
    /// The longest that connecting may take, TLS and login included.
    pub connect_patience: Duration,
    /// Both sides close a connection on which nothing was heard for twice as long; whole seconds.
    pub heartbeat: Duration,
    /// How many messages are published at the same time at most; others wait within their `patience`.
    pub in_flight: u16,
    /// How often a command is handed out without an answer before it comes back.
    pub deliveries: u32,
    /// How long a command waits in its worker's queue before it comes back; 49 days at most.
    pub unclaimed: Duration,
}

impl RabbitOptions {
    /// The usual options for a broker.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            prefix: "mouthpiece".into(),
            patience: Duration::from_secs(2),
            connect_patience: Duration::from_secs(5),
            heartbeat: Duration::from_secs(5),
            in_flight: 64,
            deliveries: 5,
            unclaimed: Duration::from_secs(60),
        }
    }

    /// Checks the ranges, parses the address and reads the file of authorities.
    pub(crate) fn address(&self) -> Result<Address, RabbitError> {
        let of_prefix = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        if self.prefix.is_empty() || self.prefix.len() > 60 || !self.prefix.bytes().all(of_prefix) {
            return Err(RabbitError::Prefix);
        }
        // The broker keeps these names for itself.
        if self.prefix.starts_with("amq.") {
            return Err(RabbitError::Prefix);
        }
        let heartbeat = self.heartbeat.as_secs();
        let waits = [self.patience, self.connect_patience, self.unclaimed];
        if waits.iter().any(Duration::is_zero)
            || !(1..=600).contains(&heartbeat)
            || self.in_flight == 0
            || self.deliveries == 0
            || self.unclaimed > LONGEST
        {
            return Err(RabbitError::Ranges);
        }
        // What the parser says may quote the password.
        let mut uri: AMQPUri = self.url.parse().map_err(|_| RabbitError::Url)?;
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        uri.query.heartbeat = u16::try_from(heartbeat).ok();
        let authorities = match &self.ca_file {
            None => None,
            Some(_) if uri.scheme == AMQPScheme::AMQP => return Err(RabbitError::CaWithoutTls),
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|e| RabbitError::Ca(file.clone(), e.kind()))?;
                if !text.contains("BEGIN CERTIFICATE") {
                    return Err(RabbitError::Ca(file.clone(), std::io::ErrorKind::InvalidData));
                }
                Some(text)
            }
        };
        Ok(Address { uri, authorities })
    }
}

/// The longest that the broker counts, in milliseconds of 32 bits.
const LONGEST: Duration = Duration::from_millis(u32::MAX as u64 - 1);

impl fmt::Debug for RabbitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.url.parse::<AMQPUri>();
        let place = uri.map_or_else(|_| "?".into(), |uri| place(&uri));
        f.debug_struct("RabbitOptions")
            .field("broker", &place)
            .field("prefix", &self.prefix)
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

/// The broker's address, ready to be used.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) uri: AMQPUri,
    pub(crate) authorities: Option<String>,
}

impl Address {
    /// Host and port, as messages name the broker.
    pub(crate) fn place(&self) -> String {
        place(&self.uri)
    }

    pub(crate) fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    pub(crate) fn vhost(&self) -> &str {
        &self.uri.vhost
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

fn place(uri: &AMQPUri) -> String {
    format!("{}:{}", uri.authority.host, uri.authority.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let options = RabbitOptions::new("amqp://someone:hushhush@broker:5673/farm");
        let address = options.address().unwrap();
        assert_eq!((address.place().as_str(), address.user(), address.vhost()), ("broker:5673", "someone", "farm"));
        let shown = format!("{options:?} {address:?}");
        assert!(!shown.contains("hush") && shown.contains("broker:5673"), "{shown}");
        for bad in ["amqp://someone:hushhush@broker:port/x", "http://someone:hushhush@broker", "hushhush"] {
            let options = RabbitOptions::new(bad);
            let shown = format!("{options:?} {0:?} {0}", options.address().unwrap_err());
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let with = |change: fn(&mut RabbitOptions)| {
            let mut options = RabbitOptions::new("amqp://broker/");
            change(&mut options);
            options.address()
        };
        assert_eq!(with(|_| ()).unwrap().vhost(), "/");
        assert!(matches!(with(|o| o.prefix = "Farm 1".into()), Err(RabbitError::Prefix)));
        assert!(matches!(with(|o| o.prefix = "amq.x".into()), Err(RabbitError::Prefix)));
        assert!(matches!(with(|o| o.in_flight = 0), Err(RabbitError::Ranges)));
        assert!(matches!(with(|o| o.unclaimed = Duration::MAX), Err(RabbitError::Ranges)));
        assert!(matches!(with(|o| o.heartbeat = Duration::from_millis(10)), Err(RabbitError::Ranges)));
        assert!(matches!(with(|o| o.ca_file = Some("ca.pem".into())), Err(RabbitError::CaWithoutTls)));
        let missing = |o: &mut RabbitOptions| {
            o.url = "amqps://broker/".into();
            o.ca_file = Some("/nowhere/ca.pem".into());
        };
        assert!(matches!(with(missing), Err(RabbitError::Ca(..))));
    }
}
