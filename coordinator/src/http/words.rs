//! What other people's code says of a caller's input, in our words.
//!
//! A library's error text is written for whoever calls the library: it may hold addresses of memory, line breaks, or what the
//! caller sent. None goes to a caller; each kind of error gets a sentence here or where it arises, and the text goes to the
//! log. [`Problem`](super::Problem) and the audio socket also see to it that a sentence is one line ([`one_line`]).

use actix_multipart::MultipartError;
use actix_web::error::PayloadError;
use actix_ws::ProtocolError;
pub use mouthpiece_speech::words::{json, one_line};
use url::ParseError;

/// What is wrong with an address.
pub fn url(error: ParseError) -> &'static str {
    match error {
        ParseError::EmptyHost => "it names no host",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "its host has characters that no host has",
        ParseError::InvalidPort => "its port is no number up to 65535",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => "its host is no IP address",
        ParseError::RelativeUrlWithoutBase => "it begins with no scheme such as https://",
        _ => "it is not well formed",
    }
}

/// Why the rest of a body cannot be read.
pub fn payload(error: &PayloadError) -> &'static str {
    match error {
        PayloadError::Overflow => "it is too large",
        PayloadError::EncodingCorrupted => "its content encoding is damaged",
        PayloadError::UnknownLength => "its length is not told",
        _ => "it broke off",
    }
}

/// What is wrong with a form.
pub fn form(error: &MultipartError) -> &'static str {
    match error {
        MultipartError::BoundaryMissing => "its content-type names no boundary",
        MultipartError::ContentDispositionMissing | MultipartError::ContentDispositionNameMissing => {
            "a part of it has no name (content-disposition: form-data; name=\"...\")"
        }
        MultipartError::Nested => "a part of it is a form itself",
        MultipartError::Incomplete => "it ends before its last boundary",
        MultipartError::Parse(_) => "a part of it has headers that cannot be read",
        _ => "its parts cannot be told apart",
    }
}

/// How a WebSocket's caller breaks RFC 6455.
pub fn websocket(error: &ProtocolError) -> &'static str {
    match error {
        ProtocolError::UnmaskedFrame => "frames of a client must be masked",
        ProtocolError::InvalidOpcode(_) | ProtocolError::BadOpCode => "there is no such kind of frame",
        ProtocolError::InvalidLength(_) => "a control frame may have at most 125 bytes",
        ProtocolError::ContinuationNotStarted => "a frame continues what never began",
        ProtocolError::ContinuationStarted => "a message begins within another one",
        _ => "a frame cannot be read",
    }
}
