//! A network that exists only in the test: delay, jitter, loss, and links that are too narrow. One seed determines a run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One direction of a path.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub delay: Duration,
    /// Added to the delay, evenly distributed: more than the distance of two packets reorders them.
    pub jitter: Duration,
    /// Share that is lost.
    pub loss: f64,
    /// Bits a second, and how long a queue it keeps before it loses packets.
    pub narrow: Option<(u64, Duration)>,
}

impl Link {
    pub fn good() -> Self {
        Self { delay: Duration::from_millis(10), jitter: Duration::ZERO, loss: 0.0, narrow: None }
    }

    pub fn lossy(loss: f64) -> Self {
        Self { jitter: Duration::from_millis(8), loss, ..Self::good() }
    }

    pub fn narrow(bits: u64) -> Self {
        Self { narrow: Some((bits, Duration::from_millis(300))), ..Self::good() }
    }

    pub fn cut() -> Self {
        Self { loss: 1.0, ..Self::good() }
    }
}

/// Small and good enough for tests.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// 0 up to 1.
    pub fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    arrives: Instant,
    number: u64,
    from: SocketAddr,
    to: SocketAddr,
    data: Vec<u8>,
}

pub struct Network {
    flights: BinaryHeap<Reverse<Flight>>,
    number: u64,
    dice: Dice,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self { flights: BinaryHeap::new(), number: 0, dice: Dice(seed * 2 + 1) }
    }

    /// `busy` is when the link has sent what it has; kept by the caller for each link.
    pub fn send(
        &mut self,
        now: Instant,
        link: Link,
        busy: &mut Instant,
        path: (SocketAddr, SocketAddr),
        data: Vec<u8>,
    ) {
        if self.dice.share() < link.loss {
            return;
        }
        let mut leaves = now;
        if let Some((bits, queue)) = link.narrow {
            let start = (*busy).max(now);
            if start > now + queue {
                return;
            }
            leaves = start + Duration::from_secs_f64((data.len() + 28) as f64 * 8.0 / bits as f64);
            *busy = leaves;
        }
        let arrives = leaves + link.delay + link.jitter.mul_f64(self.dice.share());
        self.number += 1;
        self.flights.push(Reverse(Flight { arrives, number: self.number, from: path.0, to: path.1, data }));
    }

    pub fn next(&self) -> Option<Instant> {
        self.flights.peek().map(|flight| flight.0.arrives)
    }

    pub fn arrival(&mut self, now: Instant) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        if self.next()? > now {
            return None;
        }
        self.flights.pop().map(|Reverse(flight)| (flight.from, flight.to, flight.data))
    }
}
