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
    /// `max_frames`, and at most 1 GiB of pictures. [`VideoReader::steady`] gives them one by one.
    ///
    /// # Errors
    /// Those of [`VideoReader::next_frame`].
    pub fn read_clip(self, frames_per_second: f64, max_frames: usize) -> Result<Clip, VideoError> {
        let (w, h) = self.size();
        let fitting = MAX_BYTES / (w as usize * h as usize * 3);
        let mut steady = self.steady(frames_per_second, max_frames.min(fitting));
        let frames = steady.by_ref().collect::<Result<Vec<_>, _>>()?;
        Ok(Clip {
            frames,
            frames_per_second: steady.frames_per_second(),
            more: steady.more(),
            truncated: steady.truncated(),
            showed_background: steady.showed_background(),
            warnings: steady.warnings(),
        })
    }
}
