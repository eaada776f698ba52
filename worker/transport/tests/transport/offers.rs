//! Offers as browsers and libraries make them, and as nobody should.

use crate::client::{Client, Wish};
use crate::world::{STREAM, World};
use mouthpiece_transport::SignalError;
use mouthpiece_transport::hub::{Advertised, Hub, HubSettings};
use mouthpiece_transport::{StreamId, StreamParams};
use proptest::prelude::*;
use std::time::Instant;

const ICE: &str = "a=ice-ufrag:Qm3x\r\na=ice-pwd:0x9GhtlLAWq2nLRyRXkhqYw3\r\na=ice-options:trickle\r\n";
const DTLS: &str = "a=fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\na=setup:actpass\r\n";

/// As Chromium offers to receive: VP8 first, every profile of H.264 but High, each with both packetization modes.
fn chromium(microphone: bool) -> String {
    let mut offer = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n"
        .to_owned();
    offer += "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n";
    offer += &format!("{ICE}{DTLS}a=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n");
    offer += "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
    offer += if microphone { "a=sendrecv\r\na=msid:- 5d0b\r\na=ssrc:77 cname:pZ\r\n" } else { "a=recvonly\r\n" };
    offer += "a=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
        a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\n\
        a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
        a=rtpmap:126 telephone-event/8000\r\n";
    offer += "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 106 107 108 109 127 125 39 40 98 99\r\n\
        c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n";
    offer += &format!("{ICE}{DTLS}a=mid:1\r\na=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n");
    offer += "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
        a=extmap:13 urn:3gpp:video-orientation\r\n\
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
        a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n";
    let codecs = [
        (96, "VP8", ""),
        (102, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
        (104, "H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"),
        (106, "H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
        (108, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
        (127, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"),
        (39, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=f4001f"),
        (98, "VP9", "profile-id=0"),
    ];
    let repairs = [97, 103, 105, 107, 109, 125, 40, 99];
    for ((pt, name, format), repair) in codecs.into_iter().zip(repairs) {
        offer += &format!("a=rtpmap:{pt} {name}/90000\r\n");
        for feedback in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
            offer += &format!("a=rtcp-fb:{pt} {feedback}\r\n");
        }
        if !format.is_empty() {
            offer += &format!("a=fmtp:{pt} {format}\r\n");
        }
        offer += &format!("a=rtpmap:{repair} rtx/90000\r\na=fmtp:{repair} apt={pt}\r\n");
    }
    offer
}

/// As aiortc offers to receive: candidates inside, sha-256 and more, no transport-wide feedback.
fn aiortc() -> String {
    let network =
        "c=IN IP4 192.0.2.33\r\na=candidate:06f2 1 udp 2130706431 192.0.2.33 45210 typ host\r\na=end-of-candidates\r\n";
    let dtls = format!("{}a=fingerprint:sha-384 11:22\r\na=setup:actpass\r\n", DTLS.split("a=setup").next().unwrap());
    let ice = "a=ice-ufrag:Ab1c\r\na=ice-pwd:ZsTzB5yXoL4RkGcJ1hQmWp\r\n";
    format!(
        "v=0\r\no=- 3973310000 3973310000 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic:WMS *\r\n\
         m=video 45210 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102\r\n{network}a=recvonly\r\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=mid:0\r\n\
         a=msid:5f5e 6a6b\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=rtcp-mux\r\n\
         a=rtpmap:97 VP8/90000\r\na=rtcp-fb:97 nack\r\na=rtcp-fb:97 nack pli\r\na=rtcp-fb:97 goog-remb\r\n\
         a=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n\
         a=rtpmap:99 H264/90000\r\na=rtcp-fb:99 nack\r\na=rtcp-fb:99 nack pli\r\na=rtcp-fb:99 goog-remb\r\n\
         a=fmtp:99 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42001f\r\n\
         a=rtpmap:100 rtx/90000\r\na=fmtp:100 apt=99\r\n\
         a=rtpmap:101 H264/90000\r\na=rtcp-fb:101 nack\r\na=rtcp-fb:101 nack pli\r\na=rtcp-fb:101 goog-remb\r\n\
         a=fmtp:101 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f\r\n\
         a=rtpmap:102 rtx/90000\r\na=fmtp:102 apt=101\r\n{ice}{dtls}\
         m=audio 45210 UDP/TLS/RTP/SAVPF 96 0 8\r\n{network}a=recvonly\r\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
         a=mid:1\r\na=msid:5f5e 7c7d\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtpmap:96 opus/48000/2\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n{ice}{dtls}"
    )
}

/// As GStreamer 1.22 offers to receive: H.264 without a format, Opus without its channels, no bundle unless asked for.
mod webrtcbin {
    fn lines(text: &str) -> String {
        text.replace('\n', "\r\n")
    }

    pub fn video() -> String {
        lines(include_str!("webrtcbin/video.sdp"))
    }

    pub fn audio() -> String {
        lines(include_str!("webrtcbin/audio.sdp"))
    }

    pub fn both() -> String {
        lines(include_str!("webrtcbin/both.sdp"))
    }

    pub fn both_bundled() -> String {
        lines(include_str!("webrtcbin/both_bundled.sdp"))
    }
}

fn answer(offer: &str) -> Result<String, SignalError> {
    let mut world = World::new(1);
    world.hub.offer(world.now, STREAM, 1, offer).map(|answered| {
        assert!(answered.sdp.contains(&format!("a=ice-ufrag:{}\r\n", answered.tag)));
        answered.sdp
    })
}

fn section<'a>(answer: &'a str, kind: &str) -> &'a str {
    let start = answer.find(&format!("m={kind} ")).unwrap();
    let rest = &answer[start..];
    rest[2..].find("\r\nm=").map_or(rest, |end| &rest[..end + 4])
}

/// What every answer with both media has.
fn check(answer: &str, video: &str, audio: &str) {
    let (shown, heard) = (section(answer, "video"), section(answer, "audio"));
    let first = |section: &str| section.lines().next().unwrap().split(' ').nth(3).unwrap().to_owned();
    assert_eq!((first(shown).as_str(), first(heard).as_str()), (video, audio), "{answer}");
    assert!(shown.contains("profile-level-id=42e01f") && shown.contains("packetization-mode=1"));
    assert!(!answer.contains("VP8") && !answer.contains("packetization-mode=0") && !answer.contains("4d001f"));
    assert!(shown.contains("a=sendonly\r\n") && shown.contains("a=setup:passive\r\n"));
    let msids: Vec<&str> = answer.lines().filter_map(|l| l.strip_prefix("a=msid:")).collect();
    assert_eq!(msids.len(), 2);
    let stream = msids[0].split(' ').next().unwrap();
    assert!(msids.iter().all(|msid| msid.split(' ').next() == Some(stream)), "{msids:?}");
    let names: Vec<&str> = answer.lines().filter(|l| l.starts_with("a=ssrc:")).collect();
    assert!(
        names.iter().all(|l| l.ends_with(&format!("cname:{stream}")) || l.contains(&format!("msid:{stream} "))),
        "{names:?}"
    );
    assert_eq!(answer.matches("a=candidate:").count(), 1);
    assert!(answer.contains(" 192.0.2.1 5000 typ host\r\n") && answer.contains("a=end-of-candidates"));
}

#[test]
fn browsers_get_baseline_and_opus_in_one_stream() {
    let listening = answer(&chromium(false)).unwrap();
    check(&listening, "108", "111");
    assert!(section(&listening, "audio").contains("a=sendonly\r\n"));
    assert!(section(&listening, "video").contains("a=rtcp-fb:108 transport-cc"));
    let speaking = answer(&chromium(true)).unwrap();
    check(&speaking, "108", "111");
    assert!(section(&speaking, "audio").contains("a=sendrecv\r\n"));
    check(&answer(&aiortc()).unwrap(), "101", "96");
    let old = answer(&chromium(false).replace("\r\n", "\n")).unwrap();
    check(&old, "108", "111");
}

#[test]
fn webrtcbin_is_answered_as_it_asks() {
    let video = answer(&webrtcbin::video()).unwrap();
    let shown = section(&video, "video");
    assert!(shown.starts_with("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"), "{video}");
    for line in ["a=mid:video0", "a=sendonly", "a=rtpmap:96 H264/90000", "a=rtcp-fb:96 nack pli"] {
        assert!(shown.contains(&format!("{line}\r\n")), "{line}: {video}");
    }
    // What is sent is told, since it is not what the offer's silence means.
    assert!(shown.contains("packetization-mode=1") && shown.contains("profile-level-id=42001f"), "{video}");
    assert!(!video.contains("a=group"), "nobody spoke of a bundle: {video}");

    let audio = answer(&webrtcbin::audio()).unwrap();
    assert!(section(&audio, "audio").contains("a=rtpmap:97 opus/48000/2\r\n"), "{audio}");
    assert!(audio.contains("a=mid:audio0\r\n") && !audio.contains("a=group"), "{audio}");

    let both = answer(&webrtcbin::both_bundled()).unwrap();
    assert!(both.contains("a=group:BUNDLE video0 audio1\r\n"), "{both}");
    assert!(section(&both, "audio").starts_with("m=audio 9 UDP/TLS/RTP/SAVPF 97\r\n"), "{both}");

    let Err(SignalError::Unprocessable(said)) = answer(&webrtcbin::both()) else { panic!("two transports") };
    assert!(said.contains("2 sections and no a=group:BUNDLE") && said.contains("max-bundle"), "{said}");
}

#[test]
fn a_section_without_a_name_is_answered_without_one() {
    let unnamed = webrtcbin::video().replace("a=mid:video0\r\n", "");
    let answered = answer(&unnamed).unwrap();
    assert!(section(&answered, "video").contains("a=sendonly\r\n") && !answered.contains("a=mid"), "{answered}");
    // Names that are no words of letters and digits come back as they were, and packets do not carry them.
    let odd = chromium(false)
        .replace("BUNDLE 0 1", "BUNDLE {audio-1} a.rather.long.name.of.video")
        .replace("a=mid:0", "a=mid:{audio-1}")
        .replace("a=mid:1\r\n", "a=mid:a.rather.long.name.of.video\r\n");
    let answered = answer(&odd).unwrap();
    check(&answered, "108", "111");
    assert!(answered.contains("a=group:BUNDLE {audio-1} a.rather.long.name.of.video\r\n"), "{answered}");
    assert!(section(&answered, "audio").contains("a=mid:{audio-1}\r\n"), "{answered}");
    assert!(section(&answered, "video").contains("a=mid:a.rather.long.name.of.video\r\n"), "{answered}");
    assert!(!answered.contains("sdes:mid"), "{answered}");
    assert!(answer(&chromium(false)).unwrap().contains("sdes:mid"));
}

#[test]
fn single_nal_units_are_refused_with_what_is_missing() {
    for fmtp in ["packetization-mode=0", "profile-level-id=42e01f; packetization-mode=0"] {
        let offer = webrtcbin::video().replace("H264/90000\r\n", &format!("H264/90000\r\na=fmtp:96 {fmtp}\r\n"));
        let Err(SignalError::NoCodec(said)) = answer(&offer) else { panic!("{fmtp}") };
        assert!(said.contains("packetization-mode=0 only") && said.contains("offer packetization-mode=1"), "{said}");
    }
    let main = webrtcbin::video()
        .replace("H264/90000\r\n", "H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=4d001f\r\n");
    let Err(SignalError::NoCodec(said)) = answer(&main) else { panic!("main profile") };
    assert!(said.contains("42e01f"), "{said}");
}

#[test]
fn plain_baseline_will_do() {
    let answer = answer(&chromium(false).replace("42e01f", "64001f")).unwrap();
    let first = section(&answer, "video").lines().next().unwrap().to_owned();
    assert!(first.starts_with("m=video 9 UDP/TLS/RTP/SAVPF 102 "), "{first}");
    assert!(answer.contains("profile-level-id=42001f"));
}

#[test]
fn ice_lite_says_so() {
    let mut world = World::with(1, HubSettings { lite: true, max_viewers: 9, max_viewers_per_stream: 9 });
    let seen = Advertised { addr: "203.0.113.8:9".parse().unwrap(), base: Some("192.0.2.1:5000".parse().unwrap()) };
    world.hub.advertise(seen);
    world.hub.advertise(seen);
    let answer = world.hub.offer(world.now, STREAM, 1, &chromium(false)).unwrap().sdp;
    assert!(answer.contains("a=ice-lite\r\n"));
    assert!(answer.contains("203.0.113.8 9 typ srflx raddr 192.0.2.1 rport 5000\r\n"));
    assert_eq!(answer.matches("a=candidate:").count(), 2);
}

#[test]
fn without_a_common_codec_it_is_said_which_is_missing() {
    let no = |offer: String| match answer(&offer) {
        Err(SignalError::NoCodec(said)) => said,
        other => panic!("{other:?}"),
    };
    assert!(no(chromium(false).replace("H264", "H265")).contains("H.264"));
    assert!(
        no(chromium(false).replace("packetization-mode=1", "packetization-mode=0")).contains("packetization-mode=1")
    );
    assert!(no(chromium(false).replace("profile-level-id=42", "profile-level-id=64")).contains("baseline"));
    assert!(no(chromium(false).replace("opus", "speex")).contains("Opus"));
}

#[test]
fn what_cannot_be_done_is_refused_in_words_and_leaves_nothing() {
    let mut world = World::new(2);
    let fingerprint = chromium(false).find("a=fingerprint").unwrap();
    let cases = [
        String::new(),
        "hello".to_owned(),
        chromium(false)[..200].to_owned(),
        chromium(false).replace("a=fingerprint", "a=fingerprnt"),
        chromium(false).replace("a=ice-pwd", "a=ice-pw"),
        chromium(false).replace("v=0", "v=0\r\na=ice-lite").replace("recvonly", "inactive"),
        chromium(false).replace("a=mid:1", "a=mid:0"),
        chromium(false).replace("a=mid:1\r\n", ""),
        chromium(false).replace("a=group", "a=groop"),
        chromium(false).replace("a=rtpmap:111", "a=rtpmap:112"),
        chromium(false).replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        chromium(false).replace("a=setup:actpass", "a=setup:actpass\r\na=setup:active"),
        chromium(false).replace("t=0 0", "t=1 2"),
        chromium(false).replace("sha-256 6B", "sha-256 XX"),
        chromium(false)[..fingerprint].to_owned(),
        format!("{}{}", chromium(false), "a=x\r\n".repeat(20_000)),
    ];
    for offer in cases {
        let refused = world.hub.offer(world.now, STREAM, 1, &offer).unwrap_err();
        assert!(matches!(refused, SignalError::Malformed(_) | SignalError::Unprocessable(_)), "{refused:?}");
        assert_is_a_sentence(&refused);
    }
    assert_eq!((world.hub.traces(), world.hub.counts().answered), (0, 0));
    assert!(world.hub.offer(world.now, STREAM, 1, &chromium(false)).is_ok(), "the name is still free");
}

/// In our words: one line, without addresses of memory and what parsers say.
fn assert_is_a_sentence(refused: &SignalError) {
    let said = refused.to_string();
    assert!(said.len() > 10 && !said.contains(char::is_control), "{said:?}");
    for mark in ["0x", "PointerOffset", "Parse error", "Unexpected", "Expected", "SDP parse", "remote sdp"] {
        assert!(!said.contains(mark), "{said}");
    }
}

fn hub() -> Hub {
    let settings = HubSettings { lite: false, max_viewers: 10, max_viewers_per_stream: 10 };
    let mut hub = Hub::new(settings, vec![Advertised::host("192.0.2.1:5000".parse().unwrap())]).unwrap();
    hub.open(StreamId(1), StreamParams { fps: 25, bitrate: [1000, 2000] });
    hub
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_mutation_of_a_real_offer_breaks_a_hub(
        which in 0usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..6, any::<u8>()), 1..12),
    ) {
        let now = Instant::now();
        let real = match which {
            0 => chromium(true),
            1 => aiortc(),
            2 => webrtcbin::both_bundled(),
            _ => Client::new(now, 1, "198.51.100.1:4000".parse().unwrap()).offer(Wish { data: true, ..Wish::SPEAKER }),
        };
        let mut lines: Vec<String> = real.lines().map(str::to_owned).collect();
        for (at, other, edit, byte) in edits {
            if lines.is_empty() {
                break;
            }
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => lines.insert(at, lines[other].clone()),
                3 => {
                    let cut = usize::from(byte) % (lines[at].len() + 1);
                    lines[at].truncate(cut);
                }
                4 => lines[at] = lines[at].replace(|c: char| c.is_ascii_digit(), &byte.to_string()),
                _ => lines[at].push(char::from(byte)),
            }
        }
        let mut hub = hub();
        let answered = hub.offer(now, StreamId(1), 1, &lines.join("\r\n"));
        if let Err(refused) = &answered {
            assert_is_a_sentence(refused);
        } else {
            hub.tick(now + std::time::Duration::from_secs(1));
            hub.close(now + std::time::Duration::from_secs(1), StreamId(1));
        }
        prop_assert_eq!(hub.traces(), 0);
    }

    #[test]
    fn no_text_breaks_a_hub(text in "(v=0\r\n)?([a-z]=[ -~]{0,40}\r\n){0,20}") {
        prop_assert!(hub().offer(Instant::now(), StreamId(1), 1, &text).is_err());
    }
}
