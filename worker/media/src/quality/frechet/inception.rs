//! The network whose features are compared.

use super::super::judge;
use crate::face::Runtime;
use image::RgbImage;
use mouthpiece_graph::{Graph, GraphError, Precision, TensorWanted};
use ort::value::TensorRef;
use std::path::Path;

/// How one gets its graph.
const REMEDY: &str = "fetch Inception's weights with 'mouthpiece models fetch inception' and make it with 'mouthpiece models export inception'";
/// Values of a picture's features.
pub const WIDTH: usize = 2048;

/// Inception v3, loaded.
pub struct Inception {
    graph: Graph,
}

impl Inception {
    /// Loads the graph of `folder`.
    ///
    /// # Errors
    /// [`GraphError`] with the file and how one gets it.
    pub fn load(runtime: &Runtime, folder: &Path) -> Result<Self, GraphError> {
        let picture = TensorWanted::new("picture", Precision::U8, &[None, None, None, Some(3)]);
        let features = TensorWanted::new("features", Precision::F32, &[None, Some(WIDTH)]);
        Ok(Self { graph: judge::load(runtime, folder, "inception", REMEDY, picture, features)? })
    }

    /// The features of a picture, which the graph brings to its size: [`WIDTH`] values.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    pub fn features(&mut self, picture: &RgbImage) -> Result<Vec<f32>, GraphError> {
        let failed = self.graph.failed();
        let shape = [1, picture.height() as usize, picture.width() as usize, 3];
        let given = TensorRef::from_array_view((shape, picture.as_raw().as_slice())).map_err(&failed)?;
        let answers = self.graph.session.run(ort::inputs!["picture" => given]).map_err(&failed)?;
        let (_, answers) = answers["features"].try_extract_tensor::<f32>().map_err(&failed)?;
        Ok(judge::rows("inception", answers, [1, WIDTH])?.remove(0))
    }
}
