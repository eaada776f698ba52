//! The mesh network: 468 points from a crop that is turned upright, lips and eyes from a second and closer look.

use super::{
    Detection, FaceError, Iris, Mesh, POINTS, Runtime,
    crop::{Outside, Pyramid, Window},
    network::{Network, sigmoid},
    refined::{self, refine},
    shake::{ELSEWHERE, Shake},
};

static GRAPH: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/face/face_mesh_attention.onnx"));
/// Its answers that are used, and how many values each has.
const ANSWERS: [&str; 5] = ["mesh", "lips", "left_eye", "right_eye", "presence"];
const LENGTHS: [usize; 5] = [POINTS * 3, refined::LIPS, refined::EYE, refined::EYE, 1];
/// Those that tell the irises: the middle and four points of the rim of each.
const IRISES: [&str; 2] = ["left_iris", "right_iris"];
const IRIS: usize = 5 * 2;
/// Side of the network's input in cells.
const SIDE: usize = 192;
/// A crop is this many times wider when the network failed at it.
const WIDER: f32 = 1.3;
/// The crop is this many times as wide as the face.
const MARGIN: f32 = 1.5;

/// How one answer is reached: how much larger than usual each crop is, and from which pass on the answers are averaged.
///
/// Each pass crops around the answer of the one before. Slightly different crops give slightly different answers;
/// their mean shakes less than each of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct MeshPasses {
    growth: &'static [f32],
    averaged_from: usize,
}

/// For a still: two passes to settle, four to average.
pub(super) const STILL: MeshPasses = MeshPasses { growth: &[0.0, 0.0, 0.0, 0.05, -0.05, 0.1], averaged_from: 2 };
/// For the next frame of a video, from the mesh of the one before.
pub(super) const NEXT_FRAME: MeshPasses = MeshPasses { growth: &[0.0, 0.05], averaged_from: 0 };

/// The network and its reused input.
pub(super) struct Landmarks {
    network: Network,
    input: Vec<f32>,
}

impl Landmarks {
    pub(super) fn new(runtime: &Runtime) -> Result<Self, FaceError> {
        Ok(Self { network: Network::new(runtime, "mesh", GRAPH, SIDE)?, input: Vec::new() })
    }

    /// Runs `passes`, the first of them on `window`.
    pub(super) fn fit(
        &mut self,
        picture: &mut Pyramid<'_>,
        mut window: Window,
        passes: MeshPasses,
    ) -> Result<Mesh, FaceError> {
        let mut sum = Mesh { points: vec![[0.0; 3]; POINTS], presence: 0.0 };
        for (pass, growth) in passes.growth.iter().enumerate() {
            window.side *= 1.0 + growth;
            let mesh = self.once(picture, window)?;
            window = around_mesh(&mesh);
            if pass >= passes.averaged_from {
                sum.presence += mesh.presence;
                for (s, p) in sum.points.iter_mut().zip(&mesh.points) {
                    *s = [s[0] + p[0], s[1] + p[1], s[2] + p[2]];
                }
            }
        }
        let count = (passes.growth.len() - passes.averaged_from) as f32;
        sum.presence /= count;
        sum.points.iter_mut().for_each(|p| *p = p.map(|v| v / count));
        Ok(sum)
    }

    /// The irises of a face whose mesh is known.
    pub(super) fn irises(&mut self, picture: &mut Pyramid<'_>, mesh: &Mesh) -> Result<[Iris; 2], FaceError> {
        let window = around_mesh(mesh);
        picture.crop(window, SIDE, Outside::Edge, [1.0 / 255.0, 0.0], &mut self.input);
        let points = self.network.run(&self.input, IRISES, [IRIS; 2])?;
        Ok(points.map(|points| {
            let at = |i: usize| window.to_picture([points[2 * i], points[2 * i + 1]], SIDE);
            let centre = at(0);
            let radius = (1..5).map(|i| (at(i)[0] - centre[0]).hypot(at(i)[1] - centre[1])).sum::<f32>() / 4.0;
            Iris { centre, radius }
        }))
    }

