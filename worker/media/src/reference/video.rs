//! A reference from a short video.

use std::error::Error;

use image::RgbImage;

use super::{
    FaceReport, PrepareOptions, Prepared, Reference, ReferenceError, ReferenceFrame,
    analysis::{require_front, require_size},
};
use crate::{
    face::{FaceFinder, HeadPose, Mesh, Track, Tracker, smooth_over_time},
    image::{I420, fit},
};

/// No more frames of a video are used; the rest is not read.
pub const MAX_VIDEO_FRAMES: usize = 300;
/// The frames of one reference take at most this many bytes; a large output gets fewer frames.
const MAX_BYTES: usize = 256 << 20;
/// Standard deviation of the Gaussian over the landmarks, in seconds.
const SMOOTHING_S: f32 = 0.060;

impl Reference {
    /// A moving reference: the frames of a video at output size, with one face followed through them.
    ///
    /// Frames beyond [`MAX_VIDEO_FRAMES`], or beyond 256 MiB of output, are not asked for; a warning says so. The
    /// landmarks are smoothed over time, so that a still face does not shake. `report` describes the first frame.
    ///
    /// # Errors
    /// [`ReferenceError`]: a frame cannot be read, there is none, sizes change, or the face cannot be followed.
    pub fn from_video<E: Into<Box<dyn Error + Send + Sync>>>(
        frames: impl IntoIterator<Item = Result<RgbImage, E>>,
        frames_per_second: f32,
        finder: &mut FaceFinder,
        options: &PrepareOptions,
    ) -> Result<Prepared, ReferenceError> {
        if !(1.0..=240.0).contains(&frames_per_second) {
            return Err(ReferenceError::FrameRate { frames_per_second });
        }
        let mut tracker = Tracker::new(finder, frames_per_second, options.face);
        let mut pictures: Vec<I420> = Vec::new();
        let mut native: Option<([u32; 2], [f32; 2])> = None;
        let mut cut = false;
        for (index, frame) in frames.into_iter().enumerate() {
            let bytes = pictures.first().map_or(0, |p| p.width() * p.height() * 3 / 2);
            if index >= MAX_VIDEO_FRAMES || (index + 1) * bytes > MAX_BYTES {
                cut = true;
                break;
            }
            let frame = frame.map_err(|source| ReferenceError::Frame { frame: index, source: source.into() })?;
            let size = [frame.width(), frame.height()];
            let before = native.map_or(size, |(before, _)| before);
            if size != before {
                return Err(ReferenceError::SizeChange { frame: index, size, before });
            }
            tracker.push(&frame)?;
            let fitted = fit(&frame, options.size)?;
            native = Some((size, fitted.scale));
            pictures.push(I420::from_rgb(&fitted.picture)?);
        }
        let (size, scale) = native.ok_or(ReferenceError::NoFrames)?;
        let track = tracker.finish()?;
        require_size(&track.first)?;
        require_no_profile(&track.meshes, frames_per_second)?;
        let mut report = report(&track, size, options);
        if cut {
            let seconds = pictures.len() as f32 / frames_per_second;
            report.warnings.push(format!("only the first {seconds:.1} s of the video are used"));
        }
        let mut meshes = track.meshes;
        smooth_over_time(&mut meshes, SMOOTHING_S * frames_per_second);
        let frames = pictures.into_iter().zip(&meshes);
        let frames = frames.map(|(picture, mesh)| ReferenceFrame { picture, face: mesh.resized(scale) }).collect();
        Ok(Prepared { reference: Self { frames, frames_per_second }, report })
    }
}

fn require_no_profile(meshes: &[Mesh], frames_per_second: f32) -> Result<(), ReferenceError> {
    let seen = meshes.iter().enumerate().filter(|(_, mesh)| mesh.presence > 0.0);
    for (index, mesh) in seen {
        if HeadPose::of(mesh).is_profile() {
            require_front(mesh, Some(index as f32 / frames_per_second))?;
        }
    }
    Ok(())
}

fn report(track: &Track, native: [u32; 2], options: &PrepareOptions) -> FaceReport {
    // The first frame may be a bridged one.
    let seen = track.meshes.iter().find(|mesh| mesh.presence > 0.0).unwrap_or(&track.meshes[0]);
    FaceReport::new(seen, &track.first, &track.faces, native, options)
}
