//! How work is handed to a GPU, and which way pays. Pure.
//!
//! ```text
//! plain    ONNX Runtime copies in and out, and waits after each network
//! stream   copies and networks follow one another on one stream, in memory that stays where it is; one wait a call
//! graphs   the same, each network's kernels started by one CUDA graph for each number of frames
//! ```

use std::fmt;

/// By how much a way must beat the simpler one to be worth it: what is measured twice differs by a few hundredths.
const WORTH: f64 = 1.03;
/// By how much pictures may differ on average, of 255, that are called the same: kernels may add in another order.
const SAME: f64 = 0.5;

/// How work is to be handed to a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LaunchChoice {
    /// As ONNX Runtime does it by itself.
    #[default]
    Plain,
    /// What is measured to be fastest when the networks are loaded, of what draws the same pictures.
    Auto,
}

/// How work is handed to a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchWay {
    /// ONNX Runtime copies and waits.
    Plain,
    /// On one stream.
    Stream,
    /// On one stream, by CUDA graphs.
    Graphs,
}

impl LaunchWay {
    /// All, the simplest first.
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Plain, Self::Stream, Self::Graphs];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "on one stream",
            Self::Graphs => "on one stream by CUDA graphs",
        }
    }
}

/// What ways were measured to make of frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LaunchTrial {
    /// Frames a second of the plain way.
    pub plain: f64,
    /// Of one stream; none if it was not tried, or drew other pictures.
    pub stream: Option<f64>,
    /// Of CUDA graphs; likewise.
    pub graphs: Option<f64>,
    /// Why a way was given up, if one was.
    pub given_up: Option<String>,
}

impl LaunchTrial {
    /// The fastest, where what is less simple must pay.
    pub fn choice(&self) -> LaunchWay {
        let (mut way, mut best) = (LaunchWay::Plain, self.plain);
        for (other, measured) in [(LaunchWay::Stream, self.stream), (LaunchWay::Graphs, self.graphs)] {
            if let Some(measured) = measured.filter(|measured| *measured > best * WORTH) {
                (way, best) = (other, measured);
            }
        }
        way
    }
}

impl fmt::Display for LaunchTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (frames a second: plain {:.0}", self.choice().name(), self.plain)?;
        for (name, measured) in [("one stream", self.stream), ("CUDA graphs", self.graphs)] {
            if let Some(measured) = measured {
                write!(f, ", {name} {measured:.0}")?;
            }
        }
        match &self.given_up {
            Some(why) => write!(f, "; {why})"),
            None => write!(f, ")"),
        }
    }
}

/// Whether two pictures are the same but for rounding.
pub fn same_pictures(a: &[u8], b: &[u8]) -> bool {
    let apart: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    a.len() == b.len() && apart <= SAME * a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(plain: f64, stream: Option<f64>, graphs: Option<f64>) -> LaunchWay {
        LaunchTrial { plain, stream, graphs, given_up: None }.choice()
    }

    #[test]
    fn what_is_less_simple_must_pay() {
        assert_eq!(choice(40.0, None, None), LaunchWay::Plain);
        assert_eq!(choice(40.0, Some(40.5), Some(40.9)), LaunchWay::Plain, "no more than chance");
        assert_eq!(choice(40.0, Some(44.0), None), LaunchWay::Stream);
        assert_eq!(choice(40.0, Some(44.0), Some(44.5)), LaunchWay::Stream);
        assert_eq!(choice(40.0, Some(44.0), Some(60.0)), LaunchWay::Graphs);
        assert_eq!(choice(40.0, None, Some(60.0)), LaunchWay::Graphs);
    }

    #[test]
    fn what_was_measured_is_told() {
        let mut trial = LaunchTrial { plain: 40.0, stream: Some(44.0), ..LaunchTrial::default() };
        assert_eq!(trial.to_string(), "on one stream (frames a second: plain 40, one stream 44)");
        trial = LaunchTrial { stream: None, given_up: Some("one stream drew other pictures".to_owned()), ..trial };
        assert_eq!(trial.to_string(), "plain (frames a second: plain 40; one stream drew other pictures)");
    }

    #[test]
    fn rounding_is_no_other_picture() {
        let (picture, mut other) = (vec![100; 1000], vec![100; 1000]);
        other[..300].fill(101);
        assert!(same_pictures(&picture, &other));
        other[..300].fill(103);
        assert!(!same_pictures(&picture, &other));
        assert!(!same_pictures(&picture, &other[1..]));
    }
}
