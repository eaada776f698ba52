//! The face: cut out for the network, put back into the frame.

mod blend;
mod crop;
mod mask;
mod tone;

pub use blend::{Blender, Patch};
pub use crop::{CropOptions, cut_out, face_box};
pub use mask::jaw_mask;
