//! One ONNX graph: loaded, compared with what is wanted of it, run.

use crate::cache::{CacheVerdict, EngineFolder, EngineKey};
use crate::content::content_hash;
use crate::driver::StreamError;
use crate::error::GraphError;
use crate::gpu::{GpuIdentity, tensorrt_version};
use crate::provider::{DeviceWork, EngineOptions, Provider};
use crate::runtime::Runtime;
use crate::stream::CudaStream;
use crate::tensor::{TensorWanted, names, profiles, told};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, ValueType};
use std::path::Path;
use std::sync::Arc;

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
    /// Whether TensorRT runs it by an engine: what runs once a frame is worth building one.
    pub has_engine: bool,
    /// Whether an engine may be built now, which takes minutes.
    pub builds: bool,
    /// How its work is handed to its device.
    pub work: DeviceWork<'a>,
    /// How one gets it, for people, as it follows a colon: "make it with ...".
    pub remedy: &'static str,
}

/// The engine of a graph.
struct GraphEngine {
    folder: EngineFolder,
    profiles: String,
    /// What it must have been built for; only TensorRT's are judged.
    key: Option<EngineKey>,
}

impl GraphSource<'_> {
    /// The engine that its provider runs of it, if it does; how far it is, is not looked at yet.
    ///
    /// # Errors
    /// [`GraphError`] when the GPU or TensorRT is not to be found, or the graph not to be read.
    fn engine(&self, inputs: &[TensorWanted<'_>]) -> Result<Option<GraphEngine>, GraphError> {
        let is_built = matches!(self.provider, Provider::TensorRt | Provider::TensorRtRtx) && self.has_engine;
        let Some(profiles) = profiles(inputs, self.provider.batches()).filter(|_| is_built) else { return Ok(None) };
        self.provider.require_built_in()?;
        let folder = EngineFolder::of(self.folder, self.name);
        let key = match self.provider {
            Provider::TensorRt => Some(self.key(profiles.clone())?),
            _ => None,
        };
        Ok(Some(GraphEngine { folder, profiles, key }))
    }

    fn key(&self, profiles: String) -> Result<EngineKey, GraphError> {
        let found = GpuIdentity::of(self.device).zip(tensorrt_version());
        let (gpu, tensorrt) = found.ok_or(GraphError::NoGpu { device: self.device })?;
        let graph =
            content_hash(self.folder, self.name, self.remedy)?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(EngineKey { graph, gpu, tensorrt, profiles })
    }

    /// What lies there of its engine; `None` where its provider needs none.
    ///
    /// # Errors
    /// As [`Graph::load`].
    pub fn judge(&self, inputs: &[TensorWanted<'_>]) -> Result<Option<CacheVerdict>, GraphError> {
        let engine = self.engine(inputs)?;
        Ok(engine.and_then(|engine| engine.key.map(|key| engine.folder.judge(&key))))
    }
}

/// A loaded graph.
pub struct Graph {
    /// What it is called.
    pub name: &'static str,
    /// ONNX Runtime's session.
    pub session: Session,
    path: Box<Path>,
    remedy: &'static str,
    /// On which the session works, if that is not its own: it goes after the session.
    _stream: Option<Arc<CudaStream>>,
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
        let (graph, remedy) = (source.name, source.remedy);
        let path: Box<Path> = source.folder.join(format!("{graph}.onnx")).into();
        if !path.is_file() {
            return Err(GraphError::Missing { graph, path, remedy });
        }
        let engine = source.engine(inputs)?;
        let (file, builds) = match &engine {
            Some(GraphEngine { folder, key: Some(key), .. }) => match folder.judge(key) {
                CacheVerdict::Fresh => (folder.context().into(), false),
                _ if source.builds => (path.clone(), true),
                verdict => return Err(GraphError::not_built(graph, verdict)),
            },
            _ => (path.clone(), false),
        };
        let unwritable = |source| GraphError::Unwritable { graph, source };
        if let Some(engine) = &engine {
            engine.folder.make_for(source.provider, builds).map_err(unwritable)?;
        }
        let failed = |source| GraphError::Load { graph, path: file.clone(), remedy, source };
        let builder = || -> ort::Result<_> {
            Ok(Session::builder(source.runtime.environment())?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(source.threads)?
                .with_inter_threads(1)?)
        };
        let mut builder = builder().map_err(failed)?;
        let options =
            engine.as_ref().map(|engine| EngineOptions { folder: &engine.folder, profiles: &engine.profiles, builds });
        source.provider.register(&mut builder, source.device, options, source.work)?;
        let session = builder.commit_from_file(&file).map_err(failed)?;
        if let Some(GraphEngine { folder, key: Some(key), .. }) = engine.as_ref().filter(|_| builds) {
            folder.finish(key).map_err(unwritable)?;
        }
        let loaded = Self { name: graph, session, path, remedy, _stream: source.work.stream.cloned() };
        loaded.check("input", loaded.session.inputs(), inputs)?;
        loaded.check("output", loaded.session.outputs(), outputs)?;
        Ok(loaded)
    }

    fn check(&self, side: &'static str, found: &[Outlet], wanted: &[TensorWanted<'_>]) -> Result<(), GraphError> {
        let (graph, path, remedy) = (self.name, self.path.clone(), self.remedy);
        let all = wanted.iter().all(|want| found.iter().any(|have| have.name() == want.name));
        if !all || found.len() != wanted.len() {
            let wanted: Vec<_> = wanted.iter().map(|want| want.name).collect();
            return Err(GraphError::Names {
                graph,
                path,
                side,
                found: names(found).into(),
                wanted: wanted.join(", ").into(),
                remedy,
            });
        }
        for want in wanted {
            let Some(have) = found.iter().find(|have| have.name() == want.name) else { continue };
            if !want.fits(have.dtype()) {
                let (found, wanted) = (told(have.dtype()).into(), want.to_string().into());
                let tensor = want.name.into();
                return Err(GraphError::Tensor { graph, path, side, tensor, found, wanted, remedy });
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

    /// Wraps what the device's stream says while the graph runs on it.
    pub fn stream_failed(&self) -> impl Fn(StreamError) -> GraphError + use<> {
        let graph = self.name;
        move |error| GraphError::Run { graph, source: ort::Error::new(error.to_string()) }
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
