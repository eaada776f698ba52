use std::path::Path;

use image::RgbImage;

use super::{fixtures::*, *};
use crate::{
    audio::{SpeechBlock, SpeechReader},
    encode::{EncodedPacket, EncoderChoice, available},
    image::{I420, frame_to_rgb},
    video::VideoReader,
};

fn usable() -> Vec<EncoderChoice> {
    available().into_iter().filter(|a| a.reason.is_none()).map(|a| a.choice).collect()
}

/// All of a file's sound at 48 kHz.
fn playback(path: &Path) -> (Vec<f32>, SpeechReader) {
    let (mut reader, mut block, mut all) = (SpeechReader::open(path).unwrap(), SpeechBlock::default(), Vec::new());
    while reader.read(&mut block).unwrap() {
        all.extend_from_slice(&block.playback);
    }
    (all, reader)
}

fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    let mean = a.as_raw().iter().zip(b.as_raw()).map(square).sum::<f64>() / a.as_raw().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// Kinds and places of the boxes at the top of an MP4.
fn boxes(bytes: &[u8]) -> Vec<String> {
    let (mut at, mut kinds) = (0, Vec::new());
    while let Some(head) = bytes.get(at..at + 8) {
        let size = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        kinds.push(String::from_utf8_lossy(&head[4..]).into_owned());
        at += size.max(8);
    }
    kinds
}

#[test]
fn what_every_encoder_writes_is_read_back_whole_and_in_step() {
    let dir = tempfile::tempdir().unwrap();
    for choice in usable() {
        for channels in [1_u16, 2] {
            let path = dir.path().join(format!("{choice}-{channels}.mp4"));
            let sound = click(48_000, usize::from(channels), 2.0, 1.0);
            let summary = write_mp4(&path, choice, 50, channels, &sound);
            assert_eq!((summary.frames, summary.video_seconds, summary.audio_seconds), (50, 2.0, 2.0));
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(summary.bytes, bytes.len() as u64);
            assert_eq!(boxes(&bytes)[..2], ["ftyp", "moov"], "the index comes first");
            assert!(boxes(&bytes).contains(&"mdat".to_owned()));

            let mut video = VideoReader::open(&path).unwrap();
            assert_eq!((video.size(), video.frames_per_second()), ((128, 96), 25.0));
            let mut shown = RgbImage::new(0, 0);
            let mut t = 0;
            while let Some(seconds) = video.next_frame(&mut shown).unwrap() {
                assert!((seconds - t as f64 / 25.0).abs() < 1e-6, "frame {t} at {seconds}");
                let quality = psnr(&frame_to_rgb(&picture(128, 96, t)), &shown);
                assert!(quality > 35.0, "{choice} frame {t}: {quality:.1} dB");
                t += 1;
            }
            assert_eq!(t, 50);
            assert!(!video.truncated());

            let (heard, reader) = playback(&path);
            let info = reader.info();
            assert_eq!((info.codec.as_str(), info.playback_channels, info.start_seconds), ("aac", channels, 0.0));
            assert_eq!(reader.warnings(), []);
            let frames = heard.len() / usize::from(channels);
            assert!((frames as i64 - 96_000).abs() <= 1920, "{frames} samples");
            let peak = loudest(&heard) / usize::from(channels);
            assert!((peak as i64 - 48_000).abs() <= 48, "{choice}: the click is at sample {peak}");
        }
    }
}

#[test]
fn other_programs_see_both_streams_start_together_with_their_colours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    write_mp4(&path, EncoderChoice::Auto, 50, 1, &tone(48_000, 1, 2.0, 440.0));
    let fields =
        "stream=codec_name,profile,start_time,duration,nb_frames,color_space,color_range,has_b_frames,r_frame_rate";
    let run = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-of", "default=nk=0:nw=1", "-show_entries", fields])
        .arg(&path)
        .output()
        .unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    let has = |line: &str| assert!(told.lines().any(|l| l == line), "no {line} in\n{told}");
    for line in ["codec_name=h264", "color_space=smpte170m", "color_range=tv", "has_b_frames=0", "r_frame_rate=25/1"] {
        has(line);
    }
    for line in ["nb_frames=50", "duration=2.000000", "codec_name=aac", "profile=LC"] {
        has(line);
    }
    assert_eq!(told.lines().filter(|l| *l == "start_time=0.000000").count(), 2, "{told}");
    assert_eq!(told.lines().filter(|l| *l == "duration=2.000000").count(), 2, "{told}");
    assert_eq!(run.stderr, b"");
}

