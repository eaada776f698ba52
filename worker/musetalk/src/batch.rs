//! What one number of frames goes through: memory made in advance, and how it is bound to the networks.

use crate::graph::{CudaStream, Graph, GraphError, Provider};
use crate::networks::{LATENTS, PICTURE, SIDE, SOUND};
use crate::sound::clip::{CLIP, STATES, WIDTH};
use mouthpiece_engine::EngineStage;
use ort::memory::{Allocator, MemoryInfo};
use ort::session::{IoBinding, RunOptions};
use ort::value::{DynTensor, Tensor, ValueType};
use std::time::Instant;

/// The networks that draw.
pub struct DrawingGraphs {
    pub unet: Graph,
    pub decoder: Graph,
}

/// Where batches get their memory.
pub struct BatchAllocators {
    /// What runs the networks, and on which GPU.
    pub provider: Provider,
    /// Of the host: what the device reads and writes fastest.
    pub host: Allocator,
    /// Of the device, for those that run on a stream; else ONNX Runtime makes what it needs.
    pub device: Option<Allocator>,
}

/// What one batch goes through.
pub struct BatchMemory {
    pub size: usize,
    latents: Tensor<f32>,
    sound: Tensor<f32>,
    picture: Tensor<u8>,
    plain: PlainBinding,
    streamed: Option<StreamBinding>,
    /// Its bytes after a run.
    out: Vec<u8>,
}

/// Bound anew for each run, which is when ONNX Runtime copies what goes in.
struct PlainBinding {
    mouths: IoBinding,
    pictures: IoBinding,
    options: RunOptions,
    made: bool,
}

/// Bound once, to memory of the device that stays where it is.
struct StreamBinding {
    latents: Tensor<f32>,
    sound: Tensor<f32>,
    picture: Tensor<u8>,
    mouths: IoBinding,
    pictures: IoBinding,
    /// Without CUDA graphs.
    options: RunOptions,
    /// With this batch's own: at the run that captures it the processor waits, later not.
    capture: RunOptions,
    replay: RunOptions,
    captured: bool,
}