    /// How far the mesh moves about when the crops lie elsewhere.
    pub(super) fn shake(&mut self, picture: &mut Pyramid<'_>, mesh: &Mesh) -> Result<Shake, FaceError> {
        let window = around_mesh(mesh);
        let looks = ELSEWHERE.map(|(moved, times, turn)| self.once(picture, window.beside(moved, times, turn)));
        Ok(Shake::of(&looks.into_iter().collect::<Result<Vec<_>, _>>()?))
    }

    /// The mesh that one crop gives, or one around it: where a lid or the lips lie at the crop's edge, the network fails at
    /// looking closer at them.
    fn once(&mut self, picture: &mut Pyramid<'_>, window: Window) -> Result<Mesh, FaceError> {
        match self.look(picture, window) {
            Err(FaceError::Run { .. }) => self.look(picture, window.beside([0.0; 2], WIDER, 0.0)),
            answered => answered,
        }
    }

    fn look(&mut self, picture: &mut Pyramid<'_>, window: Window) -> Result<Mesh, FaceError> {
        picture.crop(window, SIDE, Outside::Edge, [1.0 / 255.0, 0.0], &mut self.input);
        let [mut points, lips, left_eye, right_eye, presence] = self.network.run(&self.input, ANSWERS, LENGTHS)?;
        refine(&mut points, &lips, &left_eye, &right_eye);
        let depth = window.side / SIDE as f32;
        let to_picture = |p: &[f32]| {
            let [x, y] = window.to_picture([p[0], p[1]], SIDE);
            [x, y, p[2] * depth]
        };
        Ok(Mesh { points: points.chunks_exact(3).map(to_picture).collect(), presence: sigmoid(presence[0]) })
    }
}

/// The crop for a detected face: around its box, the eyes level.
pub(super) fn around_detection(face: &Detection) -> Window {
    let [left, right] = [face.keypoints[0], face.keypoints[1]];
    Window {
        centre: face.bounds.centre(),
        side: (face.bounds.side() * MARGIN).max(1.0),
        angle: (right[1] - left[1]).atan2(right[0] - left[0]),
    }
}

/// The crop for a mesh: around its points in the frame of the eyes, so that a tilted head gets no wider crop.
pub(super) fn around_mesh(mesh: &Mesh) -> Window {
    let (left, right) = (mesh.points[33], mesh.points[263]);
    let angle = (right[1] - left[1]).atan2(right[0] - left[0]);
    let (sin, cos) = angle.sin_cos();
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for [x, y, _] in &mesh.points {
        let turned = [cos * x + sin * y, cos * y - sin * x];
        low = [low[0].min(turned[0]), low[1].min(turned[1])];
        high = [high[0].max(turned[0]), high[1].max(turned[1])];
    }
    let (x, y) = ((low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0);
    Window {
        centre: [cos * x - sin * y, sin * x + cos * y],
        side: ((high[0] - low[0]).max(high[1] - low[1]) * MARGIN).max(1.0),
        angle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_mesh_gets_a_turned_window_of_the_same_size() {
        let upright = Mesh {
            points: (0..POINTS).map(|i| [(i % 20) as f32 * 4.0, (i / 20) as f32 * 5.0, 0.0]).collect(),
            presence: 1.0,
        };
        let mut level = upright.clone();
        level.points[33] = [20.0, 30.0, 0.0];
        level.points[263] = [60.0, 30.0, 0.0];
        let mut turned = level.clone();
        let (sin, cos) = 0.4_f32.sin_cos();
        for p in &mut turned.points {
            *p = [cos * p[0] - sin * p[1], sin * p[0] + cos * p[1], p[2]];
        }
        let (a, b) = (around_mesh(&level), around_mesh(&turned));
        assert!((a.side - b.side).abs() < 1e-3);
        assert!((b.angle - a.angle - 0.4).abs() < 1e-5);
        let [x, y] = a.centre;
        assert!((b.centre[0] - (cos * x - sin * y)).abs() < 1e-3 && (b.centre[1] - (sin * x + cos * y)).abs() < 1e-3);
    }
}
