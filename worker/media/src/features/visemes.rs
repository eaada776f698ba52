//! The visemes: the mouth shapes that sounds are told apart by.

/// Number of visemes.
pub const VISEMES: usize = 15;

/// The visemes (Oculus set), in the order of the network's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is named by the sounds that it stands for
pub enum Viseme {
    Silence,
    PP,
    FF,
    TH,
    DD,
    KK,
    CH,
    SS,
    NN,
    RR,
    AA,
    E,
    I,
    O,
    U,
}

impl Viseme {
    /// All of them, in order.
    pub const ALL: [Self; VISEMES] = [
        Self::Silence,
        Self::PP,
        Self::FF,
        Self::TH,
        Self::DD,
        Self::KK,
        Self::CH,
        Self::SS,
        Self::NN,
        Self::RR,
        Self::AA,
        Self::E,
        Self::I,
        Self::O,
        Self::U,
    ];

    /// The name used in weight files and label files, for example `PP`.
    pub fn name(self) -> &'static str {
        ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"][self as usize]
    }

    /// The viseme of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

/// Logits to weights that sum to 1.
pub fn softmax(logits: &[f32; VISEMES]) -> [f32; VISEMES] {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let e = logits.map(|v| (v - most).exp());
    let sum: f32 = e.iter().sum();
    e.map(|v| v / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_visemes_correspond() {
        for v in Viseme::ALL {
            assert_eq!(Viseme::from_name(v.name()), Some(v));
        }
        assert_eq!(Viseme::from_name("zz"), None);
    }

    #[test]
    fn weights_sum_to_one_however_large_the_logits() {
        let mut logits = [500.0; VISEMES];
        logits[3] = 502.0;
        let p = softmax(&logits);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5 && p[3] > p[0]);
    }
}
