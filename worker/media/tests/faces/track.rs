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
    let mut track = tracker.finish().unwrap();
    assert_eq!((track.bridged, track.faces.len()), (0, 1));
    smooth_over_time(&mut track.meshes, 1.5);
    for (frame, mesh) in track.meshes.iter().enumerate() {
        let shift = [frame as f32 * 3.0, frame as f32];
        let apart = distance(mesh, &track.meshes[0], shift);
        assert!(apart < 1.2, "frame {frame}: {apart} pixels");
    }
}

#[test]
fn a_face_that_blinks_out_is_bridged() {
    let mut finder = finder();
    let mut tracker = Tracker::new(&mut finder, FPS, None);
    let empty = collage(640, 520, &[]);
    let rest = moved(0);
    for frame in 0..16 {
        let gone = (6..9).contains(&frame);
        tracker.push(if gone { &empty } else { &rest }).unwrap();
    }
    let track = tracker.finish().unwrap();
    assert_eq!((track.meshes.len(), track.bridged), (16, 3));
    assert!(distance(&track.meshes[7], &track.meshes[3], [0.0; 2]) < 1.0);
    assert_eq!(track.meshes[7].presence, 0.0);
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
    assert_eq!(error.to_string(), "--face 2: only 1 face was found");
}
