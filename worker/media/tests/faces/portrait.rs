//! From a picture to a still reference.

use image::{RgbImage, imageops};
use mouthpiece_media::{
    face::FaceError,
    image::frame_to_rgb,
    reference::{Analysis, PrepareOptions, PreparedReference, ReferenceError},
};

use crate::{collage, distance, finder, sample, scaled};

#[test]
fn the_output_keeps_framing_and_the_mesh_follows() {
    let mut finder = finder();
    let picture = collage(1200, 900, &[(&scaled(1.9), [200, 20])]);
    let options = PrepareOptions { size: 400, face: None };
    let native = Analysis::of(&picture, &mut finder, &options).unwrap();
    let prepared = PreparedReference::from_portrait(&picture, &mut finder, &options).unwrap();
    assert_eq!(prepared.report, native.report);
    assert_eq!((prepared.report.native_size, prepared.report.output_size), ([1200, 900], [400, 300]));
    let frame = &prepared.reference.frames[0];
    assert_eq!((prepared.reference.frames.len(), prepared.reference.frames_per_second), (1, 0.0));
    assert_eq!((frame.picture.width(), frame.picture.height()), (400, 300));
    // The face that is found in the shrunken picture itself lies at the same place.
    let small = frame_to_rgb(&frame.picture);
    let faces = finder.find(&small).unwrap();
    let found = finder.mesh(&small, &faces[0]).unwrap();
    let apart = distance(&frame.face, &found, [0.0; 2]);
    assert!(apart < 0.04 * found.eye_span(), "{apart} pixels");
}

#[test]
fn several_faces_can_be_chosen_by_size() {
    let mut finder = finder();
    let picture = collage(1200, 720, &[(&scaled(1.0), [10, 200]), (&scaled(1.6), [470, 2])]);
    let mut of = |face| Analysis::of(&picture, &mut finder, &PrepareOptions { size: 512, face });
    let largest = of(None).unwrap();
    assert!(largest.report.bounds.x0 > 470.0 && largest.report.faces.len() == 2);
    assert!(largest.report.warnings[0].starts_with("2 faces were found and the largest was taken"));
    let second = of(Some(2)).unwrap();
    assert!(second.report.bounds.x1 < 470.0 && second.report.chosen == 2);
    assert!(second.report.warnings.iter().all(|w| !w.contains("faces")));
    for asked in [0, 3, usize::MAX] {
        let error = of(Some(asked)).unwrap_err();
        assert!(matches!(error, ReferenceError::Face(FaceError::NoSuchFace { found: 2, .. })));
        assert_eq!(error.to_string(), format!("--face {asked}: only 2 faces were found"));
    }
}

#[test]
fn nobody_and_too_small_are_refused() {
    let mut finder = finder();
    let mut refuse = |picture: &RgbImage| {
        PreparedReference::from_portrait(picture, &mut finder, &PrepareOptions::default()).unwrap_err().to_string()
    };
    let suit = imageops::crop_imm(&sample(), 0, 205, 352, 147).to_image();
    assert_eq!(refuse(&suit), "no face was found: give an upright picture that shows a face from the front");
    let error = refuse(&scaled(0.5));
    assert!(error.starts_with("the face is only ") && error.contains("64 are needed"), "{error}");
    assert!(refuse(&RgbImage::new(0, 9)).contains("empty"));
}

#[test]
fn inspection_draws_on_the_face_and_nowhere_else() {
    let picture = sample();
    let analysis = Analysis::of(&picture, &mut finder(), &PrepareOptions::default()).unwrap();
    let drawn = analysis.draw(&picture);
    assert_eq!(drawn.dimensions(), picture.dimensions());
    let region = analysis.mesh.bounds(&[]).grown(20.0);
    let mut changed = 0;
    for (x, y, p) in drawn.enumerate_pixels() {
        if p != picture.get_pixel(x, y) {
            changed += 1;
            let (x, y) = (x as f32, y as f32);
            assert!(x > region.x0 && x < region.x1 && y > region.y0 && y < region.y1, "{x} {y}");
        }
    }
    assert!(changed > 1000, "{changed}");
}
