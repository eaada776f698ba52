//! Reading a video frame by frame as RGB pictures.

use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ff, ffi, media};
use image::{ImageBuffer, Pixel, RgbImage, RgbaImage};
use mouthpiece_domain::file_kind::FileUse;

use super::{
    Light, VideoError,
    colour::{ConvertFault, ToRgb, has_alpha},
    orient::Orientation,
};
use crate::{
    image::{Background, background::Backdrop},
    libav::{OpenFault, Track, TrackFault, open_input, sentence},
};

/// Longest side in pixels of a video that is opened.
pub const MAX_SIDE: u32 = 4096;

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VideoOptions {
    /// Scale frames down while reading so that their longer side is at most this many pixels (at least 16).
    pub max_side: Option<u32>,
    /// What transparent parts are laid on.
    pub background: Background,
}

/// A video file being read, in bounded memory: one decoded frame at a time.
///
/// Frames come upright (the file's rotation and mirroring applied), with square pixels, all of one size, opaque, and with
/// the light and colours of ordinary video (BT.709), to which HDR is brought.
pub struct VideoReader {
    pub(super) path: PathBuf,
    track: Track,
    to_rgb: ToRgb,
    orientation: Orientation,
    /// Size before turning.
    stored: (u32, u32),
    /// A frame before it is turned.
    unturned: RgbImage,
    /// The same, of a transparent one.
    unturned_clear: RgbaImage,
    /// A transparent frame, turned, before it is laid on the background.
    clear: RgbaImage,
    backdrop: Backdrop,
    /// A frame had an alpha channel.
    saw_alpha: bool,
    frames_per_second: f64,
    frames: u64,
    last_seconds: f64,
}

impl VideoReader {
    /// Opens a video at its own size.
    ///
    /// # Errors
    /// [`VideoError`]; a side above [`MAX_SIDE`] is refused before anything is decoded.
    pub fn open(path: &Path) -> Result<Self, VideoError> {
        Self::open_with(path, VideoOptions::default())
    }

    /// Opens a video.
    ///
    /// # Errors
    /// [`VideoError`]; a side above [`MAX_SIDE`] is refused before anything is decoded.
    pub fn open_with(path: &Path, options: VideoOptions) -> Result<Self, VideoError> {
        let input = open_input(path, FileUse::Video, Some(MAX_SIDE as i32)).map_err(|fault| match fault {
            OpenFault::CannotRead(reason) => VideoError::CannotRead { file: path.into(), reason },
            OpenFault::NotTaken(not_taken) => VideoError::NotTaken { file: path.into(), not_taken },
            OpenFault::TooLarge { width, height } => {
                VideoError::BadSize { file: path.into(), width: width.into(), height: height.into() }
            }
            OpenFault::Unknown(reason) => VideoError::NotVideo { file: path.into(), reason },
        })?;
        if let Some(stream) = input.streams().best(media::Type::Video) {
            // SAFETY: the stream lives in `input`.
            let disposition = unsafe { (*stream.as_ptr()).disposition };
            if disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0 {
                return Err(VideoError::NoVideoStream { file: path.into() });
            }
        }
        let track = Track::open(input, media::Type::Video).map_err(|e| track_error(path, e, 0))?;
        let orientation = track
            .stream_view()
            .and_then(|s| {
                let matrix = s.side_data().find(|d| d.kind() == ff::packet::side_data::Type::DisplayMatrix);
                matrix.map(|d| Orientation::from_matrix(d.data()))
            })
            .unwrap_or(Orientation::UPRIGHT);
        let stored = shown_size(path, &track, options.max_side)?;
        check_light(path, &track)?;
        let frames_per_second = rate_of(&track);
        Ok(Self {
            path: path.to_owned(),
            track,
            to_rgb: ToRgb::new(),
            orientation,
            stored,
            unturned: RgbImage::new(0, 0),
            unturned_clear: RgbaImage::new(0, 0),
            clear: RgbaImage::new(0, 0),
            backdrop: Backdrop::new(options.background),
            saw_alpha: false,
            frames_per_second,
            frames: 0,
            last_seconds: 0.0,
        })
    }

