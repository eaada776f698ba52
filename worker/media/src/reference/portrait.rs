//! A reference from one picture.

use image::{RgbImage, imageops};

use super::{Analysis, PrepareOptions, PreparedReference, Reference, ReferenceError, ReferenceFrame};
use crate::{
    face::FaceFinder,
    image::{enlarge, fit, frame_from_rgb},
};

impl PreparedReference {
    /// A still reference: the part of the picture that is shown, at output size, with face, irises and outline.
    ///
    /// # Errors
    /// [`ReferenceError`] when the picture shows no face that can be animated.
    pub fn from_portrait(
        picture: &RgbImage,
        finder: &mut FaceFinder,
        options: &PrepareOptions,
    ) -> Result<Self, ReferenceError> {
        let Analysis { mesh, report } = Analysis::of(picture, finder, options)?;
        let [left, top, width, height] = report.frame.area;
        let is_whole = [width, height] == [picture.width(), picture.height()];
        let part = (!is_whole).then(|| imageops::crop_imm(picture, left, top, width, height).to_image());
        let part = part.as_ref().unwrap_or(picture);
        let output = report.frame.output;
        let fitted =
            if report.frame.is_enlarged() { enlarge(part, output)? } else { fit(part, output[0].max(output[1]))? };
        let face = mesh.scaled([1.0; 2], [-(left as f32), -(top as f32)]).resized(fitted.scale);
        let frame = ReferenceFrame {
            picture: frame_from_rgb(&fitted.picture)?,
            irises: Some(finder.irises(&fitted.picture, &face)?),
            matte: finder.matte(&fitted.picture, &face)?,
            face,
        };
        Ok(Self { reference: Reference { frames: vec![frame], frames_per_second: 0.0 }, report })
    }
}
