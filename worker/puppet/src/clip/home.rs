//! Which frame of a video has the mouth that it rests with.

use crate::frame::{LOWER_INNER, UPPER_INNER};
use mouthpiece_frame::Mesh;
use mouthpiece_media::face::HeadPose;

/// What makes a frame one unit worse: lips apart, a mouth wider or narrower than usual, lips thinner than usual (they are rolled in),
/// corners higher or lower than usual (a smile, a pout), a jaw lower than at rest (all in eye spans), a head turned from where it mostly is (degrees).
const GAP: f32 = 0.010;
const WIDTH: f32 = 0.030;
const LIPS: f32 = 0.025;
const CORNERS: f32 = 0.020;
const JAW: f32 = 0.030;
const TURN: f32 = 7.0;
/// Gaps below this are closed lips: the mesh says no more.
const CLOSED: f32 = 0.006;

/// What a frame's face shows of its mouth, in eye spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MouthReading {
    /// Mean distance of the inner lips over their middle.
    pub(super) gap: f32,
    width: f32,
    /// Thickness of both lips.
    lips: f32,
    /// How far the corners lie below the middle of the lips.
    corners: f32,
    jaw: f32,
    yaw_deg: f32,
    pitch_deg: f32,
    /// The frame was sharp enough to be read.
    clear: bool,
}

impl MouthReading {
    pub(super) fn of(mesh: &Mesh) -> Self {
        let unit = mesh.eye_span().max(1e-3);
        let distance = |a: usize, b: usize| {
            let (a, b) = (mesh.points[a], mesh.points[b]);
            (a[0] - b[0]).hypot(a[1] - b[1]) / unit
        };
        let (left, right) = (mesh.points[33], mesh.points[263]);
        let down = [(left[1] - right[1]) / unit, (right[0] - left[0]) / unit];
        let height = |of: [usize; 2]| {
            of.map(|i| mesh.points[i][0] * down[0] + mesh.points[i][1] * down[1]).iter().sum::<f32>() / (2.0 * unit)
        };
        let pose = HeadPose::of(mesh);
        let gap = [4, 5, 6].map(|k| distance(UPPER_INNER[k], LOWER_INNER[k])).iter().sum::<f32>() / 3.0;
        Self {
            gap,
            width: distance(61, 291),
            lips: distance(0, 17) - gap,
            corners: height([61, 291]) - height([13, 14]),
            jaw: distance(2, 152),
            yaw_deg: pose.yaw_deg,
            pitch_deg: pose.pitch_deg,
            clear: mesh.presence > 0.0,
        }
    }
}

/// The most closed of the frames; among closed ones one whose mouth does nothing else either, on a head held as usual.
pub(super) fn most_closed(readings: &[MouthReading]) -> usize {
    let at = |share: f32, of: fn(&MouthReading) -> f32| {
        let mut values: Vec<f32> = readings.iter().map(of).collect();
        values.sort_by(f32::total_cmp);
        values.get(((values.len() as f32 - 1.0) * share).max(0.0) as usize).copied().unwrap_or(0.0)
    };
    let (width, lips, jaw) = (at(0.5, |r| r.width), at(0.5, |r| r.lips), at(0.05, |r| r.jaw));
    let corners = at(0.5, |r| r.corners);
    let (yaw, pitch) = (at(0.5, |r| r.yaw_deg), at(0.5, |r| r.pitch_deg));
    let worse = |r: &MouthReading| {
        let turn = (r.yaw_deg - yaw).abs().max((r.pitch_deg - pitch).abs());
        let bent = (lips - r.lips).max(0.0) / LIPS + (r.corners - corners).abs() / CORNERS;
        let busy = (r.width - width).abs() / WIDTH + bent + (r.jaw - jaw).max(0.0) / JAW + turn / TURN;
        (r.gap - CLOSED).max(0.0) / GAP * 3.0 + busy.min(8.0) + if r.clear { 0.0 } else { 100.0 }
    };
    (0..readings.len()).min_by(|&a, &b| worse(&readings[a]).total_cmp(&worse(&readings[b]))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: MouthReading = MouthReading {
        gap: 0.002,
        width: 0.60,
        lips: 0.18,
        corners: 0.0,
        jaw: 0.75,
        yaw_deg: 0.0,
        pitch_deg: 0.0,
        clear: true,
    };

    #[test]
    fn lips_that_press_or_smile_or_turn_away_are_not_at_rest() {
        let talks = MouthReading { gap: 0.1, jaw: 0.83, ..REST };
        let frames = [
            talks,
            MouthReading { width: 0.70, ..REST },
            MouthReading { lips: 0.12, ..REST },
            MouthReading { corners: 0.04, ..REST },
            MouthReading { yaw_deg: 20.0, ..REST },
            talks,
            MouthReading { gap: 0.004, ..REST },
            MouthReading { gap: 0.0, clear: false, ..REST },
            talks,
            MouthReading { jaw: 0.83, ..REST },
        ];
        assert_eq!(most_closed(&frames), 6);
        assert_eq!(most_closed(&[]), 0);
    }

    proptest! {
        #[test]
        fn a_closed_mouth_beats_every_one_that_is_open_by_far(gaps in prop::collection::vec(0.0_f32..0.3, 1..60)) {
            let frames: Vec<_> = gaps.iter().map(|&gap| MouthReading { gap, ..REST }).collect();
            let least = gaps.iter().copied().fold(f32::MAX, f32::min);
            prop_assert!(gaps[most_closed(&frames)] <= least.max(CLOSED));
        }
    }
}
