//! A small picture of a reference, for lists and pages.

use super::{Reference, ReferenceError};
use crate::image::{fit, frame_to_rgb};
use image::ImageFormat;
use std::io::Cursor;

/// Longer side of a preview in pixels.
const SIDE: u32 = 256;

/// The first frame as a PNG of at most 256 pixels a side.
///
/// # Errors
/// [`ReferenceError::NoFrames`]; [`ReferenceError::Preview`] when it cannot be encoded.
pub fn preview(reference: &Reference) -> Result<Vec<u8>, ReferenceError> {
    let first = reference.frames.first().ok_or(ReferenceError::NoFrames)?;
    let small = fit(&frame_to_rgb(&first.picture), SIDE)?.picture;
    let mut png = Cursor::new(Vec::new());
    small.write_to(&mut png, ImageFormat::Png).map_err(|e| ReferenceError::Preview(e.to_string()))?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{face::Mesh, image::I420, reference::ReferenceFrame};

    #[test]
    fn a_preview_is_a_small_png() {
        let face = Mesh { points: Vec::new(), presence: 1.0 };
        let frame = ReferenceFrame::new(I420::new(400, 600).unwrap(), face);
        let png = preview(&Reference { frames: vec![frame], frames_per_second: 0.0 }).unwrap();
        let picture = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap();
        assert_eq!((picture.width(), picture.height()), (170, 256));
        let empty = Reference { frames: Vec::new(), frames_per_second: 0.0 };
        assert!(matches!(preview(&empty), Err(ReferenceError::NoFrames)));
    }
}
