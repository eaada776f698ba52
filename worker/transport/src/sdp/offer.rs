//! An offer, checked, bounded and cut down to what concerns us.
//!
//! str0m is given a description of the one form that it reads: each section named, all of one bundle in the order of the
//! sections, payload types complete. What the peer wrote otherwise is remembered in its [`Form`], so that the answer is written
//! alike.

use super::bundle::{Bundle, Part, are_kept};
use super::{Direction, MAX_CANDIDATES, MediaKind, candidate, checks, formats, lines};
use crate::error::SignalError;
use str0m::{Candidate, IceCreds};

/// Sections of an offer, at most: audio, video and data channels need three.
const MAX_SECTIONS: usize = 16;
/// What names sections within RTP packets.
const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// One `m=` section as the peer wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub kind: MediaKind,
    /// From the peer's side. Neither, where the section is switched off.
    pub direction: Direction,
}

/// How the peer names its sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where str0m knows them by other names: the peer's own, in order.
    pub mids: Option<Vec<Option<String>>>,
    /// The peer does not bundle, since it has one section.
    pub is_single: bool,
}

/// An offer that can be accepted, as far as its form goes.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    lines: Vec<String>,
    /// What it could be reached by, as far as we can use it.
    pub candidates: Vec<Candidate>,
    /// In its order.
    pub sections: Vec<Section>,
    pub form: Form,
}

