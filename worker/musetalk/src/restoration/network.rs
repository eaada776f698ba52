//! The network that restores.

use crate::face::{MOUTH, RESTORED};
use crate::graph::{Graph, GraphError, GraphSource, Precision, TensorWanted};
use ort::value::TensorRef;

/// Restores a mouth that was drawn too soft.
pub trait RestoreMouths: Send {
    /// Writes to `restored` what it makes of `mouth`: RGB of [`crate::MOUTH_PICTURE`] bytes in, of [`crate::RESTORED_PICTURE`] out.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    fn restore(&mut self, mouth: &[u8], restored: &mut Vec<u8>) -> Result<(), GraphError>;
}

/// A network of the class of ESRGAN, as `mouthpiece models export` makes it.
pub struct Restorer {
    graph: Graph,
}

impl Restorer {
    /// Loads the graph.
    ///
    /// # Errors
    /// [`GraphError`] when it is missing, damaged or another one.
    pub fn load(source: &GraphSource<'_>) -> Result<Self, GraphError> {
        let mouth = TensorWanted::new("picture", Precision::U8, &[None, Some(MOUTH), Some(MOUTH), Some(3)]);
        let restored = TensorWanted::new("restored", Precision::U8, &[None, Some(RESTORED), Some(RESTORED), Some(3)]);
        Ok(Self { graph: Graph::load(source, &[mouth], &[restored])? })
    }
}

impl RestoreMouths for Restorer {
    fn restore(&mut self, mouth: &[u8], restored: &mut Vec<u8>) -> Result<(), GraphError> {
        let failed = self.graph.failed();
        let given = TensorRef::from_array_view(([1, MOUTH, MOUTH, 3], mouth)).map_err(&failed)?;
        let answers = self.graph.session.run(ort::inputs!["picture" => given]).map_err(&failed)?;
        let (_, bytes) = answers["restored"].try_extract_tensor::<u8>().map_err(&failed)?;
        if bytes.len() != RESTORED * RESTORED * 3 {
            return Err(GraphError::Answer { graph: "restoration", what: "a picture of another size" });
        }
        restored.clear();
        restored.extend_from_slice(bytes);
        Ok(())
    }
}
