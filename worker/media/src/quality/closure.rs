//! Whether the lips meet where p, b and m are spoken.

use super::{
    labels::{Labels, Segment},
    series::{Moment, percentile},
};

/// A mouth is closed below the resting aperture plus this share of the way to the open one.
pub const CLOSED_SHARE: f64 = 0.15;
/// A segment is searched so many seconds further at each side: labels and frames are not that exact.
pub const LABEL_MARGIN_S: f64 = 0.04;

/// Rounding of times must not lose a frame, in seconds.
const ROUNDING_S: f64 = 1e-6;

/// How often the lips closed where they should.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closure {
    /// Labelled segments of p, b and m in which at least one frame shows the face.
    pub segments: usize,
    /// Those in which the aperture falls below `threshold`.
    pub closed: usize,
    /// The resting aperture, in eye distances.
    pub rest: f64,
    /// The open aperture: that of the 95th percentile of the speech, in eye distances.
    pub open: f64,
    /// `rest` and [`CLOSED_SHARE`] of the way to `open`, in eye distances.
    pub threshold: f64,
}

impl Closure {
    /// Share of the segments in which the lips closed, 0..=1.
    pub fn rate(&self) -> f64 {
        self.closed as f64 / self.segments.max(1) as f64
    }
}

/// Looks for closed lips in every segment labelled `PP`, 40 ms further at each side.
///
/// `spoken` are the apertures of the frames in speech. The resting aperture is the smallest of `rests` (the portrait's,
/// the mean in silence, whatever is known) and the 5th percentile of `spoken`: a portrait that smiles with open lips must
/// not make every open mouth count as closed. `sound_start` is where the labels' time starts, in seconds of the video.
/// `None` without a segment to look at, or without speech.
pub fn closure(
    aperture: &[Moment],
    spoken: &[f64],
    rests: &[f64],
    labels: &Labels,
    sound_start: f64,
) -> Option<Closure> {
    let rest = rests.iter().copied().fold(percentile(spoken, 0.05)?, f64::min);
    let open = percentile(spoken, 0.95)?.max(rest);
    let threshold = rest + CLOSED_SHARE * (open - rest);
    let lowest = |segment: &Segment| {
        let margin = LABEL_MARGIN_S + ROUNDING_S;
        let (from, to) = (segment.start + sound_start - margin, segment.end + sound_start + margin);
        let first = aperture.partition_point(|m| m.seconds < from);
        let inside = aperture[first..].iter().take_while(|m| m.seconds <= to).map(|m| m.value);
        inside.min_by(f64::total_cmp)
    };
    let lows: Vec<f64> = labels.bilabials().filter_map(lowest).collect();
    let closed = lows.iter().filter(|low| **low <= threshold).count();
    (!lows.is_empty()).then_some(Closure { segments: lows.len(), closed, rest, open, threshold })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(segments: &[(f64, f64, &str)]) -> Labels {
        let make = |(start, end, viseme): &(f64, f64, &str)| Segment {
            start: *start,
            end: *end,
            viseme: (*viseme).to_owned(),
        };
        Labels { segments: segments.iter().map(make).collect() }
    }

    /// 25 frames a second, open at .12 but for the given frames.
    fn mouth(closed: &[(usize, f64)]) -> Vec<Moment> {
        let value = |i: usize| closed.iter().find(|(at, _)| *at == i).map_or(0.12, |(_, v)| *v);
        (0..100).map(|i| Moment { seconds: i as f64 / 25.0, value: value(i) }).collect()
    }

    #[test]
    fn segments_that_close_are_counted() {
        // Frame 10 is at .40 s: closed within the first segment. Frame 21 (.84 s) is 40 ms before the second. Frame 40
        // (1.6 s) only narrows. The fourth closes where no one speaks a bilabial.
        let lips = mouth(&[(10, 0.02), (21, 0.03), (40, 0.05), (60, 0.02)]);
        let spoken: Vec<f64> = lips.iter().map(|m| m.value).collect();
        let labels =
            labels(&[(0.39, 0.42, "PP"), (0.88, 0.95, "PP"), (1.58, 1.65, "PP"), (2.4, 2.45, "aa"), (9.0, 9.1, "PP")]);
        let got = closure(&lips, &spoken, &[0.02], &labels, 0.0).unwrap();
        assert_eq!((got.segments, got.closed), (3, 2));
        assert!((got.threshold - 0.035).abs() < 1e-9 && (got.rate() - 2.0 / 3.0).abs() < 1e-9, "{got:?}");
        // With the sound half a second later everything is missed.
        assert_eq!(closure(&lips, &spoken, &[0.02], &labels, 0.5).unwrap().closed, 0);
    }

    #[test]
    fn a_smiling_portrait_is_not_a_closed_mouth() {
        let lips = mouth(&[(10, 0.01), (11, 0.01), (12, 0.01), (13, 0.01), (14, 0.01), (15, 0.01), (16, 0.01)]);
        let spoken: Vec<f64> = lips.iter().map(|m| m.value).collect();
        let got = closure(&lips, &spoken, &[0.12], &labels(&[(1.0, 1.1, "PP")]), 0.0).unwrap();
        assert_eq!((got.closed, got.rest), (0, 0.01));
    }

    #[test]
    fn without_bilabials_or_speech_there_is_no_rate() {
        assert_eq!(closure(&mouth(&[]), &[0.1], &[], &labels(&[(0.0, 1.0, "aa")]), 0.0), None);
        assert_eq!(closure(&mouth(&[]), &[], &[0.1], &labels(&[(0.0, 1.0, "PP")]), 0.0), None);
    }
}
