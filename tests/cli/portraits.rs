//! Pictures that are taken as portraits.

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, imageops};

use crate::{
    film::{frames, lip_travel, meshes},
    fixtures::{encoded, portrait, scaled, two_people, wide},
    scene::Scene,
};

/// Mean difference of two pictures' channels.
fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

#[test]
fn every_kind_of_picture_is_read_whatever_its_name() {
    let scene = Scene::new();
    let picture = wide();
    for (name, format) in [
        ("a.webp", ImageFormat::WebP),
        ("a.jpg", ImageFormat::Jpeg),
        ("jpeg.png", ImageFormat::Jpeg),
        ("webp.mp4", ImageFormat::WebP),
        ("no-ending", ImageFormat::Png),
    ] {
        scene.file(name, &encoded(&picture, format));
        scene.report(name, "speech.wav", &["--still", "--no-blink"]);
        let difference = apart(&frames(&scene.film())[0], &picture);
        assert!(difference < 8.0, "{name}: {difference}");
    }
}

#[test]
fn a_photograph_that_was_stored_on_its_side_comes_upright() {
    let scene = Scene::new();
    let picture = wide();
    // EXIF orientation 6: turn it clockwise to see it upright.
    let stored = encoded(&imageops::rotate270(&picture), ImageFormat::Jpeg);
    let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut file = stored[..2].to_vec();
    file.extend([0xFF, 0xE1, 0, 8 + tiff.len() as u8]);
    file.extend(b"Exif\0\0");
    file.extend(tiff);
    file.extend(&stored[2..]);
    scene.file("photo.jpg", &file);
    scene.report("photo.jpg", "speech.wav", &[]);
    let difference = apart(&frames(&scene.film())[0], &picture);
    assert!(difference < 8.0, "{difference}");
}

#[test]
fn what_is_transparent_becomes_white() {
    let scene = Scene::new();
    let opaque = portrait();
    let cut_out = RgbaImage::from_fn(opaque.width(), opaque.height(), |x, y| {
        let Rgb([r, g, b]) = *opaque.get_pixel(x, y);
        Rgba([r, g, b, if x < 60 { 0 } else { 255 }])
    });
    cut_out.save(scene.path("cut-out.png")).unwrap();
    scene.report("cut-out.png", "speech.wav", &["--still", "--no-blink"]);
    let corner = imageops::crop_imm(&frames(&scene.film())[0], 0, 0, 50, 300).to_image();
    assert!(corner.iter().all(|v| *v > 240));
    scene.report("cut-out.png", "speech.wav", &["--still", "--no-blink", "--background", "black"]);
    let corner = imageops::crop_imm(&frames(&scene.film())[0], 0, 0, 50, 300).to_image();
    assert!(corner.iter().all(|v| *v < 15));
}

#[test]
fn a_background_that_is_none_is_refused_and_one_that_is_not_seen_is_told() {
    let scene = Scene::new();
    let refuse = |given, words: &[&str]| {
        scene.refuses_to_render("portrait.png", "speech.wav", &["--background", given], words);
    };
    refuse("mauve", &["background is 'mauve'", "#rrggbb", "name a picture"]);
    refuse("speech.wav", &["speech.wav", "is a WAV recording"]);
    let report = scene.report("portrait.png", "speech.wav", &["--background", "#123456"]);
    let notes = report["warnings"].to_string();
    assert!(notes.contains("the portrait is nowhere transparent: the background is not seen"), "{notes}");
}

#[test]
fn of_several_people_the_largest_speaks_unless_another_is_asked_for() {
    let scene = Scene::new();
    two_people().save(scene.path("two.png")).unwrap();
    let lips = |more: &[&str]| {
        let report = scene.report("two.png", "speech.wav", &[more, &["--size", "700"]].concat());
        let frames = frames(&scene.film());
        let middle = frames[0].width() * 8 / 18;
        let of = |x, width| {
            let part = |frame: &RgbImage| imageops::crop_imm(frame, x, 0, width, frame.height()).to_image();
            lip_travel(&meshes(&frames.iter().map(part).collect::<Vec<_>>()))
        };
        (of(0, middle), of(middle, frames[0].width() - middle), report["warnings"].to_string())
    };
    let (left, right, notes) = lips(&[]);
    assert!(right > 2.0 * left, "left {left}, right {right}");
    assert!(notes.contains("2 faces were found and the largest was taken: --face 2"), "{notes}");
    let (left, right, notes) = lips(&["--face", "2"]);
    assert!(left > 2.0 * right, "left {left}, right {right}");
    assert!(!notes.contains("faces"), "{notes}");
}

#[test]
fn a_small_face_is_enlarged_with_a_note() {
    let scene = Scene::new();
    let mut wide = RgbImage::from_pixel(1000, 300, Rgb([120; 3]));
    imageops::replace(&mut wide, &scaled(0.5), 400, 60);
    wide.save(scene.path("far.png")).unwrap();
    let report = scene.report("far.png", "speech.wav", &["--crop", "bust"]);
    assert!(report["width"].as_u64().unwrap() > 300, "{report}");
    let notes = report["warnings"].to_string();
    assert!(notes.contains("pixels large: it was enlarged"), "{notes}");
}

#[test]
fn a_picture_far_larger_than_the_film_is_shrunk() {
    let scene = Scene::new();
    scaled(9.0).save(scene.path("large.png")).unwrap();
    let report = scene.report("large.png", "speech.wav", &["--size", "256"]);
    assert_eq!((&report["width"], &report["height"]), (&256.into(), &256.into()));
}
