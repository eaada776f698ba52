//! Where a frame's mouth would be if its face did nothing but be held so.
//!
//! Points that no speech moves (nose, eyes, temples) tell how the head of the frame lies to that of the home frame: each
//! frame's picture of them is an affine image of the home frame's points in space (an affine camera; Koenderink and van
//! Doorn, "Affine structure from motion", 1991). The same camera then shows where the home frame's mouth and chin would
//! be, and the map between the two mouths' neighbourhoods is the pose.

use super::affine::{Affine, least_squares};
use mouthpiece_frame::Mesh;

/// Nose, its base, corners of the eyes, forehead, temples, cheekbones: what speech leaves where it is.
#[rustfmt::skip]
const STEADY: [usize; 52] = [
    168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 97, 326, 64, 294, 48, 278, 220, 440, 45, 275, 33, 133, 362, 263, 10, 151, 9, 8,
    67, 297, 109, 338, 103, 332, 54, 284, 127, 356, 234, 454, 162, 389, 21, 251, 116, 345, 117, 346, 118, 347, 100, 329,
];
/// Of these the nearest to the mouth count for more: they hold it in its place.
const NEAR_MOUTH: std::ops::Range<usize> = 7..16;
/// So many times.
const NEAR_WEIGHT: f64 = 3.0;
/// How much depth must explain before it is believed: a head that hardly turns tells little of it.
const DEPTH_RIDGE: f64 = 0.03;
/// The mouth's neighbourhood: lips, their corners, the skin to the nose and to the chin, inner cheeks.
#[rustfmt::skip]
const MOUTH_AREA: [usize; 24] = [
    61, 291, 0, 17, 37, 267, 84, 314, 40, 270, 91, 321, 13, 14, 2, 18, 200, 199, 205, 425, 57, 287, 32, 262,
];

/// Where a frame shows the home frame's points in space.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaceCamera([[f64; 4]; 2]);

impl FaceCamera {
    /// Of the frame of `mesh`. `None` where the meshes are no faces.
    pub(super) fn find(home: &Mesh, mesh: &Mesh) -> Option<Self> {
        let weight = |at: usize| if NEAR_MOUTH.contains(&at) { NEAR_WEIGHT } else { 1.0 };
        let rows: Vec<[f64; 4]> =
            STEADY.iter().enumerate().map(|(at, &i)| row(home.points[i]).map(|v| v * weight(at))).collect();
        let depth: f64 = rows.iter().map(|r| r[2] * r[2]).sum();
        let axis = |axis: usize| {
            let values: Vec<f64> =
                STEADY.iter().enumerate().map(|(at, &i)| f64::from(mesh.points[i][axis]) * weight(at)).collect();
            least_squares(&rows, &values, &[0.0, 0.0, DEPTH_RIDGE * depth, 0.0])
        };
        Some(Self([axis(0)?, axis(1)?]))
    }

    /// Where it shows a point of the home frame's face, in pixels.
    pub(super) fn at(&self, point: [f32; 3]) -> [f32; 2] {
        let row = row(point);
        self.0.map(|axis| row.iter().zip(axis).map(|(a, b)| a * b).sum::<f64>() as f32)
    }
}

fn row([x, y, z]: [f32; 3]) -> [f64; 4] {
    [x.into(), y.into(), z.into(), 1.0]
}

/// The map from the home frame's mouth to that of `mesh`, in pixels of each. `None` where the meshes are no faces.
pub(super) fn pose(home: &Mesh, mesh: &Mesh) -> Option<Affine> {
    let camera = FaceCamera::find(home, mesh)?;
    let flat: Vec<[f32; 2]> = MOUTH_AREA.iter().map(|&i| [home.points[i][0], home.points[i][1]]).collect();
    Affine::fit(&flat, &MOUTH_AREA.map(|i| camera.at(home.points[i])))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use mouthpiece_frame::POINTS;

    /// A face-like bowl of points: every point has a place of its own.
    pub(in crate::clip) fn bowl() -> Mesh {
        let points = (0..POINTS)
            .map(|i| {
                let turn = i as f32 * 2.399_963;
                let r = (i as f32 / POINTS as f32).sqrt();
                let (x, y) = (80.0 * r * turn.cos(), 100.0 * r * turn.sin());
                [160.0 + x, 170.0 + y, 60.0 * r * r]
            })
            .collect();
        Mesh { points, presence: 1.0 }
    }

    /// Turned about the vertical and in the picture, scaled, shifted.
    fn turned(mesh: &Mesh, yaw: f32, roll: f32, scale: f32) -> Mesh {
        let (sy, cy) = yaw.sin_cos();
        let (sr, cr) = roll.sin_cos();
        let points = mesh.points.iter().map(|&[x, y, z]| {
            let (x, y) = (x - 160.0, y - 170.0);
            let (x, z) = (x * cy + z * sy, z * cy - x * sy);
            [scale * (x * cr - y * sr) + 150.0, scale * (x * sr + y * cr) + 180.0, scale * z]
        });
        Mesh { points: points.collect(), presence: 1.0 }
    }

    #[test]
    fn a_turned_head_carries_its_mouth_along_whatever_the_mouth_does() {
        let home = bowl();
        let mut seen = turned(&home, 0.2, 0.1, 1.1);
        let asked = MOUTH_AREA.map(|i| (home.points[i], seen.points[i]));
        // It speaks: all that is not steady moves.
        for (i, point) in seen.points.iter_mut().enumerate() {
            if !STEADY.contains(&i) {
                point[1] += 25.0;
            }
        }
        let pose = pose(&home, &seen).unwrap();
        // What is left is the depth of the mouth's own neighbourhood, which an affine map of the plane cannot show.
        let miss: f32 = asked
            .iter()
            .map(|([x, y, _], want)| {
                let got = pose.at([*x, *y]);
                (got[0] - want[0]).hypot(got[1] - want[1])
            })
            .sum::<f32>()
            / asked.len() as f32;
        assert!(miss < 6.0, "{miss}");
    }

    #[test]
    fn the_same_face_is_where_it_is() {
        let home = bowl();
        let pose = pose(&home, &home).unwrap();
        let p = pose.at([100.0, 200.0]);
        assert!((p[0] - 100.0).abs() < 1.0 && (p[1] - 200.0).abs() < 1.0, "{p:?}");
        let nothing = Mesh { points: vec![[5.0, 5.0, 0.0]; POINTS], presence: 1.0 };
        assert_eq!(super::pose(&nothing, &home), None);
    }

    #[test]
    fn steady_points_are_named_once() {
        let mut all: Vec<usize> = STEADY.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), STEADY.len());
        assert!(MOUTH_AREA.iter().filter(|i| STEADY.contains(i)).count() <= 1);
    }
}
