//! Where networks come from: the seam that a test puts failing ones behind.

use crate::generator::MouthGenerator;
use crate::generator_thread::GeneratorThread;
use crate::graph::{CudaStream, DeviceWork, GraphError, GraphSource, Provider, Runtime};
use crate::launch::LaunchChoice;
use crate::networks::{DecoderChoice, FaceEncoder, NetworkSettings};
use crate::restoration::{RestoreMouths, Restorer};
use crate::sound::Whisper;
use mouthpiece_engine::EngineStage;
use std::sync::Arc;

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

    /// How its work is handed to the device, for people, if that was chosen.
    fn launched(&self) -> Option<String> {
        None
    }
}

impl DrawMouths for MouthGenerator {
    fn draw(&mut self, frames: &[(&[f32], &[f32])], picture: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError> {
        Self::draw(self, frames, picture)
    }

    fn take_stages(&mut self) -> Vec<EngineStage> {
        Self::take_stages(self)
    }

    fn launched(&self) -> Option<String> {
        Self::launched(self)
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

    /// The networks that draw. At the `start` nothing else uses the device yet.
    ///
    /// # Errors
    /// As [`LoadNetworks::hearing`].
    fn generator(&self, by: Provider, decoder: DecoderChoice, start: bool) -> Result<Box<dyn DrawMouths>, GraphError>;

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
const RESTORATION: &str = "fetch its weights with 'mouthpiece models fetch real-esrgan-general' and make it with 'mouthpiece models export restoration'";

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

    fn generator(&self, by: Provider, decoder: DecoderChoice, start: bool) -> Result<Box<dyn DrawMouths>, GraphError> {
        let networks = NetworkSettings { decoder, ..self.networks.clone() };
        if networks.launch == LaunchChoice::Plain || !by.is_gpu() {
            return Ok(Box::new(MouthGenerator::load(&self.runtime, &networks, by)?));
        }
        let stream = CudaStream::open(networks.device).map(Arc::new).map_err(|error| error.to_string());
        if !(start && by.captures()) {
            return Ok(Box::new(fastest(&self.runtime, &networks, by, stream, false)?));
        }
        // While a CUDA graph is captured whatever else is done on the device fails: at the start nothing is.
        let runtime = self.runtime.clone();
        Ok(Box::new(GeneratorThread::start(move || fastest(&runtime, &networks, by, stream, true))?))
    }

    fn restorer(&self, by: Provider) -> Result<Box<dyn RestoreMouths>, GraphError> {
        let source = self.networks.source(&self.runtime, "restoration", by);
        Ok(Box::new(Restorer::load(&GraphSource { remedy: RESTORATION, ..source })?))
    }

    fn has(&self, decoder: DecoderChoice) -> bool {
        self.networks.graphs.join(format!("{}.onnx", decoder.graph())).is_file()
    }
}

/// What is loaded for a stream, with CUDA graphs if it `captures`, and draws in the fastest way; in the plain one where that fails.
fn fastest(
    runtime: &Runtime,
    networks: &NetworkSettings,
    by: Provider,
    stream: Result<Arc<CudaStream>, String>,
    captures: bool,
) -> Result<MouthGenerator, GraphError> {
    let mut given_up = None;
    // Each attempt with fresh networks: those that failed may not work any more in any way.
    for cuda_graphs in [true, false] {
        let (Ok(stream), true) = (&stream, captures || !cuda_graphs) else { continue };
        let work = DeviceWork { stream: Some(stream), cuda_graphs };
        let chosen = MouthGenerator::load_for(runtime, networks, by, work)
            .and_then(|mut generator| generator.choose_way(cuda_graphs, given_up.clone()).map(|()| generator));
        match chosen {
            Ok(generator) => return Ok(generator),
            // A graph that is missing or another one is so in any way, and an engine that is not built, too.
            Err(error)
                if error.is_of_device() || matches!(error, GraphError::Load { .. } | GraphError::Provider { .. }) =>
            {
                given_up = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    let mut generator = MouthGenerator::load(runtime, networks, by)?;
    generator.choose_way(false, given_up.or(stream.err()))?;
    Ok(generator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LATENTS, MuseTalkSettings, PICTURE, SOUND};
    use std::path::Path;
    use std::process::Command;

    /// A stream of a driver that is called so, whose device's memory is the host's.
    fn stream(folder: &Path) -> Arc<CudaStream> {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../graph/stand-ins/cuda.c");
        let library = folder.join("libcuda.so.1");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(compiled.unwrap().success(), "the stand-in is C, and `cc` compiles it");
        Arc::new(CudaStream::open_by(library.as_os_str(), 0).unwrap())
    }

    fn networks() -> NetworkSettings {
        let twins = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/twins");
        NetworkSettings { decoder: DecoderChoice::Tiny, ..MuseTalkSettings::new(twins).networks }
    }

    fn drawn(generator: &mut dyn DrawMouths, count: usize) -> Vec<Vec<u8>> {
        let values: Vec<(Vec<f32>, Vec<f32>)> = (0..count)
            .map(|nth| (vec![0.1 * nth as f32 - 0.3; LATENTS], (0..SOUND).map(|i| ((i + nth) as f32).sin()).collect()))
            .collect();
        let frames: Vec<_> = values.iter().map(|(face, heard)| (face.as_slice(), heard.as_slice())).collect();
        let mut pictures = vec![Vec::new(); count];
        generator.draw(&frames, &mut |nth, bytes| pictures[nth] = bytes.to_vec()).unwrap();
        assert!(pictures.iter().all(|picture| picture.len() == PICTURE));
        pictures
    }

    #[test]
    fn every_way_draws_the_same() {
        let (folder, runtime, networks) = (tempfile::tempdir().unwrap(), Runtime::get().unwrap(), networks());
        let stream = stream(folder.path());
        let mut plain = MouthGenerator::load(&runtime, &networks, Provider::Cpu).unwrap();
        let work = DeviceWork { stream: Some(&stream), cuda_graphs: true };
        let mut streamed = MouthGenerator::load_for(&runtime, &networks, Provider::Cpu, work).unwrap();
        for way in crate::launch::LaunchWay::ALL {
            streamed.go(way);
            // Twice: the second goes by what the first left.
            for count in [1, 3, 11, 1, 3] {
                assert_eq!(drawn(&mut streamed, count), drawn(&mut plain, count), "{count} {way:?}");
            }
            let stages = streamed.take_stages();
            assert!(stages.iter().all(|stage| stage.runs == 6 && !stage.took.is_zero()), "{stages:?}");
        }
    }

    #[test]
    fn the_way_is_measured_and_told() {
        let (folder, runtime, networks) = (tempfile::tempdir().unwrap(), Runtime::get().unwrap(), networks());
        let stream = Ok(stream(folder.path()));
        let mut chosen = fastest(&runtime, &networks, Provider::Cpu, stream, true).unwrap();
        let told = chosen.launched().unwrap();
        for words in ["frames a second: plain ", "one stream ", "CUDA graphs "] {
            assert!(told.contains(words), "{told}");
        }
        let mut plain = MouthGenerator::load(&runtime, &networks, Provider::Cpu).unwrap();
        assert_eq!(drawn(&mut chosen, 3), drawn(&mut plain, 3));
    }

    #[test]
    fn without_a_driver_it_draws_all_the_same_and_says_why() {
        let (runtime, networks) = (Runtime::get().unwrap(), networks());
        let absent = Err("NVIDIA's driver cannot be used".to_owned());
        let mut chosen = fastest(&runtime, &networks, Provider::Cpu, absent, true).unwrap();
        let told = chosen.launched().unwrap();
        assert!(told.starts_with("plain (") && told.ends_with("NVIDIA's driver cannot be used)"), "{told}");
        drawn(&mut chosen, 1);
    }

    #[test]
    fn a_graph_that_is_missing_is_missing_in_every_way() {
        let folder = tempfile::tempdir().unwrap();
        let networks = NetworkSettings { graphs: folder.path().to_owned(), ..networks() };
        let stream = Ok(stream(folder.path()));
        let missing = fastest(&Runtime::get().unwrap(), &networks, Provider::Cpu, stream, true).map(|_| ());
        assert!(matches!(missing, Err(GraphError::Missing { graph: "unet", .. })), "{missing:?}");
    }
}
