//! Measures of a finished talking-head video: do the lips follow the sound, do they rest in silence, is the mouth sharp,
//! does the background stay where it was.
//!
//! [`evaluate`] reads a file once for its sound and once for its pictures, in bounded memory: about 150 bytes a frame are
//! kept, never a picture but the first. Everything else here is a pure function from series to numbers. None of these
//! measures is a trained network's opinion, so none may be compared with the scores of one.

mod aperture;
mod closure;
mod cpbd;
mod error;
mod evaluate;
mod follow;
mod jitter;
mod keys;
mod labels;
mod living;
mod loudness;
mod luma;
mod outside;
mod report;
mod sample;
mod series;
mod sync;
mod watch;

pub use aperture::{aperture, mean_within};
pub use closure::{CLOSED_SHARE, Closure, LABEL_MARGIN_S, closure};
pub use cpbd::cpbd;
pub use error::QualityError;
pub use evaluate::{EvaluationExtras, EvaluationProgress, evaluate};
pub use jitter::{EYE_POINTS, HeadFrame, Jitter, LIP_POINTS, Placed, TRACKED, jitter};
pub use keys::KeyFrames;
pub use labels::{LabelError, Labels, Segment, parse_labels};
pub use living::{FacePosture, Living, Teeth, living};
pub use loudness::{Loudness, STEP_S, Stretch};
pub use luma::Luma;
pub use outside::{FaceSpans, Outside, OutsideChange};
pub use report::{Apertures, ClipFacts, Measured, QualityReport, Sharpness, SoundFacts, Unmeasured};
pub use sample::Sample;
pub use series::{Moment, gaussian, mean, pearson, percentile, resample};
pub use sync::{LipSync, MAX_OFFSET_MS, OFFSET_STEP_MS, SeriesMatch, sync};
