//! Videos that are transparent in parts.

use std::sync::Arc;

use image::{Rgb, RgbImage};

use super::*;
use crate::image::Background;
use crate::mux::fixtures::ffmpeg;

const ORANGE: [u8; 3] = [200, 100, 40];

/// The first frame on a background, and whether that shows.
fn first(path: &std::path::Path, background: Background) -> (RgbImage, bool) {
    let options = VideoOptions { background, ..VideoOptions::default() };
    let (mut reader, mut frame) = (VideoReader::open_with(path, options).unwrap(), RgbImage::new(0, 0));
    reader.next_frame(&mut frame).unwrap().unwrap();
    assert_eq!(reader.warnings(), [""; 0]);
    (frame, reader.showed_background())
}

fn close(got: Rgb<u8>, want: [u8; 3]) -> bool {
    got.0.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= 8)
}

/// A video that is clear on its left half.
fn half_clear(dir: &std::path::Path, codec: &[&str], name: &str) -> std::path::PathBuf {
    let source = "color=c=red:s=96x64:r=25:d=0.2,format=rgba,geq=r=200:g=100:b=40:a='if(lt(X,48),0,255)'";
    ffmpeg(dir, &[&["-f", "lavfi", "-i", source], codec].concat(), name)
}

#[test]
fn what_is_clear_shows_the_background_whatever_the_codec() {
    let dir = tempfile::tempdir().unwrap();
    for (name, codec) in [
        ("prores.mov", &["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"][..]),
        ("png.mov", &["-c:v", "png"]),
        ("animation.mov", &["-c:v", "qtrle", "-pix_fmt", "argb"]),
        ("ffv1.mkv", &["-c:v", "ffv1", "-pix_fmt", "yuva420p"]),
        ("vp9.webm", &["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-b:v", "2M"]),
        ("vp8.webm", &["-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-b:v", "2M"]),
    ] {
        let path = half_clear(dir.path(), codec, name);
        let (white, showed) = first(&path, Background::default());
        let green = first(&path, Background::Colour([0, 177, 64])).0;
        assert!(showed, "{name}");
        assert!(close(*white.get_pixel(16, 32), [255; 3]), "{name}: {:?}", white.get_pixel(16, 32));
        assert!(close(*green.get_pixel(16, 32), [0, 177, 64]), "{name}: {:?}", green.get_pixel(16, 32));
        assert!(close(*white.get_pixel(80, 32), ORANGE), "{name}: {:?}", white.get_pixel(80, 32));
    }
}

#[test]
fn a_background_stands_upright_behind_a_turned_video() {
    let dir = tempfile::tempdir().unwrap();
    let lying = half_clear(dir.path(), &["-c:v", "png"], "lying.mov");
    let args = ["-i", lying.to_str().unwrap(), "-c", "copy", "-metadata:s:v:0", "rotate=90"];
    let path = ffmpeg(dir.path(), &args, "upright.mov");
    // Blue above, black below.
    let behind = RgbImage::from_fn(64, 96, |_, y| Rgb(if y < 24 { [0, 0, 255] } else { [0, 0, 0] }));
    let (frame, _) = first(&path, Background::Picture(Arc::new(behind)));
    assert_eq!(frame.dimensions(), (64, 96));
    // The clear half is above or below, by the turn; the other is orange.
    let column: Vec<_> = [10, 36, 60, 90].map(|y| *frame.get_pixel(32, y)).to_vec();
    let above = close(column[0], [0, 0, 255]) && close(column[1], [0; 3]) && close(column[3], ORANGE);
    let below = close(column[0], ORANGE) && close(column[2], [0; 3]) && close(column[3], [0; 3]);
    assert!(above || below, "{column:?}");
}

#[test]
fn an_opaque_video_shows_no_background() {
    let dir = tempfile::tempdir().unwrap();
    let path = ffmpeg(dir.path(), &["-f", "lavfi", "-i", "color=c=gray:s=64x64:d=0.2"], "plain.mp4");
    assert!(!first(&path, Background::Colour([255, 0, 0])).1);
}
