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
    load_reference_while(path, options, finder, &|| true)
}

/// The same, given up between two steps (for a video, between two frames) as soon as `go_on` is false.
///
/// # Errors
/// As [`load_reference`]; [`RenderError::Cancelled`].
pub fn load_reference_while(
    path: &Path,
    options: PortraitOptions,
    finder: &mut FaceFinder,
    go_on: &dyn Fn() -> bool,
) -> Result<PreparedReference, RenderError> {
    let loaded = load(path, options, finder, go_on);
    // What a search says that was given up is no verdict on the portrait.
    if go_on() { loaded } else { Err(RenderError::Cancelled) }
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
    go_on: &dyn Fn() -> bool,
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
        if !go_on() {
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
    // Frames are held at twice the output's size at most, so that a short 4K video stays small in memory.
    let bound = video::VideoOptions { max_side: Some((options.size * 2).clamp(512, 4096)), background };
    let reader = VideoReader::open_with(path, bound)?;
    let clip = reader.read_clip(f64::from(options.fps), MAX_VIDEO_FRAMES)?;
    let rate = clip.frames_per_second as f32;
    let frames = clip.frames.into_iter().map(|frame| if go_on() { Ok(frame) } else { Err(GivenUp) });
    let mut prepared = PreparedReference::from_video(frames, rate, finder, &prepare).map_err(no_face)?;
    if clip.more {
        let used = prepared.reference.frames.len() as f32 / rate;
        prepared.report.warnings.push(format!("only the first {used:.1} s of the video are used"));
    }
    prepared.report.warnings.extend(clip.warnings);
    prepared.report.warnings.extend(unseen(clip.showed_background));
    if clip.truncated {
        prepared.report.warnings.push("the video is damaged or was cut short: what could be read is used".to_owned());
    }
    Ok(prepared)
}
