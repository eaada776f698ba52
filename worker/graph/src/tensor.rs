//! What goes into a graph and comes out of it, wanted and found.

use ort::value::{Outlet, TensorElementType, ValueType};
use std::fmt;

/// What values a tensor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Bytes.
    U8,
    /// 32-bit floats.
    F32,
    /// Floats of the precision that the graph was made in, 16 or 32 bits.
    Inner,
}

impl Precision {
    fn fits(self, found: TensorElementType) -> bool {
        match self {
            Self::U8 => found == TensorElementType::Uint8,
            Self::F32 => found == TensorElementType::Float32,
            Self::Inner => matches!(found, TensorElementType::Float16 | TensorElementType::Float32),
        }
    }
}

/// A tensor that a graph must have.
#[derive(Debug, Clone, Copy)]
pub struct TensorWanted<'a> {
    /// Its name.
    pub name: &'a str,
    values: Precision,
    /// `None`: any size.
    shape: &'a [Option<usize>],
}

impl<'a> TensorWanted<'a> {
    /// Of this name, values and shape, where `None` is any size.
    pub fn new(name: &'a str, values: Precision, shape: &'a [Option<usize>]) -> Self {
        Self { name, values, shape }
    }

    /// True for a tensor that can be used as this one. What the graph leaves open may be any size.
    pub fn fits(&self, found: &ValueType) -> bool {
        let ValueType::Tensor { ty, shape, .. } = found else { return false };
        let sizes = shape.iter().zip(self.shape);
        self.values.fits(*ty)
            && shape.len() == self.shape.len()
            && sizes
                .into_iter()
                .all(|(found, wanted)| *found < 0 || wanted.is_none_or(|w| i64::try_from(w) == Ok(*found)))
    }
}

/// The shapes of `inputs` for each of `batches`, as TensorRT's profiles are written; `None` where a size beside the batch is
/// open.
pub fn profiles(inputs: &[TensorWanted<'_>], batches: &[usize]) -> Option<String> {
    let mut shapes = Vec::new();
    for batch in batches {
        for input in inputs {
            let fixed: Option<Vec<usize>> = input.shape.get(1..)?.iter().copied().collect();
            let sizes: Vec<String> = std::iter::once(*batch).chain(fixed?).map(|size| size.to_string()).collect();
            shapes.push(format!("{}:{}", input.name, sizes.join("x")));
        }
    }
    Some(shapes.join(","))
}

impl fmt::Display for TensorWanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = match self.values {
            Precision::U8 => "u8",
            Precision::F32 => "f32",
            Precision::Inner => "f16 or f32",
        };
        let sizes: Vec<_> =
            self.shape.iter().map(|size| size.map_or_else(|| "?".to_owned(), |n| n.to_string())).collect();
        write!(f, "{values} [{}]", sizes.join(", "))
    }
}

/// A tensor as it was found, for people.
pub fn told(found: &ValueType) -> String {
    let ValueType::Tensor { ty, shape, .. } = found else { return "no tensor".to_owned() };
    let sizes: Vec<_> = shape.iter().map(|n| if *n < 0 { "?".to_owned() } else { n.to_string() }).collect();
    format!("{ty} [{}]", sizes.join(", "))
}

/// The names of tensors, for people.
pub fn names(outlets: &[Outlet]) -> String {
    let names: Vec<_> = outlets.iter().map(Outlet::name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ort::value::{Shape, SymbolicDimensions};

    #[test]
    fn profiles_are_the_shapes_of_each_batch() {
        let latents = TensorWanted::new("latents", Precision::F32, &[None, Some(8), Some(32), Some(32)]);
        let sound = TensorWanted::new("sound", Precision::F32, &[None, Some(50), Some(384)]);
        let told = profiles(&[latents, sound], &[1, 4]).unwrap();
        assert_eq!(told, "latents:1x8x32x32,sound:1x50x384,latents:4x8x32x32,sound:4x50x384");
        let mel = TensorWanted::new("mel", Precision::F32, &[None, Some(80), None]);
        assert_eq!(profiles(&[mel], &[1]), None, "a length that is open");
    }

    fn tensor(ty: TensorElementType, shape: &[i64]) -> ValueType {
        let shape = Shape::new(shape.iter().copied());
        ValueType::Tensor { ty, dimension_symbols: SymbolicDimensions::empty(shape.len()), shape }
    }

    #[test]
    fn a_tensor_fits_by_its_values_and_by_the_sizes_that_are_told() {
        let wanted = TensorWanted::new("mouth", Precision::Inner, &[None, Some(4), Some(32), Some(32)]);
        let (half, full, byte) = (TensorElementType::Float16, TensorElementType::Float32, TensorElementType::Uint8);
        for (ty, shape) in [(half, [-1, 4, 32, 32]), (full, [2, 4, 32, 32]), (half, [-1, -1, 32, -1])] {
            assert!(wanted.fits(&tensor(ty, &shape)), "{shape:?}");
        }
        for (ty, shape) in [(byte, vec![-1, 4, 32, 32]), (half, vec![-1, 4, 64, 32]), (half, vec![4, 32, 32])] {
            assert!(!wanted.fits(&tensor(ty, &shape)), "{shape:?}");
        }
        assert_eq!(wanted.to_string(), "f16 or f32 [?, 4, 32, 32]");
        assert_eq!(told(&tensor(half, &[-1, 4, 64, 32])), "f16 [?, 4, 64, 32]");
    }
}
