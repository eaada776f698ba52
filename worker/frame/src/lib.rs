//! What media and engines hand to each other: frames of pixels, face meshes, how light differs over two of them, and the references that avatars are made
//! from. Plain data and its geometry; nothing here decodes, finds or draws, so an engine that needs no more depends on no
//! more.

mod i420;
mod light;
mod mesh;
mod reference;

pub use i420::{FrameSizeError, I420, Rect, rgb_to_yuv, yuv_to_rgb};
pub use light::{LightFit, LightPlanes};
pub use mesh::{FaceBox, Mesh, POINTS};
pub use reference::{Iris, Matte, Reference, ReferenceFrame};
