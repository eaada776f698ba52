//! A reference from a short video.

use std::error::Error;

use image::RgbImage;

use super::{
    ChosenFrame, FaceReport, MIN_FACE_SIDE, PortraitCrop, PrepareOptions, PreparedReference, Reference, ReferenceError,
    ReferenceFrame, Signs,
    analysis::{require_front, require_size},
};
use crate::{
    face::{CloseUp, FaceFinder, FaceTrack, HeadPose, Mesh, Tracker, smooth_over_time},
    image::{I420, fit, fitted_size, frame_from_rgb, frame_to_rgb},
};

/// No more frames of a video are used; the rest is not read.
pub const MAX_VIDEO_FRAMES: usize = 600;
/// The frames of one reference take at most this many bytes; a large output gets fewer frames.
const MAX_BYTES: usize = 256 << 20;
/// So many frames are looked at for what may be before the face.
const SIGNS_OF: usize = 5;
/// Standard deviation of the Gaussian over the landmarks, in seconds.
const SMOOTHING_S: f32 = 0.060;

impl PreparedReference {
    /// A moving reference: the frames of a video at output size, with one face followed through them.
    ///
    /// Frames beyond [`MAX_VIDEO_FRAMES`], or beyond 256 MiB of output, are not asked for; a warning says so. Frames in
    /// which the face is out of sight are left out, with a warning: a mouth on them would float in the air. The landmarks
    /// are smoothed over time, so that a still face does not shake. `report` describes the first frame that is used.
    ///
    /// # Errors
    /// [`ReferenceError`]: a frame cannot be read, there is none, sizes change, or the face cannot be followed.
    pub fn from_video<E: Into<Box<dyn Error + Send + Sync>>>(
        frames: impl IntoIterator<Item = Result<RgbImage, E>>,
        frames_per_second: f32,
        finder: &mut FaceFinder,
        options: &PrepareOptions,
    ) -> Result<Self, ReferenceError> {
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
            pictures.push(frame_from_rgb(&fitted.picture)?);
        }
        let (size, scale) = native.ok_or(ReferenceError::NoFrames)?;
        let track = tracker.finish()?;
        require_size(&track.first, MIN_FACE_SIDE)?;
        require_no_profile(&track.meshes, frames_per_second)?;
        let mut report = report(&track, size, options)?;
        if cut {
            let seconds = pictures.len() as f32 / frames_per_second;
            report.warnings.push(format!("only the first {seconds:.1} s of the video are used"));
        }
        report.warnings.extend(left_out(&track.meshes, frames_per_second));
        report.warnings.extend(before_the_face(&pictures, &track.meshes, scale, finder)?.map(str::to_owned));
        let meshes = steadied(track.meshes, SMOOTHING_S * frames_per_second);
        let frames = pictures
            .into_iter()
            .zip(meshes)
            .filter_map(|(picture, mesh)| mesh.map(|mesh| ReferenceFrame::new(picture, mesh.resized(scale))));
        Ok(Self { reference: Reference { frames: frames.collect(), frames_per_second }, report })
    }
}

/// Smooths each run of frames with the face by itself: where it was out of sight it may have moved.
fn steadied(mut meshes: Vec<Option<Mesh>>, sigma_frames: f32) -> Vec<Option<Mesh>> {
    for run in meshes.split_mut(Option::is_none) {
        let mut seen: Vec<Mesh> = run.iter_mut().filter_map(Option::take).collect();
        smooth_over_time(&mut seen, sigma_frames);
        run.iter_mut().zip(seen).for_each(|(place, mesh)| *place = Some(mesh));
    }
    meshes
}

/// Says which frames do not show the face, if there are any.
fn left_out(meshes: &[Option<Mesh>], frames_per_second: f32) -> Option<String> {
    let first = meshes.iter().position(Option::is_none)?;
    let (count, all) = (meshes.iter().filter(|mesh| mesh.is_none()).count(), meshes.len());
    let (seconds, at) = (count as f32 / frames_per_second, first as f32 / frames_per_second);
    Some(format!(
        "the face is out of sight in {count} of {all} frames ({seconds:.2} s in all, the first at {at:.2} s): \
         they are left out, and the picture may jump there"
    ))
}