#[test]
fn the_same_input_makes_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    for choice in usable() {
        let sound = tone(48_000, 2, 1.0, 330.0);
        let run = |name: &str| {
            let path = dir.path().join(name);
            write_mp4(&path, choice, 25, 2, &sound);
            std::fs::read(path).unwrap()
        };
        assert!(run("a.mp4") == run("b.mp4"), "{choice}");
    }
}

#[test]
fn sound_may_come_in_any_pieces_and_before_the_first_frame() {
    let dir = tempfile::tempdir().unwrap();
    let sound = tone(48_000, 1, 1.0, 440.0);
    let (mut packets, mut encoder) =
        (Vec::new(), crate::encode::open(EncoderChoice::Auto, &settings(128, 96)).unwrap());
    for t in 0..25 {
        let sink = &mut |p: EncodedPacket<'_>| packets.push((p.data.to_vec(), p.pts, p.key));
        encoder.encode(&picture(128, 96, t), t as i64, false, sink).unwrap();
    }
    let write = |name: &str, piece: usize| {
        let path = dir.path().join(name);
        let video = VideoParams { width: 128, height: 96, fps: (25, 1) };
        let mut writer = Mp4Writer::create(&path, video, Some(AudioParams { channels: 1 })).unwrap();
        for block in sound.chunks(piece) {
            writer.push_audio(block).unwrap();
        }
        for (data, pts, key) in &packets {
            writer.push_video(&EncodedPacket { data, pts: *pts, key: *key }).unwrap();
        }
        writer.finish().unwrap();
        std::fs::read(&path).unwrap()
    };
    assert!(write("a.mp4", 7) == write("b.mp4", 48_000));
}

#[test]
fn bad_samples_and_bad_packets_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    let video = VideoParams { width: 128, height: 96, fps: (25, 1) };
    let create = || Mp4Writer::create(&path, video, Some(AudioParams { channels: 2 })).unwrap();
    let key = [0, 0, 1, 0x67, 66, 192, 30, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1];

    let mut writer = create();
    assert!(writer.push_audio(&[0.0; 3]).unwrap_err().to_string().contains("a sample count of 3"));
    let message = writer.push_video(&EncodedPacket { data: &key[13..], pts: 0, key: true }).unwrap_err().to_string();
    assert!(message.contains("must be a key frame at 0 with its parameter sets"), "{message}");
    assert!(
        writer
            .push_video(&EncodedPacket { data: &[], pts: 0, key: true })
            .unwrap_err()
            .to_string()
            .contains("no picture")
    );
    let second = vec![0.0; 96_000];
    let ahead = (0..11).find_map(|_| writer.push_audio(&second).err()).unwrap().to_string();
    assert!(ahead.starts_with("11 s of audio came before the first frame"), "{ahead}");
    assert!(matches!(writer.finish(), Err(MuxError::NoVideo { .. })));

    let mut writer = create();
    writer.push_video(&EncodedPacket { data: &key, pts: 0, key: true }).unwrap();
    writer.push_audio(&[f32::NAN, f32::INFINITY, 0.0, 7.0]).unwrap();
    let mut other = key;
    other[7] = 2;
    let message = writer.push_video(&EncodedPacket { data: &other, pts: 1, key: true }).unwrap_err().to_string();
    assert!(message.contains("not those that the file began with"), "{message}");
    let again = writer.push_video(&EncodedPacket { data: &key, pts: 0, key: true }).unwrap_err().to_string();
    assert!(again.contains("at frame 0: it does not come after"), "{again}");
    drop(writer);

    let bad =
        |video, channels| Mp4Writer::create(&path, video, Some(AudioParams { channels })).err().unwrap().to_string();
    assert!(bad(video, 3).contains("a channel count of 3"));
    assert!(bad(VideoParams { width: 0, ..video }, 1).contains("a frame size of 0x96"));
    assert!(bad(VideoParams { fps: (0, 1), ..video }, 1).contains("a frame rate of 0/1"));
}

