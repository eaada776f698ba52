//! From a picture to a still reference.

use image::{RgbImage, imageops};
use mouthpiece_media::{
    face::{FaceBox, FaceError},
    image::{PortraitLimits, frame_to_rgb, load_portrait},
    reference::{Analysis, PortraitCrop, PrepareOptions, PreparedReference, ReferenceError},
};

use crate::{collage, distance, finder, sample, scaled};

#[test]
fn a_still_has_irises_and_an_outline() {
    let prepared = PreparedReference::from_portrait(&scaled(1.4), &mut finder(), &PrepareOptions::default()).unwrap();
    let frame = &prepared.reference.frames[0];
    let (w, span) = (frame.picture.width(), frame.face.eye_span());
    for (iris, [a, b]) in frame.irises.unwrap().iter().zip([[33, 133], [362, 263]]) {
        let (a, b) = (frame.face.points[a], frame.face.points[b]);
        assert!(
            iris.centre[0] > a[0]
                && iris.centre[0] < b[0]
                && (iris.centre[1] - (a[1] + b[1]) / 2.0).abs() < 0.06 * span
        );
        assert!((0.04..0.10).contains(&(iris.radius / span)), "{iris:?}");
    }
    let coverage = &frame.matte.as_ref().unwrap().coverage;
    let at = |i: usize| coverage[frame.face.points[i][1] as usize * w + frame.face.points[i][0] as usize];
    assert!([1, 50, 280, 152, 10].iter().all(|&i| at(i) == 255), "the face is the person's");
    assert_eq!((coverage[0], coverage[w - 1]), (0, 0), "the upper corners are background");
}

#[test]
fn a_crop_shows_the_face_larger() {
    let picture = collage(1200, 900, &[(&scaled(1.0), [400, 300])]);
    let options = PrepareOptions { size: 400, crop: PortraitCrop::Head, ..PrepareOptions::default() };
    let whole = PreparedReference::from_portrait(
        &picture,
        &mut finder(),
        &PrepareOptions { crop: PortraitCrop::None, ..options },
    );
    let head = PreparedReference::from_portrait(&picture, &mut finder(), &options).unwrap();
    let spans = [whole.unwrap(), head.clone()].map(|p| p.reference.frames[0].face.eye_span());
    assert!(spans[1] > 2.0 * spans[0], "{spans:?}");
    assert!((head.report.frame.eyes_px - spans[1]).abs() < 1.0, "{:?}", head.report.frame);
    let drawn = head.draw().unwrap();
    assert_eq!([drawn.width(), drawn.height()], head.report.frame.output);
}

#[test]
fn the_output_keeps_framing_and_the_mesh_follows() {
    let mut finder = finder();
    let picture = collage(1200, 900, &[(&scaled(1.9), [200, 20])]);
    let options = PrepareOptions { size: 400, ..PrepareOptions::default() };
    let native = Analysis::of(&picture, &mut finder, &options).unwrap();
    let prepared = PreparedReference::from_portrait(&picture, &mut finder, &options).unwrap();
    assert_eq!(prepared.report, native.report);
    assert_eq!((prepared.report.native_size, prepared.report.frame.output), ([1200, 900], [400, 300]));
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
    let mut of = |face| Analysis::of(&picture, &mut finder, &PrepareOptions { face, ..PrepareOptions::default() });
    let largest = of(None).unwrap();
    assert!(largest.report.bounds.x0 > 470.0 && largest.report.faces.len() == 2);
    assert!(largest.report.warnings[0].starts_with("2 faces were found and the largest was taken"));
    let second = of(Some(2)).unwrap();
    assert!(second.report.bounds.x1 < 470.0 && second.report.chosen == 2);
    assert!(second.report.warnings.iter().all(|w| !w.contains("faces")));
    for asked in [0, 3, usize::MAX] {
        let error = of(Some(asked)).unwrap_err();
        assert!(matches!(error, ReferenceError::Face(FaceError::NoSuchFace { found: 2, .. })));
        assert_eq!(error.to_string(), format!("face {asked} was asked for, and only 2 were found"));
    }
}

