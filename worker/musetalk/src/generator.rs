//! The networks that draw: latents of a face and sound in, pictures of a mouth out.

use crate::batch::{BatchAllocators, BatchMemory, DrawingGraphs};
use crate::graph::{
    CacheVerdict, CudaStream, DeviceWork, Graph, GraphError, GraphSource, Precision, Provider, Runtime, TensorWanted,
    go_together,
};
use crate::launch::{LaunchTrial, LaunchWay, same_pictures};
use crate::networks::{LATENTS, NetworkSettings, PICTURE, SIDE, SOUND};
use crate::sound::clip::{CLIP, STATES, WIDTH};
use mouthpiece_engine::EngineStage;
use ort::memory::MemoryInfo;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Calls that are timed of each way.
const CALLS: u32 = 4;

/// The UNet and a decoder, with the latents between them on the device and all memory made in advance.
pub struct MouthGenerator {
    /// One for each batch that the provider runs; a number of frames between two of them is filled up with the last frame.
    batches: Vec<BatchMemory>,
    // After what is bound to them, before the stream on which they work.
    graphs: DrawingGraphs,
    between: MemoryInfo<'static>,
    stream: Option<Arc<CudaStream>>,
    /// How work is handed over.
    way: LaunchWay,
    /// How that was chosen, if it was.
    trial: Option<LaunchTrial>,
    /// What UNet and decoder took.
    stages: [EngineStage; 2],
}

impl MouthGenerator {
    /// Loads both graphs.
    ///
    /// # Errors
    /// [`GraphError`] when one is missing, damaged, another one, or of another precision than the other.
    pub fn load(runtime: &Runtime, settings: &NetworkSettings, provider: Provider) -> Result<Self, GraphError> {
        Self::load_for(runtime, settings, provider, DeviceWork::default())
    }

