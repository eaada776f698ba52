//! The networks that draw: latents of a face and sound in, pictures of a mouth out.

use crate::graph::{
    CacheVerdict, Graph, GraphError, GraphSource, Precision, Provider, REMEDY, Runtime, TensorWanted, go_together,
};
use crate::sound::clip::{CLIP, FEATURE, STATES, WIDTH};
use mouthpiece_engine::EngineStage;
use ort::memory::{Allocator, MemoryInfo};
use ort::session::IoBinding;
use ort::value::Tensor;
use std::path::PathBuf;
use std::time::Instant;

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

/// The UNet and a decoder, with the latents between them on the device and all memory made in advance.
pub struct MouthGenerator {
    unet: Graph,
    decoder: Graph,
    between: MemoryInfo<'static>,
    /// One for each batch that the provider runs; a number of frames between two of them is filled up with the last frame.
    batches: Vec<BatchMemory>,
    /// What UNet and decoder took.
    stages: [EngineStage; 2],
}

/// What one batch goes through.
struct BatchMemory {
    size: usize,
    latents: Tensor<f32>,
    sound: Tensor<f32>,
    pictures: IoBinding,
    mouths: IoBinding,
    made: bool,
    /// Its bytes after a run.
    out: Vec<u8>,
}

impl MouthGenerator {
    /// Loads both graphs.
    ///
    /// # Errors
    /// [`GraphError`] when one is missing, damaged, another one, or of another precision than the other.
    pub fn load(runtime: &Runtime, settings: &NetworkSettings, provider: Provider) -> Result<Self, GraphError> {
        let unet = Self::load_graph(runtime, settings, provider, "unet")?;
        let decoder = Self::load_graph(runtime, settings, provider, settings.decoder.graph())?;
        go_together(&unet, &decoder, "mouth")?;
        let between = provider.memory(settings.device).map_err(unet.failed())?;
        let host = provider.host_memory(&unet.session).map_err(unet.failed())?;
        let make = |size: &usize| BatchMemory::new(*size, &unet, &decoder, &host).map_err(unet.failed());
        let batches = provider.batches().iter().map(make).collect::<Result<_, _>>()?;
        let stages = [EngineStage::new("unet"), EngineStage::new("decoder")];
        Ok(Self { unet, decoder, between, batches, stages })
    }

    /// Loads the UNet or a decoder.
    ///
    /// # Errors
    /// As [`MouthGenerator::load`].
    pub(crate) fn load_graph(
        runtime: &Runtime,
        settings: &NetworkSettings,
        provider: Provider,
        name: &'static str,
    ) -> Result<Graph, GraphError> {
        let source = settings.source(runtime, name, provider);
        with_tensors(name, |inputs, outputs| Graph::load(&source, inputs, outputs))
    }

    /// What lies there of the engine that TensorRT runs of it; `None` where none is needed.
    ///
    /// # Errors
    /// As [`MouthGenerator::load`].
    pub(crate) fn engine(
        runtime: &Runtime,
        settings: &NetworkSettings,
        provider: Provider,
        name: &'static str,
    ) -> Result<Option<CacheVerdict>, GraphError> {
        let source = settings.source(runtime, name, provider);
        with_tensors(name, |inputs, _| source.judge(inputs))
    }

    /// Draws a mouth for each pair of latents ([`LATENTS`] values) and sound ([`SOUND`] values); `picture` is called with the index
    /// of each and its RGB bytes, [`PICTURE`] of them.
    ///
    /// # Errors
    /// [`GraphError`] when a network fails.
    pub fn draw(
        &mut self,
        frames: &[(&[f32], &[f32])],
        mut picture: impl FnMut(usize, &[u8]),
    ) -> Result<(), GraphError> {
        let largest = self.batches.last().map_or(1, |memory| memory.size);
        for (chunk, frames) in frames.chunks(largest).enumerate() {
            let bytes = self.run(frames)?;
            for (i, bytes) in bytes.chunks_exact(PICTURE).take(frames.len()).enumerate() {
                picture(chunk * largest + i, bytes);
            }
        }
        Ok(())
    }

