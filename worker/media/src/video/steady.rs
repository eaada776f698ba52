//! A video's frames at a steady rate, one at a time.

use image::RgbImage;

use super::{VideoError, VideoReader};

/// The rest of a video at a steady rate: for each instant the frame nearest to it. Holds two frames, however long it is.
pub struct SteadyFrames {
    reader: VideoReader,
    step: f64,
    most: usize,
    given: usize,
    /// The present frame and the one after it.
    now: RgbImage,
    next: RgbImage,
    first: f64,
    /// Until when the present frame is the nearest, and when the next one comes.
    until: f64,
    next_at: Option<f64>,
    state: SteadyState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SteadyState {
    Unread,
    Reading,
    /// No more are given; true when there are more.
    Done(bool),
}

impl VideoReader {
    /// The rest of the video at `frames_per_second`, at most `most` frames (at least one).
    pub fn steady(self, frames_per_second: f64, most: usize) -> SteadyFrames {
        SteadyFrames {
            reader: self,
            step: 1.0 / frames_per_second.clamp(1.0, 1000.0),
            most: most.max(1),
            given: 0,
            now: RgbImage::new(0, 0),
            next: RgbImage::new(0, 0),
            first: 0.0,
            until: 0.0,
            next_at: None,
            state: SteadyState::Unread,
        }
    }
}

impl SteadyFrames {
    /// Frames a second.
    pub fn frames_per_second(&self) -> f64 {
        1.0 / self.step
    }

    /// How many frames there will be, as the file states its length or its size suggests; no more than were asked for.
    pub fn frames_estimate(&self) -> Option<usize> {
        let seconds = self.reader.duration_estimate()?;
        Some(((seconds / self.step).round().max(1.0) as usize).min(self.most))
    }

    /// True when the video goes on after the last frame that was given.
    pub fn more(&self) -> bool {
        self.state == SteadyState::Done(true)
    }

    /// True when the file is damaged or was cut short; what was not read to its end is not known to end early.
    pub fn truncated(&self) -> bool {
        self.state == SteadyState::Done(false) && self.reader.truncated()
    }

    /// True when a frame was transparent in some part: the background shows.
    pub fn showed_background(&self) -> bool {
        self.reader.showed_background()
    }

    /// Sentences that the user should read.
    pub fn warnings(&self) -> Vec<String> {
        self.reader.warnings()
    }

    /// The next frame; without a single one `next_frame` is an error.
    fn advance(&mut self) -> Result<Option<RgbImage>, VideoError> {
        if self.state == SteadyState::Unread {
            let first = self.reader.next_frame(&mut self.now)?;
            self.first = first.ok_or_else(|| VideoError::NoFrames { file: self.reader.path.as_path().into() })?;
            self.state = SteadyState::Reading;
            self.look_ahead(self.first)?;
        }
        while self.state == SteadyState::Reading {
            if self.first + self.given as f64 * self.step < self.until - 1e-6 {
                if self.given == self.most {
                    self.state = SteadyState::Done(true);
                    break;
                }
                self.given += 1;
                return Ok(Some(self.now.clone()));
            }
            let Some(at) = self.next_at else {
                self.state = SteadyState::Done(false);
                break;
            };
            std::mem::swap(&mut self.now, &mut self.next);
            self.look_ahead(at)?;
        }
        // Something was shown, however shortly.
        if self.given == 0 && matches!(self.state, SteadyState::Done(_)) {
            self.given = 1;
            return Ok(Some(self.now.clone()));
        }
        Ok(None)
    }

    /// Reads the frame after the present one, which came at `now_at`.
    fn look_ahead(&mut self, now_at: f64) -> Result<(), VideoError> {
        self.next_at = self.reader.next_frame(&mut self.next)?;
        // The present frame is nearest until halfway to the next one; the last is shown for its own duration.
        self.until = self.next_at.map_or(now_at + 0.5 / self.reader.frames_per_second(), |at| (now_at + at) / 2.0);
        Ok(())
    }
}

impl Iterator for SteadyFrames {
    type Item = Result<RgbImage, VideoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.state = SteadyState::Done(false);
            self.given = self.given.max(1);
        }
        next.transpose()
    }
}
