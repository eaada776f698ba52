use std::{fs, path::Path};

use super::*;
use crate::mux::fixtures::{click, ffmpeg, file, loudest, picture, settings, tone, wav, wav_header};

/// A whole file in both forms.
fn read_all(path: &Path) -> Result<(SpeechBlock, SpeechReader), AudioError> {
    let (mut reader, mut block, mut all) = (SpeechReader::open(path)?, SpeechBlock::default(), SpeechBlock::default());
    while reader.read(&mut block)? {
        let milliseconds = block.speech.len() / 16;
        assert!(milliseconds <= 100, "a block of {milliseconds} ms");
        all.speech.extend_from_slice(&block.speech);
        all.playback.extend_from_slice(&block.playback);
    }
    assert!(block.speech.is_empty() && !reader.read(&mut block)?);
    Ok((all, reader))
}

fn refusal(path: &Path) -> String {
    read_all(path).err().expect("this file is refused").to_string()
}

#[test]
fn a_click_keeps_its_place_in_both_forms_at_every_rate_and_channel_count() {
    let dir = tempfile::tempdir().unwrap();
    for (rate, channels) in [
        (44_100, 2_u16),
        (44_100, 1),
        (48_000, 1),
        (16_000, 1),
        (8_000, 2),
        (96_000, 6),
        (22_050, 3),
        (48_000, 10),
        (192_000, 64),
    ] {
        let samples = click(rate, usize::from(channels), 1.5, 1.0);
        for format in [1, 3] {
            let (all, reader) = read_all(&file(dir.path(), "a.wav", &wav(rate, channels, format, &samples))).unwrap();
            let shown = usize::from(reader.info().playback_channels);
            assert_eq!(shown, usize::from(channels).min(2));
            assert_eq!((reader.info().sample_rate, reader.info().channels), (rate, channels));
            assert_eq!((all.speech.len(), all.playback.len()), (24_000, 72_000 * shown), "{rate} {channels}");
            let (speech, playback) = (loudest(&all.speech), loudest(&all.playback) / shown);
            assert!(speech.abs_diff(16_000) <= 1, "{rate} Hz, {channels} channels: {speech}");
            assert!(playback.abs_diff(48_000) <= 2, "{rate} Hz, {channels} channels: {playback}");
            // Channels that are alike stay as loud as they were.
            if channels <= 2 {
                assert!((all.speech[speech] - 0.9).abs() < 0.08, "{rate} {channels}: {}", all.speech[speech]);
            }
            assert!(all.speech.iter().chain(&all.playback).all(|x| x.abs() <= 1.0));
            assert_eq!(reader.warnings(), []);
        }
    }
}

#[test]
fn compressed_files_start_where_their_sound_starts() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(dir.path(), "a.wav", &wav(44_100, 2, 1, &click(44_100, 2, 2.0, 1.0)));
    let source = source.to_str().unwrap();
    let cases: [(&str, &[&str], &str, usize); 8] = [
        ("a.flac", &[], "flac", 0),
        ("a.mp3", &["-b:a", "192k"], "mp3", 16),
        ("a.ogg", &["-c:a", "libvorbis"], "vorbis", 16),
        ("b.ogg", &["-c:a", "libopus"], "opus", 48),
        ("a.webm", &["-c:a", "libopus"], "opus", 48),
        ("a.m4a", &["-c:a", "aac"], "aac", 16),
        ("b.wav", &["-c:a", "pcm_s24le"], "pcm_s24le", 0),
        ("a.mka", &["-c:a", "pcm_f64le"], "pcm_f64le", 0),
    ];
    for (name, args, codec, slack) in cases {
        let path = ffmpeg(dir.path(), &[&["-i", source], args].concat(), name);
        let (all, reader) = read_all(&path).unwrap();
        assert_eq!(reader.info().codec, codec);
        let (speech, playback) = (loudest(&all.speech), loudest(&all.playback) / 2);
        assert!(speech.abs_diff(16_000) <= 16 + slack, "{name}: {speech}");
        assert!(playback.abs_diff(48_000) <= 48 + 3 * slack, "{name}: {playback}");
        assert!((speech as f64 / 16_000.0 - playback as f64 / 48_000.0).abs() < 0.000_1, "{name}: forms stay aligned");
        assert!((all.speech.len() as f64 / 16_000.0 - 2.0).abs() < 0.03, "{name}: {} samples", all.speech.len());
        assert_eq!(all.playback.len(), (reader.seconds() * 96_000.0 / 2.0).round() as usize * 2, "{name}");
        assert!((reader.info().duration_estimate.unwrap() - 2.0).abs() < 0.1, "{name}");
        assert_eq!(reader.warnings(), [], "{name}");
    }
}