impl Offer {
    /// Reads an offer. Video that the peer would send is declined, its candidates are taken out.
    ///
    /// # Errors
    /// [`SignalError::Malformed`] where it is not SDP or too large; [`SignalError::Unprocessable`] where it asks for
    /// nothing that a stream has, or for what cannot go over one transport.
    pub fn read(sdp: &str) -> Result<Self, SignalError> {
        let all = lines(sdp)?;
        let starts: Vec<usize> = (0..all.len()).filter(|&i| all[i].starts_with("m=")).collect();
        if starts.len() > MAX_SECTIONS {
            return Err(SignalError::Malformed(format!("more than {MAX_SECTIONS} m= sections")));
        }
        let head = &all[..starts.first().copied().unwrap_or(all.len())];
        checks::head(head)?;
        let usual = head.iter().filter_map(|line| line.strip_prefix("a=")).filter_map(Direction::of).next_back();
        let ends = starts.iter().skip(1).copied().chain([all.len()]);
        let parts: Vec<Part> = starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| Part::read(&all, start..end, usual.unwrap_or(Direction::BOTH)))
            .collect();
        if !parts.iter().any(Part::is_wanted) {
            let said = "the offer neither receives video or audio nor sends audio: add a section with a=recvonly";
            return Err(SignalError::Unprocessable(said.to_owned()));
        }
        let bundle = Bundle::find(head, &parts)?;
        for (n, part) in parts.iter().enumerate().filter(|(n, _)| bundle.has(*n)) {
            checks::section(n + 1, &all[part.lines.clone()])?;
        }
        let leading = bundle.leader.map(|n| &all[parts[n].lines.clone()]);
        checks::transport(head, leading.unwrap_or_default())?;
        Ok(Self::build(&all, head, &parts, &bundle))
    }

    fn build(all: &[&str], head: &[&str], parts: &[Part], bundle: &Bundle) -> Self {
        let kept = are_kept(parts);
        let mid = |n: usize| parts[n].mid.clone().filter(|_| kept).unwrap_or_else(|| n.to_string());
        let names: Vec<Option<String>> = parts.iter().map(|part| part.mid.clone()).collect();
        let form = Form { mids: (!kept).then_some(names), is_single: !bundle.is_offered };
        let mut offer =
            Self { lines: Vec::with_capacity(all.len()), candidates: Vec::new(), sections: Vec::new(), form };
        offer.lines.extend(head.iter().take(3).map(|line| (*line).to_owned())); // v=, o=, s=
        offer.lines.push("t=0 0".to_owned());
        for line in head.iter().filter(|line| !(is_direction(line) || line.starts_with("a=group:"))) {
            offer.take(line);
        }
        let group: Vec<String> = bundle.members().iter().map(|n| mid(*n)).collect();
        offer.lines.push(format!("a=group:BUNDLE {}", group.join(" ")));
        for (n, part) in parts.iter().enumerate() {
            offer.section(part, &all[part.lines.clone()], &mid(n), bundle.has(n), bundle.leader == Some(n));
        }
        offer
    }

    /// Whether it wants to receive such media.
    pub fn wants(&self, kind: MediaKind) -> bool {
        self.sections.iter().any(|s| s.kind == kind && s.direction.receives)
    }

    /// Whether it wants to send sound.
    pub fn speaks(&self) -> bool {
        self.sections.iter().any(|s| s.kind == MediaKind::Audio && s.direction.sends)
    }

    /// Why no video was agreed upon.
    pub fn lack_of_video(&self) -> formats::Lack {
        formats::lack(self.lines.iter().map(String::as_str))
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

    fn section(&mut self, part: &Part, lines: &[&str], mid: &str, bundled: bool, leads: bool) {
        let renamed = self.form.mids.is_some();
        for line in formats::complete(part.kind, lines) {
            let dropped = is_direction(&line)
                || line.starts_with("a=mid:")
                || part.kind == MediaKind::Video && is_of_a_sender(&line)
                || !leads && is_of_a_transport(&line)
                || renamed && line.contains(MID_EXTENSION);
            if line.starts_with("m=") {
                self.lines.push(if bundled { line } else { declined(&line) });
            } else if !dropped {
                self.take(&line);
            }
        }
        self.lines.push(format!("a=mid:{mid}"));
        if part.kind != MediaKind::Other {
            self.lines.push(format!("a={}", name(part.direction)));
        }
        let nothing = Direction { sends: false, receives: false };
        let direction = if bundled { part.direction } else { nothing };
        self.sections.push(Section { kind: part.kind, direction });
    }

    /// Takes an attribute. Addresses, bandwidths and titles of their own lines mean nothing here.
    fn take(&mut self, line: &str) {
        match line.strip_prefix("a=") {
            None => {}
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

fn is_direction(line: &str) -> bool {
    line.strip_prefix("a=").is_some_and(|attribute| Direction::of(attribute).is_some())
}

/// What describes streams that a peer sends.
fn is_of_a_sender(line: &str) -> bool {
    ["a=ssrc", "a=simulcast:", "a=rid:", "a=msid:"].iter().any(|start| line.starts_with(start))
}

/// What describes a transport: in a bundle, only that of its first section is one.
fn is_of_a_transport(line: &str) -> bool {
    ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"].iter().any(|start| line.starts_with(start))
}

/// An `m=` line with port 0.
fn declined(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if let Some(port) = words.get_mut(1) {
        *port = "0";
    }
    words.join(" ")
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

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\n";
    const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n";
    const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";

    fn read(rest: &str) -> Result<Offer, SignalError> {
        Offer::read(&format!("{HEAD}{rest}"))
    }

    #[test]
    fn video_is_only_sent_never_taken() {
        let offer = read(&format!("{VIDEO}a=sendrecv\r\na=ssrc:1 cname:x\r\na=mid:0\r\n")).unwrap();
        assert!(offer.wants(MediaKind::Video) && !offer.wants(MediaKind::Audio) && !offer.speaks());
        let text = offer.text(None);
        assert!(text.contains("a=recvonly\r\n") && !text.contains("sendrecv") && !text.contains("a=ssrc"));
        assert!(text.contains("a=mid:0\r\n"));
    }

    #[test]
    fn what_asks_for_nothing_is_refused() {
        for rest in [
            String::new(),
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n".to_owned(),
            format!("{VIDEO}a=sendonly\r\n"),
            format!("{}a=recvonly\r\n", VIDEO.replace(" 9 ", " 0 ")),
            format!("{AUDIO}a=inactive\r\n"),
        ] {
            assert!(matches!(read(&rest), Err(SignalError::Unprocessable(_))), "{rest}");
        }
        assert!(read(&format!("{AUDIO}a=sendonly\r\n")).unwrap().speaks());
        assert!(read(&format!("{}a=bundle-only\r\na=recvonly\r\n", VIDEO.replace(" 9 ", " 0 "))).is_ok());
    }

    #[test]
    fn the_sessions_direction_is_the_usual_one() {
        let both = format!("{AUDIO}a=mid:a\r\n{VIDEO}a=mid:v\r\n");
        let offer = read(&format!("a=group:BUNDLE a v\r\na=recvonly\r\n{both}")).unwrap();
        assert!(offer.wants(MediaKind::Audio) && offer.wants(MediaKind::Video) && !offer.speaks());
        assert!(read(AUDIO).unwrap().speaks(), "without any, both");
    }

    #[test]
    fn one_section_needs_neither_a_bundle_nor_a_name() {
        for (mid, known) in [("", "0"), ("a=mid:video0\r\n", "video0"), ("a=mid:{a-long-name-of-it}\r\n", "0")] {
            let offer = read(&format!("{VIDEO}a=recvonly\r\n{mid}")).unwrap();
            let text = offer.text(None);
            assert!(text.contains(&format!("a=group:BUNDLE {known}\r\n")), "{text}");
            assert_eq!(text.matches(&format!("a=mid:{known}\r\n")).count(), 1, "{text}");
            assert!(offer.form.is_single);
            let renamed = (known == "0").then(|| vec![mid.strip_prefix("a=mid:").map(|m| m.trim_end().to_owned())]);
            assert_eq!(offer.form.mids, renamed);
        }
        // What nobody wants is declined, and does not count.
        let closed = AUDIO.replace(" 9 ", " 0 ");
        let offer = read(&format!("{VIDEO}a=recvonly\r\n{closed}{AUDIO}a=inactive\r\n")).unwrap();
        assert_eq!(offer.text(None).matches("m=audio 0 ").count(), 2);
    }

    #[test]
    fn several_sections_share_one_transport_or_are_refused() {
        let (a, v) =
            (format!("{AUDIO}a=mid:a\r\na=ice-ufrag:aaaa\r\n"), format!("{VIDEO}a=mid:v\r\na=ice-ufrag:vvvv\r\n"));
        let offer = |group: &str| read(&format!("{group}{a}{v}"));
        for (group, part) in [
            ("", "no a=group:BUNDLE"),
            ("a=group:LS a v\r\n", "no a=group:BUNDLE"),
            ("a=group:BUNDLE a\r\n", "section 2 is not in a=group:BUNDLE"),
            ("a=group:BUNDLE\r\n", "section 1 is not in a=group:BUNDLE"),
        ] {
            let Err(SignalError::Unprocessable(said)) = offer(group) else { panic!("{group}") };
            assert!(said.contains(part) && said.contains("bundle"), "{said}");
        }
        let unnamed = read(&format!("a=group:BUNDLE v\r\n{AUDIO}{v}")).unwrap_err().to_string();
        assert!(unnamed.contains("section 1 has no a=mid"), "{unnamed}");
        let twice = read(&format!("a=group:BUNDLE a v\r\n{a}{}", v.replace("a=mid:v", "a=mid:a")));
        assert!(matches!(twice, Err(SignalError::Malformed(_))));
        // The first of the bundle speaks for all, wherever it stands.
        for (group, leader, other) in [("v a", "vvvv", "aaaa"), ("a v", "aaaa", "vvvv"), ("v a x", "vvvv", "aaaa")] {
            let offer = offer(&format!("a=group:BUNDLE {group}\r\n")).unwrap();
            let text = offer.text(None);
            assert!(text.contains("a=group:BUNDLE a v\r\n"), "{text}");
            assert!(text.contains(&format!("a=ice-ufrag:{leader}")) && !text.contains(other), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let without = |what: &str, rest: &str| {
            let head: String = HEAD.split_inclusive("\r\n").filter(|line| !line.starts_with(what)).collect();
            Offer::read(&format!("{head}{rest}")).unwrap_err().to_string()
        };
        for (what, part) in [
            ("o=", "o="),
            ("s=", "s="),
            ("t=", "t=0 0"),
            ("a=ice-ufrag", "a=ice-ufrag"),
            ("a=ice-pwd", "a=ice-pwd"),
            ("a=fingerprint", "a=fingerprint"),
        ] {
            let said = without(what, VIDEO);
            assert!(said.contains(part), "{what}: {said}");
        }
        for (rest, part) in [
            (VIDEO.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "UDP/TLS/RTP/SAVPF"),
            (VIDEO.replace("a=rtpmap:96 H264/90000\r\n", ""), "a=rtpmap for payload type 96"),
            (VIDEO.replace(" 96\r\n", "\r\n"), "names no payload type"),
            (VIDEO.replace(" 96\r\n", " 296\r\n"), "not 0 to 127"),
            (format!("{VIDEO}a=mid:1\r\na=mid:2\r\n"), "more than one a=mid"),
        ] {
            let said = read(&rest).unwrap_err().to_string();
            assert!(said.contains(part) && said.contains("section 1"), "{said}");
        }
    }

    #[test]
    fn malformed_ones_are_named() {
        for bad in ["", "hello", "v=0\r\n=x\r\n", "v=1\r\n", "v=0\r\na=\u{1}\r\n", "{\"sdp\":\"v=0\"}"] {
            assert!(matches!(Offer::read(bad), Err(SignalError::Malformed(_))), "{bad:?}");
        }
        let huge = format!("{HEAD}{}", "a=x\r\n".repeat(20_000));
        assert!(Offer::read(&huge).unwrap_err().to_string().contains("65536"));
        let many = format!("{HEAD}{}", AUDIO.repeat(17));
        assert!(Offer::read(&many).unwrap_err().to_string().contains("16"));
    }

    #[test]
    fn candidates_are_taken_out_and_bounded() {
        let one = "a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host generation 0\r\n";
        let odd = "a=candidate:2 1 udp 2130706431 6e0a.local 4000 typ host\r\n\
                   a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n";
        let offer = read(&format!("{AUDIO}{odd}{}a=end-of-candidates\r\n", one.repeat(100))).unwrap();
        assert_eq!(offer.candidates.len(), MAX_CANDIDATES);
        assert!(offer.candidates.iter().all(|c| c.addr() == "192.0.2.7:4000".parse().unwrap()));
        assert!(!offer.text(None).contains("candidate"));
    }

    #[test]
    fn credentials_are_replaced() {
        let text = read(VIDEO).unwrap().text(Some(&IceCreds { ufrag: "new1".into(), pass: "new2".into() }));
        assert_eq!(text.matches("a=ice-ufrag:new1\r\n").count(), 1);
        assert_eq!(text.matches("a=ice-pwd:new2\r\n").count(), 1);
        assert!(!text.contains("abcd"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: String) {
            let _ = Offer::read(&text);
            let _ = Offer::read(&format!("{HEAD}{text}"));
        }
    }
}
