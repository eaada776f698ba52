//! An offer, checked, bounded and cut down to what concerns us.

use super::{Direction, Kind, MAX_CANDIDATES, candidate, lines};
use crate::error::SignalError;
use str0m::{Candidate, IceCreds};

/// Sections of an offer, at most: audio, video and data channels need three.
const MAX_SECTIONS: usize = 16;

/// One `m=` section as the peer wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub kind: Kind,
    /// From the peer's side. Neither, where the section is switched off.
    pub direction: Direction,
}

/// An offer that can be accepted, as far as its form goes.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    lines: Vec<String>,
    /// What it could be reached by, as far as we can use it.
    pub candidates: Vec<Candidate>,
    /// In its order.
    pub sections: Vec<Section>,
}

impl Offer {
    /// Reads an offer. Video that the peer would send is declined, its candidates are taken out.
    ///
    /// # Errors
    /// [`SignalError::Malformed`] where it is not SDP or too large; [`SignalError::Unprocessable`] where it asks for
    /// nothing that a stream has.
    pub fn read(sdp: &str) -> Result<Self, SignalError> {
        let all = lines(sdp)?;
        if all.first() != Some(&"v=0") {
            return Err(SignalError::Malformed("a session description begins with v=0".to_owned()));
        }
        if all.iter().filter(|line| line.starts_with("m=")).count() > MAX_SECTIONS {
            return Err(SignalError::Malformed(format!("more than {MAX_SECTIONS} m= sections")));
        }
        let starts: Vec<usize> = (0..all.len()).filter(|&i| all[i].starts_with("m=")).collect();
        let head = starts.first().copied().unwrap_or(all.len());
        let mut offer = Self { lines: Vec::with_capacity(all.len()), candidates: Vec::new(), sections: Vec::new() };
        let mut usual = Direction::BOTH;
        for line in &all[..head] {
            if let Some(direction) = line.strip_prefix("a=").and_then(Direction::of) {
                usual = direction;
            } else {
                offer.take(line);
            }
        }
        for (n, &start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(all.len());
            offer.section(&all[start..end], usual);
        }
        let wanted = offer.wants(Kind::Video) || offer.wants(Kind::Audio) || offer.speaks();
        let nothing = || "the offer neither receives video or audio nor sends audio".to_owned();
        wanted.then_some(offer).ok_or_else(|| SignalError::Unprocessable(nothing()))
    }

    /// Whether it wants to receive such media.
    pub fn wants(&self, kind: Kind) -> bool {
        self.sections.iter().any(|s| s.kind == kind && s.direction.receives)
    }

    /// Whether it wants to send sound.
    pub fn speaks(&self) -> bool {
        self.sections.iter().any(|s| s.kind == Kind::Audio && s.direction.sends)
    }

    /// The user fragment of its ICE session.
    pub fn fragment(&self) -> &str {
        self.lines.iter().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap_or_default()
    }

    /// The text to negotiate with: without candidates, and with these credentials in place of its own if any are given.
    pub fn text(&self, credentials: Option<&IceCreds>) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match credentials {
                Some(new) if line.starts_with("a=ice-ufrag:") => text.extend(["a=ice-ufrag:", &new.ufrag]),
                Some(new) if line.starts_with("a=ice-pwd:") => text.extend(["a=ice-pwd:", &new.pass]),
                _ => text.push_str(line),
            }
            text.push_str("\r\n");
        }
        text
    }

    fn section(&mut self, lines: &[&str], usual: Direction) {
        let media = &lines[0][2..];
        let kind = Kind::of(media);
        let own = lines.iter().filter_map(|line| line.strip_prefix("a=")).find_map(Direction::of);
        let closed = media.split_whitespace().nth(1) == Some("0") && !lines.contains(&"a=bundle-only");
        let mut direction = own.unwrap_or(usual);
        if kind == Kind::Video {
            direction.sends = false;
        }
        for line in lines {
            let is_direction = line.strip_prefix("a=").is_some_and(|attribute| Direction::of(attribute).is_some());
            if !(is_direction || kind == Kind::Video && is_of_a_sender(line)) {
                self.take(line);
            }
        }
        if kind != Kind::Other {
            self.lines.push(format!("a={}", name(direction)));
        }
        let nothing = Direction { sends: false, receives: false };
        self.sections.push(Section { kind, direction: if closed { nothing } else { direction } });
    }

    fn take(&mut self, line: &str) {
        match line.strip_prefix("a=") {
            Some(attribute) if attribute.starts_with("candidate:") => {
                if self.candidates.len() < MAX_CANDIDATES {
                    self.candidates.extend(candidate(attribute));
                }
            }
            Some("end-of-candidates") => {}
            _ => self.lines.push(line.to_owned()),
        }
    }
}

