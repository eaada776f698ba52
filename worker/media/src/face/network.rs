//! One ONNX graph with a picture going in and tensors coming out.

use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};

use super::{FaceError, Runtime};

/// A loaded network with a square RGB input `image`, `[1, side, side, 3]`.
pub(super) struct Network {
    name: &'static str,
    session: Session,
    side: usize,
}

impl Network {
    /// Loads `graph`, to run on the calling thread alone.
    pub(super) fn new(
        runtime: &Runtime,
        name: &'static str,
        graph: &'static [u8],
        side: usize,
    ) -> Result<Self, FaceError> {
        let build = || -> ort::Result<Session> {
            Session::builder(runtime.environment())?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .commit_from_memory(graph)
        };
        Ok(Self { name, session: build().map_err(|source| FaceError::Load { network: name, source })?, side })
    }

    /// Runs on `pixels` (`side * side * 3` values) and copies the outputs `names`, checked to hold `lengths` finite values.
    pub(super) fn run<const N: usize>(
        &mut self,
        pixels: &[f32],
        names: [&str; N],
        lengths: [usize; N],
    ) -> Result<[Vec<f32>; N], FaceError> {
        let name = self.name;
        let failed = |source| FaceError::Run { network: name, source };
        let input = TensorRef::from_array_view(([1, self.side, self.side, 3], pixels)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs!["image" => input]).map_err(failed)?;
        let mut copies = [const { Vec::new() }; N];
        for ((copy, wanted), length) in copies.iter_mut().zip(names).zip(lengths) {
            let tensor =
                outputs.get(wanted).ok_or(FaceError::Answer { network: name, what: "an output is missing" })?;
            let (_, values) = tensor.try_extract_tensor::<f32>().map_err(failed)?;
            if values.len() != length {
                return Err(FaceError::Answer { network: name, what: "an output has another size" });
            }
            if values.iter().any(|value| !value.is_finite()) {
                return Err(FaceError::Answer { network: name, what: "not a number" });
            }
            copy.extend_from_slice(values);
        }
        Ok(copies)
    }
}

/// The logistic function, 0..=1.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x.clamp(-80.0, 80.0)).exp())
}
