//! Following a face from frame to frame.

use image::RgbImage;
use mouthpiece_media::face::{FaceError, Tracker, smooth_over_time};

use crate::{collage, distance, finder, sample, scaled};

const FPS: f32 = 25.0;

/// The sample on a larger picture, `frame` steps of 3 and 1 pixels along.
fn moved(frame: usize) -> RgbImage {
    collage(640, 520, &[(&sample(), [frame as i64 * 3 + 10, frame as i64 + 5])])
}

#[test]
fn a_moving_face_is_followed_without_lag() {
    let mut finder = finder();
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    for frame in 0..12 {
        tracker.push(&moved(frame)).unwrap();
    }
    let track = tracker.finish().unwrap();
    let mut meshes: Vec<_> = track.meshes.into_iter().flatten().collect();
    assert_eq!((meshes.len(), track.faces.len()), (12, 1));
    smooth_over_time(&mut meshes, 1.5);
    for (frame, mesh) in meshes.iter().enumerate() {
        let shift = [frame as f32 * 3.0, frame as f32];
        let apart = distance(mesh, &meshes[0], shift);
        assert!(apart < 1.2, "frame {frame}: {apart} pixels");
    }
}

/// The sample as it is when it moves `length` pixels to the side during the exposure.
fn blurred(length: u32) -> RgbImage {
    let sample = sample();
    RgbImage::from_fn(sample.width(), sample.height(), |x, y| {
        let along = |c: usize| (0..length).map(|k| u32::from(sample.get_pixel((x + k).min(351), y).0[c])).sum::<u32>();
        image::Rgb(std::array::from_fn(|c| (along(c) / length) as u8))
    })
}

#[test]
fn a_face_that_is_out_of_sight_has_no_mesh() {
    let mut finder = finder();
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    let empty = collage(640, 520, &[]);
    let rest = moved(0);
    let gone = |frame| frame < 3 || (6..9).contains(&frame) || frame == 15;
    for frame in 0..16 {
        tracker.push(if gone(frame) { &empty } else { &rest }).unwrap();
    }
    let track = tracker.finish().unwrap();
    for (frame, mesh) in track.meshes.iter().enumerate() {
        assert_eq!(mesh.is_none(), gone(frame), "frame {frame}");
    }
}

/// The network is sure of a face that is blurred like this; what it is unsure of lies between its neighbours, see `bridge`.
#[test]
fn a_face_that_is_only_blurred_is_followed_on() {
    let mut finder = finder();
    let (rest, blurred) = (sample(), blurred(26));
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    for frame in 0..8 {
        tracker.push(if frame == 4 { &blurred } else { &rest }).unwrap();
    }
    let meshes = tracker.finish().unwrap().meshes;
    let (at, before) = (meshes[4].as_ref().unwrap(), meshes[3].as_ref().unwrap());
    assert!(distance(at, before, [0.0; 2]) < 20.0);
}

#[test]
fn a_face_that_goes_away_is_an_error_with_its_time() {
    let mut finder = finder();
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    let empty = collage(640, 520, &[]);
    for _ in 0..5 {
        tracker.push(&moved(0)).unwrap();
    }
    let error = (0..20).find_map(|_| tracker.push(&empty).err()).unwrap();
    assert!(matches!(error, FaceError::Lost { at_s, .. } if (at_s - 0.2).abs() < 1e-3), "{error}");
    assert!(error.to_string().starts_with("the face is lost at 0.20 s of the video"), "{error}");
}

#[test]
fn another_face_elsewhere_is_not_taken_for_the_lost_one() {
    let mut finder = finder();
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    let face = scaled(0.8);
    tracker.push(&collage(1000, 400, &[(&face, [0, 0])])).unwrap();
    let elsewhere = collage(1000, 400, &[(&face, [620, 0])]);
    let error = (0..20).find_map(|_| tracker.push(&elsewhere).err()).unwrap();
    assert!(matches!(error, FaceError::Lost { .. }), "{error}");
}

#[test]
fn a_video_without_a_face_says_so() {
    let mut finder = finder();
    let empty = collage(300, 200, &[]);
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    let error = (0..20).find_map(|_| tracker.push(&empty).err()).unwrap();
    assert!(matches!(error, FaceError::NeverSeen { .. }), "{error}");
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    tracker.push(&empty).unwrap();
    assert!(matches!(tracker.finish(), Err(FaceError::NeverSeen { .. })));
    assert!(matches!(Tracker::new(&mut finder, FPS, None).finish(), Err(FaceError::NeverSeen { .. })));
}

#[test]
fn the_asked_face_must_be_there() {
    let mut finder = finder();
    let error = Tracker::new(&mut finder, FPS, Some(2)).push(&sample()).unwrap_err();
    assert_eq!(error.to_string(), "face 2 was asked for, and only 1 was found");
}
