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

/// Compares two videos; `None` where one has fewer than two frames. `seen` is called for each frame that is read.
pub(super) fn judge(
    net: &mut Inception,
    film: &Path,
    reference: &Path,
    seen: &mut dyn FnMut(),
) -> Result<Option<FrechetInception>, QualityError> {
    let (of_film, of_reference) = (features(net, film, seen)?, features(net, reference, seen)?);
    if of_film.count().min(of_reference.count()) < 2 {
        return Ok(None);
    }
    Ok(Some(FrechetInception {
        distance: frechet_distance(&of_film, &of_reference),
        frames: of_film.count(),
        of_reference: of_reference.count(),
    }))
}

fn features(net: &mut Inception, path: &Path, seen: &mut dyn FnMut()) -> Result<Moments, QualityError> {
    let mut video = VideoReader::open(path)?;
    let estimate = video.duration_estimate().map_or(0.0, |seconds| seconds * video.frames_per_second());
    let stride = (estimate as u64).div_ceil(FRAMES).max(1);
    let (mut picture, mut moments) = (RgbImage::new(0, 0), Moments::new(inception::WIDTH));
    // A file may be longer than it says.
    while moments.count() < 2 * FRAMES && video.next_frame(&mut picture)?.is_some() {
        if (video.frames_read() - 1).is_multiple_of(stride) {
            moments.push(&net.features(&picture)?);
        }
        seen();
    }
    Ok(moments)
}
