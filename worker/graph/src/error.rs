//! What can go wrong with a graph.

use crate::cache::CacheVerdict;
use std::io;
use std::path::Path;
use thiserror::Error;

/// A graph cannot be loaded or run.
#[derive(Debug, Error)]
pub enum GraphError {
    /// It is not there.
    #[error("the graph '{graph}' is missing ({}): {remedy}, or name the folder of graphs in neural.graphs", path.display())]
    Missing {
        /// Which graph.
        graph: &'static str,
        /// Where it was looked for.
        path: Box<Path>,
        /// How one gets it.
        remedy: &'static str,
    },
    /// The operating system does not let it be read.
    #[error("the graph '{graph}' ({}) cannot be read: {source}", path.display())]
    Unreadable {
        /// Which graph.
        graph: &'static str,
        /// The file.
        path: Box<Path>,
        /// What the operating system said.
        source: io::Error,
    },
    /// ONNX Runtime cannot load it: it is damaged, or its weights are missing.
    #[error("the graph '{graph}' ({}) cannot be loaded: {remedy} again ({source})", path.display())]
    Load {
        /// Which graph.
        graph: &'static str,
        /// The file.
        path: Box<Path>,
        /// How one gets it.
        remedy: &'static str,
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
    /// A tensor is not there, or one too many is.
    #[error("the graph '{graph}' ({}) has the {side}s {found}, wanted {wanted}: {remedy}", path.display())]
    Names {
        /// Which graph.
        graph: &'static str,
        /// The file.
        path: Box<Path>,
        /// "input" or "output".
        side: &'static str,
        /// The names that it has.
        found: Box<str>,
        /// The names that it must have.
        wanted: Box<str>,
        /// How one gets the right one.
        remedy: &'static str,
    },
    /// A tensor is another one than is wanted.
    #[error("the graph '{graph}' ({}): {side} '{tensor}' is {found}, wanted {wanted}: {remedy}", path.display())]
    Tensor {
        /// Which graph.
        graph: &'static str,
        /// The file.
        path: Box<Path>,
        /// "input" or "output".
        side: &'static str,
        /// The tensor's name.
        tensor: Box<str>,
        /// What it is.
        found: Box<str>,
        /// What it must be.
        wanted: Box<str>,
        /// How one gets the right one.
        remedy: &'static str,
    },
    /// Two graphs were made in different precisions.
    #[error("the graphs '{from}' ({given}) and '{to}' ({taken}) do not go together: export both in the same precision")]
    Precisions {
        /// The graph that gives.
        from: &'static str,
        /// What it gives.
        given: Box<str>,
        /// The graph that takes.
        to: &'static str,
        /// What it takes.
        taken: Box<str>,
    },
    /// A provider that was asked for is not in this ONNX Runtime, or does not start.
    #[error("{provider} cannot be used: {remedy}{}", source.as_ref().map(|e| format!(" ({e})")).unwrap_or_default())]
    Provider {
        /// Which one.
        provider: &'static str,
        /// What to install.
        remedy: &'static str,
        /// ONNX Runtime's own words, if it was asked.
        source: Option<ort::Error>,
    },
    /// TensorRT has no engine of it that fits, and is not to build one now.
    #[error("TensorRT has no engine of '{graph}' for this machine ({why}): build it with 'mouthpiece models build'")]
    NotBuilt {
        /// Which graph.
        graph: &'static str,
        /// There is none, or what differs.
        why: Box<str>,
    },
    /// There is no GPU of this number, or no TensorRT, or not the driver's tool that tells.
    #[error(
        "GPU {device} or TensorRT was not found: 'nvidia-smi -i {device}' must answer, and libnvinfer.so.10 be there"
    )]
    NoGpu {
        /// Which one.
        device: i32,
    },
    /// An engine cannot be stored.
    #[error("the engine of '{graph}' cannot be stored beside the graphs: {source}")]
    Unwritable {
        /// Which graph.
        graph: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// ONNX Runtime failed while it ran.
    #[error("the graph '{graph}' failed: {source}")]
    Run {
        /// Which graph.
        graph: &'static str,
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
    /// What came out cannot be used.
    #[error("the graph '{graph}' gave an unusable answer: {what}")]
    Answer {
        /// Which graph.
        graph: &'static str,
        /// What was wrong with it.
        what: &'static str,
    },
}

impl GraphError {
    pub(crate) fn not_built(graph: &'static str, verdict: CacheVerdict) -> Self {
        let why = if let CacheVerdict::Stale(why) = verdict { why } else { "none was built".to_owned() };
        Self::NotBuilt { graph, why: why.into() }
    }

    /// True when another provider may do better with the same graph.
    pub fn is_of_provider(&self) -> bool {
        matches!(self, Self::Provider { .. } | Self::Load { .. } | Self::NotBuilt { .. } | Self::NoGpu { .. })
    }

    /// True when what runs the graph failed, and not the graph: loading it again may help.
    pub fn is_of_device(&self) -> bool {
        matches!(self, Self::Run { .. })
    }
}
