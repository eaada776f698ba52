//! From sound to features: what an audio model must give, and Whisper as the one that is there.

use super::clip::{FEATURE, FEATURE_SAMPLES};
use super::mel::{BANDS, HOP, WhisperMel};
use crate::graph::{Graph, GraphError, GraphSource, Precision, TensorWanted};
use mouthpiece_engine::EngineStage;
use ort::value::TensorRef;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// An audio model. Another one than Whisper gives 50 features of [`FEATURE`] values a second, too: whatever it computes between.
pub trait SoundEncoder: Send {
    /// Writes the features of `samples` (16 kHz, -1..=1; a multiple of 320) to `out`, which is emptied first. `loudest` is what was
    /// loudest before them, in the model's own measure; returns what is loudest in them.
    ///
    /// # Errors
    /// [`GraphError`] when the model fails.
    fn encode(&mut self, samples: &[f32], loudest: f64, out: &mut Vec<f32>) -> Result<f64, GraphError>;
}

/// Whisper tiny's encoder. Clones share the network, and run it one after the other.
#[derive(Clone)]
pub struct Whisper {
    graph: Arc<Mutex<Graph>>,
    stage: Arc<Mutex<EngineStage>>,
}

impl Whisper {
    /// Loads the graph.
    ///
    /// # Errors
    /// [`GraphError`] when it is missing, damaged or another one.
    pub fn load(source: &GraphSource<'_>) -> Result<Self, GraphError> {
        let mel = TensorWanted::new("mel", Precision::F32, &[None, Some(BANDS), None]);
        let features = TensorWanted::new("features", Precision::F32, &[None, None, Some(5), Some(384)]);
        let graph = Graph::load(source, &[mel], &[features])?;
        let stage = Arc::new(Mutex::new(EngineStage::new("hear")));
        Ok(Self { graph: Arc::new(Mutex::new(graph)), stage })
    }

    /// What listening took since it was asked last, waiting for one another included.
    pub fn take_stage(&self) -> EngineStage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Has all clones, and the ears that have them, run what `other` loaded. What has other owners is left as it is.
    pub(crate) fn replace(&self, other: Self) {
        if let Some(graph) = Arc::into_inner(other.graph) {
            let fresh = graph.into_inner().unwrap_or_else(PoisonError::into_inner);
            *self.graph.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// An encoder for one session.
    pub fn encoder(&self) -> WhisperEncoder {
        WhisperEncoder { whisper: self.clone(), mel: WhisperMel::default(), spectrum: Vec::new() }
    }
}

/// Whisper for one session: the spectrum is its own.
pub struct WhisperEncoder {
    whisper: Whisper,
    mel: WhisperMel,
    spectrum: Vec<f32>,
}

impl SoundEncoder for WhisperEncoder {
    fn encode(&mut self, samples: &[f32], loudest: f64, out: &mut Vec<f32>) -> Result<f64, GraphError> {
        let began = Instant::now();
        let frames = samples.len() / HOP;
        self.spectrum.resize(BANDS * frames, 0.0);
        let peak = self.mel.log_mel(samples, loudest, &mut self.spectrum);
        // A panic while it ran leaves a session that can be run again.
        let mut graph = self.whisper.graph.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = graph.failed();
        let mel = TensorRef::from_array_view(([1, BANDS, frames], self.spectrum.as_slice())).map_err(&failed)?;
        let outputs = graph.session.run(ort::inputs!["mel" => mel]).map_err(&failed)?;
        let (_, features) = outputs["features"].try_extract_tensor::<f32>().map_err(&failed)?;
        out.clear();
        out.extend_from_slice(features);
        let wanted = samples.len() / FEATURE_SAMPLES * FEATURE;
        if out.len() != wanted || out.iter().any(|value| !value.is_finite()) {
            return Err(GraphError::Answer { graph: "whisper", what: "features of another size, or not numbers" });
        }
        self.whisper.stage.lock().unwrap_or_else(PoisonError::into_inner).ran_since(began);
        Ok(peak)
    }
}
