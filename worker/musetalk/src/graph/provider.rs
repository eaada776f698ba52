//! What a graph is run by.

use super::GraphError;
use ort::ep::{self, ExecutionProvider};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

/// What a graph is run by, fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// TensorRT through ONNX Runtime's provider.
    TensorRt,
    /// CUDA and cuDNN.
    Cuda,
    /// The processor.
    Cpu,
}

impl Provider {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::TensorRt, Self::Cuda, Self::Cpu];

    /// What it is called in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::TensorRt => "tensorrt",
            Self::Cuda => "cuda",
            Self::Cpu => "cpu",
        }
    }

    /// What must be there for it.
    fn remedy(self) -> &'static str {
        match self {
            Self::TensorRt => {
                "install TensorRT 10 (libnvinfer.so.10), CUDA 13 and cuDNN 9, and a GPU build of ONNX Runtime"
            }
            Self::Cuda => "install CUDA 13 and cuDNN 9, and a GPU build of ONNX Runtime (PyPI: onnxruntime-gpu)",
            Self::Cpu => "this ONNX Runtime is damaged: run 'make onnxruntime'",
        }
    }

    /// True when the loaded ONNX Runtime was built with it. Whether it starts on this machine is another question.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::TensorRt => ep::TensorRT::is_available().unwrap_or(false),
            Self::Cuda => ep::CUDA::is_available().unwrap_or(false),
            Self::Cpu => true,
        }
    }

    /// Has a session run by it on GPU `device`, and by the processor what it cannot run.
    ///
    /// # Errors
    /// [`GraphError::Provider`] with what to install.
    pub(super) fn register(self, builder: &mut SessionBuilder, device: i32) -> Result<(), GraphError> {
        let failed = |source| GraphError::Provider { provider: self.name(), remedy: self.remedy(), source };
        if !self.is_built_in() {
            return Err(failed(None));
        }
        match self {
            Self::Cpu => return Ok(()),
            Self::Cuda => ep::CUDA::default().with_device_id(device).register(builder),
            Self::TensorRt => {
                let rt = ep::TensorRT::default().with_device_id(device).with_fp16(true).register(builder);
                rt.and_then(|()| ep::CUDA::default().with_device_id(device).register(builder))
            }
        }
        .map_err(|source| failed(Some(source)))
    }

    /// Where values stay between two graphs.
    pub(crate) fn memory(self, device: i32) -> ort::Result<MemoryInfo<'static>> {
        match self {
            Self::Cpu => MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::Default),
            _ => MemoryInfo::new(AllocationDevice::CUDA, device, AllocatorType::Device, MemoryType::Default),
        }
    }

    /// Makes memory of the host that the device reads and writes fastest.
    pub(crate) fn host_memory(self, session: &Session) -> ort::Result<Allocator> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            _ => {
                let pinned = (AllocationDevice::CUDA_PINNED, AllocatorType::Device, MemoryType::CPUOutput);
                Allocator::new(session, MemoryInfo::new(pinned.0, 0, pinned.1, pinned.2)?)
            }
        }
    }
}
