use std::{fs, path::Path};

use image::RgbImage;

use super::*;
use crate::mux::fixtures::{ffmpeg, file, tone, wav, write_mp4};

fn refusal(path: &Path) -> String {
    let run = || {
        let (mut reader, mut frame) = (VideoReader::open(path)?, RgbImage::new(0, 0));
        while reader.next_frame(&mut frame)?.is_some() {}
        Ok::<_, VideoError>(())
    };
    run().expect_err("this file is refused").to_string()
}

/// A test video of a solid colour by FFmpeg.
fn solid(dir: &Path, colour: &str, size: &str, args: &[&str], name: &str) -> std::path::PathBuf {
    let source = format!("color=c={colour}:s={size}:r=25:d=0.4");
    ffmpeg(dir, &[&["-f", "lavfi", "-i", &source], args].concat(), name)
}

#[test]
fn colours_follow_the_matrix_that_the_stream_is_tagged_with() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [
        (
            "601.mp4",
            &["-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", "-colorspace", "smpte170m"][..],
        ),
        ("709.mp4", &["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709"]),
        (
            "full.mp4",
            &[
                "-vf",
                "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p",
                "-colorspace",
                "smpte170m",
                "-color_range",
                "pc",
            ],
        ),
    ] {
        let path = solid(dir.path(), "0xC86428", "96x64", args, name);
        let (mut reader, mut frame) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0));
        reader.next_frame(&mut frame).unwrap().unwrap();
        for (got, want) in frame.get_pixel(40, 30).0.iter().zip([0xC8, 0x64, 0x28]) {
            assert!((i32::from(*got) - want).abs() <= 4, "{name}: {:?}", frame.get_pixel(40, 30));
        }
    }
}

#[test]
fn turned_videos_come_upright() {
    let dir = tempfile::tempdir().unwrap();
    // Red on the left, blue on the right.
    let split = "color=c=red:s=64x96:r=25:d=0.2[a];color=c=blue:s=64x96:r=25:d=0.2[b];[a][b]hstack,format=yuv420p";
    let plain = ffmpeg(dir.path(), &["-f", "lavfi", "-i", split], "plain.mp4");
    let plain = plain.to_str().unwrap();
    for (turn, size, red, blue) in [
        ("0", (128, 96), (10, 50), (120, 50)),
        ("90", (96, 128), (50, 120), (50, 10)),
        ("180", (128, 96), (120, 50), (10, 50)),
        ("270", (96, 128), (50, 10), (50, 120)),
    ] {
        let rotate = format!("rotate={turn}");
        let args = ["-i", plain, "-c", "copy", "-metadata:s:v:0", &rotate];
        let path = ffmpeg(dir.path(), &args, &format!("{turn}.mp4"));
        let (mut reader, mut frame) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0));
        assert_eq!(reader.size(), size, "{turn}");
        reader.next_frame(&mut frame).unwrap().unwrap();
        // What another program shows is the truth.
        let shown = ffmpeg(dir.path(), &["-i", path.to_str().unwrap(), "-frames:v", "1"], "shown.png");
        let shown = image::open(shown).unwrap().to_rgb8();
        assert_eq!(shown.dimensions(), frame.dimensions(), "{turn}");
        for at in [red, blue] {
            let (a, b) = (frame.get_pixel(at.0, at.1), shown.get_pixel(at.0, at.1));
            assert!(a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) < 12), "{turn} at {at:?}: {a:?} for {b:?}");
        }
    }
}

#[test]
fn several_containers_and_codecs_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [
        ("a.webm", &["-c:v", "libvpx-vp9"][..]),
        ("b.webm", &["-c:v", "libvpx"]),
        ("a.mov", &["-c:v", "mpeg4"]),
        ("a.mkv", &["-c:v", "libx264", "-bf", "2"]),
        ("a.avi", &["-c:v", "mjpeg"]),
    ] {
        let path = solid(dir.path(), "green", "64x48", args, name);
        let (mut reader, mut frame, mut times) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0), Vec::new());
        while let Some(seconds) = reader.next_frame(&mut frame).unwrap() {
            times.push(seconds);
        }
        assert_eq!((times.len(), reader.frames_per_second()), (10, 25.0), "{name}");
        assert!(times.iter().enumerate().all(|(i, t)| (t - i as f64 / 25.0).abs() < 0.002), "{name}: {times:?}");
        assert!(!reader.truncated(), "{name}");
    }
}

