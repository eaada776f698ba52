//! LSE-D and LSE-C: how far SyncNet finds what is seen of a mouth from what is heard of a voice.
//!
//! SyncNet: Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016. The scores and their procedure: Prajwal and
//! others, "A lip sync expert is all you need" (Wav2Lip), 2020, `evaluation/scores_LSE`.
//!
//! ```text
//! video -> the longest face track, 25 a second -> squares of 224x224 -> windows of 5, one each 40 ms -> syncnet_video -> 1024 values
//! sound of the same time, 16 kHz -> 13 cepstral coefficients, 100 a second -> windows of 20, likewise -> syncnet_audio -> 1024 values
//! both -> the mean distance at each shift of -15..=15 windows -> LSE-D: the least; LSE-C: the median less the least
//! ```
//!
//! Two things differ from the published pipeline: boxes come from the mesh instead of S3FD, and squares are not compressed on the way.

mod crop;
mod distance;
mod mfcc;
mod syncnet;

pub use crop::SeenFace;
pub use distance::{LipSyncError, lip_sync_error};
pub use mfcc::{COEFFICIENTS, mfcc};
pub use syncnet::SyncNet;

use super::QualityError;
use crate::audio::{AudioError, Mix, SPEECH_RATE, SpeechBlock, SpeechReader};
use crate::video::VideoReader;
use crop::{FaceTrack, SIDE, SquareCutter};
use image::RgbImage;
use mouthpiece_graph::GraphError;
use std::path::Path;
use syncnet::{PICTURES, STEPS};

/// Frames a second of the procedure.
const FRAMES_PER_SECOND: f64 = 25.0;
/// Samples of a frame.
const FRAME_SAMPLES: usize = SPEECH_RATE as usize / 25;
/// Longer tracks are judged by their first five minutes.
pub const MOST_SQUARES: usize = 7_500;
/// Windows that are seen in one run.
const BATCH: usize = 8;
/// The same of windows that are heard, which are small.
const HEARD_BATCH: usize = 64;

/// Judges a video whose faces were seen at `faces`; `None` where none is seen for more than 4 s on end, or not heard.
/// `seen` is called with the time of each frame that is read.
pub(super) fn judge(
    net: &mut SyncNet,
    path: &Path,
    mix: Mix,
    faces: &[SeenFace],
    seen: &mut dyn FnMut(),
) -> Result<Option<LipSyncError>, QualityError> {
    let Some(track) = FaceTrack::longest(faces, MOST_SQUARES) else { return Ok(None) };
    let sound = sound_of(path, mix, track.start, track.squares.len())?;
    let windows = track.squares.len().min(sound.len() / FRAME_SAMPLES).saturating_sub(PICTURES);
    if windows == 0 {
        return Ok(None);
    }
    let heard = hear(net, &sound, windows)?;
    let seen = see(net, path, &track, windows, seen)?;
    Ok(lip_sync_error(&seen, &heard))
}

/// The samples of `squares` frames from `start` seconds of the video, fewer where it ends before; silence before it begins.
fn sound_of(path: &Path, mix: Mix, start: f64, squares: usize) -> Result<Vec<f32>, AudioError> {
    let mut reader = SpeechReader::open_mixed(path, mix)?;
    let late = ((start - reader.info().start_seconds) * f64::from(SPEECH_RATE)).round();
    let (mut skip, wanted) = (late.max(0.0) as usize, squares * FRAME_SAMPLES);
    let mut sound = vec![0.0; ((-late).max(0.0) as usize).min(wanted)];
    let mut block = SpeechBlock::default();
    while sound.len() < wanted && reader.read(&mut block)? {
        let passed = skip.min(block.speech.len());
        skip -= passed;
        sound.extend_from_slice(&block.speech[passed..]);
    }
    sound.truncate(wanted);
    Ok(sound)
}

fn hear(net: &mut SyncNet, sound: &[f32], windows: usize) -> Result<Vec<Vec<f32>>, GraphError> {
    let frames = mfcc(sound);
    let nth = |window: usize| frames.get(window * 4..window * 4 + STEPS);
    let heard: Vec<&[[f32; COEFFICIENTS]]> = (0..windows).map_while(nth).collect();
    let mut answers = Vec::with_capacity(windows);
    for batch in heard.chunks(HEARD_BATCH) {
        answers.extend(net.hear(batch)?);
    }
    Ok(answers)
}

fn see(
    net: &mut SyncNet,
    path: &Path,
    track: &FaceTrack,
    windows: usize,
    seen: &mut dyn FnMut(),
) -> Result<Vec<Vec<f32>>, QualityError> {
    const SQUARE: usize = SIDE * SIDE * 3;
    let mut frames = NearestFrames::open(path)?;
    let mut cutter = SquareCutter::default();
    // Of what is not seen in full yet.
    let mut squares: Vec<u8> = Vec::with_capacity((BATCH + PICTURES) * SQUARE);
    let (mut answers, mut pixels) = (Vec::with_capacity(windows), Vec::with_capacity(BATCH * PICTURES * SQUARE));
    let all = windows + PICTURES - 1;
    for (i, place) in track.squares.iter().take(all).enumerate() {
        let seconds = track.start + i as f64 / FRAMES_PER_SECOND;
        squares.extend(cutter.cut(frames.at(seconds, seen)?, place));
        let whole = (squares.len() / SQUARE).saturating_sub(PICTURES - 1);
        if whole == BATCH || (i + 1 == all && whole > 0) {
            pixels.clear();
            for window in 0..whole {
                pixels.extend_from_slice(&squares[window * SQUARE..(window + PICTURES) * SQUARE]);
            }
            answers.extend(net.see(whole, &pixels)?);
            squares.drain(..whole * SQUARE);
        }
    }
    Ok(answers)
}

/// The frames of a video that are nearest to times that grow.
struct NearestFrames {
    video: VideoReader,
    now: RgbImage,
    now_at: f64,
    next: RgbImage,
    next_at: Option<f64>,
}

impl NearestFrames {
    fn open(path: &Path) -> Result<Self, QualityError> {
        let mut video = VideoReader::open(path)?;
        let (mut now, mut next) = (RgbImage::new(0, 0), RgbImage::new(0, 0));
        let now_at = video.next_frame(&mut now)?.unwrap_or(0.0);
        let next_at = video.next_frame(&mut next)?;
        Ok(Self { video, now, now_at, next, next_at })
    }

    /// The nearest to `seconds`; `read` is called for each that is passed by.
    fn at(&mut self, seconds: f64, read: &mut dyn FnMut()) -> Result<&RgbImage, QualityError> {
        while let Some(next_at) = self.next_at.filter(|next| (next - seconds).abs() < (self.now_at - seconds).abs()) {
            std::mem::swap(&mut self.now, &mut self.next);
            self.now_at = next_at;
            self.next_at = self.video.next_frame(&mut self.next)?;
            read();
        }
        Ok(&self.now)
    }
}
