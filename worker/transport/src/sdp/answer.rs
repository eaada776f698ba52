//! Our answer, made fit for browsers.
//!
//! str0m puts each medium in a stream of its own, and browsers sync only what is of one stream. Here audio and video get
//! the same one. The candidates are ours (see [`super::candidates`]). Sections go by the peer's names (see
//! [`super::offer::Form`]).

use super::offer::Form;
use super::{Direction, MediaKind};

/// The one stream that audio and video belong to.
const STREAM: &str = "mouthpiece";

/// One section of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub kind: MediaKind,
    /// As str0m knows it.
    pub mid: String,
    /// As the peer does, if it names it.
    pub name: Option<String>,
    /// False where nothing in common was found.
    pub active: bool,
    /// From our side.
    pub direction: Direction,
}

/// An answer ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub text: String,
    pub sections: Vec<Section>,
}

impl Answer {
    /// From what str0m answers to an offer of this form, and our candidates' attributes.
    pub fn shape(raw: &str, form: &Form, candidates: &[String]) -> Self {
        let lines: Vec<&str> = raw.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let starts: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].starts_with("m=")).collect();
        let head = starts.first().copied().unwrap_or(lines.len());
        let mut answer = Self { text: String::with_capacity(raw.len() + 512), sections: Vec::new() };
        let ends = starts.iter().skip(1).copied().chain([lines.len()]);
        let ranges: Vec<_> = starts.iter().zip(ends).map(|(start, end)| *start..end).collect();
        let sections: Vec<Section> =
            ranges.iter().enumerate().map(|(n, range)| section(&lines[range.clone()], n, form)).collect();
        for line in &lines[..head] {
            if line.starts_with("a=msid-semantic") {
                answer.push(&format!("a=msid-semantic: WMS {STREAM}"));
            } else if line.starts_with("a=group:") {
                answer.bundle(line, form, &sections);
            } else {
                answer.push(line);
            }
        }
        let mut candidates = Some(candidates);
        for (n, (section, range)) in sections.into_iter().zip(ranges).enumerate() {
            let told = if section.active { candidates.take() } else { None };
            answer.write(&lines[range], &section, n, told.unwrap_or_default());
            answer.sections.push(section);
        }
        answer
    }

    /// The sections of such media that carry something.
    pub fn active(&self, kind: MediaKind) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |s| s.kind == kind && s.active)
    }

    /// The bundle, which nobody is told of who did not speak of it.
    fn bundle(&mut self, line: &str, form: &Form, sections: &[Section]) {
        if form.is_single {
            return;
        }
        let name = |mid: &str| sections.iter().find(|s| s.mid == mid).and_then(|s| s.name.clone());
        let names: Vec<String> = line.split_whitespace().skip(1).filter_map(name).collect();
        self.push(&format!("a=group:BUNDLE {}", names.join(" ")));
    }

    fn write(&mut self, lines: &[&str], section: &Section, place: usize, candidates: &[String]) {
        let track = match section.kind {
            MediaKind::Audio => format!("audio{place}"),
            MediaKind::Video => format!("video{place}"),
            MediaKind::Other => format!("data{place}"),
        };
        for line in lines {
            let attribute = line.strip_prefix("a=").unwrap_or_default();
            if attribute.starts_with("candidate:") || attribute == "end-of-candidates" {
                continue;
            }
            if attribute.starts_with("mid:") {
                if let Some(name) = &section.name {
                    self.push(&format!("a=mid:{name}"));
                }
            } else if attribute.starts_with("msid:") {
                if section.direction.sends {
                    self.push(&format!("a=msid:{STREAM} {track}"));
                }
            } else if let Some((ssrc, detail)) = attribute.strip_prefix("ssrc:").and_then(|ssrc| ssrc.split_once(' ')) {
                match detail.split(':').next() {
                    Some("cname") => self.push(&format!("a=ssrc:{ssrc} cname:{STREAM}")),
                    Some("msid") => self.push(&format!("a=ssrc:{ssrc} msid:{STREAM} {track}")),
                    _ => self.push(line),
                }
            } else {
                self.push(line);
            }
        }
        if !candidates.is_empty() {
            for candidate in candidates {
                self.push(&format!("a={candidate}"));
            }
            self.push("a=end-of-candidates");
        }
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str("\r\n");
    }
}

