//! Short videos as the reference.

use image::{Rgb, RgbImage, imageops};

use crate::{
    film::{difference_outside, face_region, frames, lip_travel, meshes},
    scene::Scene,
};

/// A video of the sample with a camera that slowly moves to the right.
fn moving(scene: &Scene, seconds: &str, codec: &[&str], name: &str) {
    let pan = "scale=480:480,crop=400:400:'10+40*t':30,fps=25";
    let input =
        ["-loop", "1", "-framerate", "25", "-i", "portrait.png", "-t", seconds, "-vf", pan, "-pix_fmt", "yuv420p"];
    scene.ffmpeg(&[&input, codec].concat(), name);
}

#[test]
fn a_video_shorter_than_the_speech_is_shown_forth_and_back() {
    let scene = Scene::new();
    // 15 frames: the last is frame 14.
    moving(&scene, "0.6", &["-c:v", "libx264", "-crf", "14"], "short.mp4");
    let report = scene.report("short.mp4", "speech.wav", &["--no-blink", "--size", "400"]);
    assert_eq!((&report["frames"], &report["width"]), (&25.into(), &400.into()));
    let frames = frames(&scene.film());
    let meshes = meshes(&frames);
    assert!(lip_travel(&meshes) > 0.08, "the lips move by {}", lip_travel(&meshes));
    let region = face_region(&meshes[14]).grown(30.0);
    for k in [4, 10] {
        let (mirrored, _) = difference_outside(&frames[14 - k], &frames[14 + k], &region);
        let (turn, _) = difference_outside(&frames[14 - k], &frames[14], &region);
        assert!(mirrored < 2.0 && turn > 2.0 * mirrored, "{k} from the turn: {mirrored}, {turn}");
    }
}

#[test]
fn a_video_longer_than_the_speech_is_shown_as_far_as_it_is_needed() {
    let scene = Scene::new();
    moving(&scene, "1.6", &["-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime"], "long.webm");
    let report = scene.report("long.webm", "speech.wav", &["--fps", "30"]);
    assert_eq!((&report["frames"], &report["width"]), (&30.into(), &400.into()));
    let frames = frames(&scene.film());
    let meshes = meshes([&frames[0], &frames[29]]);
    // The camera goes 40 pixels a second to the right, so the face to the left.
    let moved = meshes[0].points[168][0] - meshes[1].points[168][0];
    assert!((moved - 40.0 * 29.0 / 30.0).abs() < 5.0, "{moved}");
}

#[test]
fn a_video_without_a_face_is_refused() {
    let scene = Scene::new();
    scene.ffmpeg(&["-f", "lavfi", "-i", "testsrc=d=1:s=320x240"], "nobody.mp4");
    scene.refuses_to_render("nobody.mp4", "speech.wav", &[], &["nobody.mp4", "no face was found"]);
}

/// The sample for a second, grey in its first five frames and in four in the middle.
fn blinking(scene: &Scene) {
    let grey = "drawbox=enable='lt(n,5)+between(n,12,15)':color=gray:t=fill";
    let input = ["-loop", "1", "-framerate", "25", "-i", "portrait.png", "-t", "1", "-vf", grey];
    scene.ffmpeg(&[&input[..], &["-c:v", "libx264", "-crf", "14", "-pix_fmt", "yuv420p"]].concat(), "blinking.mp4");
}

const OUT_OF_SIGHT: &str = "the face is out of sight in 9 of 25 frames (0.36 s in all, the first at 0.00 s)";

#[test]
fn no_mouth_floats_on_frames_without_a_face() {
    let scene = Scene::new();
    blinking(&scene);
    let report = scene.report("blinking.mp4", "speech.wav", &["--no-blink"]);
    assert!(report["warnings"].to_string().contains(OUT_OF_SIGHT), "{}", report["warnings"]);
    let frames = frames(&scene.film());
    let portrait = image::open(scene.path("portrait.png")).unwrap().into_rgb8();
    let region = face_region(&meshes([&portrait])[0]);
    for (number, frame) in frames.iter().enumerate() {
        let (mean, _) = difference_outside(frame, &portrait, &region);
        assert!(mean < 4.0, "frame {number} is not the person: {mean}");
    }
    assert!(lip_travel(&meshes(&frames)) > 0.08);
}

#[test]
fn inspection_tells_of_frames_without_a_face_and_draws_one_with_it() {
    let scene = Scene::new();
    blinking(&scene);
    let run = scene.run(&["avatar", "inspect", "blinking.mp4", "-o", "out/seen.png"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.stdout.contains(&format!("note        {OUT_OF_SIGHT}")), "{}", run.stdout);
    let drawn = image::open(scene.path("out/seen.png")).unwrap().into_rgb8();
    let portrait = image::open(scene.path("portrait.png")).unwrap().into_rgb8();
    let changed = drawn.pixels().zip(portrait.pixels()).filter(|(a, b)| a.0[1].abs_diff(b.0[1]) > 40).count();
    assert!((1000..portrait.pixels().len() / 3).contains(&changed), "{changed}");
}

#[test]
fn behind_a_transparent_video_is_what_was_asked_for() {
    let scene = Scene::new();
    let clear = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,60),0,255)'";
    let input = ["-loop", "1", "-framerate", "25", "-i", "portrait.png", "-t", "0.2", "-vf", clear];
    let codec = ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-b:v", "2M"];
    scene.ffmpeg(&[&input[..], &codec].concat(), "clear.webm");
    RgbImage::from_pixel(90, 40, Rgb([0, 0, 200])).save(scene.path("sea.png")).unwrap();
    for (more, colour) in [
        (&[][..], [255, 255, 255]),
        (&["--background", "#00b140"], [0, 177, 64]),
        (&["--background", "sea.png"], [0, 0, 200]),
    ] {
        let report = scene.report("clear.webm", "speech.wav", &[&["--no-blink"], more].concat());
        assert_eq!(report["warnings"].as_array().unwrap().len(), 0, "{report}");
        let edge = imageops::crop_imm(&frames(&scene.film())[3], 0, 0, 40, 300).to_image();
        let far = edge.pixels().map(|p| p.0.iter().zip(colour).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max()).max();
        assert!(far.flatten() < Some(24), "{more:?}: {far:?}");
    }
}
