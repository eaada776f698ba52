//! What a graph is run by.

use crate::cache::EngineFolder;
use crate::error::GraphError;
use crate::stream::CudaStream;
use ort::ep::{self, ExecutionProvider};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::SessionBuilder;
use ort::session::{RunOptions, Session};
use std::sync::Arc;

/// What a graph is run by, fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// TensorRT through ONNX Runtime's provider.
    TensorRt,
    /// TensorRT for RTX: builds while it loads, in seconds.
    TensorRtRtx,
    /// CUDA and cuDNN.
    Cuda,
    /// The processor.
    Cpu,
}

/// The engine of a graph, for TensorRT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineOptions<'a> {
    /// Where it lies.
    pub folder: &'a EngineFolder,
    /// The shapes that it is built for.
    pub profiles: &'a str,
    /// It is built now; otherwise it was.
    pub builds: bool,
}

/// How a graph's work is handed to its device.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceWork<'a> {
    /// The stream on which it runs; none: the graph has one of its own.
    pub stream: Option<&'a Arc<CudaStream>>,
    /// CUDA graphs may be captured of its runs. Only [`Provider::Cuda`] does so.
    pub cuda_graphs: bool,
}

impl Provider {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::TensorRt, Self::TensorRtRtx, Self::Cuda, Self::Cpu];

    /// Batches that it runs, ascending. TensorRT has an engine's profile for each, of fixed shapes: fewer are built sooner.
    pub fn batches(self) -> &'static [usize] {
        match self {
            Self::TensorRt | Self::TensorRtRtx => &[1, 4, 8],
            Self::Cuda | Self::Cpu => &[1, 2, 4, 8],
        }
    }

    /// What it is called in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::TensorRt => "tensorrt",
            Self::TensorRtRtx => "tensorrt-rtx",
            Self::Cuda => "cuda",
            Self::Cpu => "cpu",
        }
    }

    /// True when it runs on a GPU.
    pub fn is_gpu(self) -> bool {
        self != Self::Cpu
    }

    /// What must be there for it.
    fn remedy(self) -> &'static str {
        match self {
            Self::TensorRt => {
                "install TensorRT 10 (libnvinfer.so.10), CUDA 13 and cuDNN 9, and a GPU build of ONNX Runtime"
            }
            Self::TensorRtRtx => {
                "install TensorRT for RTX (libtensorrt_rtx.so), CUDA 13, and a build of ONNX Runtime with its provider"
            }
            Self::Cuda => "install CUDA 13 and cuDNN 9, and a GPU build of ONNX Runtime (PyPI: onnxruntime-gpu)",
            Self::Cpu => "this ONNX Runtime is damaged: run 'make onnxruntime'",
        }
    }

    /// True when the loaded ONNX Runtime was built with it. Whether it starts on this machine is another question.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::TensorRt => ep::TensorRT::is_available().unwrap_or(false),
            Self::TensorRtRtx => ep::NVRTX::is_available().unwrap_or(false),
            Self::Cuda => ep::CUDA::is_available().unwrap_or(false),
            Self::Cpu => true,
        }
    }

    /// Refuses what the loaded ONNX Runtime was not built with.
    ///
    /// # Errors
    /// [`GraphError::Provider`] with what to install.
    pub fn require_built_in(self) -> Result<(), GraphError> {
        if self.is_built_in() { Ok(()) } else { Err(self.cannot_be_used(None)) }
    }

    fn cannot_be_used(self, source: Option<ort::Error>) -> GraphError {
        GraphError::Provider { provider: self.name(), remedy: self.remedy(), source }
    }

    /// True where CUDA graphs can be captured. TensorRT's provider has one graph a session, and sessions here run several shapes;
    /// that of TensorRT for RTX captures by itself, and answers ONNX Runtime that nothing was captured.
    pub fn captures(self) -> bool {
        self == Self::Cuda
    }

    /// How a run of the batch is made that is the `nth` of its own: with the CUDA graph of number `captured`, which is captured at the
    /// first such run, or without; and whether it `waits` until the device is done.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn run_options(self, nth: usize, captured: Option<usize>, waits: bool) -> ort::Result<RunOptions> {
        let mut options = RunOptions::new()?;
        // -1: nothing is captured, and nothing that was is run. Without the option a session that captures would at once.
        options.set("gpu_graph_id", captured.map_or_else(|| "-1".to_owned(), |number| number.to_string()))?;
        if self == Self::TensorRtRtx {
            // A session of several profiles must be told which at each run.
            options.set("nv_profile_index", nth.to_string())?;
        }
        if !waits {
            options.disable_device_sync()?;
        }
        Ok(options)
    }

    /// Has a session run by it on GPU `device`, and by what is slower where it cannot. A graph without an engine is run by CUDA:
    /// those that hear and look are small, or run once a face. The session must not outlive the stream that it is given.
    ///
    /// # Errors
    /// [`GraphError::Provider`] with what to install.
    pub(crate) fn register(
        self,
        builder: &mut SessionBuilder,
        device: i32,
        engine: Option<EngineOptions<'_>>,
        work: DeviceWork<'_>,
    ) -> Result<(), GraphError> {
        self.require_built_in()?;
        let cuda = |builder: &mut SessionBuilder| {
            let cuda = ep::CUDA::default().with_device_id(device);
            let cuda = cuda.with_cuda_graph(work.cuda_graphs && self.captures());
            let cuda = match work.stream {
                // SAFETY: a graph keeps its stream until after its session.
                Some(stream) => unsafe { cuda.with_compute_stream(stream.handle()) },
                None => cuda,
            };
            cuda.register(builder)
        };
        let registered = match (self, engine) {
            (Self::Cpu, _) => Ok(()),
            (Self::TensorRt, Some(engine)) => {
                tensorrt(device, engine, work).register(builder).and_then(|()| cuda(builder))
            }
            (Self::TensorRtRtx, Some(engine)) => {
                tensorrt_rtx(device, engine, work).register(builder).and_then(|()| cuda(builder))
            }
            (Self::TensorRt | Self::TensorRtRtx | Self::Cuda, _) => cuda(builder),
        };
        registered.map_err(|source| self.cannot_be_used(Some(source)))
    }

    /// Where values stay between two graphs.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn memory(self, device: i32) -> ort::Result<MemoryInfo<'static>> {
        match self {
            Self::Cpu => MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::Default),
            _ => MemoryInfo::new(AllocationDevice::CUDA, device, AllocatorType::Device, MemoryType::Default),
        }
    }

    /// Makes memory of GPU `device`.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn device_memory(self, session: &Session, device: i32) -> ort::Result<Allocator> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            _ => Allocator::new(session, self.memory(device)?),
        }
    }

    /// Makes memory of the host that GPU `device` reads and writes fastest.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn host_memory(self, session: &Session, device: i32) -> ort::Result<Allocator> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            _ => {
                let pinned = (AllocationDevice::CUDA_PINNED, AllocatorType::Device, MemoryType::CPUOutput);
                Allocator::new(session, MemoryInfo::new(pinned.0, device, pinned.1, pinned.2)?)
            }
        }
    }
}

