//! How neural engines are set up.

use mouthpiece_domain::gpu_memory::GpuBudget;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;

/// How neural engines are set up. Engines without networks of their own look at none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeuralSettings {
    /// The folder of graphs; empty: `mouthpiece/models/graphs` in the user's cache.
    pub graphs: PathBuf,
    /// What runs them.
    pub provider: NeuralProvider,
    /// Which GPU, from 0.
    pub device: u16,
    /// Threads of the processor that one run may use; 0: as many as it has cores.
    pub threads: u16,
    /// What makes pictures of latents.
    pub decoder: NeuralDecoder,
    /// How work is handed to a GPU.
    pub launch: NeuralLaunch,
    /// Sessions that are drawn at once: what a decoder must hold that is chosen by measuring.
    pub sessions: u8,
    /// Room below the chin for a jaw that opens, in pixels of a face of 256.
    pub extra_margin: u8,
    /// How much of the cheeks is drawn anew, percent.
    pub cheeks: u8,
    /// How much beyond the jaw's edge is drawn anew, percent.
    pub jaw: u8,
    /// Mouths are restored by a network of their own, as far as there is time.
    pub restoration: bool,
    /// What a neural engine may take of a GPU's memory.
    pub memory: NeuralMemory,
}

/// What a neural engine may take of a GPU's memory, MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeuralMemory {
    /// All that the GPU has, or that is left to this worker.
    pub total_mib: u32,
    /// For the driver and others.
    pub system_mib: u32,
    /// For weights and what runs them.
    pub models_mib: u32,
    /// For the frames that are drawn at once.
    pub buffers_mib: u32,
}

impl Default for NeuralMemory {
    /// A GPU of 16 GiB: 1.5 for the system, 4.5 for models, 4 for buffers, the rest to spare.
    fn default() -> Self {
        Self { total_mib: 16_384, system_mib: 1_536, models_mib: 4_608, buffers_mib: 4_096 }
    }
}

impl NeuralMemory {
    /// The same in bytes.
    pub fn budget(&self) -> GpuBudget {
        let [total, system, models, buffers] =
            [self.total_mib, self.system_mib, self.models_mib, self.buffers_mib].map(|mib| u64::from(mib) << 20);
        GpuBudget { total, system, models, buffers }
    }
}

impl Default for NeuralSettings {
    /// The user's cache, whatever works here, the first GPU, two threads, full quality, the face as the original cuts it.
    fn default() -> Self {
        let (provider, decoder) = (NeuralProvider::Auto, NeuralDecoder::Full);
        Self {
            graphs: PathBuf::new(),
            provider,
            device: 0,
            threads: 2,
            decoder,
            launch: NeuralLaunch::default(),
            sessions: 1,
            extra_margin: 10,
            cheeks: 80,
            jaw: 50,
            restoration: false,
            memory: NeuralMemory::default(),
        }
    }
}

/// A word that stands for none of the choices.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("\"{asked}\" is none of {known}")]
pub struct NoSuchChoice {
    asked: String,
    known: &'static str,
}

/// What runs networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeuralProvider {
    /// The first of the others that works here.
    #[default]
    Auto,
    /// TensorRT.
    TensorRt,
    /// TensorRT for RTX.
    #[serde(rename = "tensorrt-rtx")]
    TensorRtRtx,
    /// CUDA and cuDNN.
    Cuda,
    /// The processor.
    Cpu,
}

impl NeuralProvider {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::TensorRt => "tensorrt",
            Self::TensorRtRtx => "tensorrt-rtx",
            Self::Cuda => "cuda",
            Self::Cpu => "cpu",
        }
    }
}

impl FromStr for NeuralProvider {
    type Err = NoSuchChoice;

    fn from_str(asked: &str) -> Result<Self, NoSuchChoice> {
        match asked {
            "auto" => Ok(Self::Auto),
            "tensorrt" => Ok(Self::TensorRt),
            "tensorrt-rtx" => Ok(Self::TensorRtRtx),
            "cuda" => Ok(Self::Cuda),
            "cpu" => Ok(Self::Cpu),
            _ => {
                let known = "\"auto\", \"tensorrt\", \"tensorrt-rtx\", \"cuda\", \"cpu\"";
                Err(NoSuchChoice { asked: asked.to_owned(), known })
            }
        }
    }
}

/// What makes pictures of latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeuralDecoder {
    /// The full one where the machine holds the sessions with it, the tiny one otherwise: it is measured at the start.
    Auto,
    /// Full quality; most of a frame's work.
    #[default]
    Full,
    /// An eighteenth of that work, softer teeth.
    Tiny,
}

impl FromStr for NeuralDecoder {
    type Err = NoSuchChoice;

    fn from_str(asked: &str) -> Result<Self, NoSuchChoice> {
        match asked {
            "auto" => Ok(Self::Auto),
            "full" => Ok(Self::Full),
            "tiny" => Ok(Self::Tiny),
            _ => Err(NoSuchChoice { asked: asked.to_owned(), known: "\"auto\", \"full\", \"tiny\"" }),
        }
    }
}

/// How work is handed to a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeuralLaunch {
    /// What is measured to be fastest at the start, of what draws the same.
    Auto,
    /// As ONNX Runtime does it by itself.
    #[default]
    Plain,
}

impl FromStr for NeuralLaunch {
    type Err = NoSuchChoice;

    fn from_str(asked: &str) -> Result<Self, NoSuchChoice> {
        match asked {
            "auto" => Ok(Self::Auto),
            "plain" => Ok(Self::Plain),
            _ => Err(NoSuchChoice { asked: asked.to_owned(), known: "\"auto\", \"plain\"" }),
        }
    }
}
