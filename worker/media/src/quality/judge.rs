//! Networks that judge films: where they lie, and how they are loaded. They run on the processor.

use crate::face::Runtime;
use mouthpiece_graph::{DeviceWork, Graph, GraphError, GraphSource, Provider, TensorWanted};
use std::path::Path;
use std::thread::available_parallelism;

/// Loads graph `name` of `folder`; `remedy` says how one gets it.
///
/// # Errors
/// [`GraphError`] when it is missing, damaged or another one: the sentence names the file, and what to do.
pub(super) fn load(
    runtime: &Runtime,
    folder: &Path,
    name: &'static str,
    remedy: &'static str,
    input: TensorWanted<'_>,
    output: TensorWanted<'_>,
) -> Result<Graph, GraphError> {
    let source = GraphSource {
        runtime,
        folder,
        name,
        provider: Provider::Cpu,
        device: 0,
        threads: available_parallelism().map_or(1, usize::from),
        has_engine: false,
        builds: false,
        work: DeviceWork::default(),
        remedy,
    };
    Graph::load(&source, &[input], &[output])
}

/// The rows of output `name`, `width` finite values each.
///
/// # Errors
/// [`GraphError::Answer`] when they are not `count`, or hold what is no number.
pub(super) fn rows(
    graph: &'static str,
    values: &[f32],
    [count, width]: [usize; 2],
) -> Result<Vec<Vec<f32>>, GraphError> {
    if values.len() != count * width {
        return Err(GraphError::Answer { graph, what: "an answer of another size" });
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(GraphError::Answer { graph, what: "not a number" });
    }
    Ok(values.chunks_exact(width).map(<[f32]>::to_vec).collect())
}
