//! Finding a face and its 468-point mesh.
//!
//! One picture's way: [`FaceFinder::find`] looks at the whole picture and, when that shows nothing or only small faces,
//! at overlapping tiles; [`FaceFinder::mesh`] crops around one of them and re-crops from its own answer. For a video,
//! [`Tracker`] follows one face from frame to frame. A still's irises and the person's outline are found by
//! [`FaceFinder::irises`] and [`FaceFinder::matte`]; [`FaceFinder::shake`] and the colours of a [`CloseUp`] tell whether
//! the face is a person's, and free. [`HeadPose`] and [`topology`] are plain geometry on a [`Mesh`].

mod anchors;
mod close_up;
mod crop;
mod detector;
mod error;
mod finder;
mod guided;
mod landmarks;
mod matting;
mod network;
mod pose;
mod refined;
mod shake;
mod smooth;
mod softness;
mod suppress;
mod tiles;
pub mod topology;
mod track;

pub use close_up::CloseUp;
pub use detector::Detection;
pub use error::FaceError;
pub use finder::{FaceFinder, MIN_PRESENCE};
pub use mouthpiece_frame::{FaceBox, Iris, Matte, Mesh, POINTS};
pub use mouthpiece_graph::{Runtime, RuntimeError};
pub use pose::{HeadPose, MAX_YAW_DEG};
pub use shake::Shake;
pub use smooth::smooth_over_time;
pub use softness::softness;
pub use track::{FaceTrack, Tracker};
