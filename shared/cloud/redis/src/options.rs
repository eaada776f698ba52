//! How a pool in Redis is reached and what it grants.

use crate::fault::RedisFault;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the pool is and how it is used. Its text shows no password.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: String,
    /// Instead of the URL's user.
    pub user: Option<String>,
    /// Instead of the URL's password.
    pub password: Option<String>,
    /// PEM file of the authorities to trust instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// What all keys begin with. Farms that share a server must differ in it.
    pub prefix: String,
    /// The longest lease that is granted, and the grace after data were lost, during which nothing new is granted. One value
    /// for all processes of a farm.
    pub longest_lease: Duration,
    /// Every call ends within this; half of it may go into a connection.
    pub call_limit: Duration,
}

impl RedisOptions {
    /// The defaults: prefix `mouthpiece:`, leases up to 10 s, calls of at most 1 s, the machine's authorities.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            user: None,
            password: None,
            ca_file: None,
            prefix: "mouthpiece:".into(),
            longest_lease: Duration::from_secs(10),
            call_limit: Duration::from_secs(1),
        }
    }

    /// The client, the server's host and port, and whether it speaks TLS.
    pub(crate) fn client(&self) -> Result<(Client, String, bool), RedisFault> {
        self.check()?;
        // The library's own words may repeat the URL, and with it a password.
        let info = self.url.as_str().into_connection_info().map_err(|_| {
            wrong("this is no Redis URL: write redis://host:6379, or rediss:// for TLS, with a port and a database as numbers")
        })?;
        let (place, tls) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (format!("{host}:{port}"), false),
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                return Err(wrong("a certificate is always checked: leave `#insecure` out and set `ca_file`"));
            }
            ConnectionAddr::TcpTls { host, port, .. } => (format!("{host}:{port}"), true),
            _ => return Err(wrong("Redis is reached over TCP: write redis://host:port")),
        };
        let info = self.with_credentials(info);
        let client = match (&self.ca_file, tls) {
            (Some(_), false) => return Err(wrong("`ca_file` is for TLS: write rediss:// instead of redis://")),
            (Some(file), true) => {
                let pem = std::fs::read(file).map_err(|e| {
                    wrong(format!("the file of `ca_file` cannot be read ({}): set its path and rights", e.kind()))
                })?;
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem) })
                    .map_err(|_| wrong("the file of `ca_file` holds no PEM certificates"))?
            }
            (None, _) => Client::open(info).map_err(|_| wrong("no client can be made for this Redis URL"))?,
        };
        Ok((client, place, tls))
    }

    fn check(&self) -> Result<(), RedisFault> {
        if self.longest_lease < Duration::from_millis(1) || self.longest_lease > Duration::from_secs(24 * 3600) {
            return Err(wrong("the longest lease must be from 1 ms to a day"));
        }
        if self.call_limit < Duration::from_millis(10) {
            return Err(wrong("the limit of a call must be at least 10 ms"));
        }
        if self.prefix.len() > 100 || self.prefix.contains(['{', '}']) {
            return Err(wrong("the prefix of the keys has at most 100 bytes and no braces"));
        }
        Ok(())
    }

    fn with_credentials(&self, info: ConnectionInfo) -> ConnectionInfo {
        let mut settings = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        info.set_redis_settings(settings)
    }
}

fn wrong(words: impl Into<String>) -> RedisFault {
    RedisFault::Options(words.into())
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("longest_lease", &self.longest_lease)
            .field("call_limit", &self.call_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl FnOnce(&mut RedisOptions)) -> String {
        let mut options = RedisOptions::new("redis://amy:hush-hush@localhost:6379/0");
        change(&mut options);
        options.client().unwrap_err().to_string()
    }

    #[test]
    fn wrong_options_are_told_without_their_secrets() {
        let said = [
            fault(|o| o.url = "redis://amy:hush-hush@localhost:notaport".into()),
            fault(|o| o.url = "http://amy:hush-hush@localhost".into()),
            fault(|o| o.url = "rediss://amy:hush-hush@localhost:6379/#insecure".into()),
            fault(|o| o.url = "unix:///run/redis?pass=hush-hush".into()),
            fault(|o| o.ca_file = Some("/nowhere/ca.pem".into())),
            fault(|o| {
                o.url = "rediss://amy:hush-hush@localhost".into();
                o.ca_file = Some("/nowhere/ca.pem".into());
            }),
            fault(|o| o.prefix = "a{b}".into()),
            fault(|o| o.longest_lease = Duration::ZERO),
            fault(|o| o.call_limit = Duration::ZERO),
        ];
        for words in &said {
            assert!(!words.contains("hush-hush") && words.len() > 20, "{words}");
        }
        let mut options = RedisOptions::new("redis://amy:hush-hush@localhost");
        options.password = Some("hush-hush".into());
        assert!(!format!("{options:?}").contains("hush-hush"));
    }

    #[test]
    fn the_place_is_host_and_port() {
        let place = |url: &str| RedisOptions::new(url).client().map(|(_, place, tls)| (place, tls));
        assert_eq!(place("redis://:secret@pool.example/2"), Ok(("pool.example:6379".into(), false)));
        assert_eq!(place("rediss://pool.example:7000"), Ok(("pool.example:7000".into(), true)));
    }
}