/// What describes streams that a peer sends.
fn is_of_a_sender(line: &str) -> bool {
    ["a=ssrc", "a=simulcast:", "a=rid:", "a=msid:"].iter().any(|start| line.starts_with(start))
}

fn name(direction: Direction) -> &'static str {
    match (direction.sends, direction.receives) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

    fn read(rest: &str) -> Result<Offer, SignalError> {
        Offer::read(&format!("{HEAD}{rest}"))
    }

    #[test]
    fn video_is_only_sent_never_taken() {
        let offer = read("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\na=ssrc:1 cname:x\r\na=mid:0\r\n").unwrap();
        assert!(offer.wants(Kind::Video) && !offer.wants(Kind::Audio) && !offer.speaks());
        let text = offer.text(None);
        assert!(text.contains("a=recvonly\r\n") && !text.contains("sendrecv") && !text.contains("a=ssrc"));
        assert!(text.contains("a=mid:0\r\n"));
    }

    #[test]
    fn what_asks_for_nothing_is_refused() {
        for rest in [
            "",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n",
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\n",
            "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=inactive\r\n",
        ] {
            assert!(matches!(read(rest), Err(SignalError::Unprocessable(_))), "{rest}");
        }
        assert!(read("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\n").unwrap().speaks());
        assert!(read("m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=recvonly\r\n").is_ok());
    }

    #[test]
    fn the_sessions_direction_is_the_usual_one() {
        let offer =
            read("a=recvonly\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n").unwrap();
        assert!(offer.wants(Kind::Audio) && offer.wants(Kind::Video) && !offer.speaks());
        assert!(read("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n").unwrap().speaks(), "without any, both");
    }

    #[test]
    fn malformed_ones_are_named() {
        for bad in ["", "hello", "v=0\r\n=x\r\n", "v=1\r\n", "v=0\r\na=\u{1}\r\n", "{\"sdp\":\"v=0\"}"] {
            assert!(matches!(Offer::read(bad), Err(SignalError::Malformed(_))), "{bad:?}");
        }
        let huge = format!("{HEAD}{}", "a=x\r\n".repeat(20_000));
        assert!(Offer::read(&huge).unwrap_err().to_string().contains("65536"));
        let many = format!("{HEAD}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(17));
        assert!(Offer::read(&many).unwrap_err().to_string().contains("16"));
    }

    #[test]
    fn candidates_are_taken_out_and_bounded() {
        let one = "a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host generation 0\r\n";
        let odd = "a=candidate:2 1 udp 2130706431 6e0a.local 4000 typ host\r\n\
                   a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n";
        let offer = read(&format!("m=audio 9 X 111\r\n{odd}{}a=end-of-candidates\r\n", one.repeat(100))).unwrap();
        assert_eq!(offer.candidates.len(), MAX_CANDIDATES);
        assert!(offer.candidates.iter().all(|c| c.addr() == "192.0.2.7:4000".parse().unwrap()));
        assert!(!offer.text(None).contains("candidate"));
    }

    #[test]
    fn credentials_are_replaced_everywhere() {
        let offer =
            read("m=audio 9 X 111\r\na=ice-ufrag:old\r\na=ice-pwd:old\r\nm=video 9 X 96\r\na=ice-ufrag:old\r\n")
                .unwrap();
        let text = offer.text(Some(&IceCreds { ufrag: "new1".into(), pass: "new2".into() }));
        assert_eq!(text.matches("a=ice-ufrag:new1\r\n").count(), 2);
        assert_eq!(text.matches("a=ice-pwd:new2\r\n").count(), 1);
        assert!(!text.contains("old"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: String) {
            let _ = Offer::read(&text);
            let _ = Offer::read(&format!("{HEAD}{text}"));
        }
    }
}
