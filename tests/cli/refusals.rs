//! What cannot be used: a clear sentence, exit code 2, nothing left behind.

use image::{GrayImage, ImageFormat, Rgb, RgbImage, imageops};

use crate::{
    fixtures::{self, encoded, portrait, scaled, two_people},
    scene::Scene,
};

#[test]
fn pictures_without_a_usable_face() {
    let scene = Scene::new();
    RgbImage::from_pixel(300, 300, Rgb([130; 3])).save(scene.path("flat.png")).unwrap();
    let noise = |x: u32, y: u32| (x * 300 + y + 1).wrapping_mul(2_654_435_761).rotate_left(11).wrapping_mul(40_503);
    RgbImage::from_fn(300, 300, |x, y| Rgb([9, 14, 19].map(|c| (noise(x, y) >> c) as u8)))
        .save(scene.path("noise.png"))
        .unwrap();
    for nobody in ["flat.png", "noise.png"] {
        scene.refuses_to_render(nobody, "speech.wav", &[], &[nobody, "no face was found", "from the front"]);
    }
    scaled(0.3).save(scene.path("small.png")).unwrap();
    let words = ["small.png", "the face is only ", "40 are needed", "closer picture"];
    scene.refuses_to_render("small.png", "speech.wav", &[], &words);
    let mut wide = RgbImage::from_pixel(2000, 600, Rgb([120; 3]));
    imageops::replace(&mut wide, &scaled(0.5), 900, 200);
    wide.save(scene.path("far.png")).unwrap();
    let words = ["far.png", "the face is only ", " and would be ", "crop the picture to bust or head"];
    scene.refuses_to_render("far.png", "speech.wav", &[], &words);
}

#[test]
fn a_face_that_is_not_there() {
    let scene = Scene::new();
    two_people().save(scene.path("two.png")).unwrap();
    scene.refuses_to_render("two.png", "speech.wav", &["--face", "9"], &["two.png", "face 9", "only 2 were found"]);
}

#[test]
fn pictures_that_are_too_large_before_they_are_decoded() {
    let scene = Scene::new();
    scene.file("huge.png", &fixtures::empty_png(20_000, 20_000));
    scene.refuses_to_render("huge.png", "speech.wav", &[], &["huge.png", "20000x20000", "give a smaller picture"]);
    // A file of some 100 KB that would take 75 MB of memory.
    GrayImage::new(8500, 8500).save(scene.path("bomb.png")).unwrap();
    scene.refuses_to_render("bomb.png", "speech.wav", &[], &["bomb.png", "8500x8500", "give a smaller picture"]);
}

#[test]
fn pictures_that_are_damaged_or_none() {
    let scene = Scene::new();
    for (name, format) in
        [("cut.png", ImageFormat::Png), ("cut.jpg", ImageFormat::Jpeg), ("cut.webp", ImageFormat::WebP)]
    {
        let whole = encoded(&portrait(), format);
        scene.file(name, &whole[..whole.len() * 2 / 3]);
        scene.refuses_to_render(name, "speech.wav", &[], &[name, "is cut off", "again"]);
    }
    scene.file("text.png", b"This is no picture.\n");
    scene.file("empty.png", b"");
    scene.file("slides.png", b"%PDF-1.7\n%\xe2\xe3\n");
    let give = "give a picture (PNG, JPEG, WebP";
    for (name, is) in [
        ("text.png", "holds text"),
        ("empty.png", "is empty"),
        ("slides.png", "is a PDF document"),
        ("speech.wav", "is a WAV recording"),
    ] {
        scene.refuses_to_render(name, "speech.wav", &[], &[&format!("'{name}' {is}: {give}"), "or a video (MP4, WebM"]);
    }
    // The same words wherever a picture is asked for.
    scene.file("layers.png", b"8BPS\0\x01");
    let words = "'layers.png' is a Photoshop file: export it as PNG or JPEG";
    scene.refuses_to_render("layers.png", "speech.wav", &[], &[words]);
    scene.refuses(&["avatar", "inspect", "layers.png"], &[words]);
    scene.refuses_to_render("nowhere.png", "speech.wav", &[], &["nowhere.png", "cannot be read", "o such file"]);
    scene.refuses_to_render("out", "speech.wav", &[], &["not a regular file", "give a picture"]);
}

