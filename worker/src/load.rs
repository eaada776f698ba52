//! A portrait file (picture or short video) to a reference.

use crate::RenderError;
use mouthpiece_domain::file_kind::{FileFamily, FileUse};
use mouthpiece_domain::frame::{Crop, Framing};
use mouthpiece_media::face::FaceFinder;
use mouthpiece_media::file_kind;
use mouthpiece_media::image::{Background, PortraitLimits, read_portrait};
use mouthpiece_media::reference::{MAX_VIDEO_FRAMES, PortraitCrop, PrepareOptions, PreparedReference};
use mouthpiece_media::video::{self, VideoReader};
use std::path::Path;

/// How a portrait is made into a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortraitOptions {
    /// Longer side of the output in pixels, 64 to 2048.
    pub size: u32,
    /// Which part of a picture is shown, and how large it may become for the sake of the face.
    pub framing: Framing,
    /// Which face, 1 being the largest; the largest if none is named.
    pub face: Option<usize>,
    /// Frames a second that a video is brought to.
    pub fps: u32,
    /// What transparent parts are laid on; white if none is named.
    pub background: Option<Background>,
}

impl PortraitOptions {
    /// The same for media.
    pub fn prepare(&self) -> PrepareOptions {
        let crop = match self.framing.crop {
            Crop::None => PortraitCrop::None,
            Crop::Bust => PortraitCrop::Bust,
            Crop::Head => PortraitCrop::Head,
        };
        let up_to = self.framing.size_up_to.map(|most| most.pixels());
        PrepareOptions { size: self.size, up_to, crop, face: self.face }
    }
}

/// Loads a picture or a short video and finds the face in it.
///
/// # Errors
/// Whatever is wrong with the file or its face: [`RenderError::is_input`] is true for all of it.
pub fn load_reference(
    path: &Path,
    options: PortraitOptions,
    finder: &mut FaceFinder,
) -> Result<PreparedReference, RenderError> {
    load_reference_while(path, options, finder, &mut |_| true)
}

/// How far the search for a face is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaceSearch {
    /// Frames of a video that were looked at; 0 of a picture.
    pub frames: usize,
    /// How many there are, where the file says so.
    pub of_frames: Option<usize>,
}

impl FaceSearch {
    /// Nothing was looked at so far.
    pub const BEGINS: Self = Self { frames: 0, of_frames: None };
}

/// The same, told to `progress` at each step (for a video, before each frame) and given up as soon as that is false.
///
/// # Errors
/// As [`load_reference`]; [`RenderError::Cancelled`].
pub fn load_reference_while(
    path: &Path,
    options: PortraitOptions,
    finder: &mut FaceFinder,
    progress: &mut dyn FnMut(FaceSearch) -> bool,
) -> Result<PreparedReference, RenderError> {
    let mut at = FaceSearch::BEGINS;
    let loaded = load(path, options, finder, &mut |now| {
        at = now;
        progress(now)
    });
    // What a search says that was given up is no verdict on the portrait.
    if progress(at) { loaded } else { Err(RenderError::Cancelled) }
}

/// A background that was asked for in vain.
const UNSEEN_BACKGROUND: &str = "the portrait is nowhere transparent: the background is not seen";

/// A video is not followed any further.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
struct GivenUp;

fn load(
    path: &Path,
    options: PortraitOptions,
    finder: &mut FaceFinder,
    go_on: &mut dyn FnMut(FaceSearch) -> bool,
) -> Result<PreparedReference, RenderError> {
    let prepare = options.prepare();
    let no_face = |source| RenderError::Reference { file: path.into(), source };
    let asked = options.background.is_some();
    let background = options.background.unwrap_or_default();
    let unseen = |showed: bool| (asked && !showed).then(|| UNSEEN_BACKGROUND.to_owned());
    // A file that cannot be opened is left to the picture reader, whose errors name the reason.
    let kind = file_kind(path).ok();
    if kind.is_none_or(|kind| kind.family() == FileFamily::Picture) {
        let portrait = read_portrait(path, &PortraitLimits::default(), &background)?;
        if !go_on(FaceSearch::BEGINS) {
            return Err(RenderError::Cancelled);
        }
        let mut prepared = PreparedReference::from_portrait(&portrait.picture, finder, &prepare).map_err(no_face)?;
        prepared.report.warnings.extend(portrait.warnings);
        prepared.report.warnings.extend(unseen(portrait.showed_background));
        return Ok(prepared);
    }
    if let Some(Err(not_taken)) = kind.map(|kind| kind.taken_as(FileUse::Portrait)) {
        return Err(RenderError::NotAPortrait { file: path.into(), not_taken });
    }
    // Frames are looked at at twice the output's size at most, so that a 4K video takes no longer than others.
    let bound = video::VideoOptions { max_side: Some((options.size * 2).clamp(512, 4096)), background };
    let mut clip = VideoReader::open_with(path, bound)?.steady(f64::from(options.fps), MAX_VIDEO_FRAMES);
    let rate = clip.frames_per_second() as f32;
    let of_frames = clip.frames_estimate();
    let mut damage = None;
    let frames = clip.by_ref().enumerate().map_while(|(frames, frame)| match frame {
        Ok(_) if !go_on(FaceSearch { frames, of_frames }) => Some(Err(GivenUp)),
        Ok(frame) => Some(Ok(frame)),
        Err(e) => {
            damage = Some(e);
            None
        }
    });
    let prepared = PreparedReference::from_video(frames, rate, finder, &prepare);
    if let Some(damage) = damage {
        return Err(damage.into());
    }
    let mut prepared = prepared.map_err(no_face)?;
    if clip.more() {
        let used = prepared.reference.frames.len() as f32 / rate;
        prepared.report.warnings.push(format!("only the first {used:.1} s of the video are used"));
    }
    prepared.report.warnings.extend(clip.warnings());
    prepared.report.warnings.extend(unseen(clip.showed_background()));
    if clip.truncated() {
        prepared.report.warnings.push("the video is damaged or was cut short: what could be read is used".to_owned());
    }
    Ok(prepared)
}
