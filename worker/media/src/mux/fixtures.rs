//! Small media files for tests, made on the spot.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{AudioParams, FileSummary, Mp4Writer, VideoParams};
use crate::{
    encode::{self, EncoderChoice, EncoderQuality, EncoderSettings, FilePreset},
    image::I420,
};

/// A WAV file of interleaved samples: 16-bit integers (`format` 1) or 32-bit floats (`format` 3).
pub(crate) fn wav(rate: u32, channels: u16, format: u16, samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = match format {
        1 => samples.iter().flat_map(|x| ((x * 32767.0) as i16).to_le_bytes()).collect(),
        _ => samples.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    let mut file = wav_header(rate, channels, format, data.len() as u32);
    file.extend(data);
    file
}

/// The 44 bytes in front of `data_bytes` of samples.
pub(crate) fn wav_header(rate: u32, channels: u16, format: u16, data_bytes: u32) -> Vec<u8> {
    let bits: u16 = if format == 1 { 16 } else { 32 };
    let block = channels * bits / 8;
    let mut head = Vec::new();
    head.extend(b"RIFF");
    head.extend((36_u32.saturating_add(data_bytes)).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16_u32.to_le_bytes());
    head.extend(format.to_le_bytes());
    head.extend(channels.to_le_bytes());
    head.extend(rate.to_le_bytes());
    head.extend((rate * u32::from(block)).to_le_bytes());
    head.extend(block.to_le_bytes());
    head.extend(bits.to_le_bytes());
    head.extend(b"data");
    head.extend(data_bytes.to_le_bytes());
    head
}

/// A sine of 0.5 at `hertz`, the same in every channel.
pub(crate) fn tone(rate: u32, channels: usize, seconds: f64, hertz: f64) -> Vec<f32> {
    let count = (f64::from(rate) * seconds).round() as usize;
    let at = |i: usize| (0.5 * (std::f64::consts::TAU * hertz * i as f64 / f64::from(rate)).sin()) as f32;
    (0..count).flat_map(|i| std::iter::repeat_n(at(i), channels)).collect()
}

/// Silence with a single full-scale click of 1 ms at `at` seconds, the same in every channel.
pub(crate) fn click(rate: u32, channels: usize, seconds: f64, at: f64) -> Vec<f32> {
    let mut samples = vec![0.0; (f64::from(rate) * seconds) as usize * channels];
    let centre = (f64::from(rate) * at).round() as usize;
    // A raised cosine around its centre: no codec smears its peak away, and the peak stays where it is.
    let half = (rate / 2000) as i64;
    for i in -half..=half {
        let x = 0.45 * (1.0 + (std::f64::consts::PI * i as f64 / half as f64).cos());
        let first = (centre as i64 + i) as usize * channels;
        samples[first..first + channels].fill(x as f32);
    }
    samples
}

/// Index of the sample furthest from zero.
pub(crate) fn loudest(samples: &[f32]) -> usize {
    (0..samples.len()).max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs())).unwrap()
}

/// Writes a file into `dir`.
pub(crate) fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Runs the ffmpeg command, which writes `name` into `dir`.
pub(crate) fn ffmpeg(dir: &Path, args: &[&str], name: &str) -> PathBuf {
    let path = dir.join(name);
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(args)
        .arg(&path)
        .current_dir(dir)
        .output()
        .expect("the ffmpeg command is installed");
    assert!(run.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&run.stderr));
    path
}

/// A smooth picture with a textured patch that moves, frame `t` of a synthetic video.
pub(crate) fn picture(width: usize, height: usize, t: usize) -> I420 {
    let mut frame = I420::new(width, height).unwrap();
    for (i, y) in frame.y.iter_mut().enumerate() {
        let (x, row) = (i % width, i / width);
        let patch = (width * 3 / 8..width * 5 / 8).contains(&x) && (height * 5 / 8..height * 3 / 4).contains(&row);
        let texture = if patch { ((x / 2 * 7 + row / 2 * 13 + t * 31) & 31) as u8 } else { 0 };
        *y = 40 + (x * 100 / width) as u8 + (row * 40 / height) as u8 + texture + (t % 20) as u8;
    }
    for (i, (u, v)) in frame.u.iter_mut().zip(&mut frame.v).enumerate() {
        let (x, row) = (i % (width / 2), i / (width / 2));
        (*u, *v) = (100 + (x * 60 / width) as u8, 150 - (row * 60 / height) as u8);
    }
    frame
}

/// Settings for a file of this size at 25 frames a second.
pub(crate) fn settings(width: u32, height: u32) -> EncoderSettings {
    let quality = EncoderQuality::File { preset: FilePreset::Fast };
    EncoderSettings { width, height, fps: (25, 1), quality, gop_frames: 50 }
}

/// Encodes `frames` pictures and the sound (interleaved, 48 kHz) into an MP4, in turns of one frame.
pub(crate) fn write_mp4(
    path: &Path,
    choice: EncoderChoice,
    frames: usize,
    channels: u16,
    sound: &[f32],
) -> FileSummary {
    let (width, height) = (128, 96);
    let mut encoder = encode::open(choice, &settings(width, height)).unwrap();
    let video = VideoParams { width, height, fps: (25, 1) };
    let mut writer = Mp4Writer::create(path, video, Some(AudioParams { channels })).unwrap();
    let mut sound = sound.chunks(1920 * usize::from(channels));
    for t in 0..frames {
        let picture = picture(width as usize, height as usize, t);
        let mut pushed = Ok(());
        encoder.encode(&picture, t as i64, false, &mut |p| pushed = writer.push_video(&p)).unwrap();
        pushed.unwrap();
        if let Some(block) = sound.next() {
            writer.push_audio(block).unwrap();
        }
    }
    encoder.finish(&mut |p| writer.push_video(&p).unwrap()).unwrap();
    for block in sound {
        writer.push_audio(block).unwrap();
    }
    writer.finish().unwrap()
}
