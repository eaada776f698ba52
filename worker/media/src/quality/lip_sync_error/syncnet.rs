//! SyncNet's two networks.

use super::super::judge;
use super::crop::SIDE;
use super::mfcc::COEFFICIENTS;
use crate::face::Runtime;
use mouthpiece_graph::{Graph, GraphError, Precision, TensorWanted};
use ort::value::TensorRef;
use std::path::Path;

/// How one gets its graphs.
const REMEDY: &str = "fetch SyncNet's weights with 'mouthpiece models fetch syncnet' and make it with 'mouthpiece models export syncnet'";
/// Values of an answer.
const WIDTH: usize = 1024;
/// Cepstral frames of a window.
pub const STEPS: usize = 20;
/// Pictures of a window.
pub const PICTURES: usize = 5;

/// SyncNet, loaded.
pub struct SyncNet {
    voice: Graph,
    mouth: Graph,
}

impl SyncNet {
    /// Loads both graphs of `folder`.
    ///
    /// # Errors
    /// [`GraphError`] with the file and how one gets it.
    pub fn load(runtime: &Runtime, folder: &Path) -> Result<Self, GraphError> {
        let answer = TensorWanted::new("embedding", Precision::F32, &[None, Some(WIDTH)]);
        let heard = TensorWanted::new("mfcc", Precision::F32, &[None, Some(1), Some(COEFFICIENTS), Some(STEPS)]);
        let seen = TensorWanted::new("frames", Precision::U8, &[None, Some(PICTURES), Some(SIDE), Some(SIDE), Some(3)]);
        Ok(Self {
            voice: judge::load(runtime, folder, "syncnet_audio", REMEDY, heard, answer)?,
            mouth: judge::load(runtime, folder, "syncnet_video", REMEDY, seen, answer)?,
        })
    }

    /// What is heard in each window of [`STEPS`] cepstral frames.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    pub fn hear(&mut self, windows: &[&[[f32; COEFFICIENTS]]]) -> Result<Vec<Vec<f32>>, GraphError> {
        let mut values = Vec::with_capacity(windows.len() * COEFFICIENTS * STEPS);
        for window in windows {
            for coefficient in 0..COEFFICIENTS {
                values.extend(window.iter().map(|frame| frame[coefficient]));
            }
        }
        let failed = self.voice.failed();
        let shape = [windows.len(), 1, COEFFICIENTS, STEPS];
        let given = TensorRef::from_array_view((shape, values.as_slice())).map_err(&failed)?;
        let answers = self.voice.session.run(ort::inputs!["mfcc" => given]).map_err(&failed)?;
        let (_, answers) = answers["embedding"].try_extract_tensor::<f32>().map_err(&failed)?;
        judge::rows("syncnet_audio", answers, [windows.len(), WIDTH])
    }

    /// What is seen in each window: [`PICTURES`] squares of [`SIDE`] x [`SIDE`] RGB, one after the other.
    ///
    /// # Errors
    /// [`GraphError`] when the network fails.
    pub fn see(&mut self, windows: usize, pixels: &[u8]) -> Result<Vec<Vec<f32>>, GraphError> {
        let failed = self.mouth.failed();
        let shape = [windows, PICTURES, SIDE, SIDE, 3];
        let given = TensorRef::from_array_view((shape, pixels)).map_err(&failed)?;
        let answers = self.mouth.session.run(ort::inputs!["frames" => given]).map_err(&failed)?;
        let (_, answers) = answers["embedding"].try_extract_tensor::<f32>().map_err(&failed)?;
        judge::rows("syncnet_video", answers, [windows, WIDTH])
    }
}
