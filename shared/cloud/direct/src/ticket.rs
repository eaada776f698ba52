//! Tickets: the right to speak to a worker, which it checks without asking anybody.
//!
//! A coordinator's ticket answers the challenge that the worker gave on the same connection. It is good for that connection
//! alone, and only while the worker waits for it, by the worker's own clock: no clock is compared with another. A
//! caller's ticket stands in an address that is used later, from anywhere, so it has an end in calendar time. That is the one
//! place where two clocks meet, and it allows for [`CLOCK_TOLERANCE`].
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 4 | key id |
//! | 1 | purpose: 1 a coordinator's line, 2 questions, 3 a caller's line |
//! | 16 | worker |
//! | 16 + 4 + 1 | session, fence, slot (not with questions) |
//! | 32 or 8 | the challenge, or with a caller's line the end in milliseconds |
//! | 32 | HMAC-SHA256 of all that |
//!
//! Numbers are big-endian; the text is base64url without padding, at most 143 characters.

use crate::challenge::Challenge;
use crate::secrets::{FarmSecrets, KeyId, MAC, from_text, to_text};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_domain::time::Wall;
use std::time::Duration;
use thiserror::Error;

/// A caller's ticket is good for so long, at most.
pub const LONGEST: Duration = Duration::from_secs(30);
/// So far the calendars of a coordinator and a worker may be apart, for callers' tickets.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// What a ticket is signed as.
const KIND: &str = "mouthpiece direct 1 ticket";
const VERSION: u8 = 1;
/// No ticket is longer, in characters.
const LONGEST_TEXT: usize = 200;

/// A ticket that was checked, or is to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticket {
    /// A coordinator may open one line to a session.
    Line {
        /// Which session, by which right, on which worker.
        hold: Hold,
        /// The worker's challenge on this connection.
        challenge: Challenge,
    },
    /// A coordinator may ask a worker questions.
    Questions {
        /// Whom.
        worker: WorkerId,
        /// Its challenge on this connection.
        challenge: Challenge,
    },
    /// Whoever has this may speak in a session, and open sockets for that until it ends.
    Caller {
        /// Which session, by which right, on which worker.
        hold: Hold,
        /// When this ends.
        until: Wall,
    },
}

/// Why a ticket is refused. Each is counted by itself.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TicketRefusal {
    /// Not a ticket at all, or of a version that is not known.
    #[error("that is no ticket")]
    Malformed,
    /// Signed with a secret that is not valid (any more).
    #[error("the ticket is signed with a secret that is not valid here")]
    UnknownKey,
    /// Not signed by this farm, or changed.
    #[error("the ticket is not signed by this farm")]
    Forged,
    /// For another worker.
    #[error("the ticket is for another worker")]
    OtherWorker,
    /// For another session.
    #[error("the ticket is for another session")]
    OtherSession,
    /// For a placement that does not run here (any more).
    #[error("the session does not run here as the ticket says: ask for its address again")]
    OtherPlacement,
    /// For something else than what it is used for.
    #[error("the ticket is for another purpose")]
    OtherPurpose,
    /// Made for another connection: it was used before, or overheard.
    #[error("the ticket is for another connection")]
    OtherConnection,
    /// Its time is over.
    #[error("the ticket is too old: ask for a new one")]
    Old,
    /// It ends later than any ticket may.
    #[error("the ticket ends too far in the future: the clocks of coordinator and worker are apart")]
    TooFarAhead,
}

impl TicketRefusal {
    /// The word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::OtherWorker => "other_worker",
            Self::OtherSession => "other_session",
            Self::OtherPlacement => "other_placement",
            Self::OtherPurpose => "other_purpose",
            Self::OtherConnection => "other_connection",
            Self::Old => "old",
            Self::TooFarAhead => "too_far_ahead",
        }
    }
}

