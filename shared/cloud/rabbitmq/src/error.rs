//! What can be wrong with a broker, each in a sentence that says what to do.

use crate::options::Address;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};
use std::io;
use std::path::PathBuf;
use thiserror::Error as ThisError;

/// Why a bus cannot be opened. What passes by itself (a broker that is down) is none of these: the bus opens and is not ready.
#[derive(Debug, ThisError)]
pub enum RabbitError {
    /// The address cannot be parsed.
    #[error("the broker's address is not of the form amqp://user:password@host:port/vhost (or amqps:)")]
    Url,
    /// The prefix cannot be part of a queue's name.
    #[error(
        "the prefix of a farm's queues is 1 to 60 characters of a-z, 0-9, '.', '_', '-' and does not begin with 'amq.'"
    )]
    Prefix,
    /// Times or counts that make no sense.
    #[error(
        "the broker's settings are out of range: waits and counts are above zero, the heartbeat is 1 to 600 seconds, and a \
         command waits 49 days at most"
    )]
    Ranges,
    /// Authorities without TLS.
    #[error("a file of authorities was given for the broker, but its address begins with amqp: and not with amqps:")]
    CaWithoutTls,
    /// The authorities cannot be read.
    #[error("the broker's authorities cannot be read from {0} ({1}): name a PEM file with certificates")]
    Ca(PathBuf, io::ErrorKind),
    /// The broker answered, and will not serve us as we are.
    #[error("{0}")]
    Refused(String),
}

/// Why a connection or a call failed.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// A sentence that says what to do.
    pub(crate) text: String,
    /// It will not pass by itself: somebody must change a setting or the broker.
    pub(crate) lasting: bool,
}

impl Trouble {
    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self { text: text.into(), lasting: false }
    }
}

/// A channel's error, when that is what it is.
pub(crate) fn soft(error: &Error) -> Option<AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(e) => match e.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft.clone()),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

/// What the broker said of it, which names queues and hosts but no secrets.
pub(crate) fn said(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(e) => e.get_message().to_string(),
        _ => error.to_string(),
    }
}

/// What an error means, and what to do about it.
pub(crate) fn explain(address: &Address, error: &Error) -> Trouble {
    let (place, user, vhost) = (address.place(), address.user(), address.vhost());
    let lasting = |text| Trouble { text, lasting: true };
    if let ErrorKind::ProtocolError(e) = error.kind() {
        let said = said(error);
        match e.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                return lasting(format!(
                    "a queue or exchange of this farm exists on the broker at {place} with other arguments ({said}): remove \
                     it when it is empty, or choose another prefix"
                ));
            }
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) if said.contains("Login was refused") => {
                return lasting(format!(
                    "the broker at {place} refused the user '{user}': correct name and password in the broker's address"
                ));
            }
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                return lasting(format!(
                    "the user '{user}' may not do this on the broker at {place} ({said}): grant it configure, write and read \
                     on names that begin with the farm's prefix"
                ));
            }
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if said.contains("not found") => {
                return lasting(format!(
                    "the broker at {place} has no virtual host '{vhost}': make it (rabbitmqctl add_vhost) or correct the \
                     broker's address"
                ));
            }
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                return lasting(format!(
                    "the user '{user}' may not use the virtual host '{vhost}' of the broker at {place} ({said}): grant it \
                     with rabbitmqctl set_permissions"
                ));
            }
            _ => return Trouble::passing(format!("the broker at {place} ended the call: {said}")),
        }
    }
    match error.kind() {
        ErrorKind::IOError(e) if e.kind() == io::ErrorKind::InvalidData => lasting(format!(
            "no TLS with the broker at {place} ({e}): check its certificate, the file of authorities, and that the port is \
             the broker's TLS port"
        )),
        ErrorKind::IOError(e) => Trouble::passing(format!(
            "the broker at {place} cannot be reached ({e}): it is tried again by itself; is it running, and is the address right?"
        )),
        _ => Trouble::passing(format!(
            "the connection to the broker at {place} is lost ({error}); it is made again by itself"
        )),
    }
}
