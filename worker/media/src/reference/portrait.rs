//! A reference from one picture.

use image::RgbImage;

use super::{Analysis, PrepareOptions, PreparedReference, Reference, ReferenceError, ReferenceFrame};
use crate::{
    face::FaceFinder,
    image::{fit, frame_from_rgb},
};

impl PreparedReference {
    /// A still reference: the picture at output size, and its face.
    ///
    /// # Errors
    /// [`ReferenceError`] when the picture shows no face that can be animated.
    pub fn from_portrait(
        picture: &RgbImage,
        finder: &mut FaceFinder,
        options: &PrepareOptions,
    ) -> Result<Self, ReferenceError> {
        let Analysis { mesh, report } = Analysis::of(picture, finder, options)?;
        let fitted = fit(picture, options.size)?;
        let frame = ReferenceFrame { picture: frame_from_rgb(&fitted.picture)?, face: mesh.resized(fitted.scale) };
        Ok(Self { reference: Reference { frames: vec![frame], frames_per_second: 0.0 }, report })
    }
}