fn section(lines: &[&str], place: usize, form: &Form) -> Section {
    let media = lines[0].strip_prefix("m=").unwrap_or_default();
    let attributes = || lines.iter().filter_map(|line| line.strip_prefix("a="));
    let mid = attributes().find_map(|a| a.strip_prefix("mid:")).unwrap_or_default().trim().to_owned();
    let name = match &form.mids {
        Some(names) => names.get(place).cloned().flatten(),
        None => Some(mid.clone()),
    };
    Section {
        kind: MediaKind::of(media),
        mid,
        name,
        active: media.split_whitespace().nth(1) != Some("0"),
        direction: attributes().find_map(Direction::of).unwrap_or(Direction { sends: false, receives: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "v=0\r\no=str0m 1 2 IN IP4 0.0.0.0\r\ns=-\r\na=group:BUNDLE 1 2\r\na=msid-semantic: WMS abc def\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 1 typ host\r\na=inactive\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=sendrecv\r\na=msid:abc t1\r\na=ssrc:5 cname:q\r\na=ssrc:5 msid:abc t1\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:2\r\na=sendonly\r\na=msid:def t2\r\na=ssrc:6 cname:r\r\n\
        a=ssrc-group:FID 6 7\r\n";

    #[test]
    fn one_stream_for_both() {
        let answer = Answer::shape(RAW, &Form::default(), &["candidate:1 1 udp 9 192.0.2.1 5000 typ host".to_owned()]);
        let text = &answer.text;
        assert!(text.contains("a=msid-semantic: WMS mouthpiece\r\n"), "{text}");
        assert!(
            text.contains("a=msid:mouthpiece audio1\r\n") && text.contains("a=msid:mouthpiece video2\r\n"),
            "{text}"
        );
        assert!(text.contains("a=ssrc:5 msid:mouthpiece audio1\r\n") && text.contains("a=ssrc:6 cname:mouthpiece\r\n"));
        assert!(!text.contains("abc") && !text.contains("def"), "{text}");
        assert!(text.contains("a=ssrc-group:FID 6 7\r\n"));
    }

    #[test]
    fn candidates_stand_in_the_first_section_that_lives() {
        let answer = Answer::shape(RAW, &Form::default(), &["candidate:1 1 udp 9 192.0.2.1 5000 typ host".to_owned()]);
        assert!(!answer.text.contains("192.0.2.9"));
        let audio = answer.text.split("m=audio").nth(1).unwrap().split("m=video").next().unwrap();
        assert!(audio.contains("a=candidate:1 1 udp 9 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n"));
        assert_eq!(answer.text.matches("a=candidate").count(), 1);
    }

    #[test]
    fn sections_go_by_the_peers_names() {
        let mids = vec![None, Some("audio-{1}".to_owned()), Some("video".to_owned())];
        let answer = Answer::shape(RAW, &Form { mids: Some(mids), is_single: false }, &[]);
        assert!(answer.text.contains("a=group:BUNDLE audio-{1} video\r\n"), "{}", answer.text);
        assert!(answer.text.contains("a=mid:audio-{1}\r\n") && answer.text.contains("a=mid:video\r\n"));
        assert_eq!(answer.text.matches("a=mid:").count(), 2);
        assert_eq!(answer.sections[1].mid, "1");
        let single = Answer::shape(RAW, &Form { mids: None, is_single: true }, &[]);
        assert!(!single.text.contains("a=group"), "{}", single.text);
    }

    #[test]
    fn sections_are_told() {
        let answer = Answer::shape(RAW, &Form::default(), &[]);
        let [dead, audio, video] = &answer.sections[..] else { panic!("{:?}", answer.sections) };
        assert!(!dead.active && audio.active && video.active);
        assert_eq!((audio.mid.as_str(), video.mid.as_str()), ("1", "2"));
        assert_eq!(audio.direction, Direction::BOTH);
        assert!(video.direction.sends && !video.direction.receives);
        assert_eq!(answer.active(MediaKind::Video).count(), 1);
    }
}