    /// Width and height in pixels of the frames that come out.
    pub fn size(&self) -> (u32, u32) {
        let (w, h) = self.stored;
        if self.orientation.swaps_sides() { (h, w) } else { (w, h) }
    }

    /// Frames a second as the file states them: 1 to 1000, 25 where it states nothing sensible.
    pub fn frames_per_second(&self) -> f64 {
        self.frames_per_second
    }

    /// Length in seconds as the file states it or its size suggests.
    pub fn duration_estimate(&self) -> Option<f64> {
        self.track.estimated_seconds()
    }

    /// Frames read so far.
    pub fn frames_read(&self) -> u64 {
        self.frames
    }

    /// Whether the frame that was read last was coded without any before it.
    pub fn is_key_frame(&self) -> bool {
        self.frames > 0 && self.track.frame().pict_type == ffi::AVPictureType::AV_PICTURE_TYPE_I
    }

    /// Puts the next frame into `out` (whose memory is reused) and returns its time in seconds after the earliest
    /// stream of the file starts; `None` at the end. Times never go back.
    ///
    /// # Errors
    /// [`VideoError::NoFrames`] when there is not a single one, [`VideoError::Damaged`], [`VideoError::BadSize`] and
    /// [`VideoError::Hdr`] (should the stream change), [`VideoError::Convert`].
    pub fn next_frame(&mut self, out: &mut RgbImage) -> Result<Option<f64>, VideoError> {
        if !self.track.next_frame().map_err(|e| track_error(&self.path, e, self.frames))? {
            return match (self.frames, self.track.damaged() > 0 || self.track.broke_off()) {
                (0, true) => Err(VideoError::Damaged { file: self.path.as_path().into(), frames: 0 }),
                (0, false) => Err(VideoError::NoFrames { file: self.path.as_path().into() }),
                _ => Ok(None),
            };
        }
        let frame = self.track.frame();
        check_size(&self.path, frame.width, frame.height)?;
        let (orientation, stored) = (self.orientation, self.stored);
        let failed = |fault| convert_error(&self.path, fault);
        if has_alpha(frame) {
            self.saw_alpha = true;
            let (to_rgb, unturned) = (&mut self.to_rgb, &mut self.unturned_clear);
            upright(to_rgb, frame, stored, orientation, unturned, &mut self.clear).map_err(failed)?;
            self.backdrop
                .lay(&self.clear, out)
                .map_err(|e| VideoError::Convert { file: self.path.as_path().into(), reason: e.to_string() })?;
        } else {
            upright(&mut self.to_rgb, frame, stored, orientation, &mut self.unturned, out).map_err(failed)?;
        }
        let guess = if self.frames == 0 { 0.0 } else { self.last_seconds + 1.0 / self.frames_per_second };
        self.last_seconds = self.track.frame_seconds().unwrap_or(guess).max(self.last_seconds);
        self.frames += 1;
        Ok(Some(self.last_seconds))
    }

    /// True when a frame read so far was transparent in some part.
    pub fn showed_background(&self) -> bool {
        self.backdrop.showed()
    }

    /// Sentences that the user should read of how frames come out; complete once the last frame was read.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        // SAFETY: the parameters live as long as the track's file.
        let par = unsafe { &*self.track.stream().codecpar };
        if let Some(filter) = Light::tagged(par.color_trc, par.color_primaries).and_then(Light::missing) {
            warnings.push(format!(
                "the video has a wider gamut than is shown, and this FFmpeg has no {filter} filter to narrow it: \
                 its colours come a little pale"
            ));
        }
        if self.track.is_said_transparent() && self.frames > 0 && !self.saw_alpha {
            warnings.push(
                "the video is transparent in parts, and this FFmpeg cannot see that (it lacks libvpx): \
                 what its maker left there is shown"
                    .to_owned(),
            );
        }
        warnings
    }

    /// True when frames were lost to damage, or the file was found shorter than it states; complete once
    /// [`VideoReader::next_frame`] returned `None`.
    pub fn truncated(&self) -> bool {
        let ends = self.last_seconds + 1.0 / self.frames_per_second;
        let short = self.track.stated_seconds().is_some_and(|stated| ends < stated - (0.02 * stated).max(0.25));
        self.track.damaged() > 0 || self.track.broke_off() || short
    }
}