/// TensorRT with an engine that is built now, or was. ONNX Runtime wants the engine's folder relative to the EPContext file.
fn tensorrt(device: i32, engine: EngineOptions<'_>, work: DeviceWork<'_>) -> ep::TensorRT {
    let EngineOptions { folder, profiles, builds } = engine;
    let rt = ep::TensorRT::default().with_device_id(device).with_fp16(true);
    let rt = match work.stream {
        // SAFETY: a graph keeps its stream until after its session.
        Some(stream) => unsafe { rt.with_compute_stream(stream.handle()) },
        None => rt,
    };
    if !builds {
        return rt;
    }
    rt.with_profile_min_shapes(profiles)
        .with_profile_opt_shapes(profiles)
        .with_profile_max_shapes(profiles)
        .with_engine_cache(true)
        .with_engine_cache_path("engine")
        .with_timing_cache(true)
        .with_timing_cache_path(folder.timing().display())
        .with_dump_ep_context_model(true)
        .with_ep_context_file_path(folder.context().display())
        .with_ep_context_embed_mode(0)
}

/// TensorRT for RTX, which compiles while it loads. It takes the first of several profiles at every run, unless it is told that there
/// are several and, at each run, which one is meant.
fn tensorrt_rtx(device: i32, engine: EngineOptions<'_>, work: DeviceWork<'_>) -> ep::NVRTX {
    let EngineOptions { folder, profiles, .. } = engine;
    let rtx = ep::NVRTX::default()
        .with_device_id(u32::try_from(device).unwrap_or(0))
        .with_profile_min_shapes(profiles)
        .with_profile_opt_shapes(profiles)
        .with_profile_max_shapes(profiles)
        .with_multi_profile(true)
        .with_runtime_cache_path(folder.compiled().display());
    match work.stream {
        // SAFETY: a graph keeps its stream until after its session.
        Some(stream) => unsafe { rtx.with_compute_stream(stream.handle()) },
        None => rtx,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;

    #[test]
    fn a_run_is_told_its_profile_and_its_graph() {
        Runtime::get().unwrap();
        let told = |provider: Provider, captured, waits| {
            let mut options = provider.run_options(2, captured, waits).unwrap();
            ["gpu_graph_id", "nv_profile_index", "disable_synchronize_execution_providers"].map(|key| options.get(key))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told(Provider::Cuda, None, true), [some("-1"), None, None]);
        assert_eq!(told(Provider::Cuda, Some(4), false), [some("4"), None, some("1")]);
        assert_eq!(told(Provider::TensorRtRtx, None, true), [some("-1"), some("2"), None]);
    }

    #[test]
    fn options_are_those_of_the_providers() {
        let graphs = tempfile::tempdir().unwrap();
        let folder = EngineFolder::of(graphs.path(), "unet");
        let engine = EngineOptions { folder: &folder, profiles: "mouth:1x4x32x32,mouth:4x4x32x32", builds: false };
        let told = format!("{:?}", tensorrt_rtx(1, engine, DeviceWork::default()));
        for words in ["nv_multi_profile_enable", "mouth:4x4x32x32", "engines/compiled", "device_id"] {
            assert!(told.contains(words), "{told}");
        }
        let told = format!("{:?}", tensorrt(1, EngineOptions { builds: true, ..engine }, DeviceWork::default()));
        assert!(told.contains("engines/timing") && told.contains("trt_fp16_enable"), "{told}");
    }
}
