//! Finding faces and meshes in stills.

use image::{RgbImage, imageops};
use mouthpiece_media::face::{FaceError, HeadPose, Mesh};

use crate::{collage, distance, finder, sample, scaled, turned};

/// Where mesh points belong in the sample, judged by eye on a 14 times enlarged copy, in pixels.
const BY_EYE: [(usize, [f32; 2]); 5] = [
    (61, [154.0, 139.0]),  // left corner of the mouth
    (291, [197.0, 140.0]), // right corner
    (13, [175.0, 142.5]),  // lower edge of the upper lip
    (14, [175.0, 149.0]),  // upper edge of the lower lip
    (152, [176.0, 177.0]), // chin
];

fn near(mesh: &Mesh, point: usize, want: [f32; 2], most: f32) {
    let [x, y, _] = mesh.points[point];
    assert!((x - want[0]).hypot(y - want[1]) <= most, "point {point} at {x:.1}, {y:.1}, not at {want:?}");
}

#[test]
fn the_sample_has_one_face_and_its_mesh_sits_on_it() {
    let (picture, mut finder) = (sample(), finder());
    let faces = finder.find(&picture).unwrap();
    assert_eq!(faces.len(), 1);
    assert!(faces[0].score > 0.8);
    let mesh = finder.mesh(&picture, &faces[0]).unwrap();
    assert!(mesh.presence > 0.95);
    for (point, want) in BY_EYE {
        near(&mesh, point, want, if point == 152 { 5.0 } else { 2.5 });
    }
    let pose = HeadPose::of(&mesh);
    assert!(pose.yaw_deg.abs() < 10.0 && pose.pitch_deg.abs() < 15.0 && pose.roll_deg.abs() < 8.0, "{pose:?}");
}

#[test]
fn the_mesh_hardly_depends_on_size() {
    let mut finder = finder();
    let mut of = |picture: &RgbImage| {
        let faces = finder.find(picture).unwrap();
        finder.mesh(picture, &faces[0]).unwrap()
    };
    let original = of(&sample());
    for scale in [0.8, 1.7, 3.0, 6.0] {
        let back = of(&scaled(scale)).resized([1.0 / scale; 2]);
        let apart = distance(&original, &back, [0.0; 2]);
        assert!(apart < 0.025 * original.eye_span(), "at {scale}: {apart}");
    }
}

#[test]
fn a_mirrored_picture_gives_a_mirrored_mesh() {
    let (picture, mut finder) = (sample(), finder());
    let faces = finder.find(&picture).unwrap();
    let mesh = finder.mesh(&picture, &faces[0]).unwrap();
    let picture = imageops::flip_horizontal(&picture);
    let faces = finder.find(&picture).unwrap();
    let mirrored = finder.mesh(&picture, &faces[0]).unwrap();
    // Points on the middle line are their own mirror images; half a pixel of a systematic shift would show here.
    let middle = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 0, 13, 14, 17, 200, 175, 152];
    let sum: f32 = middle.iter().map(|&i| mesh.points[i][0] + mirrored.points[i][0]).sum();
    assert!((sum / middle.len() as f32 - 351.0).abs() < 1.0, "{}", sum / middle.len() as f32);
}

#[test]
fn a_tilted_head_keeps_its_mesh() {
    let mut finder = finder();
    for degrees in [-25.0, 20.0] {
        let picture = turned(&sample(), degrees);
        let faces = finder.find(&picture).unwrap();
        let mesh = finder.mesh(&picture, &faces[0]).unwrap();
        let roll = HeadPose::of(&mesh).roll_deg;
        assert!((roll - degrees - 3.4).abs() < 4.0, "turned by {degrees}, read {roll}");
    }
}

#[test]
fn small_faces_in_a_large_picture_are_found() {
    let mut finder = finder();
    let boxes = finder.find(&sample()).unwrap();
    let native = boxes[0].bounds;
    for (side, at) in [(66.0, [1500, 900]), (100.0, [37, 611]), (200.0, [900, 300])] {
        let scale = side / native.side();
        let picture = collage(2000, 1400, &[(&scaled(scale), at)]);
        let faces = finder.find(&picture).unwrap();
        assert_eq!(faces.len(), 1, "a face of {side} pixels");
        let want = native.centre().map(|v| v * scale);
        let got = faces[0].bounds.centre();
        let off = (got[0] - at[0] as f32 - want[0]).hypot(got[1] - at[1] as f32 - want[1]);
        assert!(off < 0.15 * side, "a face of {side} pixels is {off} off");
        assert!((faces[0].bounds.side() / side - 1.0).abs() < 0.3, "{:?}", faces[0]);
    }
}

#[test]
fn several_faces_come_largest_first() {
    let (small, large) = (scaled(1.0), scaled(1.6));
    let picture = collage(1200, 720, &[(&small, [10, 200]), (&large, [470, 2])]);
    let faces = finder().find(&picture).unwrap();
    assert_eq!(faces.len(), 2);
    assert!(faces[0].bounds.side() > 1.3 * faces[1].bounds.side());
    assert!(faces[0].bounds.centre()[0] > 470.0 && faces[1].bounds.centre()[0] < 470.0);
}

#[test]
fn a_face_that_fills_the_picture_is_found() {
    let picture = imageops::crop_imm(&sample(), 120, 64, 116, 124).to_image();
    assert_eq!(finder().find(&picture).unwrap().len(), 1);
}

#[test]
fn where_there_is_no_face_none_is_found() {
    let mut finder = finder();
    let suit = imageops::crop_imm(&sample(), 0, 205, 352, 147).to_image();
    let noise = RgbImage::from_fn(900, 700, |x, y| {
        let v = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(0x85EB_CA6B);
        image::Rgb([(v >> 8) as u8, (v >> 16) as u8, (v >> 24) as u8])
    });
    for (what, picture) in
        [("a suit", suit), ("noise", noise), ("a pixel", RgbImage::new(1, 1)), ("a line", RgbImage::new(3000, 1))]
    {
        assert!(finder.find(&picture).unwrap().is_empty(), "{what}");
    }
    assert!(matches!(finder.find(&RgbImage::new(0, 0)), Err(FaceError::EmptyPicture)));
}
