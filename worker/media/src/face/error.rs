//! What can go wrong between a picture and a mesh.

use thiserror::Error;

/// A face could not be found or followed.
#[derive(Debug, Error)]
pub enum FaceError {
    /// ONNX Runtime refused to load one of the built-in networks.
    #[error("the built-in face {network} network cannot be loaded: {source}")]
    Load {
        /// `detection`, `mesh` or `matte`.
        network: &'static str,
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
    /// ONNX Runtime failed while running a network.
    #[error("the face {network} network failed: {source}")]
    Run {
        /// `detection`, `mesh` or `matte`.
        network: &'static str,
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
    /// A network answered with tensors of another shape, or with values that are not finite.
    #[error("the face {network} network gave an unusable answer ({what})")]
    Answer {
        /// `detection`, `mesh` or `matte`.
        network: &'static str,
        /// What was wrong with it.
        what: &'static str,
    },
    /// The picture has no pixels.
    #[error("the picture is empty: give one of at least 64x64 pixels")]
    EmptyPicture,
    /// No face in the first frames of a video.
    #[error("no face was found in the first {seconds:.1} s of the video: start it with the face in view")]
    NeverSeen {
        /// How much of the video was searched, in seconds.
        seconds: f32,
    },
    /// A face that was being followed went away for too long.
    #[error(
        "the face is lost at {at_s:.2} s of the video, for more than {longest_gap_s:.2} s: \
         cut the video there, or use one where the face stays in view"
    )]
    Lost {
        /// Time of the first frame without the face, in seconds.
        at_s: f32,
        /// The longest gap that is accepted, in seconds.
        longest_gap_s: f32,
    },
    /// The asked face does not exist.
    #[error("face {asked} was asked for, and only {found} {} found", if *found == 1 { "was" } else { "were" })]
    NoSuchFace {
        /// The number that was asked for; the largest face is 1.
        asked: usize,
        /// How many faces were found.
        found: usize,
    },
}