    /// The same for a stream, on which it works once a way was chosen that does ([`MouthGenerator::choose_way`]).
    ///
    /// # Errors
    /// As [`MouthGenerator::load`], and when CUDA graphs are to be captured and cannot be of these.
    pub(crate) fn load_for(
        runtime: &Runtime,
        settings: &NetworkSettings,
        provider: Provider,
        work: DeviceWork<'_>,
    ) -> Result<Self, GraphError> {
        let load = |name| Self::load_graph(runtime, settings, provider, name, work);
        let (unet, decoder) = (load("unet")?, load(settings.decoder.graph())?);
        go_together(&unet, &decoder, "mouth")?;
        let (failed, device) = (unet.failed(), settings.device);
        let between = provider.memory(device).map_err(&failed)?;
        let memory = BatchAllocators {
            provider,
            host: provider.host_memory(&unet.session, device).map_err(&failed)?,
            device: work.stream.map(|_| provider.device_memory(&unet.session, device)).transpose().map_err(&failed)?,
        };
        let graphs = DrawingGraphs { unet, decoder };
        let make = |(nth, size): (usize, &usize)| BatchMemory::new(nth, *size, &graphs, &memory).map_err(&failed);
        let batches = provider.batches().iter().enumerate().map(make).collect::<Result<_, _>>()?;
        let stages = [EngineStage::new("unet"), EngineStage::new("decoder")];
        let stream = work.stream.cloned();
        Ok(Self { batches, graphs, between, stream, way: LaunchWay::Plain, trial: None, stages })
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
        work: DeviceWork<'_>,
    ) -> Result<Graph, GraphError> {
        let source = GraphSource { work, ..settings.source(runtime, name, provider) };
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

    /// How work is handed to the device, for people, if that was chosen.
    pub fn launched(&self) -> Option<String> {
        self.trial.as_ref().map(LaunchTrial::to_string)
    }

    /// Goes another way.
    #[cfg(test)]
    pub(crate) fn go(&mut self, way: LaunchWay) {
        self.way = way;
    }

    /// Measures the ways in which work can be handed to the device, and takes the fastest of those that draw the same pictures as the
    /// plain one. CUDA graphs are tried only if it `captures`: then this thread must be the only one that uses the device, and draw
    /// later, too. `unhappy` is why that is not tried, if somebody wanted it.
    ///
    /// # Errors
    /// [`GraphError`] when a network fails. What failed may not work any more in any way: it must be loaded again.
    pub(crate) fn choose_way(&mut self, captures: bool, unhappy: Option<String>) -> Result<(), GraphError> {
        let mut trial = LaunchTrial { given_up: unhappy, ..LaunchTrial::default() };
        let known = self.samples()?;
        trial.plain = self.frames_per_second()?;
        if self.stream.is_some() {
            for (way, measured) in [(LaunchWay::Stream, &mut trial.stream), (LaunchWay::Graphs, &mut trial.graphs)] {
                if way == LaunchWay::Graphs && !captures {
                    continue;
                }
                self.way = way;
                // Once by the run that captures, once by what it captured; all batches before any of them is measured.
                let drawn = [self.samples()?, self.samples()?];
                if drawn.iter().flatten().zip(known.iter().chain(&known)).all(|(a, b)| same_pictures(a, b)) {
                    *measured = Some(self.frames_per_second()?);
                } else {
                    trial.given_up = Some(format!("{} drew other pictures", way.name()));
                }
            }
        }
        self.way = trial.choice();
        self.trial = Some(trial);
        self.take_stages();
        Ok(())
    }

    /// What every batch draws of frames that differ from one another.
    fn samples(&mut self) -> Result<Vec<Vec<u8>>, GraphError> {
        let sizes: Vec<usize> = self.batches.iter().map(|memory| memory.size).collect();
        let mut drawn = Vec::with_capacity(sizes.len());
        for size in sizes {
            let values: Vec<_> = (0..size).map(|nth| (noise(size + nth, LATENTS), noise(99 + nth, SOUND))).collect();
            let frames: Vec<_> = values.iter().map(|(face, heard)| (face.as_slice(), heard.as_slice())).collect();
            drawn.push(self.run(&frames)?.to_vec());
        }
        Ok(drawn)
    }

    /// Frames a second of the smallest batches, of one speaker and of a few: what a worker draws most. All memory was made before.
    fn frames_per_second(&mut self) -> Result<f64, GraphError> {
        let (face, heard) = (noise(1, LATENTS), noise(2, SOUND));
        let sizes: Vec<usize> = self.batches.iter().map(|memory| memory.size).take(2).collect();
        let (mut frames, mut took) = (0, Duration::ZERO);
        for size in sizes {
            let given = vec![(face.as_slice(), heard.as_slice()); size];
            for _ in 0..CALLS {
                let began = Instant::now();
                self.run(&given)?;
                (frames, took) = (frames + size, took + began.elapsed());
            }
        }
        Ok(frames as f64 / took.as_secs_f64().max(1e-6))
    }

    fn run(&mut self, frames: &[(&[f32], &[f32])]) -> Result<&[u8], GraphError> {
        let Self { batches, graphs, between, stream, way, stages, .. } = self;
        let Some(memory) = batches.iter_mut().find(|memory| memory.size >= frames.len()) else { return Ok(&[]) };
        memory.fill(frames).map_err(graphs.unet.failed())?;
        match (way, stream) {
            (LaunchWay::Stream, Some(stream)) => memory.run_on(stream, false, graphs, stages),
            (LaunchWay::Graphs, Some(stream)) => memory.run_on(stream, true, graphs, stages),
            _ => memory.run(graphs, between, stages),
        }
    }
}

/// Numbers from -1 to 1 that look like noise, and are the same each time.
fn noise(seed: usize, length: usize) -> Vec<f32> {
    let mut state = (seed as u32).wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

/// Calls `then` with the inputs and outputs of the UNet, or of a decoder.
fn with_tensors<T>(name: &str, then: impl FnOnce(&[TensorWanted<'_>], &[TensorWanted<'_>]) -> T) -> T {
    let latents = TensorWanted::new("latents", Precision::F32, &[None, Some(8), Some(32), Some(32)]);
    let sound = TensorWanted::new("sound", Precision::F32, &[None, Some(CLIP * STATES), Some(WIDTH)]);
    let mouth = TensorWanted::new("mouth", Precision::Inner, &[None, Some(4), Some(32), Some(32)]);
    let picture = TensorWanted::new("picture", Precision::U8, &[None, Some(SIDE), Some(SIDE), Some(3)]);
    if name == "unet" { then(&[latents, sound], &[mouth]) } else { then(&[mouth], &[picture]) }
}
