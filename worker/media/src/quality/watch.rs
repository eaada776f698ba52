//! One pass over the pictures of a video.

use image::RgbImage;

use super::{
    EvaluationProgress, FacePosture, HeadFrame, KeyFrames, Luma, Moment, Outside, Placed, QualityError, Sample,
    aperture, cpbd, follow::Follower, lip_sync_error::SeenFace, report::ClipFacts,
};
use crate::{
    face::{FaceBox, FaceFinder, Mesh, topology},
    image::Rect,
    video::VideoReader,
};

/// Sharpness is the mean over at most so many frames.
const SHARPNESS_FRAMES: usize = 240;
/// The box of the mouth is so many times as wide and as high as the lips.
const MOUTH_BOX: f32 = 2.0;

/// What one pass leaves.
pub(super) struct Watched {
    pub(super) clip: ClipFacts,
    /// The aperture of each frame with a face.
    pub(super) apertures: Vec<Moment>,
    /// The followed points of the same frames.
    pub(super) placed: Vec<Placed>,
    pub(super) postures: Vec<FacePosture>,
    /// Where the face is in them.
    pub(super) faces: Vec<SeenFace>,
    pub(super) keys: KeyFrames,
    pub(super) mouth: Sample,
    pub(super) frame: Sample,
    pub(super) outside: Outside,
}

/// Reads a video to its end; `each` is given every frame of it.
pub(super) fn watch(
    video: &mut VideoReader,
    finder: &mut FaceFinder,
    each: &mut dyn FnMut(&RgbImage) -> Result<(), QualityError>,
    progress: &mut dyn FnMut(EvaluationProgress),
) -> Result<Watched, QualityError> {
    let mut follower = Follower::new(finder);
    let (mut apertures, mut placed, mut postures, mut faces) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut mouth, mut whole) = (Sample::new(SHARPNESS_FRAMES), Sample::new(SHARPNESS_FRAMES));
    let (mut outside, mut keys) = (Outside::default(), KeyFrames::default());
    let (mut head, mut face) = (None, FaceBox::default());
    let (mut picture, mut luma) = (RgbImage::new(0, 0), Luma::default());
    let (mut eyes, mut first, mut last) = (0.0, None, 0.0);
    let mut gaps = Vec::new();
    let of_frames = video.duration_estimate().map(|seconds| (seconds * video.frames_per_second()).round() as u64);
    while let Some(seconds) = video.next_frame(&mut picture)? {
        if first.is_some() {
            gaps.push(seconds - last);
        }
        last = seconds;
        first.get_or_insert(seconds);
        progress(EvaluationProgress { frames: video.frames_read(), of_frames });
        each(&picture)?;
        let Some(mesh) = follower.next(&picture)? else { continue };
        if head.is_none() {
            head = HeadFrame::of(&mesh);
            face = mesh.bounds(&topology::OVAL);
        }
        let Some(head) = &head else { continue };
        let value = aperture(&mesh);
        apertures.push(Moment { seconds, value });
        faces.push(SeenFace { seconds, bounds: mesh.bounds(&topology::OVAL) });
        postures.push(FacePosture::of(&mesh, &picture, value, seconds));
        placed.push(head.place(&mesh, seconds));
        eyes += f64::from(mesh.eye_span());
        luma.set(&picture);
        mouth.offer(|| cpbd(&luma.crop(mouth_box(&mesh))));
        whole.offer(|| cpbd(&luma));
        outside.push(&luma, &mesh);
        keys.push(&luma, &mesh, video.is_key_frame());
    }
    let (frames, (width, height)) = (video.frames_read(), video.size());
    let frames_per_second = rate(video.frames_per_second(), &mut gaps);
    let without = frames - apertures.len() as u64;
    if without * 2 > frames {
        return Err(QualityError::NoFace { without, frames });
    }
    let clip = ClipFacts {
        width,
        height,
        frames,
        seconds: last - first.unwrap_or(last) + 1.0 / frames_per_second,
        frames_per_second,
        frames_without_face: without,
        eye_span_px: eyes / apertures.len().max(1) as f64,
        face,
        truncated: video.truncated(),
    };
    Ok(Watched { clip, apertures, placed, postures, faces, keys, mouth, frame: whole, outside })
}

/// Frames a second: what the file states, unless its frames' distances, seconds, plainly say otherwise. A browser's recording
/// states the fineness of its clock.
fn rate(stated: f64, gaps: &mut [f64]) -> f64 {
    if gaps.is_empty() {
        return stated;
    }
    let middle = gaps.len() / 2;
    let (_, &mut usual, _) = gaps.select_nth_unstable_by(middle, f64::total_cmp);
    let seen = 1.0 / usual;
    if (1.0..=1000.0).contains(&seen) && (seen / stated - 1.0).abs() > 0.1 { seen } else { stated }
}

/// The box around the lips, twice their size; what lies outside the picture is cut by the crop.
pub(super) fn mouth_box(mesh: &Mesh) -> Rect {
    let lips = mesh.bounds(&topology::LIPS_OUTER);
    let [x, y] = lips.centre();
    let (w, h) = (lips.width() * MOUTH_BOX / 2.0, lips.height() * MOUTH_BOX / 2.0);
    // Negative numbers become 0.
    Rect { x0: (x - w) as usize, y0: (y - h) as usize, x1: (x + w).ceil() as usize, y1: (y + h).ceil() as usize }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_is_the_stated_one_unless_the_frames_say_otherwise() {
        assert_eq!(rate(25.0, &mut []), 25.0);
        assert_eq!(rate(29.97, &mut [0.033, 0.034, 0.033]), 29.97);
        assert_eq!(rate(1000.0, &mut [0.040, 0.041, 0.020, 0.080, 0.040]), 25.0);
        assert_eq!(rate(25.0, &mut [0.0, 0.0, 0.0]), 25.0);
    }
}
