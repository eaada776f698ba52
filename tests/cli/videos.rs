//! Short videos as the reference.

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
