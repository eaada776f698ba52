//! What a caller's address asks for beside the ticket: what it may at a coordinator, too.

use mouthpiece_domain::live::{EventPosition, SPEECH_RATES};
use mouthpiece_speech::{USUAL_RATE, read_position};

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallerQuery<'a> {
    /// The right to come.
    pub ticket: Option<&'a str>,
    /// Samples a second of binary messages.
    pub rate: u32,
    /// Up to where the caller heard everything on an earlier socket.
    pub after: Option<EventPosition>,
    /// It is told how much of its speech is played. The default, since nobody else keeps what it pushed.
    pub progress: bool,
}

impl<'a> CallerQuery<'a> {
    /// Reads the part of an address behind its question mark.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(query: &'a str) -> Result<Self, String> {
        let mut asked = Self { ticket: None, rate: USUAL_RATE, after: None, progress: true };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("ticket", ticket) => asked.ticket = Some(ticket),
                ("sample_rate", rate) => {
                    let (least, most) = SPEECH_RATES.into_inner();
                    let refused = || format!("sample_rate must be a whole number from {least} to {most}");
                    asked.rate = rate.parse().ok().filter(|r| SPEECH_RATES.contains(r)).ok_or_else(refused)?;
                }
                ("after", position) => {
                    let refused = "after must be the last position that an earlier socket told, like 1-17";
                    asked.after = Some(read_position(position).ok_or(refused)?);
                }
                ("progress", "true") => asked.progress = true,
                ("progress", "false") => asked.progress = false,
                ("progress", _) => return Err("progress must be true or false".to_owned()),
                _ => return Err("this address takes ticket, sample_rate, after and progress only".to_owned()),
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::session::Fence;

    #[test]
    fn a_query_is_read_or_refused_in_a_sentence() {
        let usual = CallerQuery { ticket: None, rate: 24_000, after: None, progress: true };
        assert_eq!(CallerQuery::read(""), Ok(usual));
        let after = Some(EventPosition { fence: Fence(1), number: 17 });
        let all = CallerQuery { ticket: Some("T"), rate: 16_000, after, progress: false };
        assert_eq!(CallerQuery::read("ticket=T&sample_rate=16000&after=1-17&progress=false"), Ok(all));
        for (bad, named) in [
            ("sample_rate=7999", "sample_rate"),
            ("sample_rate", "sample_rate"),
            ("after=7", "after"),
            ("progress=1", "progress"),
            ("ticket=T&token=x", "ticket, sample_rate, after and progress only"),
        ] {
            let told = CallerQuery::read(bad).unwrap_err();
            assert!(told.contains(named), "{bad}: {told}");
        }
    }
}
