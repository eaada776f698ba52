//! The film that a render makes.

use image::imageops;

use crate::{
    film::{difference_outside, face_region, frames, lip_travel, meshes, number, probe},
    fixtures,
    scene::Scene,
};

#[test]
fn the_film_is_as_long_as_the_speech_and_plays_while_it_loads() {
    let scene = Scene::new();
    scene.file("speech.wav", &fixtures::speech(1.37));
    for (fps, want) in [("25", 35), ("30", 42)] {
        let report = scene.report("portrait.png", "speech.wav", &["--fps", fps]);
        let facts = probe(&scene.film());
        let [video, audio] = facts["streams"].as_array().unwrap().as_slice() else { panic!("{facts}") };
        assert_eq!((&video["codec_name"], &audio["codec_name"]), (&"h264".into(), &"aac".into()));
        assert_eq!(video["avg_frame_rate"], format!("{fps}/1"));
        assert_eq!(number(&video["nb_read_packets"]), f64::from(want));
        assert_eq!(report["frames"], want);
        assert!((number(&video["duration"]) - 1.37).abs() <= 1.0 / number(&fps.into()), "{video}");
        assert!((number(&audio["duration"]) - 1.37).abs() < 0.01, "{audio}");
        assert_eq!((number(&video["start_time"]), number(&audio["start_time"])), (0.0, 0.0));
        let bytes = std::fs::read(scene.film()).unwrap();
        let find = |kind: &[u8]| bytes.windows(4).position(|w| w == kind).unwrap();
        assert!(find(b"moov") < find(b"mdat"));
        assert_eq!(scene.written(), ["film.mp4"]);
    }
}

