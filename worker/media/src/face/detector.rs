//! The short-range face detector: one look at a square window.

use super::{
    FaceBox, FaceError, Runtime,
    anchors::{COUNT, SIDE, anchors},
    crop::{Outside, Pyramid, Window},
    network::{Network, sigmoid},
    suppress,
};

static GRAPH: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/face/face_detection_short_range.onnx"));
/// Answers below this score are dropped.
const MIN_SCORE: f32 = 0.5;
/// Values a raw answer has: centre, size, six keypoints.
const VALUES: usize = 16;

/// A face that the detector saw, in pixels of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// From the brows to the chin, nearly square.
    pub bounds: FaceBox,
    /// `[x, y]` of the eye on the picture's left, the eye on its right, nose tip, mouth, and the ears in the same order.
    pub keypoints: [[f32; 2]; 6],
    /// How sure the detector is, 0.5..=1.
    pub score: f32,
}

/// The network and its reused input.
pub(super) struct Detector {
    network: Network,
    anchors: Vec<[f32; 2]>,
    input: Vec<f32>,
}

impl Detector {
    pub(super) fn new(runtime: &Runtime) -> Result<Self, FaceError> {
        let network = Network::new(runtime, "detection", GRAPH, SIDE)?;
        Ok(Self { network, anchors: anchors(), input: Vec::new() })
    }

    /// The faces in `window` of a picture; black where it reaches beyond. Unsorted, each face once.
    pub(super) fn look(&mut self, picture: &mut Pyramid<'_>, window: Window) -> Result<Vec<Detection>, FaceError> {
        picture.crop(window, SIDE, Outside::Black, [1.0 / 127.5, -1.0], &mut self.input);
        let [boxes, scores] =
            self.network.run(&self.input, ["regressors", "classificators"], [COUNT * VALUES, COUNT])?;
        let mut raw = Vec::new();
        for ((values, score), anchor) in boxes.chunks_exact(VALUES).zip(scores).zip(&self.anchors) {
            let score = sigmoid(score);
            if score >= MIN_SCORE {
                raw.extend(decode(values, *anchor, window).map(|(bounds, keypoints)| Detection {
                    bounds,
                    keypoints,
                    score,
                }));
            }
        }
        Ok(suppress::merge(raw))
    }
}

/// Box and keypoints in picture pixels; none when the box is turned inside out.
fn decode(values: &[f32], [ax, ay]: [f32; 2], window: Window) -> Option<(FaceBox, [[f32; 2]; 6])> {
    // Answers are in cells from the input's edge; whole cell numbers are cell centres in a window.
    let at = |x: f32, y: f32| window.to_picture([ax + x - 0.5, ay + y - 0.5], SIDE);
    let centre = at(values[0], values[1]);
    let scale = window.side / SIDE as f32;
    let (half_w, half_h) = (values[2] * scale / 2.0, values[3] * scale / 2.0);
    let bounds =
        FaceBox { x0: centre[0] - half_w, y0: centre[1] - half_h, x1: centre[0] + half_w, y1: centre[1] + half_h };
    (half_w > 0.0 && half_h > 0.0).then(|| (bounds, std::array::from_fn(|k| at(values[4 + 2 * k], values[5 + 2 * k]))))
}
