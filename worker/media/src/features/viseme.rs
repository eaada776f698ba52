//! Speech to visemes: a causal dilated convolution network of our own, its forward pass written out.
//!
//! The network and its training are in `models/viseme/`. It answers `look_ahead` frames late: the logits that come out
//! when frame t + look_ahead goes in describe frame t. Streaming state is one ring of past frames a block.

use super::logmel::BANDS;
use super::visemes::{VISEMES, Viseme};
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

/// Why a weight file cannot be used.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The bytes are not a safetensors file.
    #[error("the viseme weights are not a safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor is missing or has another shape or type.
    #[error("the viseme weights lack tensor '{name}' of {expected} float32 values")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// How many values it needs.
        expected: usize,
    },
    /// The header lacks something or says something else than this code expects.
    #[error("the viseme weights' header is wrong at '{0}'")]
    Header(&'static str),
}

/// The weights that are shipped.
static SHIPPED: &[u8] = include_bytes!("../../../../models/viseme/viseme.safetensors");

/// A matrix that is applied to columns: stored input after input, so that the inner loop runs over the outputs.
#[derive(Debug)]
struct Matrix {
    inputs: usize,
    outputs: usize,
    weights: Vec<f32>,
}

impl Matrix {
    /// From row-major `[outputs][inputs * stride]`, taking each `stride`-th value from `offset`.
    fn transposed(rows: &[f32], outputs: usize, inputs: usize, stride: usize, offset: usize) -> Self {
        let mut weights = vec![0.0; inputs * outputs];
        for o in 0..outputs {
            for i in 0..inputs {
                weights[i * outputs + o] = rows[(o * inputs + i) * stride + offset];
            }
        }
        Self { inputs, outputs, weights }
    }

    /// `out += self * x`
    #[inline]
    fn add_to(&self, x: &[f32], out: &mut [f32]) {
        debug_assert_eq!((x.len(), out.len()), (self.inputs, self.outputs));
        for (column, &v) in self.weights.chunks_exact(self.outputs).zip(x) {
            if v != 0.0 {
                for (o, w) in out.iter_mut().zip(column) {
                    *o += w * v;
                }
            }
        }
    }
}

#[derive(Debug)]
struct Block {
    dilation: usize,
    taps: [Matrix; 3],
    conv_bias: Vec<f32>,
    projection: Matrix,
    projection_bias: Vec<f32>,
}

/// The network's weights; shared by any number of streams.
#[derive(Debug)]
pub struct VisemeNet {
    mean: Vec<f32>,
    inverse_deviation: Vec<f32>,
    filterbank: Vec<f32>,
    channels: usize,
    look_ahead: usize,
    bilabial_bias: f32,
    input: (Matrix, Vec<f32>),
    blocks: Vec<Block>,
    output: (Matrix, Vec<f32>),
}

impl VisemeNet {
    /// The weights shipped with this crate.
    ///
    /// # Errors
    /// Never for the shipped file; a test loads it.
    pub fn shipped() -> Result<Self, NetworkError> {
        Self::from_bytes(SHIPPED)
    }

    /// Reads weights from a safetensors file as `models/viseme/export.py` writes it.
    ///
    /// # Errors
    /// [`NetworkError`] when the file is malformed, or a tensor is missing or of another shape.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NetworkError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let info = header.metadata().as_ref().ok_or(NetworkError::Header("__metadata__"))?;
        let number = |key: &'static str| -> Result<usize, NetworkError> {
            info.get(key).and_then(|v| v.parse().ok()).ok_or(NetworkError::Header(key))
        };
        let dilations = info
            .get("dilations")
            .and_then(|d| d.split(',').map(|v| v.trim().parse().ok().filter(|d| (1..=64).contains(d))).collect())
            .ok_or(NetworkError::Header("dilations"))?;
        let dilations: Vec<usize> = dilations;
        let look_ahead = number("look_ahead_hops")?;
        let names: Vec<&str> = info.get("visemes").map(|v| v.split(',').collect()).unwrap_or_default();
        if names != Viseme::ALL.map(Viseme::name) {
            return Err(NetworkError::Header("visemes"));
        }
        if look_ahead > 16 || dilations.len() > 32 {
            return Err(NetworkError::Header("look_ahead_hops"));
        }
        let file = SafeTensors::deserialize(bytes)?;
        let tensor = |name: &str, expected: usize| floats(&file, name, expected);
        let channels = file.tensor("input.bias").map(|t| t.shape().iter().product()).unwrap_or(0);
        if channels == 0 || channels > 1024 {
            return Err(NetworkError::Tensor { name: "input.bias".into(), expected: 64 });
        }
        let blocks = dilations
            .into_iter()
            .enumerate()
            .map(|(i, dilation)| {
                let conv = tensor(&format!("blocks.{i}.conv.weight"), channels * channels * 3)?;
                let projection = tensor(&format!("blocks.{i}.proj.weight"), channels * channels)?;
                Ok(Block {
                    dilation,
                    taps: [0, 1, 2].map(|k| Matrix::transposed(&conv, channels, channels, 3, k)),
                    conv_bias: tensor(&format!("blocks.{i}.conv.bias"), channels)?,
                    projection: Matrix::transposed(&projection, channels, channels, 1, 0),
                    projection_bias: tensor(&format!("blocks.{i}.proj.bias"), channels)?,
                })
            })
            .collect::<Result<_, NetworkError>>()?;
        let input = tensor("input.weight", channels * BANDS)?;
        let output = tensor("output.weight", VISEMES * channels)?;
        Ok(Self {
            mean: tensor("mean", BANDS)?,
            inverse_deviation: tensor("std", BANDS)?.iter().map(|s| 1.0 / s.max(1e-6)).collect(),
            filterbank: tensor("mel", BANDS * 257)?,
            input: (Matrix::transposed(&input, channels, BANDS, 1, 0), tensor("input.bias", channels)?),
            output: (Matrix::transposed(&output, VISEMES, channels, 1, 0), tensor("output.bias", VISEMES)?),
            blocks,
            channels,
            look_ahead,
            bilabial_bias: info.get("bias_pp").and_then(|v| v.parse().ok()).unwrap_or(0.0),
        })
    }

    /// How many frames (10 ms each) past the described one it needs.
    pub fn look_ahead(&self) -> usize {
        self.look_ahead
    }

    /// How much the logit of [`Viseme::PP`] was raised so that no closure is missed; without it, false closures are
    /// rarer.
    pub fn bilabial_bias(&self) -> f32 {
        self.bilabial_bias
    }

    /// The mel filterbank that it was trained with, for [`LogMel::new`](super::LogMel::new).
    pub fn filterbank(&self) -> &[f32] {
        &self.filterbank
    }
}

