//! Measures of a finished talking-head video: do the lips follow the sound, do they rest in silence, is the mouth sharp,
//! does the background stay where it was.
//!
//! [`evaluate`] reads a file once for its sound and once for its pictures, in bounded memory: about 150 bytes a frame are
//! kept, never a picture but the first. Everything else here is a pure function from series to numbers. None of the
//! measures is a trained network's opinion but two, which are asked for by themselves and need its weights: [`LipSyncError`] (LSE-D and LSE-C)
//! and [`FrechetInception`] (FID). The others may not be compared with the scores of a network.

mod aperture;
mod closure;
mod cpbd;
mod error;
mod evaluate;
mod follow;
mod frechet;
mod jitter;
mod judge;
mod keys;
mod labels;
mod lip_sync_error;
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
pub use evaluate::{EvaluationExtras, EvaluationProgress, Judges, evaluate};
pub use frechet::{FrechetInception, Inception, Moments, frechet_distance};
pub use jitter::{EYE_POINTS, HeadFrame, Jitter, LIP_POINTS, Placed, TRACKED, jitter};
pub use keys::KeyFrames;
pub use labels::{LabelError, Labels, Segment, parse_labels};
pub use lip_sync_error::{LipSyncError, SyncNet, lip_sync_error, mfcc};
pub use living::{FacePosture, Living, Teeth, living};
pub use loudness::{Loudness, STEP_S, Stretch};
pub use luma::Luma;
pub use outside::{FaceSpans, Outside, OutsideChange};
pub use report::{Apertures, ClipFacts, Measured, QualityReport, Sharpness, SoundFacts, Unmeasured};
pub use sample::Sample;
pub use series::{Moment, gaussian, mean, pearson, percentile, resample};
pub use sync::{LipSync, MAX_OFFSET_MS, OFFSET_STEP_MS, SeriesMatch, sync};