#[test]
fn a_small_face_is_enlarged_and_said_to_be() {
    let mut finder = finder();
    let small = collage(700, 500, &[(&scaled(0.5), [100, 150])]);
    for (crop, size) in [(PortraitCrop::None, 1080), (PortraitCrop::Bust, 512), (PortraitCrop::Head, 512)] {
        let options = PrepareOptions { size, crop, ..PrepareOptions::default() };
        let prepared = PreparedReference::from_portrait(&small, &mut finder, &options).unwrap();
        let (frame, report) = (&prepared.reference.frames[0], &prepared.report);
        assert!(report.frame.is_enlarged() && report.frame.scale() > 1.3, "{:?}", report.frame);
        assert!(report.warnings.iter().any(|w| w.contains("it was enlarged")), "{:?}", report.warnings);
        assert_eq!([frame.picture.width(), frame.picture.height()], report.frame.output.map(|side| side as usize));
        assert!((report.frame.eyes_px - frame.face.eye_span()).abs() < 0.6, "{:?}", report.frame);
        // The face that is found in the enlarged picture itself lies at the same place.
        let large = frame_to_rgb(&frame.picture);
        let faces = finder.find(&large).unwrap();
        let found = finder.mesh(&large, &faces[0]).unwrap();
        let apart = distance(&frame.face, &found, [0.0; 2]);
        assert!(apart < 0.06 * found.eye_span(), "{crop:?}: {apart} pixels");
        let irises = frame.irises.unwrap();
        assert!(irises[0].centre[0] < irises[1].centre[0] && (irises[0].radius / found.eye_span()) < 0.12);
    }
}

#[test]
fn the_samples_are_told_nothing() {
    let officer = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/officer.jpg");
    let officer = load_portrait(officer.as_ref(), &PortraitLimits::default()).unwrap();
    for picture in [sample(), scaled(2.2), officer] {
        let analysis = Analysis::of(&picture, &mut finder(), &PrepareOptions::default()).unwrap();
        assert_eq!(analysis.report.warnings, [""; 0]);
    }
}

#[test]
fn a_covered_mouth_is_told() {
    let mut picture = scaled(2.0);
    let told = |picture: &RgbImage| {
        let analysis = Analysis::of(picture, &mut finder(), &PrepareOptions::default()).unwrap();
        analysis.report.warnings.join(" ")
    };
    assert_eq!(told(&picture), "");
    // A mask, from the tip of the nose to below the chin.
    for (x, y) in (250..366).flat_map(|y| (282..422).map(move |x| (x, y))) {
        picture.put_pixel(x, y, image::Rgb([214, 228, 236]));
    }
    let told = told(&picture);
    assert!(told.contains("seems to be before"), "{told}");
}

#[test]
fn an_eye_at_the_edge_of_a_crop_does_not_stop_the_search() {
    let (picture, mut finder) = (sample(), finder());
    let face = finder.find(&picture).unwrap().remove(0);
    let side = face.bounds.side();
    for step in 0..12 {
        let (right, down) = (side * (-0.20 + 0.01 * step as f32), -0.05 * side);
        let mut moved = face.clone();
        moved.bounds = FaceBox {
            x0: face.bounds.x0 + right,
            x1: face.bounds.x1 + right,
            y0: face.bounds.y0 + down,
            y1: face.bounds.y1 + down,
        };
        assert!(finder.mesh(&picture, &moved).unwrap().presence > 0.9, "moved by {right}");
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
    let error = refuse(&scaled(0.3));
    assert!(error.starts_with("the face is only ") && error.contains("40 are needed"), "{error}");
    let error = refuse(&collage(2000, 1500, &[(&scaled(0.5), [900, 600])]));
    assert!(error.contains(" and would be ") && error.contains("crop the picture to bust or head"), "{error}");
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
