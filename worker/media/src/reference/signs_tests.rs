use image::{Rgb, RgbImage};

use super::*;
use crate::face::POINTS;

/// A face of 100 pixels between the eyes' outer corners in a picture of 400x400, its eyes open, its lips closed.
fn mesh() -> Mesh {
    let mut points = vec![[200.0, 190.0, 0.0]; POINTS];
    let mut set = |places: &[(usize, [f32; 2])]| places.iter().for_each(|&(i, [x, y])| points[i] = [x, y, 0.0]);
    set(&[(33, [150.0, 150.0]), (133, [185.0, 150.0]), (362, [215.0, 150.0]), (263, [250.0, 150.0])]);
    set(&[(159, [167.0, 145.0]), (145, [167.0, 156.0]), (386, [233.0, 145.0]), (374, [233.0, 156.0])]);
    set(&[(10, [200.0, 70.0]), (152, [200.0, 290.0]), (234, [130.0, 180.0]), (454, [270.0, 180.0])]);
    set(&[(127, [130.0, 150.0]), (356, [270.0, 150.0]), (50, [160.0, 190.0]), (280, [240.0, 190.0])]);
    set(&[(61, [170.0, 240.0]), (291, [230.0, 240.0]), (199, [200.0, 275.0]), (200, [200.0, 270.0])]);
    for (column, (above, below)) in [(81, 178), (82, 87), (13, 14), (312, 317), (311, 402)].into_iter().enumerate() {
        let x = 184.0 + 8.0 * column as f32;
        set(&[(above, [x, 240.0]), (below, [x, 240.0])]);
    }
    Mesh { points, presence: 1.0 }
}

/// The same with its lips so far apart.
fn open(apart: f32) -> Mesh {
    let mut mesh = mesh();
    for (above, below) in [(81, 178), (82, 87), (13, 14), (312, 317), (311, 402)] {
        mesh.points[above][1] -= apart / 2.0;
        mesh.points[below][1] += apart / 2.0;
    }
    mesh
}

const SKIN: Rgb<u8> = Rgb([205, 160, 140]);
const FREE: Shake = Shake { lips: 0.008, chin: 0.018, jaw: 0.016, eyes: 0.006 };

/// What is measured on skin, with a box of another colour on it: left, top, right, bottom.
fn signs(mesh: &Mesh, shake: Shake, boxed: Option<([u32; 4], [u8; 3])>) -> Signs {
    let mut picture = RgbImage::from_pixel(400, 400, SKIN);
    if let Some(([left, top, right, bottom], colour)) = boxed {
        for (x, y) in (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))) {
            picture.put_pixel(x, y, Rgb(colour));
        }
    }
    Signs::of(mesh, 400, &CloseUp::of(&picture, mesh).unwrap(), shake)
}

fn told(mesh: &Mesh) -> String {
    signs(mesh, FREE, None).warnings().join(" ")
}

#[test]
fn a_free_face_is_told_nothing() {
    let signs = signs(&mesh(), FREE, None);
    assert_eq!(signs.warnings(), [""; 0]);
    assert!(signs.require_face().is_ok());
    assert!(signs.chin_colour.unwrap() < 0.01 && signs.has_room && !signs.is_turned, "{signs:?}");
    assert!((signs.mouth_width - 0.6).abs() < 1e-3 && (signs.eyes_open[0] - 11.0 / 35.0).abs() < 1e-3, "{signs:?}");
}

#[test]
fn shut_eyes_are_told_and_low_lids_are_not() {
    let with = |left: f32, right: f32| {
        let mut mesh = mesh();
        (mesh.points[145][1], mesh.points[374][1]) = (145.0 + left, 145.0 + right);
        told(&mesh)
    };
    assert!(with(3.0, 11.0).starts_with("one eye is shut"));
    assert!(with(11.0, 2.0).starts_with("one eye is shut"));
    assert!(with(3.0, 4.0).starts_with("the eyes are shut"));
    assert_eq!(with(4.0, 6.0), "", "both lids are low");
}

