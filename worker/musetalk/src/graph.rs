//! Graphs, and what their failures are to an engine.

pub use mouthpiece_graph::{
    CacheVerdict, CudaStream, DeviceWork, Graph, GraphError, GraphSource, Precision, Provider, Runtime, TensorWanted,
    content_hash, go_together,
};

use mouthpiece_engine::EngineError;

/// How one gets MuseTalk's graphs.
pub const REMEDY: &str = "make it with 'mouthpiece models export'";

/// A graph's failure as the engine's own.
pub fn of_engine(error: GraphError) -> EngineError {
    if error.is_of_device() { EngineError::Device(error.into()) } else { EngineError::Run(error.into()) }
}
