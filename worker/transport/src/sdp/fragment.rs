//! Fragments of session descriptions (RFC 8840): candidates that come later, and ICE sessions begun again.

use super::{MAX_CANDIDATES, MediaKind, answer::Section, candidate, credentials, lines};
use crate::error::SignalError;
use str0m::{Candidate, IceCreds};

/// What a peer says after its offer.
#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    /// Whose ICE session it belongs to, where it says so.
    pub credentials: Option<IceCreds>,
    /// More candidates, as far as we can use them.
    pub candidates: Vec<Candidate>,
}

impl Fragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// [`SignalError::Malformed`] where it is none.
    pub fn read(text: &str) -> Result<Self, SignalError> {
        let mut fragment = Self { credentials: None, candidates: Vec::new() };
        let (mut ufrag, mut pass, mut says_something) = (None, None, false);
        for line in lines(text)? {
            let Some(attribute) = line.strip_prefix("a=") else { continue };
            if let Some(value) = attribute.strip_prefix("ice-ufrag:") {
                ufrag = ufrag.or(Some(value));
            } else if let Some(value) = attribute.strip_prefix("ice-pwd:") {
                pass = pass.or(Some(value));
            } else if attribute.starts_with("candidate:") {
                says_something = true;
                if fragment.candidates.len() < MAX_CANDIDATES {
                    fragment.candidates.extend(candidate(attribute));
                }
            } else if attribute == "end-of-candidates" {
                says_something = true;
            }
        }
        fragment.credentials = match (ufrag, pass) {
            (Some(ufrag), Some(pass)) => Some(credentials(ufrag, pass)?),
            (None, None) => None,
            _ => return Err(SignalError::Malformed("ice-ufrag and ice-pwd belong together".to_owned())),
        };
        if !says_something && fragment.credentials.is_none() {
            let said = "a fragment holds a=candidate, a=end-of-candidates, or a=ice-ufrag and a=ice-pwd";
            return Err(SignalError::Malformed(said.to_owned()));
        }
        Ok(fragment)
    }
}

/// Our side of an ICE session that begins again.
pub(crate) fn restarted(own: &IceCreds, lite: bool, sections: &[Section], candidates: &[String]) -> String {
    let mut text = String::new();
    let mut push = |line: &str| text.extend([line, "\r\n"]);
    if lite {
        push("a=ice-lite");
    }
    push("a=ice-options:trickle");
    let mids: Vec<&str> = sections.iter().filter(|s| s.active).filter_map(|s| s.name.as_deref()).collect();
    if !mids.is_empty() {
        push(&format!("a=group:BUNDLE {}", mids.join(" ")));
    }
    if let Some(first) = sections.iter().find(|s| s.active) {
        push(match first.kind {
            MediaKind::Audio => "m=audio 9 UDP/TLS/RTP/SAVPF 0",
            MediaKind::Video => "m=video 9 UDP/TLS/RTP/SAVPF 0",
            MediaKind::Other => "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        });
        if let Some(name) = &first.name {
            push(&format!("a=mid:{name}"));
        }
    }
    push(&format!("a=ice-ufrag:{}", own.ufrag));
    push(&format!("a=ice-pwd:{}", own.pass));
    for candidate in candidates {
        push(&format!("a={candidate}"));
    }
    push("a=end-of-candidates");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Direction;
    use proptest::prelude::*;

    const PASS: &str = "0123456789abcdefghijkl";

    #[test]
    fn the_standards_example_is_read() {
        let text = format!(
            "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:{PASS}\r\n\
             a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n\
             a=candidate:3471623853 1 udp 2122194687 x.local 61765 typ host generation 0 ufrag EsAw network-id 2\r\n\
             a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\na=end-of-candidates\r\n"
        );
        let fragment = Fragment::read(&text).unwrap();
        assert_eq!(fragment.credentials.unwrap().ufrag, "EsAw");
        assert_eq!(fragment.candidates.len(), 1);
    }

    #[test]
    fn only_an_end_is_something() {
        let fragment = Fragment::read("a=end-of-candidates\n").unwrap();
        assert!(fragment.credentials.is_none() && fragment.candidates.is_empty());
    }

    #[test]
    fn malformed_ones_are_named() {
        let half = "a=ice-ufrag:EsAw\r\n".to_owned();
        let short = "a=ice-ufrag:EsAw\r\na=ice-pwd:short\r\n".to_owned();
        let odd = format!("a=ice-ufrag:Es w\r\na=ice-pwd:{PASS}\r\n");
        let huge = "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n".repeat(3000);
        for bad in [String::new(), "hello".into(), "a=mid:0\r\n".into(), half, short, odd, huge] {
            assert!(matches!(Fragment::read(&bad), Err(SignalError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn candidates_are_bounded() {
        let many = "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n".repeat(1000);
        assert_eq!(Fragment::read(&many).unwrap().candidates.len(), MAX_CANDIDATES);
    }

    #[test]
    fn our_own_can_be_read_again() {
        let own = IceCreds { ufrag: "mine".into(), pass: PASS.into() };
        let direction = Direction { sends: true, receives: false };
        let section =
            Section { kind: MediaKind::Video, mid: "0".into(), name: Some("v".into()), active: true, direction };
        let text = restarted(&own, true, &[section], &["candidate:1 1 udp 9 192.0.2.1 5000 typ host".to_owned()]);
        let fragment = Fragment::read(&text).unwrap();
        assert_eq!(fragment.credentials, Some(own));
        assert_eq!(fragment.candidates.len(), 1);
        assert!(text.starts_with("a=ice-lite\r\n") && text.contains("m=video") && text.contains("a=mid:v\r\n"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: String) {
            let _ = Fragment::read(&text);
            let _ = Fragment::read(&format!("a=candidate:{text}"));
        }
    }
}
