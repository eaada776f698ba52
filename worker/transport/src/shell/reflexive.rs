//! The public address of a socket behind a NAT, asked of a STUN server through that very socket.

use crate::stun;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tracing::warn;

/// The first answer is waited for so long, each further one twice as long.
const PATIENCE: Duration = Duration::from_millis(250);
/// Requests, at most: the last one is waited for 8 s.
const REQUESTS: u32 = 6;

/// One question and its repetitions.
pub(super) struct Probe {
    server: String,
    v4_only: bool,
    state: State,
    transaction: [u8; 12],
}

enum State {
    Unresolved,
    Resolving(JoinHandle<io::Result<Vec<SocketAddr>>>),
    Asking { server: SocketAddr, requests: u32, next: Instant },
    GivenUp,
}

impl Probe {
    /// For a server `host:port`.
    pub fn new(server: String, v4_only: bool) -> Self {
        let mut transaction = [0; 12];
        // Without randomness an answer could be forged; one that is never accepted cannot be.
        let random = getrandom::fill(&mut transaction).is_ok();
        let state = if random { State::Unresolved } else { State::GivenUp };
        Self { server, v4_only, state, transaction }
    }

    /// The request to send now, if one is due.
    pub fn request(&mut self, now: Instant) -> Option<(SocketAddr, [u8; 20])> {
        let State::Asking { server, requests, next } = &mut self.state else { return None };
        if now < *next {
            return None;
        }
        if *requests >= REQUESTS {
            warn!(server = %self.server, "the STUN server does not answer: the public address stays unknown");
            self.state = State::GivenUp;
            return None;
        }
        *next = now + PATIENCE * 2_u32.pow(*requests);
        *requests += 1;
        Some((*server, stun::binding_request(self.transaction)))
    }

    /// The address that the server saw, if the datagram says so.
    pub fn answer(&mut self, source: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        match self.state {
            State::Asking { server, .. } if server == source => stun::mapped_address(datagram, self.transaction),
            _ => None,
        }
    }

    /// When it has something to do.
    pub fn next(&self) -> Option<Instant> {
        match self.state {
            State::Asking { next, .. } => Some(next),
            _ => None,
        }
    }

    /// Nothing will come of it.
    pub fn given_up(&self) -> bool {
        matches!(self.state, State::GivenUp)
    }

    fn resolved(&mut self, found: io::Result<Vec<SocketAddr>>) {
        let (found, error) = match found {
            Ok(found) => (found, None),
            Err(e) => (Vec::new(), Some(e)),
        };
        let usable = found.into_iter().find(|server| server.is_ipv4() || !self.v4_only);
        self.state = match usable {
            Some(server) => State::Asking { server, requests: 0, next: Instant::now() },
            None => {
                warn!(server = %self.server, error = ?error, "the STUN server has no address: the public address stays unknown");
                State::GivenUp
            }
        };
    }
}

/// Ends when a probe's server was looked up; never, if there is nothing to look up. Can be dropped and called again.
pub(super) async fn resolve(probe: Option<&mut Probe>) {
    let Some(probe) = probe else { return std::future::pending().await };
    if matches!(probe.state, State::Unresolved) {
        let server = probe.server.clone();
        let look = async move { Ok(tokio::net::lookup_host(server).await?.collect()) };
        probe.state = State::Resolving(tokio::spawn(look));
    }
    let State::Resolving(task) = &mut probe.state else { return std::future::pending().await };
    let found = task.await.unwrap_or_else(|e| Err(io::Error::other(e)));
    probe.resolved(found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking() -> (Probe, SocketAddr) {
        let mut probe = Probe::new("stun.example:3478".to_owned(), true);
        let server = SocketAddr::from(([192, 0, 2, 3], 3478));
        probe.resolved(Ok(vec!["[2001:db8::1]:3478".parse().unwrap(), server]));
        (probe, server)
    }

    #[test]
    fn it_asks_again_and_gives_up() {
        let (mut probe, server) = asking();
        let mut now = Instant::now();
        let start = now;
        let mut asked = 0;
        while !probe.given_up() {
            if let Some((to, request)) = probe.request(now) {
                assert_eq!((to, &request[..2]), (server, &[0, 1][..]));
                assert!(probe.request(now).is_none(), "not twice at a time");
                asked += 1;
            }
            now = probe.next().unwrap_or(now);
        }
        assert_eq!(asked, REQUESTS);
        assert!(now - start < Duration::from_secs(20));
    }

    #[test]
    fn only_the_servers_own_answer_counts() {
        let (mut probe, server) = asking();
        let mut answer = stun::binding_request(probe.transaction).to_vec();
        answer[0] = 1; // a success
        answer[3] = 12;
        answer.extend([0, 1, 0, 8, 0, 1, 0x12, 0x34, 203, 0, 113, 5]);
        assert_eq!(probe.answer(SocketAddr::from(([192, 0, 2, 4], 3478)), &answer), None);
        assert_eq!(probe.answer(server, &answer[..20]), None);
        assert_eq!(probe.answer(server, &answer), Some(SocketAddr::from(([203, 0, 113, 5], 0x1234))));
    }

    #[test]
    fn a_server_without_an_address_is_given_up() {
        let mut probe = Probe::new("nowhere.example:1".to_owned(), true);
        probe.resolved(Ok(vec!["[2001:db8::1]:1".parse().unwrap()]));
        assert!(probe.given_up());
    }
}
