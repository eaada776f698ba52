//! FID: how far the pictures of a film are, as a whole, from those of another.
//!
//! Heusel and others, 2017. Features are those of Inception v3 in its weights of 2015 (2,048 values, the mean of the last block), of
//! whole frames brought to 299x299 as the Python package pytorch-fid does. The figure depends on how many frames there are: with fewer
//! than the features have values it comes out too high, and only figures of as many frames can be compared.

mod distance;
mod inception;
mod moments;
mod symmetric;

pub use distance::frechet_distance;
pub use inception::Inception;
pub use moments::Moments;

use super::QualityError;
use crate::video::VideoReader;
use image::RgbImage;
use mouthpiece_graph::GraphError;
use std::path::Path;

/// Frames of each video that are looked at, about, spread evenly.
pub const FRAMES: u64 = 2_048;

/// How far a film's pictures are from another's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrechetInception {
    /// FID: 0 is the same; the lower the better.
    pub distance: f64,
    /// Frames of the film that were looked at.
    pub frames: u64,
    /// Frames of the reference.
    pub of_reference: u64,
}

/// The features of a video's frames, spread evenly over it, while it is read.
pub(super) struct SpreadFeatures {
    /// Of so many frames one is looked at.
    stride: u64,
    read: u64,
    moments: Moments,
}

impl SpreadFeatures {
    /// Of a video of which nothing was read yet.
    pub fn of(video: &VideoReader) -> Self {
        let estimate = video.duration_estimate().map_or(0.0, |seconds| seconds * video.frames_per_second());
        Self { stride: (estimate as u64).div_ceil(FRAMES).max(1), read: 0, moments: Moments::new(inception::WIDTH) }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    pub fn push(&mut self, net: &mut Inception, picture: &RgbImage) -> Result<(), GraphError> {
        if !self.is_enough() && self.read.is_multiple_of(self.stride) {
            self.moments.push(&net.features(picture)?);
        }
        self.read += 1;
        Ok(())
    }

    /// A file may be longer than it says.
    fn is_enough(&self) -> bool {
        self.moments.count() >= 2 * FRAMES
    }
}

/// Compares a film with another video, which is read; `None` where one has fewer than two frames. `seen` is called for each frame.
pub(super) fn judge(
    net: &mut Inception,
    film: &SpreadFeatures,
    reference: &Path,
    seen: &mut dyn FnMut(),
) -> Result<Option<FrechetInception>, QualityError> {
    let mut video = VideoReader::open(reference)?;
    let (mut picture, mut other) = (RgbImage::new(0, 0), SpreadFeatures::of(&video));
    while !other.is_enough() && video.next_frame(&mut picture)?.is_some() {
        other.push(net, &picture)?;
        seen();
    }
    let (of_film, of_reference) = (&film.moments, &other.moments);
    if of_film.count().min(of_reference.count()) < 2 {
        return Ok(None);
    }
    Ok(Some(FrechetInception {
        distance: frechet_distance(of_film, of_reference),
        frames: of_film.count(),
        of_reference: of_reference.count(),
    }))
}
