//! Building TensorRT's engines ahead of time, so that no worker builds while somebody waits.

use crate::generator::MouthGenerator;
use crate::graph::{CacheVerdict, DeviceWork, GraphError, Provider, Runtime};
use crate::networks::{DecoderChoice, NetworkSettings};
use std::time::{Duration, Instant};

/// How a build goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildProgress {
    /// An engine is there already, and fits.
    Fresh {
        /// Of this graph.
        graph: &'static str,
    },
    /// It is being built: minutes.
    Building {
        /// Of this graph.
        graph: &'static str,
        /// Why that of before is not taken, if there was one.
        stale: Option<String>,
    },
    /// It is built.
    Built {
        /// Of this graph.
        graph: &'static str,
        /// How long it took.
        took: Duration,
    },
}

/// Builds the engines of all graphs that draw and that are there, by TensorRT.
///
/// # Errors
/// [`GraphError::Provider`] with what to install where there is no TensorRT or no GPU; whatever is wrong with a graph.
pub fn build_engines(
    runtime: &Runtime,
    settings: &NetworkSettings,
    told: &mut dyn FnMut(BuildProgress),
) -> Result<(), GraphError> {
    let by = Provider::TensorRt;
    by.require_built_in()?;
    let mut settings = NetworkSettings { builds: true, ..settings.clone() };
    let mut build = |graph: &'static str, settings: &NetworkSettings| {
        match MouthGenerator::engine(runtime, settings, by, graph)? {
            Some(CacheVerdict::Fresh) => told(BuildProgress::Fresh { graph }),
            verdict => {
                let stale = if let Some(CacheVerdict::Stale(why)) = verdict { Some(why) } else { None };
                let began = Instant::now();
                told(BuildProgress::Building { graph, stale });
                MouthGenerator::load_graph(runtime, settings, by, graph, DeviceWork::default())?;
                told(BuildProgress::Built { graph, took: began.elapsed() });
            }
        }
        Ok::<(), GraphError>(())
    };
    build("unet", &settings)?;
    for decoder in [DecoderChoice::Full, DecoderChoice::Tiny] {
        settings.decoder = decoder;
        if settings.graphs.join(format!("{}.onnx", decoder.graph())).is_file() {
            build(decoder.graph(), &settings)?;
        }
    }
    Ok(())
}