#[test]
fn a_clip_has_a_steady_rate_and_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    write_mp4(&path, crate::encode::EncoderChoice::Auto, 50, 1, &tone(48_000, 1, 2.0, 440.0));
    let clip = |fps, most| VideoReader::open(&path).unwrap().read_clip(fps, most).unwrap();
    let same = clip(25.0, 300);
    assert_eq!((same.frames.len(), same.more, same.truncated), (50, false, false));
    assert_eq!(clip(30.0, 300).frames.len(), 60);
    assert_eq!(clip(12.5, 300).frames.len(), 25);
    let cut = clip(25.0, 20);
    assert_eq!((cut.frames.len(), cut.more), (20, true));
    assert!(cut.frames[..] == same.frames[..20]);
    assert!(!clip(25.0, 50).more);
    // Whoever stops in between knows neither that there is more nor that anything is missing.
    let mut steady = VideoReader::open(&path).unwrap().steady(25.0, 300);
    assert_eq!((steady.by_ref().take(5).count(), steady.frames_estimate()), (5, Some(50)));
    assert!(!steady.more() && !steady.truncated());
    assert_eq!((steady.by_ref().count(), steady.more(), steady.next().is_none()), (45, false, true));
    // At half the rate every second frame is taken.
    assert!(clip(12.5, 300).frames.iter().zip(same.frames.iter().step_by(2)).all(|(a, b)| a == b));
}

#[test]
fn frames_can_be_scaled_down_while_reading_and_pixels_are_square() {
    let dir = tempfile::tempdir().unwrap();
    let path = solid(dir.path(), "green", "320x240", &[], "a.mp4");
    let mut reader =
        VideoReader::open_with(&path, VideoOptions { max_side: Some(160), ..VideoOptions::default() }).unwrap();
    let mut frame = RgbImage::new(0, 0);
    reader.next_frame(&mut frame).unwrap();
    assert_eq!((reader.size(), frame.dimensions()), ((160, 120), (160, 120)));
    let path = solid(dir.path(), "green", "320x240", &["-vf", "setsar=2"], "b.mp4");
    assert_eq!(VideoReader::open(&path).unwrap().size(), (320, 120));
}

#[test]
fn what_is_not_a_video_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let text = file(d, "x.mp4", b"Hello, this is only a text.\n".repeat(400).as_slice());
    assert!(refusal(&text).contains("x.mp4' holds text: give a video (MP4, WebM"), "{}", refusal(&text));
    assert!(refusal(&file(d, "x", b"")).contains("x' is empty: give a video (MP4, WebM"));
    assert!(refusal(&d.join("none.mp4")).ends_with("none.mp4' cannot be read: no such file or directory"));
    let sound = file(d, "a.wav", &wav(16_000, 1, 1, &tone(16_000, 1, 1.0, 300.0)));
    assert!(refusal(&sound).contains("a.wav' is a WAV recording: give a video (MP4, WebM"), "{}", refusal(&sound));
    let cover = solid(d, "green", "64x64", &["-frames:v", "1"], "cover.png");
    let args = ["-i", sound.to_str().unwrap(), "-i", cover.to_str().unwrap(), "-map", "0", "-map", "1", "-c:v", "copy"];
    let song = ffmpeg(d, &[&args[..], &["-disposition:v", "attached_pic"]].concat(), "song.mp4");
    assert!(refusal(&song).contains("song.mp4' has no video stream"), "{}", refusal(&song));
}

#[test]
fn absurd_sizes_are_refused_before_decoding() {
    let dir = tempfile::tempdir().unwrap();
    let path = solid(dir.path(), "green", "5000x64", &["-frames:v", "1"], "a.mkv");
    let message = VideoReader::open(&path).err().unwrap().to_string();
    assert!(message.contains("has frames of 5000x64 pixels: each side must be from 2 to 4096"), "{message}");
}

#[test]
fn cut_videos_are_read_as_far_as_they_go_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("a.mp4");
    write_mp4(&whole, crate::encode::EncoderChoice::Auto, 100, 1, &tone(48_000, 1, 4.0, 440.0));
    let bytes = fs::read(&whole).unwrap();
    let cut = file(dir.path(), "cut.mp4", &bytes[..bytes.len() / 2]);
    let (mut reader, mut frame, mut count) = (VideoReader::open(&cut).unwrap(), RgbImage::new(0, 0), 0);
    while reader.next_frame(&mut frame).unwrap().is_some() {
        count += 1;
    }
    assert!((20..90).contains(&count), "{count}");
    assert!(reader.truncated());

    let index_only = bytes.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    let message = refusal(&file(dir.path(), "index.mp4", &bytes[..index_only]));
    assert!(message.contains("holds no frame") || message.contains("is damaged"), "{message}");
    let message = refusal(&file(dir.path(), "head.mp4", &bytes[..60]));
    assert!(message.contains("cannot be read as a video: "), "{message}");
}
