//! Where a head looks, from the geometry of its mesh.

use super::Mesh;

/// A head turned further to a side than this shows too little of the mouth.
pub const MAX_YAW_DEG: f32 = 50.0;

/// Pairs of points that lie level with each other on the picture's left and right: eye corners, cheeks, mouth corners.
const LEVEL: [(usize, usize); 5] = [(33, 263), (133, 362), (234, 454), (61, 291), (127, 356)];
/// Top of the forehead and tip of the chin.
const UPRIGHT: (usize, usize) = (10, 152);
/// What the mesh's depth says of a face that looks straight ahead: its forehead comes out too near.
const NEUTRAL_PITCH_DEG: f32 = 12.0;

/// A head's turn in degrees; all zero looks straight into the camera.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeadPose {
    /// Positive looks toward the picture's right.
    pub yaw_deg: f32,
    /// Positive looks down.
    pub pitch_deg: f32,
    /// Positive leans clockwise.
    pub roll_deg: f32,
}

impl HeadPose {
    /// From the mesh's own depth; good to some five degrees, pitch to ten, less beyond 45.
    pub fn of(mesh: &Mesh) -> Self {
        let across = LEVEL.iter().fold([0.0; 3], |sum, &(a, b)| add(sum, unit(between(mesh, a, b))));
        let across = unit(across);
        let down = unit(between(mesh, UPRIGHT.0, UPRIGHT.1));
        Self {
            yaw_deg: across[2].atan2(across[0].hypot(across[1])).to_degrees(),
            pitch_deg: down[2].atan2(down[0].hypot(down[1])).to_degrees() - NEUTRAL_PITCH_DEG,
            roll_deg: across[1].atan2(across[0]).to_degrees(),
        }
    }

    /// True when the head is turned too far to a side to be animated ([`MAX_YAW_DEG`]).
    pub fn is_profile(&self) -> bool {
        self.yaw_deg.abs() > MAX_YAW_DEG
    }
}

fn between(mesh: &Mesh, from: usize, to: usize) -> [f32; 3] {
    let (a, b) = (mesh.points[from], mesh.points[to]);
    [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
}

fn add(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    v.map(|c| c / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    /// A symmetric face, turned by yaw (about the vertical), then pitch, then roll.
    fn turned(yaw: f32, pitch: f32, roll: f32) -> Mesh {
        let mut points = vec![[0.0_f32; 3]; POINTS];
        for (rank, (left, right)) in LEVEL.iter().enumerate() {
            let (half, y, z) = (40.0 + 10.0 * rank as f32, 8.0 * rank as f32, 5.0 * rank as f32);
            points[*left] = [-half, y, z];
            points[*right] = [half, y, z];
        }
        points[UPRIGHT.0] = [0.0, -80.0, 0.0];
        points[UPRIGHT.1] = [0.0, 80.0, 0.0];
        let turn = |a: f32, b: f32, angle: f32| {
            let (sin, cos) = angle.to_radians().sin_cos();
            (a * cos - b * sin, a * sin + b * cos)
        };
        for p in &mut points {
            (p[0], p[2]) = turn(p[0], p[2], yaw);
            (p[1], p[2]) = turn(p[1], p[2], pitch);
            (p[0], p[1]) = turn(p[0], p[1], roll);
        }
        Mesh { points, presence: 1.0 }
    }

    #[test]
    fn each_turn_is_read_back() {
        for angle in [-60.0, -20.0, 0.0, 35.0, 70.0] {
            assert!((HeadPose::of(&turned(angle, 0.0, 0.0)).yaw_deg - angle).abs() < 0.1);
            assert!((HeadPose::of(&turned(0.0, angle, 0.0)).pitch_deg + NEUTRAL_PITCH_DEG - angle).abs() < 0.1);
            assert!((HeadPose::of(&turned(0.0, 0.0, angle)).roll_deg - angle).abs() < 0.1);
        }
    }

    #[test]
    fn turns_do_not_leak_into_each_other_much() {
        let pose = HeadPose::of(&turned(30.0, 10.0, 15.0));
        assert!((pose.yaw_deg - 30.0).abs() < 6.0, "{pose:?}");
        assert!((pose.roll_deg - 15.0).abs() < 8.0, "{pose:?}");
    }

    #[test]
    fn a_profile_is_one_from_51_degrees_on() {
        assert!(HeadPose::of(&turned(51.0, 0.0, 0.0)).is_profile());
        assert!(HeadPose::of(&turned(-51.0, 0.0, 0.0)).is_profile());
        assert!(!HeadPose::of(&turned(49.0, 0.0, 20.0)).is_profile());
    }

    #[test]
    fn a_degenerate_mesh_has_a_finite_pose() {
        let pose = HeadPose::of(&Mesh { points: vec![[3.0; 3]; POINTS], presence: 1.0 });
        assert!(pose.yaw_deg == 0.0 && pose.roll_deg == 0.0 && pose.pitch_deg.is_finite());
    }
}
