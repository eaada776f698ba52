//! From a video to a moving reference.

use std::{cell::Cell, convert::Infallible, io};

use image::RgbImage;
use mouthpiece_media::reference::{MAX_VIDEO_FRAMES, PrepareOptions, PreparedReference, ReferenceError};

use crate::{collage, finder, sample};

/// The sample with repeatable noise of `strength` grey levels.
fn noisy(seed: u32, strength: i32) -> RgbImage {
    let mut picture = sample();
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    for value in picture.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 16) as i32 % (2 * strength + 1) - strength;
        *value = (i32::from(*value) + noise).clamp(0, 255) as u8;
    }
    picture
}

fn whole(frames: Vec<RgbImage>) -> impl Iterator<Item = Result<RgbImage, Infallible>> {
    frames.into_iter().map(Ok)
}

#[test]
fn a_still_face_in_a_noisy_video_does_not_shake() {
    let frames = (0..20).map(|i| noisy(i, 14)).collect();
    let options = PrepareOptions { size: 224, ..PrepareOptions::default() };
    let prepared = PreparedReference::from_video(whole(frames), 25.0, &mut finder(), &options).unwrap();
    let reference = prepared.reference;
    assert_eq!((reference.frames.len(), reference.frames_per_second), (20, 25.0));
    assert_eq!((reference.frames[3].picture.width(), prepared.report.frame.output), (224, [224, 224]));
    let x = |i: usize, p: usize| reference.frames[i].face.points[p][0];
    for point in [13, 14, 61, 291, 33, 263] {
        let shake: f32 = (1..19).map(|i| (x(i - 1, point) - 2.0 * x(i, point) + x(i + 1, point)).abs()).sum();
        // The refined lips shake by .058 pixels, a thousandth of the distance of the eyes: noise that looks like speech is kept.
        let most = if point < 33 { 0.075 } else { 0.04 };
        assert!(shake / 18.0 < most, "point {point} shakes by {} pixels", shake / 18.0);
    }
}

#[test]
fn a_long_video_is_cut_and_not_read_further() {
    let asked = Cell::new(0);
    let face = image::imageops::crop_imm(&sample(), 122, 20, 200, 200).to_image();
    let endless = std::iter::repeat_with(|| {
        asked.set(asked.get() + 1);
        Ok::<_, Infallible>(face.clone())
    });
    let prepared = PreparedReference::from_video(endless, 30.0, &mut finder(), &PrepareOptions::default()).unwrap();
    assert_eq!(prepared.reference.frames.len(), MAX_VIDEO_FRAMES);
    assert_eq!(asked.get(), MAX_VIDEO_FRAMES + 1);
    assert!(prepared.report.warnings.iter().any(|w| w == "only the first 20.0 s of the video are used"));
}

#[test]
fn what_cannot_be_a_reference_is_refused() {
    let mut finder = finder();
    let options = PrepareOptions::default();
    let mut refuse = |frames: Vec<Result<RgbImage, io::Error>>, fps: f32| {
        PreparedReference::from_video(frames, fps, &mut finder, &options).unwrap_err()
    };
    assert!(matches!(refuse(Vec::new(), 25.0), ReferenceError::NoFrames));
    for fps in [0.0, -5.0, f32::NAN, f32::INFINITY, 1000.0] {
        assert!(matches!(refuse(vec![Ok(sample())], fps), ReferenceError::FrameRate { .. }), "{fps}");
    }
    let changed = refuse(vec![Ok(sample()), Ok(collage(100, 80, &[]))], 25.0).to_string();
    assert_eq!(changed, "frame 1 of the video is 100x80, the ones before 352x352: give a video of one size");
    let broken = refuse(vec![Ok(sample()), Err(io::Error::other("bad packet"))], 25.0).to_string();
    assert_eq!(broken, "frame 1 of the video cannot be read: bad packet");
    let small = image::imageops::resize(&sample(), 176, 176, image::imageops::FilterType::Triangle);
    assert!(matches!(refuse(vec![Ok(small)], 25.0), ReferenceError::FaceTooSmall { .. }));
}
