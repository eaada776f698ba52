//! One ONNX graph: loaded, compared with what is wanted of it, run.

mod error;
mod provider;
mod tensor;

pub use error::GraphError;
pub use provider::Provider;
pub use tensor::{Precision, TensorWanted};

use mouthpiece_media::face::Runtime;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, ValueType};
use std::path::Path;
use tensor::{names, told};

/// Where a graph is, and what runs it.
#[derive(Debug)]
pub struct GraphSource<'a> {
    /// ONNX Runtime.
    pub runtime: &'a Runtime,
    /// The folder of graphs.
    pub folder: &'a Path,
    /// What the graph is called; its file is `NAME.onnx`, its weights lie beside it.
    pub name: &'static str,
    /// What runs it.
    pub provider: Provider,
    /// Which GPU.
    pub device: i32,
    /// Threads of the processor.
    pub threads: usize,
}

/// A loaded graph.
pub struct Graph {
    /// What it is called.
    pub name: &'static str,
    /// ONNX Runtime's session.
    pub session: Session,
    path: Box<Path>,
}

impl Graph {
    /// Loads a graph and compares its inputs and outputs with those that are wanted.
    ///
    /// # Errors
    /// [`GraphError`] with the tensor, what was wanted and what was found.
    pub fn load(
        source: &GraphSource<'_>,
        inputs: &[TensorWanted<'_>],
        outputs: &[TensorWanted<'_>],
    ) -> Result<Self, GraphError> {
        let graph = source.name;
        let path: Box<Path> = source.folder.join(format!("{graph}.onnx")).into();
        if !path.is_file() {
            return Err(GraphError::Missing { graph, path });
        }
        let failed = |source| GraphError::Load { graph, path: path.clone(), source };
        let builder = || -> ort::Result<_> {
            Ok(Session::builder(source.runtime.environment())?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(source.threads)?
                .with_inter_threads(1)?)
        };
        let mut builder = builder().map_err(failed)?;
        source.provider.register(&mut builder, source.device)?;
        let session = builder.commit_from_file(&path).map_err(failed)?;
        let loaded = Self { name: graph, session, path };
        loaded.check("input", loaded.session.inputs(), inputs)?;
        loaded.check("output", loaded.session.outputs(), outputs)?;
        Ok(loaded)
    }

    fn check(&self, side: &'static str, found: &[Outlet], wanted: &[TensorWanted<'_>]) -> Result<(), GraphError> {
        let (graph, path) = (self.name, self.path.clone());
        let all = wanted.iter().all(|want| found.iter().any(|have| have.name() == want.name));
        if !all || found.len() != wanted.len() {
            let wanted: Vec<_> = wanted.iter().map(|want| want.name).collect();
            return Err(GraphError::Names {
                graph,
                path,
                side,
                found: names(found).into(),
                wanted: wanted.join(", ").into(),
            });
        }
        for want in wanted {
            let Some(have) = found.iter().find(|have| have.name() == want.name) else { continue };
            if !want.fits(have.dtype()) {
                let (found, wanted) = (told(have.dtype()).into(), want.to_string().into());
                let tensor = want.name.into();
                return Err(GraphError::Tensor { graph, path, side, tensor, found, wanted });
            }
        }
        Ok(())
    }

    /// The type of output `name`, which the graph has.
    pub fn output(&self, name: &str) -> Option<&ValueType> {
        self.session.outputs().iter().find(|outlet| outlet.name() == name).map(Outlet::dtype)
    }

    /// The type of input `name`, which the graph has.
    pub fn input(&self, name: &str) -> Option<&ValueType> {
        self.session.inputs().iter().find(|outlet| outlet.name() == name).map(Outlet::dtype)
    }

    /// Wraps what ONNX Runtime says while the graph runs.
    pub fn failed(&self) -> impl Fn(ort::Error) -> GraphError + use<> {
        let graph = self.name;
        move |source| GraphError::Run { graph, source }
    }
}

/// Refuses two graphs whose shared tensor differs in precision.
///
/// # Errors
/// [`GraphError::Precisions`].
pub fn go_together(from: &Graph, to: &Graph, tensor: &str) -> Result<(), GraphError> {
    let kind = |value: Option<&ValueType>| -> Box<str> {
        match value {
            Some(ValueType::Tensor { ty, .. }) => ty.to_string().into(),
            _ => "nothing".into(),
        }
    };
    let (given, taken) = (kind(from.output(tensor)), kind(to.input(tensor)));
    if given == taken { Ok(()) } else { Err(GraphError::Precisions { from: from.name, given, to: to.name, taken }) }
}