/// A tensor's values; safetensors does not promise alignment, so they are copied.
fn floats(file: &SafeTensors<'_>, name: &str, expected: usize) -> Result<Vec<f32>, NetworkError> {
    let wrong = || NetworkError::Tensor { name: name.to_owned(), expected };
    let t = file.tensor(name).map_err(|_| wrong())?;
    if t.dtype() != Dtype::F32 || t.shape().iter().product::<usize>() != expected {
        return Err(wrong());
    }
    let values: Vec<f32> = t.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(wrong()) }
}

/// One sound's way through the network. Allocates nothing after its construction.
#[derive(Debug)]
pub struct VisemeStream {
    /// A ring of past inputs for each block, `2 * dilation + 1` frames of `channels`.
    past: Vec<Vec<f32>>,
    frames: usize,
    hidden: Vec<f32>,
    conv: Vec<f32>,
    normal: [f32; BANDS],
    /// The last frame, how often it was repeated, and after how many repetitions every ring holds nothing else.
    last: [f32; BANDS],
    repeated: usize,
    settled: usize,
    answer: [f32; VISEMES],
}

impl VisemeStream {
    /// The start of a sound.
    pub fn new(net: &VisemeNet) -> Self {
        Self {
            past: net.blocks.iter().map(|b| vec![0.0; (2 * b.dilation + 1) * net.channels]).collect(),
            frames: 0,
            hidden: vec![0.0; net.channels],
            conv: vec![0.0; net.channels],
            normal: [0.0; BANDS],
            last: [f32::NAN; BANDS],
            repeated: 0,
            settled: net.look_ahead.max(net.blocks.iter().map(|b| 2 * b.dilation).sum()),
            answer: [0.0; VISEMES],
        }
    }

    /// Takes the next frame. From the frame `look_ahead` on it gives the logits of the frame `look_ahead` earlier.
    ///
    /// A frame that has been repeated for longer than the network remembers, as in digital silence, costs nothing: what
    /// is inside would be replaced by itself.
    pub fn push(&mut self, net: &VisemeNet, frame: &[f32; BANDS]) -> Option<[f32; VISEMES]> {
        self.repeated = if *frame == self.last { self.repeated + 1 } else { 0 };
        if self.repeated > self.settled {
            return Some(self.answer);
        }
        self.last = *frame;
        for (i, to) in self.normal.iter_mut().enumerate() {
            *to = (frame[i] - net.mean[i]) * net.inverse_deviation[i];
        }
        let c = net.channels;
        self.hidden.copy_from_slice(&net.input.1);
        net.input.0.add_to(&self.normal, &mut self.hidden);
        relu(&mut self.hidden);
        for (block, past) in net.blocks.iter().zip(&mut self.past) {
            let slots = 2 * block.dilation + 1;
            let now = self.frames % slots;
            past[now * c..(now + 1) * c].copy_from_slice(&self.hidden);
            self.conv.copy_from_slice(&block.conv_bias);
            for (k, tap) in block.taps.iter().enumerate() {
                // Tap 0 reaches furthest back. Rings start as zeros: the padding before the sound.
                let slot = (now + slots - (2 - k) * block.dilation) % slots;
                tap.add_to(&past[slot * c..(slot + 1) * c], &mut self.conv);
            }
            relu(&mut self.conv);
            for (h, b) in self.hidden.iter_mut().zip(&block.projection_bias) {
                *h += b;
            }
            block.projection.add_to(&self.conv, &mut self.hidden);
        }
        self.frames += 1;
        if self.frames <= net.look_ahead {
            return None;
        }
        self.answer.copy_from_slice(&net.output.1);
        net.output.0.add_to(&self.hidden, &mut self.answer);
        Some(self.answer)
    }
}

fn relu(values: &mut [f32]) {
    for v in values {
        *v = v.max(0.0);
    }
}

#[cfg(test)]
#[path = "viseme_tests.rs"]
mod tests;
