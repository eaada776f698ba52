//! Looking into finished films.

use std::{path::Path, process::Command};

use image::RgbImage;
use mouthpiece_media::{
    face::{FaceBox, FaceFinder, Mesh, Runtime},
    video::VideoReader,
};
use serde_json::Value;

/// What ffprobe says of a file's container and streams.
pub fn probe(path: &Path) -> Value {
    let args = ["-v", "error", "-count_packets", "-show_streams", "-show_format", "-of", "json"];
    let run = Command::new("ffprobe").args(args).arg(path).output().expect("the ffprobe command is installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// A number that ffprobe writes as text.
pub fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Every frame, decoded.
pub fn frames(path: &Path) -> Vec<RgbImage> {
    let mut reader = VideoReader::open(path).unwrap();
    let (mut frames, mut frame) = (Vec::new(), RgbImage::new(0, 0));
    while reader.next_frame(&mut frame).unwrap().is_some() {
        frames.push(frame.clone());
    }
    frames
}

/// The largest face's mesh in each picture.
pub fn meshes<'a>(pictures: impl IntoIterator<Item = &'a RgbImage>) -> Vec<Mesh> {
    let mut finder = FaceFinder::new(&Runtime::get().unwrap()).unwrap();
    let mut of = |picture| {
        let faces = finder.find(picture).unwrap();
        finder.mesh(picture, &faces[0]).unwrap()
    };
    pictures.into_iter().map(&mut of).collect()
}

/// How far the lips part, from the most closed to the most opened frame, in eye distances.
pub fn lip_travel(meshes: &[Mesh]) -> f32 {
    let gaps = meshes.iter().map(|m| (m.points[14][1] - m.points[13][1]) / m.eye_span());
    let (least, most) = gaps.fold((f32::MAX, f32::MIN), |(a, b), gap| (a.min(gap), b.max(gap)));
    most - least
}

/// The part of a picture that speech and blinking may change.
pub fn face_region(mesh: &Mesh) -> FaceBox {
    mesh.bounds(&[]).grown(0.3 * mesh.eye_span())
}

/// Mean and largest difference of two pictures' channels outside `region`.
pub fn difference_outside(a: &RgbImage, b: &RgbImage, region: &FaceBox) -> (f64, u8) {
    assert_eq!(a.dimensions(), b.dimensions());
    let (mut sum, mut count, mut most) = (0_u64, 0_u64, 0);
    for ((x, y, a), b) in a.enumerate_pixels().zip(b.pixels()) {
        let inside = (region.x0..region.x1).contains(&(x as f32)) && (region.y0..region.y1).contains(&(y as f32));
        if !inside {
            for (a, b) in a.0.iter().zip(b.0) {
                let difference = a.abs_diff(b);
                most = most.max(difference);
                sum += u64::from(difference);
                count += 1;
            }
        }
    }
    (sum as f64 / count as f64, most)
}
