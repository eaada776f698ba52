//! Finding a face and its 468-point mesh.

mod mesh;

pub use mesh::{Mesh, POINTS};
