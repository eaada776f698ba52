//! What can go wrong with a graph.

use std::path::Path;
use thiserror::Error;

/// What to do about a file that is not the right one.
const MAKE_IT: &str = "make it with models/export/export.py";

/// A graph cannot be loaded or run.
#[derive(Debug, Error)]
pub enum GraphError {
    /// It is not there.
    #[error("the graph '{graph}' is missing ({}): {MAKE_IT}, or name the folder of graphs in neural.graphs", path.display())]
    Missing {
        /// Which graph.
        graph: &'static str,
        /// Where it was looked for.
        path: Box<Path>,
    },
    /// ONNX Runtime cannot load it: it is damaged, or its weights are missing.
    #[error("the graph '{graph}' ({}) cannot be loaded: {MAKE_IT} again ({source})", path.display())]
    Load {
        /// Which graph.
        graph: &'static str,
        /// The file.
        path: Box<Path>,
        /// ONNX Runtime's own words.
        source: ort::Error,
    },
    /// A tensor is not there, or one too many is.
    #[error("the graph '{graph}' ({}) has the {side}s {found}, wanted {wanted}: {MAKE_IT}", path.display())]
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
    },
    /// A tensor is another one than is wanted.
    #[error("the graph '{graph}' ({}): {side} '{tensor}' is {found}, wanted {wanted}: {MAKE_IT}", path.display())]
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