#[test]
fn outputs_that_cannot_be_written_are_named_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let video = VideoParams { width: 128, height: 96, fps: (25, 1) };
    let missing = dir.path().join("no/such/a.mp4");
    let message = Mp4Writer::create(&missing, video, None).err().unwrap().to_string();
    assert!(message.contains("no/such/a.mp4' cannot be written: no such file or directory"), "{message}");
    let message = Mp4Writer::create(dir.path(), video, None).err().unwrap().to_string();
    assert!(message.ends_with("cannot be written: is a directory"), "{message}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let video = VideoParams { width: 128, height: 96, fps: (25, 1) };
    let mut encoder = crate::encode::open(EncoderChoice::Auto, &settings(128, 96)).unwrap();
    let mut writer = Mp4Writer::create(Path::new("/dev/full"), video, None).unwrap();
    let mut failed = None;
    for t in 0..200 {
        let sink = &mut |p: EncodedPacket<'_>| failed = failed.take().or(writer.push_video(&p).err());
        encoder.encode(&picture(128, 96, t), t as i64, false, sink).unwrap();
    }
    let failed = failed.or(writer.finish().err()).unwrap().to_string();
    assert!(failed.contains("'/dev/full'") && failed.contains("no space left on device"), "{failed}");
}

#[test]
fn nothing_else_is_left_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    write_mp4(&dir.path().join("a b:ü%d.mp4"), EncoderChoice::Auto, 5, 1, &tone(48_000, 1, 0.2, 440.0));
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["a b:ü%d.mp4"]);
}

#[test]
fn a_file_of_video_alone_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    let video = VideoParams { width: 64, height: 64, fps: (30_000, 1001) };
    let mut encoder = crate::encode::open(EncoderChoice::Auto, &settings(64, 64)).unwrap();
    let mut writer = Mp4Writer::create(&path, video, None).unwrap();
    let black = I420::new(64, 64).unwrap();
    for t in 0..30 {
        encoder.encode(&black, t, false, &mut |p| writer.push_video(&p).unwrap()).unwrap();
    }
    assert!(writer.finish().unwrap().video_seconds > 1.0);
    assert!((VideoReader::open(&path).unwrap().frames_per_second() - 29.97).abs() < 0.01);
}

#[test]
fn sound_that_never_comes_leaves_a_playable_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    assert_eq!(write_mp4(&path, EncoderChoice::Auto, 1, 1, &[]).audio_seconds, 0.0);
    let (mut video, mut frame) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0));
    assert!(video.next_frame(&mut frame).unwrap().is_some());
    assert!(video.next_frame(&mut frame).unwrap().is_none());
}

/// What sound costs: `cargo test --release -p mouthpiece-media cost -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_sound() {
    let dir = tempfile::tempdir().unwrap();
    for channels in [1_usize, 2] {
        let mut noise = 1_u32;
        let mut sound = tone(48_000, channels, 60.0, 300.0);
        for sample in &mut sound {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = *sample * 0.5 + (noise >> 8) as f32 / (1 << 24) as f32 * 0.2;
        }
        let start = std::time::Instant::now();
        let path = dir.path().join("a.mp4");
        write_mp4(&path, EncoderChoice::Auto, 10, channels as u16, &sound);
        println!("AAC, {channels} channels: {:.3} ms a second of sound", start.elapsed().as_secs_f64() * 1e3 / 60.0);
        let start = std::time::Instant::now();
        let found = crate::audio::survey(&path, &crate::audio::SpeechLimits::default(), &mut |_| true).unwrap();
        println!("survey: {:.3} ms a second of sound", start.elapsed().as_secs_f64() * 1e3 / found.seconds);
    }
}
