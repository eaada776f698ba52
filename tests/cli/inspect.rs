//! `mouthpiece avatar inspect`.

use crate::{fixtures, scene::Scene};

#[test]
fn what_is_found_is_printed_and_drawn_over_the_portrait() {
    let scene = Scene::new();
    let run = scene.run(&["avatar", "inspect", "portrait.png", "-o", "out/seen.png"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let [w, h] = [fixtures::portrait().width(), fixtures::portrait().height()];
    for words in
        [&format!("picture     {w}x{h}"), "faces       1 found", "box  ", "certainty", "pose  ", "out/seen.png"]
    {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(scene.written(), ["seen.png"]);
    let drawn = image::open(scene.path("out/seen.png")).unwrap().into_rgb8();
    assert_eq!(drawn.dimensions(), (w, h));
    let portrait = fixtures::portrait();
    let changed = drawn.pixels().zip(portrait.pixels()).filter(|(a, b)| a != b).count();
    assert!((1000..portrait.pixels().len() / 3).contains(&changed), "{changed}");
}

#[test]
fn the_drawing_is_named_after_the_portrait_and_lies_here() {
    let scene = Scene::new();
    scene.file("out/me.too.jpg", &fixtures::encoded(&fixtures::portrait(), image::ImageFormat::Jpeg));
    assert_eq!(scene.run(&["avatar", "inspect", "out/me.too.jpg"]).code, Some(0));
    assert!(scene.path("me.too-inspect.png").is_file());
    assert_eq!(scene.written(), ["me.too.jpg"]);
}

#[test]
fn what_cannot_be_inspected_is_refused() {
    let scene = Scene::new();
    scene.file("text.png", b"This is no picture.\n");
    let refuses =
        |portrait, output, words: &[&str]| scene.refuses(&["avatar", "inspect", portrait, "-o", output], words);
    refuses("text.png", "out/a.png", &["text.png", "holds text", "give a picture (PNG"]);
    refuses("nowhere.png", "out/a.png", &["nowhere.png", "cannot be read"]);
    refuses("portrait.png", "nowhere/a.png", &["'nowhere' does not exist", "create it first"]);
    refuses("portrait.png", "portrait.png", &["cannot be written", "name another"]);
    assert_eq!(image::open(scene.path("portrait.png")).unwrap().into_rgb8(), fixtures::portrait());
}