/// Converts a frame into `out`, turned upright by way of `unturned` where it must be.
fn upright<P: Pixel<Subpixel = u8>>(
    to_rgb: &mut ToRgb,
    frame: &ffi::AVFrame,
    stored: (u32, u32),
    orientation: Orientation,
    unturned: &mut ImageBuffer<P, Vec<u8>>,
    out: &mut ImageBuffer<P, Vec<u8>>,
) -> Result<(), ConvertFault> {
    if orientation == Orientation::UPRIGHT {
        return to_rgb.convert(frame, stored, out);
    }
    to_rgb.convert(frame, stored, unturned)?;
    orientation.apply(unturned, out);
    Ok(())
}

/// Refuses HDR that cannot be brought to ordinary light here, before anything is decoded.
fn check_light(path: &Path, track: &Track) -> Result<(), VideoError> {
    // SAFETY: the parameters live as long as the track's file.
    let par = unsafe { &*track.stream().codecpar };
    let light = Light::tagged(par.color_trc, par.color_primaries).filter(|light| *light != Light::Wide);
    match light.and_then(|light| Some((light, light.missing()?))) {
        None => Ok(()),
        Some((light, filter)) => Err(VideoError::Hdr { file: path.into(), light, filter }),
    }
}

fn convert_error(path: &Path, fault: ConvertFault) -> VideoError {
    let file = path.into();
    match fault {
        ConvertFault::NoFilter(light, filter) => VideoError::Hdr { file, light, filter },
        ConvertFault::Ff(e) => VideoError::Convert { file, reason: sentence(e) },
    }
}

/// The size to convert to, before turning: square pixels, bounded by the options.
fn shown_size(path: &Path, track: &Track, max_side: Option<u32>) -> Result<(u32, u32), VideoError> {
    // SAFETY: the parameters live as long as the track's file.
    let par = unsafe { &*track.stream().codecpar };
    check_size(path, par.width, par.height)?;
    let (mut width, mut height) = (f64::from(par.width), f64::from(par.height));
    let aspect = par.sample_aspect_ratio;
    let aspect = if aspect.num > 0 && aspect.den > 0 { f64::from(aspect.num) / f64::from(aspect.den) } else { 1.0 };
    if (0.2..=5.0).contains(&aspect) {
        // The side that is stretched shrinks back, so that nothing grows beyond what was decoded.
        if aspect > 1.0 { height /= aspect } else { width *= aspect }
    }
    if let Some(most) = max_side {
        let scale = (f64::from(most.max(16)) / width.max(height)).min(1.0);
        (width, height) = (width * scale, height * scale);
    }
    let side = |x: f64| (x.round() as u32).max(2);
    Ok((side(width), side(height)))
}

fn check_size(path: &Path, width: i32, height: i32) -> Result<(), VideoError> {
    let fits = |side: i32| (2..=MAX_SIDE as i32).contains(&side);
    if fits(width) && fits(height) {
        return Ok(());
    }
    Err(VideoError::BadSize { file: path.into(), width: width.into(), height: height.into() })
}

fn rate_of(track: &Track) -> f64 {
    let stream = track.stream();
    [stream.avg_frame_rate, stream.r_frame_rate]
        .into_iter()
        .filter(|r| r.den > 0)
        .map(|r| f64::from(r.num) / f64::from(r.den))
        .find(|fps| (1.0..=1000.0).contains(fps))
        .unwrap_or(25.0)
}

fn track_error(path: &Path, fault: TrackFault, frames: u64) -> VideoError {
    let file = path.into();
    match fault {
        TrackFault::NoStream => VideoError::NoVideoStream { file },
        TrackFault::NoDecoder(codec) => VideoError::NoDecoder { file, codec },
        TrackFault::Refused(e) => VideoError::NotVideo { file, reason: sentence(e) },
        TrackFault::TooDamaged => VideoError::Damaged { file, frames },
    }
}
