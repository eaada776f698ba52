//! The face: cut out for the network, put back into the frame.

mod blend;
mod crop;
mod mask;
mod mouth;
mod tone;

pub use blend::{Blender, Patch};
pub use crop::{CropOptions, cut_out, face_box};
pub use mask::jaw_mask;
pub use mouth::{FINE_SIDE, MOUTH, MOUTH_PICTURE, MouthLayer, RESTORED, RESTORED_PICTURE, cut_mouth};
