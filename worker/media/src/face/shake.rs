//! Whether the network means what it says: the same face, looked at from slightly elsewhere.
//!
//! A person's free mouth is found at the same place however the crop lies. What the network only guesses (a mouth behind a
//! hand, an animal's) moves about with the crop, although the network calls all of them faces.

use super::{Mesh, topology};

/// By how much another crop differs: moved right and down (in sides of the crop), as many times as large, turned (radians).
pub(super) const ELSEWHERE: [([f32; 2], f32, f32); 8] = [
    ([0.06, 0.0], 1.0, 0.0),
    ([-0.06, 0.0], 1.0, 0.0),
    ([0.0, 0.06], 1.0, 0.0),
    ([0.0, -0.06], 1.0, 0.0),
    ([0.0, 0.0], 1.2, 0.0),
    ([0.0, 0.0], 0.88, 0.0),
    ([0.0, 0.0], 1.0, 0.15),
    ([0.0, 0.0], 1.0, -0.15),
];

/// Points around the chin.
const CHIN: [usize; 6] = [17, 18, 200, 199, 175, 152];
/// The lower face's outline among that of the face, from ear to ear.
const JAW: std::ops::Range<usize> = 8..29;

/// How far parts of a face move about with the crop: standard deviations in distances of the outer eye corners, the mean
/// of each part's points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shake {
    /// Outer border of the lips: .005 to .02 on people whose mouth is free.
    pub lips: f32,
    /// The chin.
    pub chin: f32,
    /// The lower face's outline.
    pub jaw: f32,
    /// Both eyes' lids.
    pub eyes: f32,
}

impl Shake {
    /// From the meshes that several crops gave of one face; nothing shakes in fewer than two, or without extent.
    pub fn of(meshes: &[Mesh]) -> Self {
        let span = meshes.iter().map(Mesh::eye_span).sum::<f32>() / meshes.len().max(1) as f32;
        if meshes.len() < 2 || span <= 0.0 {
            return Self::default();
        }
        let of = |points: &[usize]| {
            points.iter().map(|&point| spread(meshes, point)).sum::<f32>() / (points.len() as f32 * span)
        };
        let lids = [topology::LEFT_EYE, topology::RIGHT_EYE].concat();
        Self { lips: of(&topology::LIPS_OUTER), chin: of(&CHIN), jaw: of(&topology::OVAL[JAW]), eyes: of(&lids) }
    }
}

/// Standard deviation of a point's place over the meshes, in pixels.
fn spread(meshes: &[Mesh], point: usize) -> f32 {
    let count = meshes.len() as f32;
    let places = || meshes.iter().map(|mesh| mesh.points[point]);
    let [x, y] = [0, 1].map(|axis| places().map(|p| p[axis]).sum::<f32>() / count);
    let square = places().map(|p| (p[0] - x) * (p[0] - x) + (p[1] - y) * (p[1] - y)).sum::<f32>() / count;
    square.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    fn mesh(lips_moved: f32) -> Mesh {
        let mut points: Vec<_> = (0..POINTS).map(|i| [i as f32, 2.0 * i as f32, 0.0]).collect();
        (points[33], points[263]) = ([0.0; 3], [100.0, 0.0, 0.0]);
        topology::LIPS_OUTER.iter().for_each(|&i| points[i][0] += lips_moved);
        Mesh { points, presence: 1.0 }
    }

    #[test]
    fn what_moves_is_told_in_eye_distances() {
        let shake = Shake::of(&[mesh(-3.0), mesh(3.0)]);
        assert!((shake.lips - 0.03).abs() < 1e-5, "{shake:?}");
        // One of the chin's six points is the lower lip's border.
        assert!((shake.chin - 0.03 / 6.0).abs() < 1e-5 && shake.jaw < 1e-6 && shake.eyes < 1e-6, "{shake:?}");
    }

    #[test]
    fn nothing_shakes_alone() {
        assert_eq!(Shake::of(&[mesh(9.0)]), Shake::default());
        assert_eq!(Shake::of(&[]), Shake::default());
        let point = Mesh { points: vec![[0.0; 3]; POINTS], presence: 1.0 };
        assert_eq!(Shake::of(&[point.clone(), point]), Shake::default(), "without extent");
    }
}
