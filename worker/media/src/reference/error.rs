//! Why a picture or video cannot become a reference.

use std::error::Error;

use thiserror::Error;

use crate::{
    face::{FaceError, MAX_YAW_DEG},
    image::{FitError, FrameSizeError},
};

/// No reference can be made.
#[derive(Debug, Error)]
pub enum ReferenceError {
    /// The picture shows nobody.
    #[error("no face was found: give an upright picture that shows a face from the front")]
    NoFace,
    /// The face has too few pixels.
    #[error("the face is only {side:.0} pixels large, {least} are needed: give a larger or closer picture")]
    FaceTooSmall {
        /// Longer side of the face's box in pixels of the input.
        side: f32,
        /// What it must be.
        least: f32,
    },
    /// The face has few pixels, and what is shown of the picture leaves it even fewer.
    #[error(
        "the face is only {side:.0} pixels large and would be {shown:.0} in a video of {}x{}: \
         crop the picture to bust or head, or give a closer one",
        output[0], output[1]
    )]
    ShownTooSmall {
        /// Longer side of the face's box in pixels of the input.
        side: f32,
        /// The same in the output.
        shown: f32,
        /// Size of the output.
        output: [u32; 2],
    },
    /// A face that the mesh does not fit.
    #[error(
        "the face is not seen clearly (certainty {presence:.2} of at least {:.2}): \
         give a sharp picture from the front, with nothing before the face",
        crate::face::MIN_PRESENCE
    )]
    Unclear {
        /// The mesh's presence, 0..=1.
        presence: f32,
    },
    /// What was taken for a face is found elsewhere at each look.
    #[error(
        "no face is seen for sure: what looks like one (an animal, a thing, a face that is mostly covered) has no eyes that \
         could be followed: give a sharp picture of a person from the front"
    )]
    Unsteady,
    /// A face from the side.
    #[error(
        "the head is turned {:.0} degrees to the {}{}, more than {MAX_YAW_DEG:.0}: give a picture from the front",
        yaw_deg.abs(), if *yaw_deg < 0.0 { "left" } else { "right" },
        at_s.map(|s| format!(" at {s:.2} s")).unwrap_or_default()
    )]
    Profile {
        /// Turn in degrees, positive to the picture's right.
        yaw_deg: f32,
        /// In a video, when, in seconds.
        at_s: Option<f32>,
    },
    /// Finding or following the face failed.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// The picture cannot be brought to output size.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The output size is unusable.
    #[error(transparent)]
    FrameSize(#[from] FrameSizeError),
    /// A video's frames cannot be read.
    #[error("frame {frame} of the video cannot be read: {source}")]
    Frame {
        /// Counted from 0.
        frame: usize,
        /// The decoder's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A video without frames.
    #[error("the video has no frames: give one of at least one frame")]
    NoFrames,
    /// A video whose frames change size.
    #[error(
        "frame {frame} of the video is {}x{}, the ones before {}x{}: give a video of one size",
        size[0], size[1], before[0], before[1]
    )]
    SizeChange {
        /// Counted from 0.
        frame: usize,
        /// `[width, height]` of that frame.
        size: [u32; 2],
        /// `[width, height]` of the frames before.
        before: [u32; 2],
    },
    /// A frame rate that is none.
    #[error("the video's frame rate {frames_per_second} is not usable: give one of 1 to 240 frames a second")]
    FrameRate {
        /// As the container says.
        frames_per_second: f32,
    },
    /// The preview cannot be encoded.
    #[error("the preview picture cannot be made: {0}")]
    Preview(String),
}