#[test]
fn recordings_that_are_damaged_or_none() {
    let scene = Scene::new();
    scene.file("text.wav", b"This is no recording.\n");
    scene.file("empty.wav", b"");
    scene.file("zero.wav", &fixtures::wav(16_000, 1, &[]));
    let samples = |strange: f32| {
        let at = |n: u32| if n == 8000 { strange } else { (n as f32 * 0.1).sin() * 0.1 };
        (0..16_000).flat_map(|n| at(n).to_le_bytes()).collect::<Vec<u8>>()
    };
    scene.file("nan.wav", &fixtures::wav(16_000, 3, &samples(f32::NAN)));
    scene.file("infinite.wav", &fixtures::wav(16_000, 3, &samples(f32::INFINITY)));
    for (name, words) in [
        ("text.wav", &["holds text: give a recording (WAV, MP3, OGG, FLAC, M4A"][..]),
        ("portrait.png", &["is a PNG picture: give a recording"]),
        ("empty.wav", &["is empty: give a recording"]),
        ("zero.wav", &["its length is zero"]),
        ("nan.wav", &["not a number at 0.500 s", "again"]),
        ("infinite.wav", &["at 0.500 s", "again"]),
        ("nowhere.wav", &["cannot be read", "no such file"]),
        ("out", &["cannot be read", "not a regular file"]),
    ] {
        scene.refuses_to_render("portrait.png", name, &[], &[&[name], words].concat());
    }
}

#[test]
fn places_that_cannot_be_written() {
    let scene = Scene::new();
    let fifo = std::process::Command::new("mkfifo").arg(scene.path("pipe.mp4")).status().unwrap();
    assert!(fifo.success());
    for (output, words) in [
        ("nowhere/film.mp4", ["'nowhere' does not exist", "create it first"]),
        ("out", ["is a folder", "name a file in it"]),
        ("speech.wav/film.mp4", ["'speech.wav' is not a folder", "name one"]),
        ("/proc/film.mp4", ["cannot be written", "choose another name or folder"]),
        ("pipe.mp4", ["is a device or a pipe", "name a file"]),
    ] {
        let args = ["render", "--portrait", "portrait.png", "--speech", "speech.wav", "-o", output];
        scene.refuses(&args, &[&[output], &words[..]].concat()[usize::from(output == "out")..]);
    }
}

#[test]
fn an_output_that_is_one_of_the_inputs() {
    let scene = Scene::new();
    let before = ["portrait.png", "speech.wav"].map(|name| std::fs::read(scene.path(name)).unwrap());
    for output in ["out/../portrait.png", "speech.wav"] {
        let args = ["render", "--portrait", "portrait.png", "--speech", "speech.wav", "-o", output];
        scene.refuses(&args, &[output, "cannot be written", "name another"]);
    }
    assert!(before == ["portrait.png", "speech.wav"].map(|name| std::fs::read(scene.path(name)).unwrap()));
}

#[test]
fn a_film_that_was_there_outlives_a_render_that_fails() {
    let scene = Scene::new();
    scene.file("out/film.mp4", b"an older film");
    scene.file("text.png", b"This is no picture.\n");
    assert_eq!(scene.render("text.png", "speech.wav", &[]).code, Some(2));
    assert_eq!(
        (scene.written(), std::fs::read(scene.film()).unwrap()),
        (vec!["film.mp4".into()], b"an older film".into())
    );
    assert_eq!(scene.render("portrait.png", "speech.wav", &[]).code, Some(0));
    assert_eq!(scene.written(), ["film.mp4"]);
    assert!(std::fs::metadata(scene.film()).unwrap().len() > 10_000);
}

#[test]
fn options_out_of_their_range() {
    let scene = Scene::new();
    for (option, words) in [
        (["--fps", "24"], "it must be 25 or 30"),
        (["--size", "10"], "64..=2048"),
        (["--size", "9999"], "64..=2048"),
        (["--crop", "feet"], "possible values: none, bust, head"),
        (["--motion", "101"], "0..=100"),
        (["--expression", "angry"], "possible values: neutral, friendly, serious"),
        (["--encoder", "mpeg2"], "choose auto, nvenc, x264 or openh264"),
        (["--engine", "magic"], "possible values: puppet"),
        (["--seed", "one"], "--seed"),
        (["--colour", "blue"], "unexpected argument '--colour'"),
    ] {
        let run = scene.render("portrait.png", "speech.wav", &option);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{option:?}: {run:?}");
        assert!(run.stderr.contains(words), "{option:?}: {run:?}");
        assert_eq!(scene.written(), [""; 0]);
    }
}
