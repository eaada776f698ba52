//! ONNX graphs: the library that runs them found and loaded, a graph loaded, compared with what is wanted of it, and run by what is
//! fastest here.
//!
//! ```text
//! Runtime          libonnxruntime, once a process
//! GraphFolder      where graphs lie
//! GraphSource      one of them, and what is to run it  ->  Graph, or a GraphError that names the tensor, wanted and found
//! Provider         TensorRT, TensorRT for RTX, CUDA, the processor
//! CudaStream       on which several graphs work one after the other
//! EngineKey        what an engine that TensorRT built depends on
//! ```
//!
//! Engines and measures share it. It knows of neither.

mod cache;
mod content;
mod driver;
mod error;
mod folder;
mod gpu;
mod graph;
mod provider;
mod runtime;
mod stream;
mod tensor;

pub use cache::{CacheVerdict, EngineKey};
pub use content::content_hash;
pub use driver::StreamError;
pub use error::GraphError;
pub use folder::{GraphFolder, NoGraphFolder};
pub use gpu::GpuIdentity;
pub use graph::{Graph, GraphSource, go_together};
pub use provider::{DeviceWork, Provider};
pub use runtime::{Runtime, RuntimeError};
pub use stream::CudaStream;
pub use tensor::{Precision, TensorWanted};