    /// What both networks took since they were asked last.
    pub fn take_stages(&mut self) -> Vec<EngineStage> {
        self.stages.iter_mut().map(EngineStage::take).collect()
    }

    fn run(&mut self, frames: &[(&[f32], &[f32])]) -> Result<&[u8], GraphError> {
        let Self { unet, decoder, between, batches, stages: [in_unet, in_decoder] } = self;
        let (unet_failed, decoder_failed) = (unet.failed(), decoder.failed());
        let Some(memory) = batches.iter_mut().find(|memory| memory.size >= frames.len()) else { return Ok(&[]) };
        let began = Instant::now();
        memory.fill(frames).map_err(&unet_failed)?;
        let BatchMemory { size, latents, sound, mouths, pictures, made, out } = memory;
        mouths.bind_input("latents", latents).map_err(&unet_failed)?;
        mouths.bind_input("sound", sound).map_err(&unet_failed)?;
        if !*made {
            mouths.bind_output_to_device("mouth", between).map_err(&unet_failed)?;
        }
        let mut drawn = unet.session.run_binding(mouths).map_err(&unet_failed)?;
        let missing = GraphError::Answer { graph: unet.name, what: "no mouth" };
        let mouth = drawn.remove("mouth").ok_or(missing)?;
        pictures.bind_input("mouth", &mouth).map_err(&decoder_failed)?;
        *made = true;
        in_unet.ran_since(began);
        let began = Instant::now();
        let outputs = decoder.session.run_binding(pictures).map_err(&decoder_failed)?;
        let (_, bytes) = outputs["picture"].try_extract_tensor::<u8>().map_err(&decoder_failed)?;
        if bytes.len() != *size * PICTURE {
            return Err(GraphError::Answer { graph: decoder.name, what: "a picture of another size" });
        }
        out.clear();
        out.extend_from_slice(bytes);
        in_decoder.ran_since(began);
        Ok(out)
    }
}

/// Calls `then` with the inputs and outputs of the UNet, or of a decoder.
fn with_tensors<T>(name: &str, then: impl FnOnce(&[TensorWanted<'_>], &[TensorWanted<'_>]) -> T) -> T {
    let latents = TensorWanted::new("latents", Precision::F32, &[None, Some(8), Some(32), Some(32)]);
    let sound = TensorWanted::new("sound", Precision::F32, &[None, Some(CLIP * STATES), Some(WIDTH)]);
    let mouth = TensorWanted::new("mouth", Precision::Inner, &[None, Some(4), Some(32), Some(32)]);
    let picture = TensorWanted::new("picture", Precision::U8, &[None, Some(SIDE), Some(SIDE), Some(3)]);
    if name == "unet" { then(&[latents, sound], &[mouth]) } else { then(&[mouth], &[picture]) }
}

impl BatchMemory {
    fn new(size: usize, unet: &Graph, decoder: &Graph, host: &Allocator) -> ort::Result<Self> {
        let mut pictures = decoder.session.create_binding()?;
        pictures.bind_output("picture", Tensor::<u8>::new(host, [size, SIDE, SIDE, 3])?)?;
        Ok(Self {
            size,
            latents: Tensor::new(host, [size, 8, 32, 32])?,
            sound: Tensor::new(host, [size, CLIP * STATES, WIDTH])?,
            mouths: unet.session.create_binding()?,
            pictures,
            made: false,
            out: Vec::with_capacity(size * PICTURE),
        })
    }

    /// Copies the frames; the last one again and again where there are fewer.
    fn fill(&mut self, frames: &[(&[f32], &[f32])]) -> ort::Result<()> {
        let Some(last) = frames.last() else { return Ok(()) };
        let all = frames.iter().chain(std::iter::repeat(last)).take(self.size);
        let (_, latents) = self.latents.try_extract_tensor_mut::<f32>()?;
        let (_, sound) = self.sound.try_extract_tensor_mut::<f32>()?;
        let places = latents.chunks_exact_mut(LATENTS).zip(sound.chunks_exact_mut(SOUND));
        for ((latents, sound), (face, heard)) in places.zip(all) {
            latents.copy_from_slice(face);
            sound.copy_from_slice(heard);
        }
        Ok(())
    }
}
