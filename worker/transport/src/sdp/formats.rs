//! Payload types as peers write them: completed where the standards say what was left out.
//!
//! - H.264 without `packetization-mode` is mode 0 by RFC 6184, but every WebRTC receiver takes mode 1 (RFC 7742, 6.2), and that
//!   is what is sent: frames do not fit into single packets. So where no H.264 of a section names mode 1, what names no mode
//!   is read as taking it, and the answer says so. What names mode 0 means it, and is not served.
//! - Opus has two channels in `rtpmap` whatever it carries (RFC 7587, 7); some leave the `/2` out.

use super::MediaKind;

/// Why there is no video, for whoever offered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// No payload type is H.264.
    H264,
    /// All H.264 is of mode 0.
    Mode,
    /// None is of a profile that is sent.
    Profile,
}

impl Lack {
    /// A sentence with the remedy.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::H264 => {
                "the offer has no H.264, and video is sent as nothing else: offer it with packetization-mode=1"
            }
            Self::Mode => {
                "the offer takes H.264 with packetization-mode=0 only (single NAL units), and frames are larger than a packet: \
                 offer packetization-mode=1, which every WebRTC receiver takes (RFC 7742)"
            }
            Self::Profile => {
                "the offer takes no H.264 of the profiles baseline (42001f) or constrained baseline (42e01f) with \
                 packetization-mode=1, and no other is sent: offer one of them"
            }
        }
    }
}

/// What of video is missing, where nothing could be agreed upon.
pub(crate) fn lack<'a>(lines: impl Iterator<Item = &'a str>) -> Lack {
    let lines: Vec<&str> = lines.collect();
    let h264 = payload_types(&lines, "h264/90000");
    let modes: Vec<Option<String>> = h264.iter().map(|pt| parameter(&lines, pt, "packetization-mode")).collect();
    match (h264.is_empty(), modes.iter().any(|mode| mode.as_deref() == Some("1"))) {
        (true, _) => Lack::H264,
        (false, false) => Lack::Mode,
        (false, true) => Lack::Profile,
    }
}

/// The lines of a section, completed.
pub(crate) fn complete(kind: MediaKind, lines: &[&str]) -> Vec<String> {
    match kind {
        MediaKind::Audio => lines.iter().map(|line| with_channels(line)).collect(),
        MediaKind::Video => with_modes(lines),
        MediaKind::Other => lines.iter().map(|line| (*line).to_owned()).collect(),
    }
}

fn with_channels(line: &str) -> String {
    let is_short = line.starts_with("a=rtpmap:") && line.to_ascii_lowercase().ends_with(" opus/48000");
    if is_short { format!("{line}/2") } else { line.to_owned() }
}

fn with_modes(lines: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let h264 = payload_types(lines, "h264/90000");
    let mode = |pt: &&&str| parameter(lines, pt, "packetization-mode");
    if h264.iter().any(|pt| mode(&pt).as_deref() == Some("1")) {
        return out;
    }
    for pt in h264.iter().filter(|pt| mode(pt).is_none()) {
        let start = format!("a=fmtp:{pt} ");
        match out.iter_mut().find(|line| line.starts_with(&start)) {
            Some(line) => line.push_str(";packetization-mode=1"),
            None => out.push(format!("{start}packetization-mode=1")),
        }
    }
    out
}

/// The payload types of an encoding.
fn payload_types<'a>(lines: &[&'a str], encoding: &str) -> Vec<&'a str> {
    let maps = lines.iter().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '));
    maps.filter(|(_, name)| name.trim().eq_ignore_ascii_case(encoding)).map(|(pt, _)| pt).collect()
}

/// A parameter of a payload type.
fn parameter(lines: &[&str], pt: &str, name: &str) -> Option<String> {
    let formats = lines.iter().filter_map(|line| line.strip_prefix("a=fmtp:")?.split_once(' '));
    let mut pairs = formats.filter(|(of, _)| *of == pt).flat_map(|(_, text)| text.split(';'));
    let pair = pairs.find_map(|pair| pair.split_once('=').filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)));
    pair.map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_that_names_no_mode_is_read_as_taking_mode_1() {
        let bare = ["m=video 9 X 96", "a=rtpmap:96 H264/90000"];
        assert_eq!(complete(MediaKind::Video, &bare)[2..], ["a=fmtp:96 packetization-mode=1"]);
        let profile = ["a=rtpmap:96 h264/90000", "a=fmtp:96 profile-level-id=42e01f"];
        assert_eq!(complete(MediaKind::Video, &profile)[1], "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1");
    }

    #[test]
    fn what_names_a_mode_is_left_as_it_is() {
        // As Firefox has it: one of mode 1, one that names none and is mode 0.
        let both = [
            "a=rtpmap:126 H264/90000",
            "a=fmtp:126 profile-level-id=42e01f;packetization-mode=1",
            "a=rtpmap:97 H264/90000",
            "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1",
        ];
        assert_eq!(complete(MediaKind::Video, &both), both);
        let zero = ["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode = 0", "a=rtpmap:98 VP8/90000"];
        assert_eq!(complete(MediaKind::Video, &zero), zero);
        assert_eq!(lack(zero.into_iter()), Lack::Mode);
        assert_eq!(lack(zero[2..].iter().copied()), Lack::H264);
        assert_eq!(lack(both.into_iter()), Lack::Profile);
    }

    #[test]
    fn opus_has_two_channels() {
        let lines = ["a=rtpmap:97 OPUS/48000", "a=rtpmap:96 opus/48000/2", "a=rtpmap:0 PCMU/8000"];
        let wanted = ["a=rtpmap:97 OPUS/48000/2", "a=rtpmap:96 opus/48000/2", "a=rtpmap:0 PCMU/8000"];
        assert_eq!(complete(MediaKind::Audio, &lines), wanted);
        assert_eq!(complete(MediaKind::Video, &lines), lines);
    }
}
