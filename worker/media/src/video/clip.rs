//! A short video in memory at a steady frame rate.

use image::RgbImage;

use super::{VideoError, VideoReader};

/// Most bytes of pictures that a clip holds.
const MAX_BYTES: usize = 1 << 30;

/// Frames of a video at a steady rate.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The frames, at least one, all of one size.
    pub frames: Vec<RgbImage>,
    /// Frames a second.
    pub frames_per_second: f64,
    /// True when the video goes on after the last frame that was taken.
    pub more: bool,
    /// True when the file is damaged or was cut short.
    pub truncated: bool,
    /// True when a frame was transparent in some part: the background shows.
    pub showed_background: bool,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
}

impl VideoReader {
    /// Reads the rest of the video at `frames_per_second`, taking for each instant the frame nearest to it: at most
    /// `max_frames`, and at most 1 GiB of pictures (open with [`super::Options::max_side`] for more frames).
    ///
    /// # Errors
    /// Those of [`VideoReader::next_frame`].
    pub fn read_clip(mut self, frames_per_second: f64, max_frames: usize) -> Result<Clip, VideoError> {
        let (w, h) = self.size();
        let fitting = MAX_BYTES / (w as usize * h as usize * 3);
        let most = max_frames.min(fitting).max(1);
        let step = 1.0 / frames_per_second.clamp(1.0, 1000.0);
        let (mut now, mut next) = (RgbImage::new(0, 0), RgbImage::new(0, 0));
        let mut frames: Vec<RgbImage> = Vec::new();
        // Without a frame `next_frame` is an error, so there is always a first.
        let Some(first) = self.next_frame(&mut now)? else {
            return Err(VideoError::NoFrames { file: self.path.as_path().into() });
        };
        let mut now_at = first;
        let mut more = false;
        'reading: loop {
            let next_at = self.next_frame(&mut next)?;
            // The present frame is nearest until halfway to the next one; the last is shown for its own duration.
            let until = next_at.map_or(now_at + 0.5 / self.frames_per_second(), |at| (now_at + at) / 2.0);
            while first + frames.len() as f64 * step < until - 1e-6 {
                if frames.len() == most {
                    more = true;
                    break 'reading;
                }
                frames.push(now.clone());
            }
            let Some(at) = next_at else { break };
            std::mem::swap(&mut now, &mut next);
            now_at = at;
        }
        if frames.is_empty() {
            frames.push(now);
        }
        Ok(Clip {
            frames,
            frames_per_second: 1.0 / step,
            more,
            // What was not read to its end is not known to end early.
            truncated: !more && self.truncated(),
            showed_background: self.showed_background(),
            warnings: self.warnings(),
        })
    }
}