#[test]
fn the_sound_of_a_video_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    crate::mux::fixtures::write_mp4(&path, crate::encode::EncoderChoice::Auto, 25, 1, &tone(48_000, 1, 1.0, 440.0));
    let (all, _) = read_all(&path).unwrap();
    assert!(all.speech.len().abs_diff(16_000) <= 400, "{}", all.speech.len());
}

#[test]
fn what_is_not_audio_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let text = file(d, "x.txt", b"Hello, this is only a text.\n".repeat(400).as_slice());
    let give = "give a recording (WAV, MP3, OGG";
    for name in ["x.txt", "x.wav", "x.mp3"] {
        let message = refusal(&file(d, name, &fs::read(&text).unwrap()));
        assert!(message.contains(&format!("{name}' holds text: {give}")), "{message}");
    }
    let playlist = file(d, "x.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.wav\n#EXT-X-ENDLIST\n");
    assert!(refusal(&playlist).contains(&format!("holds text: {give}")), "{}", refusal(&playlist));
    let mut noise = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(100_000)
    .collect();
    for name in ["noise", "noise.mp3", "noise.aac", "noise.m4a"] {
        let message = refusal(&file(d, name, &bytes));
        assert!(message.contains(&format!("{name}' is of an unknown kind: {give}")), "{message}");
    }
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(64, 64).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    assert!(refusal(&file(d, "x.png", picture.get_ref())).contains(&format!("x.png' is a PNG picture: {give}")));
    assert!(refusal(&file(d, "x", b"")).contains(&format!("x' is empty: {give}")));
    assert!(refusal(&d.join("none.wav")).ends_with("none.wav' cannot be read: no such file or directory"));
    assert!(refusal(d).ends_with("cannot be read: it is not a regular file"));
}

#[test]
fn a_silent_video_has_no_audio_stream() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    let mut encoder = crate::encode::open(crate::encode::EncoderChoice::Auto, &settings(64, 64)).unwrap();
    let video = crate::mux::VideoParams { width: 64, height: 64, fps: (25, 1) };
    let mut writer = crate::mux::Mp4Writer::create(&path, video, None).unwrap();
    for t in 0..5 {
        encoder.encode(&picture(64, 64, t), t as i64, false, &mut |p| writer.push_video(&p).unwrap()).unwrap();
    }
    writer.finish().unwrap();
    assert!(refusal(&path).ends_with("a.mp4' has no audio stream: give a recording of speech"), "{}", refusal(&path));
}