/// What a ticket is used for.
#[derive(Debug, Clone, Copy)]
pub enum Door<'a> {
    /// A coordinator's line, on a connection with this challenge.
    Line(&'a Challenge),
    /// Questions, on a connection with this challenge.
    Questions(&'a Challenge),
    /// A caller's line.
    Caller {
        /// The session in the address.
        session: SessionId,
        /// The worker's calendar.
        now: Wall,
    },
}

impl Ticket {
    /// A caller's ticket, from `now` for as long as one is good.
    pub fn for_caller(hold: Hold, now: Wall) -> Self {
        Self::Caller { hold, until: Self::last(now) }
    }

    /// When a caller's ticket ends that is made `now`.
    pub(crate) fn last(now: Wall) -> Wall {
        Wall(now.0.saturating_add(LONGEST.as_millis() as i64))
    }

    /// For which worker.
    pub fn worker(&self) -> WorkerId {
        match self {
            Self::Line { hold, .. } | Self::Caller { hold, .. } => hold.worker,
            Self::Questions { worker, .. } => *worker,
        }
    }

    /// Signed, as a text that may stand in an address.
    pub fn sign(&self, secrets: &FarmSecrets) -> String {
        to_text(&secrets.sign(KIND, |key| self.message(key)))
    }

    fn message(&self, key: KeyId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(75 + MAC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.0);
        let (purpose, hold, challenge) = match self {
            Self::Line { hold, challenge } => (1, Some(hold), Some(challenge)),
            Self::Questions { challenge, .. } => (2, None, Some(challenge)),
            Self::Caller { hold, .. } => (3, Some(hold), None),
        };
        bytes.push(purpose);
        bytes.extend_from_slice(&self.worker().0.to_be_bytes());
        if let Some(hold) = hold {
            bytes.extend_from_slice(&hold.session.0.to_be_bytes());
            bytes.extend_from_slice(&hold.fence.0.to_be_bytes());
            bytes.push(hold.slot.0);
        }
        if let Some(challenge) = challenge {
            bytes.extend_from_slice(&challenge.0);
        }
        if let Self::Caller { until, .. } = self {
            bytes.extend_from_slice(&until.0.to_be_bytes());
        }
        bytes
    }

    /// Checks a ticket that is used at a door of a worker that is here.
    ///
    /// # Errors
    /// [`TicketRefusal`]. What it says is looked at only after the signature.
    pub fn check(
        text: &str,
        secrets: &FarmSecrets,
        is_here: impl FnOnce(WorkerId) -> bool,
        door: Door<'_>,
    ) -> Result<Self, TicketRefusal> {
        let ticket = Self::read(text, secrets)?;
        if !is_here(ticket.worker()) {
            return Err(TicketRefusal::OtherWorker);
        }
        match (&ticket, door) {
            (Self::Line { challenge, .. }, Door::Line(given))
            | (Self::Questions { challenge, .. }, Door::Questions(given)) => {
                if challenge == given {
                    Ok(ticket)
                } else {
                    Err(TicketRefusal::OtherConnection)
                }
            }
            (Self::Caller { hold, until }, Door::Caller { session, now }) => {
                let tolerance = CLOCK_TOLERANCE.as_millis() as i64;
                let left = until.0.saturating_sub(now.0);
                if hold.session != session {
                    Err(TicketRefusal::OtherSession)
                } else if left < -tolerance {
                    Err(TicketRefusal::Old)
                } else if left > LONGEST.as_millis() as i64 + tolerance {
                    Err(TicketRefusal::TooFarAhead)
                } else {
                    Ok(ticket)
                }
            }
            _ => Err(TicketRefusal::OtherPurpose),
        }
    }

    /// What is signed, whatever it says.
    fn read(text: &str, secrets: &FarmSecrets) -> Result<Self, TicketRefusal> {
        if text.len() > LONGEST_TEXT {
            return Err(TicketRefusal::Malformed);
        }
        let bytes = from_text(text).ok_or(TicketRefusal::Malformed)?;
        let (message, mac) = bytes.split_last_chunk::<MAC>().ok_or(TicketRefusal::Malformed)?;
        let (key, ticket) = parse(message).ok_or(TicketRefusal::Malformed)?;
        match secrets.is_signed(key, KIND, message, mac) {
            Some(true) => Ok(ticket),
            Some(false) => Err(TicketRefusal::Forged),
            None => Err(TicketRefusal::UnknownKey),
        }
    }
}

/// Takes bytes from the front.
fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

fn hold(worker: WorkerId, bytes: &mut &[u8]) -> Option<Hold> {
    let session = SessionId(u128::from_be_bytes(*take(bytes)?));
    let fence = Fence(u32::from_be_bytes(*take(bytes)?));
    let [slot] = take(bytes)?;
    Some(Hold { session, fence, worker, slot: SlotIndex(*slot) })
}

fn parse(message: &[u8]) -> Option<(KeyId, Ticket)> {
    let mut rest = message;
    let [version] = take(&mut rest)?;
    let key = KeyId(*take(&mut rest)?);
    let [purpose] = take(&mut rest)?;
    let worker = WorkerId(u128::from_be_bytes(*take(&mut rest)?));
    let ticket = match (version, purpose) {
        (&VERSION, 1) => Ticket::Line { hold: hold(worker, &mut rest)?, challenge: Challenge(*take(&mut rest)?) },
        (&VERSION, 2) => Ticket::Questions { worker, challenge: Challenge(*take(&mut rest)?) },
        (&VERSION, 3) => {
            Ticket::Caller { hold: hold(worker, &mut rest)?, until: Wall(i64::from_be_bytes(*take(&mut rest)?)) }
        }
        _ => return None,
    };
    rest.is_empty().then_some((key, ticket))
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