/// Says what most frames of a few show before the face; refuses what shows none in most of them.
fn before_the_face(
    pictures: &[I420],
    meshes: &[Option<Mesh>],
    scale: [f32; 2],
    finder: &mut FaceFinder,
) -> Result<Option<&'static str>, ReferenceError> {
    let clear = meshes.iter().zip(pictures).filter_map(|(mesh, picture)| Some((mesh.as_ref()?, picture)));
    let clear: Vec<(&Mesh, &I420)> = clear.filter(|(mesh, _)| mesh.presence > 0.0).collect();
    let looks = clear.len().min(SIGNS_OF);
    let (mut told, mut refused) = (Vec::new(), Vec::new());
    for look in 0..looks {
        let (mesh, picture) = clear[(look * clear.len() + clear.len() / 2) / looks];
        let (mesh, picture) = (mesh.resized(scale), frame_to_rgb(picture));
        let shake = finder.shake(&picture, &mesh)?;
        let signs = Signs::of(&mesh, picture.height(), &CloseUp::of(&picture, &mesh)?, shake);
        told.extend(signs.before());
        refused.extend(signs.require_face().err());
    }
    match refused.pop() {
        Some(error) if 2 * (refused.len() + 1) > looks => Err(error),
        _ => Ok(told.last().copied().filter(|_| 2 * told.len() > looks)),
    }
}

fn require_no_profile(meshes: &[Option<Mesh>], frames_per_second: f32) -> Result<(), ReferenceError> {
    let meshes = meshes.iter().enumerate().filter_map(|(index, mesh)| Some((index, mesh.as_ref()?)));
    let seen = meshes.filter(|(_, mesh)| mesh.presence > 0.0);
    for (index, mesh) in seen {
        if HeadPose::of(mesh).is_profile() {
            require_front(mesh, Some(index as f32 / frames_per_second))?;
        }
    }
    Ok(())
}

fn report(track: &FaceTrack, native: [u32; 2], options: &PrepareOptions) -> Result<FaceReport, ReferenceError> {
    // The first frame may be empty or blurred.
    let seen = track.meshes.iter().flatten().find(|mesh| mesh.presence > 0.0).ok_or(ReferenceError::NoFace)?;
    let frame = ChosenFrame::whole(native, fitted_size(native, options.size), seen.eye_span());
    let mut report = FaceReport::new(seen, &track.first, &track.faces, native, frame, options.face);
    if options.crop != PortraitCrop::None {
        report.warnings.push("a video is not cropped: crop it before, or give a picture".to_owned());
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    fn mesh(x: f32) -> Option<Mesh> {
        Some(Mesh { points: vec![[x, 0.0, 0.0]; POINTS], presence: 0.9 })
    }

    #[test]
    fn nothing_is_smoothed_over_a_gap() {
        let xs = [Some(10.0), Some(10.0), Some(10.0), None, Some(90.0), Some(90.0), None, None];
        let steady = steadied(xs.map(|x| x.and_then(mesh)).to_vec(), 1.5);
        for (frame, (mesh, x)) in steady.iter().zip(xs).enumerate() {
            let found = mesh.as_ref().map(|mesh| mesh.points[7][0]);
            assert!(found.zip(x).is_none_or(|(a, b): (f32, f32)| (a - b).abs() < 1e-3), "{frame}: {found:?}");
            assert_eq!(found.is_some(), x.is_some(), "{frame}");
        }
    }

    #[test]
    fn what_is_left_out_is_told() {
        assert_eq!(left_out(&[mesh(1.0)], 25.0), None);
        let told = left_out(&[mesh(1.0), None, None, mesh(1.0), None], 25.0).unwrap();
        assert!(told.starts_with("the face is out of sight in 3 of 5 frames (0.12 s in all, the first at 0.04 s)"));
    }
}
