//! What a description must have before str0m is asked, told in our words: its own are no sentences for a caller.

use crate::error::SignalError;

/// What media are carried by.
const PROTOCOLS: [&str; 3] = ["UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP", "DTLS/SCTP"];

/// The lines before the first section.
///
/// # Errors
/// [`SignalError::Malformed`].
pub(crate) fn head(lines: &[&str]) -> Result<(), SignalError> {
    let malformed = |said: &str| Err(SignalError::Malformed(said.to_owned()));
    if lines.first() != Some(&"v=0") {
        return malformed("a session description begins with v=0");
    }
    let origin = lines.get(1).and_then(|line| line.strip_prefix("o="));
    let session = origin.and_then(|origin| origin.split(' ').nth(1));
    if session.is_none_or(|id| id.parse::<u64>().is_err()) {
        return malformed("the second line must be o= with a session id of digits");
    }
    if !lines.get(2).is_some_and(|line| line.starts_with("s=")) {
        return malformed("the third line must be s=");
    }
    if !lines.contains(&"t=0 0") {
        return malformed("the line t=0 0 is missing before the sections");
    }
    Ok(())
}

/// A section that is to be served, the `number`-th.
///
/// # Errors
/// [`SignalError::Malformed`], [`SignalError::Unprocessable`] for what is not WebRTC.
pub(crate) fn section(number: usize, lines: &[&str]) -> Result<(), SignalError> {
    let words: Vec<&str> = lines[0][2..].split_whitespace().collect();
    let protocol = words.get(2).copied().unwrap_or_default();
    if !PROTOCOLS.contains(&protocol) {
        let said = format!("section {number} must be of protocol UDP/TLS/RTP/SAVPF, as WebRTC has it");
        return Err(SignalError::Unprocessable(said));
    }
    if lines.iter().filter(|line| line.starts_with("a=mid:")).count() > 1 {
        return Err(SignalError::Malformed(format!("section {number} has more than one a=mid")));
    }
    if !protocol.contains("RTP") {
        return Ok(());
    }
    let types = words.get(3..).unwrap_or_default();
    if types.is_empty() {
        return Err(SignalError::Malformed(format!("section {number} names no payload type")));
    }
    for pt in types {
        let Some(value) = pt.parse::<u8>().ok().filter(|pt| *pt < 128) else {
            return Err(SignalError::Malformed(format!("section {number} has a payload type that is not 0 to 127")));
        };
        let start = format!("a=rtpmap:{pt} ");
        let maps = lines.iter().filter(|line| line.starts_with(&start)).count();
        // Those below have a meaning of their own (RFC 3551).
        if maps > 1 || (maps == 0 && value >= 35) {
            let said = format!("section {number} must have one a=rtpmap for payload type {value}");
            return Err(SignalError::Malformed(said));
        }
    }
    Ok(())
}

/// How the peer is reached and its media are encrypted: said for the whole description, or in the section that leads.
///
/// # Errors
/// [`SignalError::Unprocessable`].
pub(crate) fn transport(head: &[&str], leading: &[&str]) -> Result<(), SignalError> {
    let has = |start: &str| head.iter().chain(leading).any(|line| line.len() > start.len() && line.starts_with(start));
    let missing = |what: &str| Err(SignalError::Unprocessable(format!("the offer has no {what}")));
    if !(has("a=ice-ufrag:") && has("a=ice-pwd:")) {
        return missing("a=ice-ufrag and a=ice-pwd: media are sent by ICE only");
    }
    if !has("a=fingerprint:") {
        return missing("a=fingerprint: media are encrypted by DTLS-SRTP only");
    }
    Ok(())
}
