//! Where networks come from: the seam that a test puts failing ones behind.

use crate::graph::{GraphError, GraphSource, Provider, Runtime};
use crate::networks::{DecoderChoice, FaceEncoder, MouthGenerator, NetworkSettings};
use crate::restoration::{RestoreMouths, Restorer};
use crate::sound::Whisper;
use mouthpiece_engine::EngineStage;

/// Draws mouths.
pub trait DrawMouths: Send {
    /// Draws a mouth for each pair of latents ([`crate::LATENTS`] values) and sound ([`crate::SOUND`] values); `picture` is
    /// called with the index of each and its RGB bytes, [`crate::PICTURE`] of them.
    ///
    /// # Errors
    /// [`GraphError`] when a network fails.
    fn draw(&mut self, frames: &[(&[f32], &[f32])], picture: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError>;

    /// What its networks took since they were asked last.
    fn take_stages(&mut self) -> Vec<EngineStage> {
        Vec::new()
    }
}

impl DrawMouths for MouthGenerator {
    fn draw(&mut self, frames: &[(&[f32], &[f32])], picture: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError> {
        Self::draw(self, frames, picture)
    }

    fn take_stages(&mut self) -> Vec<EngineStage> {
        Self::take_stages(self)
    }
}

/// Loads networks, at the start and after a failure.
pub trait LoadNetworks: Send + Sync {
    /// What may run them here, fastest first; at least one.
    fn providers(&self) -> Vec<Provider>;

    /// The network that hears.
    ///
    /// # Errors
    /// [`GraphError`] when it is missing, damaged or another one, or the provider does not work.
    fn hearing(&self, by: Provider) -> Result<Whisper, GraphError>;

    /// The network that looks at faces.
    ///
    /// # Errors
    /// As [`LoadNetworks::hearing`].
    fn encoder(&self, by: Provider) -> Result<FaceEncoder, GraphError>;

    /// The networks that draw.
    ///
    /// # Errors
    /// As [`LoadNetworks::hearing`].
    fn generator(&self, by: Provider, decoder: DecoderChoice) -> Result<Box<dyn DrawMouths>, GraphError>;

    /// The network that restores mouths.
    ///
    /// # Errors
    /// As [`LoadNetworks::hearing`].
    fn restorer(&self, _by: Provider) -> Result<Box<dyn RestoreMouths>, GraphError> {
        Err(GraphError::Answer { graph: "restoration", what: "nothing here restores mouths" })
    }

    /// Whether there is a graph of this decoder.
    fn has(&self, decoder: DecoderChoice) -> bool;
}

/// How one gets the graph that restores mouths.
const RESTORATION: &str =
    "fetch its weights with 'mouthpiece models fetch real-esrgan-general' and make it with models/export/extras.py";

/// Networks from a folder of graphs.
pub struct GraphLoader {
    /// ONNX Runtime.
    pub runtime: Runtime,
    /// The folder, and what runs them.
    pub networks: NetworkSettings,
}

impl LoadNetworks for GraphLoader {
    /// What was asked for, or all that this ONNX Runtime was built with.
    fn providers(&self) -> Vec<Provider> {
        match self.networks.provider {
            Some(asked) => vec![asked],
            None => Provider::ALL.into_iter().filter(|provider| provider.is_built_in()).collect(),
        }
    }

    fn hearing(&self, by: Provider) -> Result<Whisper, GraphError> {
        Whisper::load(&self.networks.source(&self.runtime, "whisper", by))
    }

    fn encoder(&self, by: Provider) -> Result<FaceEncoder, GraphError> {
        FaceEncoder::load(&self.runtime, &self.networks, by)
    }

    fn generator(&self, by: Provider, decoder: DecoderChoice) -> Result<Box<dyn DrawMouths>, GraphError> {
        let networks = NetworkSettings { decoder, ..self.networks.clone() };
        Ok(Box::new(MouthGenerator::load(&self.runtime, &networks, by)?))
    }

    fn restorer(&self, by: Provider) -> Result<Box<dyn RestoreMouths>, GraphError> {
        let source = self.networks.source(&self.runtime, "restoration", by);
        Ok(Box::new(Restorer::load(&GraphSource { remedy: RESTORATION, ..source })?))
    }

    fn has(&self, decoder: DecoderChoice) -> bool {
        self.networks.graphs.join(format!("{}.onnx", decoder.graph())).is_file()
    }
}
