//! What a graph is run by.

use crate::cache::EngineFolder;
use crate::error::GraphError;
use ort::ep::{self, ExecutionProvider};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

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

    /// Has a session run by it on GPU `device`, and by what is slower where it cannot. A graph without an engine is run by CUDA:
    /// those that hear and look are small, or run once a face.
    ///
    /// # Errors
    /// [`GraphError::Provider`] with what to install.
    pub(crate) fn register(
        self,
        builder: &mut SessionBuilder,
        device: i32,
        engine: Option<EngineOptions<'_>>,
    ) -> Result<(), GraphError> {
        self.require_built_in()?;
        let cuda = |builder: &mut SessionBuilder| ep::CUDA::default().with_device_id(device).register(builder);
        let registered = match (self, engine) {
            (Self::Cpu, _) => Ok(()),
            (Self::TensorRt, Some(engine)) => tensorrt(device, engine).register(builder).and_then(|()| cuda(builder)),
            (Self::TensorRtRtx, Some(EngineOptions { folder, profiles, .. })) => {
                let rtx = ep::NVRTX::default()
                    .with_device_id(u32::try_from(device).unwrap_or(0))
                    .with_profile_min_shapes(profiles)
                    .with_profile_opt_shapes(profiles)
                    .with_profile_max_shapes(profiles)
                    .with_runtime_cache_path(folder.timing().display());
                rtx.register(builder).and_then(|()| cuda(builder))
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

    /// Makes memory of the host that the device reads and writes fastest.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn host_memory(self, session: &Session) -> ort::Result<Allocator> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            _ => {
                let pinned = (AllocationDevice::CUDA_PINNED, AllocatorType::Device, MemoryType::CPUOutput);
                Allocator::new(session, MemoryInfo::new(pinned.0, 0, pinned.1, pinned.2)?)
            }
        }
    }
}

/// TensorRT with an engine that is built now, or was. ONNX Runtime wants the engine's folder relative to the EPContext file. No CUDA
/// graph: one is captured for one shape, and a session here runs several.
fn tensorrt(device: i32, EngineOptions { folder, profiles, builds }: EngineOptions<'_>) -> ep::TensorRT {
    let rt = ep::TensorRT::default().with_device_id(device).with_fp16(true);
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
