//! Faces in pictures and videos that are made here from `samples/portrait.png`. Needs the ONNX Runtime library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod find;
mod portrait;
mod track;
mod video;

use image::{RgbImage, imageops};
use mouthpiece_media::{
    face::{FaceFinder, Mesh, Runtime},
    image::{PortraitLimits, load_portrait},
};

/// The sample portrait, 352x352.
fn sample() -> RgbImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/portrait.png");
    load_portrait(path.as_ref(), &PortraitLimits::default()).unwrap()
}

fn finder() -> FaceFinder {
    let runtime = Runtime::get().unwrap_or_else(|error| panic!("{error}"));
    FaceFinder::new(&runtime).unwrap()
}

/// The sample's size is changed by `scale`.
fn scaled(scale: f32) -> RgbImage {
    let sample = sample();
    let side = (sample.width() as f32 * scale).round() as u32;
    imageops::resize(&sample, side, side, imageops::FilterType::CatmullRom)
}

/// A grey picture with the given ones laid on at `[x, y]`.
fn collage(width: u32, height: u32, pieces: &[(&RgbImage, [i64; 2])]) -> RgbImage {
    let mut out = RgbImage::from_pixel(width, height, image::Rgb([120; 3]));
    for (piece, [x, y]) in pieces {
        imageops::replace(&mut out, *piece, *x, *y);
    }
    out
}

/// The picture turned clockwise about its middle; what lies outside is grey.
fn turned(picture: &RgbImage, degrees: f32) -> RgbImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = [(picture.width() as f32 - 1.0) / 2.0, (picture.height() as f32 - 1.0) / 2.0];
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let d = [x as f32 - middle[0], y as f32 - middle[1]];
        let at = [middle[0] + cos * d[0] + sin * d[1], middle[1] - sin * d[0] + cos * d[1]];
        imageops::interpolate_bilinear(picture, at[0], at[1]).unwrap_or(image::Rgb([120; 3]))
    })
}

/// Root mean square distance of two meshes in pixels, after moving the second by `shift`.
fn distance(a: &Mesh, b: &Mesh, shift: [f32; 2]) -> f32 {
    let squares = a.points.iter().zip(&b.points).map(|(a, b)| {
        let d = [a[0] - b[0] - shift[0], a[1] - b[1] - shift[1]];
        d[0] * d[0] + d[1] * d[1]
    });
    (squares.sum::<f32>() / a.points.len() as f32).sqrt()
}