#[test]
fn headers_without_sound_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let empty = file(d, "a.wav", &wav(16_000, 1, 1, &[]));
    assert!(refusal(&empty).contains("a.wav' holds no sound"), "{}", refusal(&empty));
    let promised = file(d, "b.wav", &wav_header(16_000, 1, 1, 32_000));
    assert!(refusal(&promised).contains("b.wav' holds no sound"), "{}", refusal(&promised));
    let flac = ffmpeg(d, &["-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "0"], "a.flac");
    assert!(
        refusal(&flac).contains("a.flac' holds no sound") || refusal(&flac).contains("cannot be read as a recording"),
        "{}",
        refusal(&flac)
    );
}

#[test]
fn files_cut_in_the_middle_are_read_as_far_as_they_go() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(dir.path(), "a.wav", &wav(44_100, 1, 1, &tone(44_100, 1, 4.0, 300.0)));
    let source_name = source.to_str().unwrap();
    for (name, args) in [
        ("a.flac", &[][..]),
        ("a.mp3", &[]),
        ("a.m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
        ("b.wav", &[]),
        ("a.webm", &["-c:a", "libopus"]),
    ] {
        let whole = fs::read(ffmpeg(dir.path(), &[&["-i", source_name], args].concat(), name)).unwrap();
        let cut = file(dir.path(), &format!("cut-{name}"), &whole[..whole.len() / 2]);
        let (all, reader) = read_all(&cut).unwrap();
        let seconds = all.speech.len() as f64 / 16_000.0;
        assert!((1.0..3.2).contains(&seconds), "{name}: {seconds} s");
        let warnings = reader.warnings();
        assert!(warnings.iter().any(|w| matches!(w, SpeechWarning::CutShort { .. })), "{name}: {warnings:?}");
        assert!(warnings[warnings.len() - 1].to_string().contains("that the file states: it was cut short"));
    }
    // Without its index an MP4 cannot be read at all.
    let whole = fs::read(ffmpeg(dir.path(), &["-i", source_name, "-c:a", "aac"], "b.m4a")).unwrap();
    let message = refusal(&file(dir.path(), "cut-b.m4a", &whole[..whole.len() / 2]));
    assert!(message.contains("cannot be read as a recording: the data is damaged, cut short"), "{message}");
}

#[test]
fn damaged_packets_are_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(dir.path(), "a.wav", &wav(44_100, 1, 1, &tone(44_100, 1, 4.0, 300.0)));
    let mut bytes = fs::read(ffmpeg(dir.path(), &["-i", source.to_str().unwrap(), "-c:a", "aac"], "a.m4a")).unwrap();
    let len = bytes.len();
    bytes[len / 3..len / 3 + 2000].fill(0xff);
    let (all, reader) = read_all(&file(dir.path(), "b.m4a", &bytes)).unwrap();
    assert!(all.speech.len() > 40_000, "{}", all.speech.len());
    assert!(
        matches!(reader.warnings()[0], SpeechWarning::Damaged { packets } if packets < 100),
        "{:?}",
        reader.warnings()
    );

    let data = bytes.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    let index = bytes.windows(4).position(|w| w == b"moov").unwrap() - 4;
    let end = if index > data { index } else { bytes.len() };
    bytes[data..end].fill(0xff);
    let message = refusal(&file(dir.path(), "c.m4a", &bytes));
    assert!(message.contains("c.m4a' is damaged: decoding failed at 0.00 s"), "{message}");
}

#[test]
fn samples_that_are_no_numbers_are_named_with_their_time() {
    let dir = tempfile::tempdir().unwrap();
    for (bad, what) in [(f32::NAN, "not a number"), (f32::INFINITY, "infinite"), (f32::NEG_INFINITY, "infinite")] {
        let mut samples = tone(16_000, 2, 2.0, 200.0);
        samples[2 * 20_000 + 1] = bad;
        let message = refusal(&file(dir.path(), "a.wav", &wav(16_000, 2, 3, &samples)));
        assert!(message.contains(&format!("holds a sample that is {what} at 1.250 s")), "{message}");
    }
    // In the very first frame it is found on opening.
    let message = refusal(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &[f32::NAN; 100])));
    assert!(message.contains("not a number at 0.000 s"), "{message}");
}

#[test]
fn rates_channels_and_lengths_have_limits() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    for rate in [1000, 3999, 400_000] {
        let message = refusal(&file(d, "a.wav", &wav(rate, 1, 1, &vec![0.1; 4000])));
        assert!(message.contains(&format!("has a sample rate of {rate}: it must be from 4000 to 384000")), "{message}");
    }
    for rate in [4000, 384_000] {
        assert!(read_all(&file(d, "a.wav", &wav(rate, 1, 1, &vec![0.1; 4000]))).is_ok());
    }
    let message = refusal(&file(d, "a.wav", &wav(16_000, 65, 1, &vec![0.1; 6500])));
    assert!(message.contains("channel") || message.contains("cannot be read as a recording"), "{message}");
    let long = file(d, "a.wav", &wav(16_000, 1, 1, &tone(16_000, 1, 3.0, 200.0)));
    let limits = SpeechLimits { max_seconds: 2.0 };
    let message = survey(&long, &limits, &mut |_| true).unwrap_err().to_string();
    assert!(message.ends_with("a.wav' is longer than 2 s, the most that is allowed: split it"), "{message}");
}