#[test]
fn the_summary_as_json_is_one_line_with_every_field() {
    let scene = Scene::new();
    let run = scene.render("portrait.png", "speech.wav", &["--json", "--encoder", "x264"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout.matches('\n').count(), 1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let facts = probe(&scene.film());
    let video = &facts["streams"][0];
    assert_eq!(report["output"], "out/film.mp4");
    assert_eq!((&report["frames"], &report["fps"], &report["seconds"]), (&25.into(), &25.into(), &1.0.into()));
    assert_eq!((&report["width"], &report["height"]), (&video["width"], &video["height"]));
    assert_eq!(report["bytes"], std::fs::metadata(scene.film()).unwrap().len());
    assert_eq!((&report["engine"], &report["encoder"]), (&"puppet".into(), &"libx264".into()));
    assert!(report["elapsed_seconds"].as_f64().unwrap() > 0.0 && report["times_real_time"].as_f64().unwrap() > 0.0);
    assert_eq!(report["warnings"], serde_json::json!([]));
    let framing = "352x352, the whole picture: the picture has no more pixels; the eyes are 61 pixels apart";
    assert_eq!(report["framing"], framing);
    assert_eq!(report.as_object().unwrap().len(), 13, "a new field is not tested: {report}");
}

#[test]
fn a_pipe_gets_plain_lines_and_the_summary_on_standard_output() {
    let scene = Scene::new();
    let run = scene.render("portrait.png", "speech.wav", &[]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.starts_with("out/film.mp4: 25 frames, 1.0 s of video, "), "{}", run.stdout);
    assert!(run.stdout.ends_with("times real time)\n") && run.stdout.matches('\n').count() == 1, "{}", run.stdout);
    assert!(run.stderr.contains("25 fps, 1.0 s, encoder "), "{}", run.stderr);
    assert!(run.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", run.stderr);
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let scene = Scene::new();
    let args = ["render", "--portrait", "portrait.png", "--speech", "speech.wav", "-o", "out/film.mp4"];
    let mut child = scene.command(&args);
    let mut child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(scene.written(), ["film.mp4"]);
}

#[test]
fn a_seed_determines_every_byte() {
    let scene = Scene::new();
    let of = |seed| {
        scene.report("portrait.png", "speech.wav", &["--seed", seed]);
        std::fs::read(scene.film()).unwrap()
    };
    let (first, again, other) = (of("7"), of("7"), of("8"));
    assert!(first == again, "the same seed made another film");
    assert!(first != other, "another seed made the same film");
}

#[test]
fn without_a_size_the_face_decides_and_a_crop_shows_it_larger() {
    let scene = Scene::new();
    scene.file("large.png", &fixtures::encoded(&fixtures::scaled(4.0), image::ImageFormat::Png));
    let sizes = |more: &[&str]| {
        let report = scene.report("large.png", "speech.wav", more);
        [&report["width"], &report["height"]].map(|side| side.as_u64().unwrap())
    };
    // Eyes 61 pixels apart in 352 need 696 to be 120 apart; the head alone fewer.
    let whole = sizes(&[]);
    assert!((680..=712).contains(&whole[0]) && whole[0] == whole[1], "{whole:?}");
    let head = sizes(&["--crop", "head"]);
    assert_eq!(head.iter().max(), Some(&512), "{head:?}");
    assert_eq!(sizes(&["--size", "300"]), [300, 300]);
}

#[test]
fn a_demeanour_and_less_motion_make_another_film() {
    let scene = Scene::new();
    let film = |more: &[&str]| {
        scene.report("portrait.png", "speech.wav", more);
        std::fs::read(scene.film()).unwrap()
    };
    let usual = film(&[]);
    assert_eq!(usual, film(&["--expression", "neutral", "--motion", "100"]));
    assert_ne!(usual, film(&["--expression", "friendly"]));
    assert_ne!(usual, film(&["--motion", "40"]));
    assert_eq!(film(&["--motion", "0"]), film(&["--still"]));
}

#[test]
fn the_size_bounds_the_longer_side_and_keeps_the_framing() {
    let scene = Scene::new();
    let native = fixtures::wide();
    native.save(scene.path("wide.png")).unwrap();
    let upright = imageops::crop_imm(&native, 60, 0, 200, native.height()).to_image();
    upright.save(scene.path("high.png")).unwrap();
    for (name, picture) in [("wide.png", &native), ("high.png", &upright)] {
        let (w, h) = picture.dimensions();
        for size in [201, 240, 2000] {
            let report = scene.report(name, "speech.wav", &["--size", &size.to_string()]);
            let side = |name: &str| report[name].as_u64().unwrap() as u32;
            let (width, height) = (side("width"), side("height"));
            assert!(width % 2 == 0 && height % 2 == 0 && width.max(height) <= size, "{report}");
            assert!(width.max(height) + 2 > size.min(w.max(h)) && width <= w && height <= h, "{report}");
            let ratio = f64::from(width) / f64::from(height) / (f64::from(w) / f64::from(h));
            assert!((ratio - 1.0).abs() < 0.02, "{report}");
            let video = &probe(&scene.film())["streams"][0];
            assert_eq!((&video["width"], &video["height"]), (&width.into(), &height.into()));
        }
    }
}

#[test]
fn the_lips_move_and_nothing_else_when_asked_to_keep_still() {
    let scene = Scene::new();
    let outside = |more: &[&str]| {
        // This encoder repeats what did not change exactly, once the second frame has mended the first.
        scene.report("portrait.png", "speech.wav", &[more, &["--encoder", "openh264"]].concat());
        let frames = frames(&scene.film());
        let meshes = meshes(&frames);
        assert!(lip_travel(&meshes) > 0.08, "the lips move by {}", lip_travel(&meshes));
        let region = face_region(&meshes[0]);
        let changes = frames[1..].iter().map(|frame| difference_outside(&frames[1], frame, &region));
        changes.fold((0.0_f64, 0), |(mean, most), (m, x)| (mean.max(m), most.max(x)))
    };
    let (still, lively) = (outside(&["--still", "--no-blink"]), outside(&[]));
    assert!(still.0 < 0.02 && still.1 < 12, "{still:?}");
    assert!(lively.0 > 3.0 * still.0 && lively.1 > 2 * still.1, "{lively:?}, still {still:?}");
}

#[test]
fn an_encoder_can_be_forced() {
    let scene = Scene::new();
    for encoder in ["x264", "openh264"] {
        let report = scene.report("portrait.png", "speech.wav", &["--encoder", encoder]);
        assert!(report["encoder"].as_str().unwrap().contains(encoder), "{report}");
        let video = &probe(&scene.film())["streams"][0];
        assert_eq!((&video["codec_name"], number(&video["nb_read_packets"])), (&"h264".into(), 25.0));
    }
}

#[test]
fn an_encoder_that_is_not_here_is_refused_with_what_it_needs() {
    let scene = Scene::new();
    let run = scene.render("portrait.png", "speech.wav", &["--encoder", "nvenc"]);
    if run.code == Some(0) {
        return; // this machine has it
    }
    scene.refuses_to_render(
        "portrait.png",
        "speech.wav",
        &["--encoder", "nvenc"],
        &["cannot be used here", "NVIDIA GPU", "choose another encoder"],
    );
}

#[test]
fn odd_names_and_the_present_folder_are_fine() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("out/ein Ördner 顔")).unwrap();
    std::fs::rename(scene.path("portrait.png"), scene.path("-p 'ö\".png")).unwrap();
    std::fs::rename(scene.path("speech.wav"), scene.path("http:x%20.wav")).unwrap();
    let output = "out/ein Ördner 顔/film:1.mp4";
    for output in [output, "film.mp4"] {
        let run = scene.run(&["render", "--portrait=-p 'ö\".png", "--speech", "http:x%20.wav", "-o", output]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(scene.path(output).is_file() && run.stdout.starts_with(output), "{run:?}");
    }
}
