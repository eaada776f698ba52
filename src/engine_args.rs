//! Which engine, on the command line.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use mouthpiece_worker_settings::{DEFAULT_ENGINE, ENGINES, KnownEngine, NeuralDecoder, NeuralProvider, NeuralSettings};
use std::path::{Path, PathBuf};

/// Which engine, and how it is set up.
#[derive(Debug, Clone, Args)]
pub struct EngineArgs {
    /// What generates the mouth
    #[arg(long, value_parser = engines(), default_value = DEFAULT_ENGINE)]
    pub engine: String,
    /// The folder of a neural engine's graphs; `mouthpiece/models/graphs` in the user's cache if not given
    #[arg(long, value_name = "DIR")]
    graphs: Option<PathBuf>,
    /// What runs a neural engine: auto, tensorrt, tensorrt-rtx, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "NAME")]
    provider: NeuralProvider,
    /// A neural engine's decoder: full, tiny (an eighteenth of the work, softer teeth), or auto (tiny where full is too slow for one)
    #[arg(long, default_value = "full", value_name = "NAME")]
    decoder: NeuralDecoder,
    /// A neural engine's mouths are restored by a network of their own, which must lie beside its graphs
    #[arg(long)]
    restore: bool,
}

impl EngineArgs {
    /// The folder of graphs that was named.
    pub fn graphs(&self) -> Option<&Path> {
        self.graphs.as_deref()
    }

    /// With its graphs in this folder instead.
    pub fn with_graphs(mut self, graphs: PathBuf) -> Self {
        self.graphs = Some(graphs);
        self
    }

    /// How a neural engine is set up.
    pub fn neural(&self) -> NeuralSettings {
        let (graphs, provider, decoder) = (self.graphs.clone().unwrap_or_default(), self.provider, self.decoder);
        NeuralSettings { graphs, provider, decoder, restoration: self.restore, ..NeuralSettings::default() }
    }
}

fn engines() -> PossibleValuesParser {
    let value = |engine: &KnownEngine| PossibleValue::new(engine.name).help(engine.about);
    ENGINES.iter().map(value).collect::<Vec<_>>().into()
}
