//! What is said of a video.

use thiserror::Error;

use crate::face::FaceBox;

use super::{Closure, FrechetInception, Jitter, LipSync, LipSyncError, Living, OutsideChange};

/// Why one measure has no value although the others have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unmeasured {
    /// The file has no audio track, or an empty one.
    #[error("the video has no sound")]
    NoSound,
    /// Too little speech, or a mouth or a sound that does not vary.
    #[error("there is less than a second of speech under a visible face, or nothing varies")]
    NoSpeech,
    /// No pause of 300 ms and more, or too few frames in it.
    #[error("there are too few frames in silences of at least 300 ms")]
    NoSilence,
    /// No labels were given.
    #[error("no labels were given")]
    NoLabels,
    /// The labels do not hold a PP while a face is seen.
    #[error("the labels name no PP while the face is seen")]
    NoBilabials,
    /// No portrait was given.
    #[error("no portrait was given")]
    NoPortrait,
    /// A picture without edges.
    #[error("the region shows no edge")]
    NoEdge,
    /// No frame with a face.
    #[error("no face is seen")]
    NoFace,
    /// The eyes never close.
    #[error("nobody blinks")]
    NoBlink,
    /// The mouth never opens far enough, or is too small.
    #[error("the mouth never shows what is inside")]
    NoTeeth,
    /// No key frame but the first.
    #[error("there is no key frame but the first")]
    NoKeyFrames,
    /// SyncNet's procedure needs more than 100 frames of 40 ms.
    #[error("no face is seen and heard for more than 4 s on end")]
    NoTrack,
    /// Distributions need more than one.
    #[error("the video or its reference has fewer than two frames")]
    NoFrames,
    /// One frame, or a face that fills the picture.
    #[error("there are fewer than two frames, or the face fills the picture")]
    NothingOutside,
}

/// A measure, or why it has no value.
pub type Measured<T> = Result<T, Unmeasured>;

/// The video as such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipFacts {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames that were decoded.
    pub frames: u64,
    /// From the first frame to the end of the last.
    pub seconds: f64,
    /// As the file states it.
    pub frames_per_second: f64,
    /// Frames in which no face was found.
    pub frames_without_face: u64,
    /// Mean distance of the outer eye corners in pixels.
    pub eye_span_px: f64,
    /// The face's outline in the first frame that shows it, pixels.
    pub face: FaceBox,
    /// True when frames were lost to damage, or the file ends before it should.
    pub truncated: bool,
}

/// The sound as such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundFacts {
    /// Length in seconds.
    pub seconds: f64,
    /// Seconds of speech: what lies between pauses of at least 300 ms.
    pub speech_seconds: f64,
    /// Seconds of such pauses, less 200 ms at each side that adjoins speech.
    pub silence_seconds: f64,
    /// Below this level it is silent, in dB of full scale; `None` when it is so throughout.
    pub threshold_db: Option<f64>,
}

/// Below this aperture lips are shut: what the mesh says of them there is noise.
const SHUT: f64 = 0.01;

/// How far the lips are apart, in eye distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apertures {
    /// Mean over the frames in speech.
    pub speech: Measured<f64>,
    /// Mean over the frames in silence.
    pub silence: Measured<f64>,
    /// The still portrait's, with the same tracker, its face as large as in the video.
    pub portrait: Measured<f64>,
    /// Of the video's quietest frames: the 5th percentile of all.
    pub least: f64,
}

impl Apertures {
    /// Silence over portrait: 1 is a mouth that rests as in the picture. A closed mouth reads anything below .01.
    pub fn silence_over_portrait(&self) -> Measured<f64> {
        Ok(self.silence?.max(SHUT) / self.portrait?.max(SHUT))
    }
}

/// CPBD, 0 (blurred) to 1 (sharp): means over at most 240 frames, spread evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sharpness {
    /// Of the box around the lips, twice as wide and high as they are, at the video's own resolution.
    pub mouth: Measured<f64>,
    /// Of the whole frame.
    pub frame: Measured<f64>,
    /// Of the portrait's mouth, the face as large as in the video: what could be reached.
    pub portrait_mouth: Measured<f64>,
    /// Of the whole portrait, the face as large as in the video.
    pub portrait_frame: Measured<f64>,
}

/// Everything that is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityReport {
    /// The video as such.
    pub clip: ClipFacts,
    /// The sound as such.
    pub sound: Measured<SoundFacts>,
    /// Lips against sound.
    pub sync: Measured<LipSync>,
    /// The same by SyncNet: LSE-D and LSE-C; `None` where it was not asked for.
    pub lip_sync_error: Option<Measured<LipSyncError>>,
    /// How far the pictures are from the reference's: FID; `None` where it was not asked for.
    pub frechet: Option<Measured<FrechetInception>>,
    /// How far the lips are apart.
    pub apertures: Apertures,
    /// Closed lips at p, b and m.
    pub closure: Measured<Closure>,
    /// How far the face moves, and how bright its teeth are.
    pub living: Measured<Living>,
    /// How much more the picture outside the face changes at its worst key frame than from frame to frame, in levels of luma.
    pub key_frame_jump: Measured<f64>,
    /// Shaking in silence.
    pub jitter: Measured<Jitter>,
    /// Sharpness.
    pub sharpness: Sharpness,
    /// Change outside the face.
    pub outside: Measured<OutsideChange>,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
}