impl BatchMemory {
    /// For the `nth` of the provider's batches, of `size` frames.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn new(nth: usize, size: usize, graphs: &DrawingGraphs, memory: &BatchAllocators) -> ort::Result<Self> {
        let (by, host) = (memory.provider, &memory.host);
        let mut picture = Tensor::<u8>::new(host, [size, SIDE, SIDE, 3])?;
        let mut pictures = graphs.decoder.session.create_binding()?;
        pictures.bind_output("picture", &mut picture)?;
        let mouths = graphs.unet.session.create_binding()?;
        let plain = PlainBinding { mouths, pictures, options: by.run_options(nth, None, true)?, made: false };
        let device = memory.device.as_ref();
        Ok(Self {
            size,
            latents: Tensor::new(host, [size, 8, 32, 32])?,
            sound: Tensor::new(host, [size, CLIP * STATES, WIDTH])?,
            picture,
            plain,
            streamed: device.map(|device| StreamBinding::new(nth, size, graphs, by, device)).transpose()?,
            out: Vec::with_capacity(size * PICTURE),
        })
    }

    /// Copies the frames; the last one again and again where there are fewer.
    ///
    /// # Errors
    /// ONNX Runtime's own.
    pub fn fill(&mut self, frames: &[(&[f32], &[f32])]) -> ort::Result<()> {
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

    /// Runs both networks, with what lies between them `between`.
    ///
    /// # Errors
    /// [`GraphError`] when one fails.
    pub fn run(
        &mut self,
        graphs: &mut DrawingGraphs,
        between: &MemoryInfo<'_>,
        [in_unet, in_decoder]: &mut [EngineStage; 2],
    ) -> Result<&[u8], GraphError> {
        let DrawingGraphs { unet, decoder } = graphs;
        let (unet_failed, decoder_failed) = (unet.failed(), decoder.failed());
        let PlainBinding { mouths, pictures, options, made } = &mut self.plain;
        let began = Instant::now();
        mouths.bind_input("latents", &self.latents).map_err(&unet_failed)?;
        mouths.bind_input("sound", &self.sound).map_err(&unet_failed)?;
        if !*made {
            mouths.bind_output_to_device("mouth", between).map_err(&unet_failed)?;
        }
        let missing = GraphError::Answer { graph: unet.name, what: "no mouth" };
        let mouth = {
            let mut drawn = unet.session.run_binding_with_options(mouths, options).map_err(&unet_failed)?;
            drawn.remove("mouth").ok_or(missing)?
        };
        pictures.bind_input("mouth", &mouth).map_err(&decoder_failed)?;
        *made = true;
        in_unet.ran_since(began);
        let began = Instant::now();
        decoder.session.run_binding_with_options(pictures, options).map_err(&decoder_failed)?;
        in_decoder.ran_since(began);
        self.drawn(decoder)
    }

    /// The same on a stream, by its CUDA graph if it `captures`.
    ///
    /// # Errors
    /// [`GraphError`] when a network or the device fails, or this was not made for a stream.
    pub fn run_on(
        &mut self,
        stream: &CudaStream,
        captures: bool,
        graphs: &mut DrawingGraphs,
        [in_unet, in_decoder]: &mut [EngineStage; 2],
    ) -> Result<&[u8], GraphError> {
        let DrawingGraphs { unet, decoder } = graphs;
        let no_stream = GraphError::Answer { graph: unet.name, what: "it was not loaded for a stream" };
        let streamed = self.streamed.as_mut().ok_or(no_stream)?;
        let options = match (captures, streamed.captured) {
            (false, _) => &streamed.options,
            (true, false) => &streamed.capture,
            (true, true) => &streamed.replay,
        };
        let (unet_failed, decoder_failed) = (unet.failed(), decoder.failed());
        let mut ran = || {
            // SAFETY: it is waited for before this function returns, whatever comes of it; until then nobody touches what is copied.
            unsafe { stream.send(&self.latents, &mut streamed.latents) }.map_err(unet.stream_failed())?;
            // SAFETY: likewise.
            unsafe { stream.send(&self.sound, &mut streamed.sound) }.map_err(unet.stream_failed())?;
            stream.mark(0).map_err(unet.stream_failed())?;
            unet.session.run_binding_with_options(&streamed.mouths, options).map_err(&unet_failed)?;
            stream.mark(1).map_err(unet.stream_failed())?;
            decoder.session.run_binding_with_options(&streamed.pictures, options).map_err(&decoder_failed)?;
            // SAFETY: likewise.
            unsafe { stream.fetch(&streamed.picture, &mut self.picture) }.map_err(decoder.stream_failed())?;
            stream.mark(2).map_err(decoder.stream_failed())
        };
        let ran = ran();
        let waited = stream.wait().map_err(decoder.stream_failed());
        ran.and(waited)?;
        in_unet.ran(stream.took(0).map_err(unet.stream_failed())?);
        in_decoder.ran(stream.took(1).map_err(decoder.stream_failed())?);
        streamed.captured |= captures;
        self.drawn(decoder)
    }

    fn drawn(&mut self, decoder: &Graph) -> Result<&[u8], GraphError> {
        let (_, bytes) = self.picture.try_extract_tensor::<u8>().map_err(decoder.failed())?;
        self.out.clear();
        self.out.extend_from_slice(bytes);
        Ok(&self.out)
    }
}

impl StreamBinding {
    fn new(nth: usize, size: usize, graphs: &DrawingGraphs, by: Provider, device: &Allocator) -> ort::Result<Self> {
        let DrawingGraphs { unet, decoder } = graphs;
        let latents = Tensor::<f32>::new(device, [size, 8, 32, 32])?;
        let sound = Tensor::<f32>::new(device, [size, CLIP * STATES, WIDTH])?;
        let mut picture = Tensor::<u8>::new(device, [size, SIDE, SIDE, 3])?;
        // Of the precision inside, which both graphs were found to share.
        let Some(ValueType::Tensor { ty, .. }) = unet.output("mouth") else {
            return Err(ort::Error::new("the UNet has no mouth"));
        };
        let mut mouth = DynTensor::new(device, *ty, [size, 4, 32, 32])?;
        let (mut mouths, mut pictures) = (unet.session.create_binding()?, decoder.session.create_binding()?);
        mouths.bind_input("latents", &latents)?;
        mouths.bind_input("sound", &sound)?;
        mouths.bind_output("mouth", &mut mouth)?;
        pictures.bind_input("mouth", &mouth)?;
        pictures.bind_output("picture", &mut picture)?;
        // CUDA graphs of a session are told apart by the size; 0 is what ONNX Runtime takes when it is told nothing.
        let captured = Some(size);
        Ok(Self {
            latents,
            sound,
            picture,
            mouths,
            pictures,
            options: by.run_options(nth, None, false)?,
            capture: by.run_options(nth, captured, true)?,
            replay: by.run_options(nth, captured, false)?,
            captured: false,
        })
    }
}
