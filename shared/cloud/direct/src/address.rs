//! Where a worker is called: `host:port` and nothing else.
//!
//! It comes from a heartbeat, so it is not believed: it can name neither a path nor a user, what answers there must prove that it is
//! the worker, and no address is dialled that belongs to the machine's surroundings instead of a network (a cloud's metadata
//! service).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use thiserror::Error;

/// Characters of a host name, at most (RFC 1035).
const LONGEST_HOST: usize = 253;

/// An address that is none.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("'{0}' is no worker's address: it must be host:port, 10.0.0.7:9000 or [fd00::7]:9000 for example")]
pub struct AddressError(String);

/// A worker's private address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerAddress {
    text: String,
    host: String,
    port: u16,
}

impl FromStr for WorkerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = || AddressError(text.chars().take(60).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
        let plain = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
        let port = port.parse().ok().filter(|_| plain).ok_or_else(refuse)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.strip_suffix(']').ok_or_else(refuse)?;
                inner.parse::<std::net::Ipv6Addr>().map_err(|_| refuse())?;
                inner
            }
            None if is_host(host) => host,
            None => return Err(refuse()),
        };
        Ok(Self { text: text.to_owned(), host: host.to_owned(), port })
    }
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= LONGEST_HOST && host.split('.').all(label)
}

impl fmt::Display for WorkerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl WorkerAddress {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name or number, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it leads now; without those that are never a worker's.
    pub(crate) async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.filter(|address| may_be_a_worker(address.ip())).collect())
    }
}

/// Not where clouds answer their machines, nor what is nobody's or many's.
fn may_be_a_worker(ip: IpAddr) -> bool {
    /// The metadata service of some clouds over IPv6.
    const METADATA: &str = "fd00:ec2::254";
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            !(ip.is_link_local() || ip.is_multicast() || ip.is_unspecified() || ip == Ipv4Addr::BROADCAST)
        }
        IpAddr::V6(ip) => {
            let link_local = ip.segments()[0] & 0xffc0 == 0xfe80;
            !(link_local || ip.is_multicast() || ip.is_unspecified() || METADATA.parse() == Ok(ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_nothing_else() {
        for good in ["10.0.0.7:9000", "[fd00::7]:9000", "worker-7.farm.internal:1", "w_1:65535"] {
            let address: WorkerAddress = good.parse().unwrap();
            assert_eq!(address.to_string(), good);
        }
        for bad in [
            "",
            "w",
            "w:",
            ":9000",
            "w:0",
            "w:070",
            "w:65536",
            "w:+7",
            "fd00::7:9000",
            "[w]:9000",
            "http://w:9000",
            "u:p@w:9000",
            "w/x:9000",
            "w:9000/x",
            "w?x:9000",
            "w x:9000",
            "-w:9000",
            "w..x:1",
            "w\r\nx:1",
            "\u{fc}:1",
        ] {
            assert!(bad.parse::<WorkerAddress>().is_err(), "{bad}");
        }
        assert!("w:1".repeat(100).parse::<WorkerAddress>().unwrap_err().to_string().len() < 200);
    }

    #[tokio::test]
    async fn what_is_never_a_worker_is_not_dialled() {
        for never in [
            "169.254.169.254:80",
            "[fd00:ec2::254]:80",
            "[fe80::1]:80",
            "0.0.0.0:80",
            "224.0.0.1:80",
            "[::ffff:169.254.169.254]:80",
            "[::]:80",
        ] {
            let address: WorkerAddress = never.parse().unwrap();
            assert_eq!(address.resolve().await.unwrap(), [], "{never}");
        }
        let address: WorkerAddress = "127.0.0.1:80".parse().unwrap();
        assert_eq!(address.resolve().await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
    }
}