#[test]
fn a_gape_is_told_and_a_laugh_is_not() {
    let told = |mesh: &Mesh| signs(mesh, FREE, Some(([160, 200, 240, 280], [60, 20, 20]))).warnings().join(" ");
    assert!(told(&open(30.0)).starts_with("the mouth is wide open"));
    assert_eq!(told(&open(18.0)), "");
    let mut laugh = open(30.0);
    (laugh.points[61][0], laugh.points[291][0]) = (160.0, 240.0);
    assert_eq!(told(&laugh), "");
}

#[test]
fn a_tongue_is_told_from_teeth_and_from_a_cavity() {
    let filled = |colour| signs(&open(40.0), FREE, Some(([180, 218, 220, 262], colour))).warnings().join(" ");
    assert!(filled([200, 120, 120]).starts_with("the tongue seems to be out"));
    for other in [[240, 238, 230], [60, 20, 20]] {
        assert!(filled(other).starts_with("the mouth is wide open"), "{other:?}");
    }
}

#[test]
fn what_is_before_the_mouth_is_told_by_what_shakes() {
    let of = |mesh: &Mesh, shake| signs(mesh, shake, None).before().unwrap_or_default();
    let lips = |lips| Shake { lips, ..FREE };
    assert_eq!(of(&mesh(), lips(0.032)), "");
    assert!(of(&mesh(), lips(0.034)).starts_with("the mouth is not found for sure"));
    assert_eq!(of(&open(18.0), lips(0.040)), "", "open mouths shake more");
    assert!(of(&open(18.0), lips(0.050)).starts_with("the mouth is not found for sure"));
    let jaw = Shake { lips: 0.018, jaw: 0.051, ..FREE };
    assert!(of(&mesh(), jaw).starts_with("the mouth is not found for sure"));
    let mut cut = mesh();
    cut.points[152][1] = 395.0;
    assert_eq!(of(&cut, jaw), "", "a jaw at the picture's edge says nothing");
    assert!(of(&mesh(), Shake { lips: 0.043, eyes: 0.016, ..FREE }).starts_with("this does not look like a person's"));
}

#[test]
fn a_turned_head_may_shake_more() {
    let mut turned = mesh();
    for p in &mut turned.points {
        let (sin, cos) = 35.0_f32.to_radians().sin_cos();
        *p = [200.0 + (p[0] - 200.0) * cos, p[1], (p[0] - 200.0) * sin];
    }
    let of = |lips, eyes| signs(&turned, Shake { lips, eyes, ..FREE }, None);
    assert!(of(0.05, 0.07).is_turned && of(0.05, 0.07).require_face().is_ok());
    assert_eq!(of(0.05, 0.006).before(), None);
    assert!(of(0.07, 0.006).before().is_some() && of(0.05, 0.08).require_face().is_err());
}

#[test]
fn something_before_the_chin_is_told_by_its_colour() {
    let microphone = |chin, colour| {
        let shake = Shake { chin, ..FREE };
        signs(&mesh(), shake, Some(([160, 255, 240, 300], colour))).before().unwrap_or_default()
    };
    assert!(microphone(0.03, [60, 60, 70]).starts_with("something of another colour"));
    assert_eq!(microphone(0.02, [60, 60, 70]), "", "a chin that stays where it is is one");
    assert_eq!(microphone(0.03, [90, 62, 50]), "", "a beard has something of the skin's colour");
}

#[test]
fn grey_pictures_tell_nothing_by_colours() {
    let mesh = open(40.0);
    let grey = RgbImage::from_pixel(400, 400, Rgb([150; 3]));
    let signs = Signs::of(&mesh, 400, &CloseUp::of(&grey, &mesh).unwrap(), FREE);
    assert_eq!(signs.filled, None);
    assert!(signs.chin_colour.unwrap() < 0.01);
    assert!(signs.warnings()[0].starts_with("the mouth is wide open"));
}

#[test]
fn a_thing_without_eyes_is_refused() {
    let error = signs(&mesh(), Shake { eyes: 0.07, ..FREE }, None).require_face().unwrap_err().to_string();
    assert!(
        error.starts_with("no face is seen for sure") && error.contains("give a sharp picture of a person"),
        "{error}"
    );
}