#[test]
fn a_single_sample_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (all, reader) = read_all(&file(dir.path(), "a.wav", &wav(16_000, 1, 1, &[0.5]))).unwrap();
    assert_eq!((all.speech.len(), all.playback.len()), (1, 3));
    assert!(reader.seconds() > 0.0);
}

#[test]
fn an_unknown_end_is_not_called_cut() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = wav(16_000, 1, 1, &tone(16_000, 1, 1.0, 200.0));
    bytes[40..44].fill(0xff);
    let (all, reader) = read_all(&file(dir.path(), "a.wav", &bytes)).unwrap();
    assert_eq!((all.speech.len(), reader.warnings()), (16_000, vec![]));
}

#[test]
fn a_placeholder_for_an_unknown_length_is_no_length() {
    let dir = tempfile::tempdir().unwrap();
    let whole = wav(24_000, 1, 1, &tone(24_000, 1, 1.0, 200.0));
    for size in [0_u32, 0x7fff_ffff, 0xffff_ffff, 2_000_000_000, 0x4000_0000] {
        for header in [0, 36, 44] {
            let mut bytes = whole.clone();
            bytes[4..8].copy_from_slice(&size.saturating_add(header).to_le_bytes());
            bytes[40..44].copy_from_slice(&size.to_le_bytes());
            let (all, reader) = read_all(&file(dir.path(), "a.wav", &bytes)).unwrap();
            assert_eq!((all.speech.len(), reader.warnings()), (16_000, vec![]), "{size} {header}");
        }
    }
}

#[test]
fn joined_wav_files_are_read_one_after_another() {
    let dir = tempfile::tempdir().unwrap();
    let one = |rate: u32, channels: usize, hertz: f64| wav(rate, channels as u16, 1, &tone(rate, channels, 1.0, hertz));
    let uncounted = |mut bytes: Vec<u8>| {
        bytes[4..8].fill(0xff);
        bytes[40..44].fill(0xff);
        bytes
    };
    let three = [one(24_000, 1, 200.0), one(16_000, 1, 300.0), one(24_000, 2, 400.0)];
    for (name, joined) in [
        ("a.wav", three.concat()),
        ("b.wav", three.clone().map(uncounted).concat()),
        // Headers without sound between them.
        ("c.wav", [wav(8_000, 1, 1, &[]), three[0].clone(), wav(8_000, 1, 1, &[]), three[1..].concat()].concat()),
    ] {
        let (all, reader) = read_all(&file(dir.path(), name, &joined)).unwrap();
        assert_eq!((all.speech.len(), all.playback.len(), reader.warnings()), (48_000, 144_000, vec![]), "{name}");
        assert!((reader.seconds() - 3.0).abs() < 1e-6);
        // Each second has its own pitch, and no header is heard between them.
        for (second, hertz) in [(0, 200.0), (1, 300.0), (2, 400.0)] {
            let middle = &all.speech[second * 16_000 + 100..(second + 1) * 16_000 - 100];
            let crossings = middle.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count() as f64;
            assert!((crossings / (15_800.0 / 16_000.0) - hertz).abs() < 3.0, "{name} {second}: {crossings}");
        }
        let loudest = all.speech[loudest(&all.speech)];
        assert!(loudest.abs() < 0.56, "{name}: {loudest}");
    }
    // What is missing of each is told once.
    let cut = [&three[0][..24_044], &three[1], &three[2][..48_044]].concat();
    let (all, reader) = read_all(&file(dir.path(), "d.wav", &cut)).unwrap();
    assert_eq!(all.speech.len(), 32_000);
    let [SpeechWarning::CutShort { got, stated }] = reader.warnings()[..] else { panic!("{:?}", reader.warnings()) };
    assert!((got - 2.0).abs() < 1e-3 && (stated - 3.0).abs() < 1e-2, "{got} {stated}");
}
