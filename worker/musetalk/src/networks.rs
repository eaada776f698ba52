//! What networks are loaded from, and the one that looks at faces.

use crate::graph::{DeviceWork, Graph, GraphError, GraphSource, Precision, Provider, REMEDY, Runtime, TensorWanted};
use crate::launch::LaunchChoice;
use crate::sound::clip::{CLIP, FEATURE};
use std::path::PathBuf;

/// Pixels of a face crop's side.
pub const SIDE: usize = 256;
/// Bytes of a face crop, RGB.
pub const PICTURE: usize = SIDE * SIDE * 3;
/// Values of a reference frame's latents, [8, 32, 32].
pub const LATENTS: usize = 8 * 32 * 32;
/// Values of a frame's sound, [50, 384].
pub const SOUND: usize = CLIP * FEATURE;

/// Graphs that TensorRT builds engines of: those that draw.
const BUILT: [&str; 3] = ["unet", "vae_decoder", "tiny_decoder"];

/// Which decoder turns latents into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoderChoice {
    /// Of the published VAE: full quality, 78 % of a frame's work.
    Full,
    /// TAESD: an eighteenth of that work, softer teeth.
    Tiny,
}

impl DecoderChoice {
    /// What its graph is called.
    pub fn graph(self) -> &'static str {
        match self {
            Self::Full => "vae_decoder",
            Self::Tiny => "tiny_decoder",
        }
    }
}

/// What networks are loaded from, and what runs them.
#[derive(Debug, Clone)]
pub struct NetworkSettings {
    /// The folder of graphs.
    pub graphs: PathBuf,
    /// What runs them; `None`: the first of all that works here.
    pub provider: Option<Provider>,
    /// Which GPU.
    pub device: i32,
    /// Threads of the processor that one run may use.
    pub threads: usize,
    /// Which decoder.
    pub decoder: DecoderChoice,
    /// How work is handed to a GPU.
    pub launch: LaunchChoice,
    /// Whether TensorRT may build engines now, which takes minutes.
    pub builds: bool,
}

impl NetworkSettings {
    /// Where graph `name` is, when `provider` runs it.
    pub fn source<'a>(&'a self, runtime: &'a Runtime, name: &'static str, provider: Provider) -> GraphSource<'a> {
        let Self { graphs, device, threads, builds, .. } = self;
        GraphSource {
            runtime,
            folder: graphs,
            name,
            provider,
            device: *device,
            threads: *threads,
            has_engine: BUILT.contains(&name),
            builds: *builds,
            work: DeviceWork::default(),
            remedy: REMEDY,
        }
    }
}

/// Latents of a face crop. Used while avatars are prepared.
pub struct FaceEncoder {
    graph: Graph,
}

impl FaceEncoder {
    /// Loads the graph.
    ///
    /// # Errors
    /// [`GraphError`] when it is missing, damaged or another one.
    pub fn load(runtime: &Runtime, settings: &NetworkSettings, provider: Provider) -> Result<Self, GraphError> {
        let picture = TensorWanted::new("picture", Precision::U8, &[None, Some(SIDE), Some(SIDE), Some(3)]);
        let latents = TensorWanted::new("latents", Precision::F32, &[None, Some(8), Some(32), Some(32)]);
        let source = settings.source(runtime, "vae_encoder", provider);
        Ok(Self { graph: Graph::load(&source, &[picture], &[latents])? })
    }

    /// The latents of an RGB picture of [`PICTURE`] bytes: [`LATENTS`] values.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    pub fn encode(&mut self, picture: &[u8]) -> Result<Vec<f32>, GraphError> {
        let failed = self.graph.failed();
        let picture = ort::value::TensorRef::from_array_view(([1, SIDE, SIDE, 3], picture)).map_err(&failed)?;
        let outputs = self.graph.session.run(ort::inputs!["picture" => picture]).map_err(&failed)?;
        let (_, latents) = outputs["latents"].try_extract_tensor::<f32>().map_err(&failed)?;
        if latents.len() != LATENTS || latents.iter().any(|value| !value.is_finite()) {
            return Err(GraphError::Answer { graph: "vae_encoder", what: "latents of another size, or not numbers" });
        }
        Ok(latents.to_vec())
    }
}
