//! How neural engines are set up.

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
}

impl Default for NeuralSettings {
    /// The user's cache, whatever works here, the first GPU, two threads, full quality.
    fn default() -> Self {
        let (provider, decoder) = (NeuralProvider::Auto, NeuralDecoder::Full);
        Self { graphs: PathBuf::new(), provider, device: 0, threads: 2, decoder }
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
    /// CUDA and cuDNN.
    Cuda,
    /// The processor.
    Cpu,
}

impl FromStr for NeuralProvider {
    type Err = NoSuchChoice;

    fn from_str(asked: &str) -> Result<Self, NoSuchChoice> {
        match asked {
            "auto" => Ok(Self::Auto),
            "tensorrt" => Ok(Self::TensorRt),
            "cuda" => Ok(Self::Cuda),
            "cpu" => Ok(Self::Cpu),
            _ => Err(NoSuchChoice { asked: asked.to_owned(), known: "\"auto\", \"tensorrt\", \"cuda\", \"cpu\"" }),
        }
    }
}

/// What makes pictures of latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeuralDecoder {
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
            "full" => Ok(Self::Full),
            "tiny" => Ok(Self::Tiny),
            _ => Err(NoSuchChoice { asked: asked.to_owned(), known: "\"full\", \"tiny\"" }),
        }
    }
}
