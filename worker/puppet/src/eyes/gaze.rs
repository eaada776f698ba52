//! Where the eyes look: the iris slides under the lids, and the white of the eye is drawn out on one side of it and
//! pushed together on the other.

use crate::curves::smoothstep;
use crate::source::Source;
use mouthpiece_engine::Gaze;
use mouthpiece_frame::{Iris, Rect};

use super::Eye;

/// An eyeball's radius in D: so far does a point of the iris move for each radian.
const EYEBALL: f32 = 0.125;
/// Lids and lashes lie over the eyeball: so close to their edge nothing slides, in D.
const LID_EDGE: f32 = 0.010;
/// An eye that is open by less than this (D) shows no iris that could move.
const LEAST_OPENING: f32 = 0.035;

/// One sample that slides: its index in its plane, and how far it moves in pixels for each radian to the right and down.
#[derive(Debug, Clone, Copy)]
struct Slide {
    at: u32,
    place: [f32; 2],
    right: [f32; 2],
    down: [f32; 2],
}

/// The part of an open eye that slides with the gaze.
#[derive(Debug, Clone)]
pub(super) struct EyeGaze {
    luma: Vec<Slide>,
    chroma: Vec<Slide>,
}

impl EyeGaze {
    /// None when the eye is nearly shut, or when the iris does not lie in it.
    pub(super) fn measure(eye: &Eye, iris: Iris, area: Rect, source: &Source) -> Option<Self> {
        let frame = eye.frame;
        let [cx, cy] = frame.to_face(iris.centre);
        let radius = iris.radius / frame.unit;
        let (top, opening) = (eye.upper.at(cx), eye.opening.at(cx));
        let lies_in_it = (top - 0.05..top + opening + 0.05).contains(&cy) && (0.03..0.12).contains(&radius);
        if !lies_in_it || opening < LEAST_OPENING {
            return None;
        }
        let slide = |at: usize, place: [f32; 2]| {
            let (weight, along) = sliding(eye, [cx, radius], frame.to_face(place))?;
            let right = frame.vector_to_px([weight * EYEBALL, weight * EYEBALL * along]);
            let down = frame.vector_to_px([0.0, 0.75 * weight * EYEBALL]);
            Some(Slide { at: at as u32, place, right, down })
        };
        let rows =
            |y0: usize, y1: usize, x0: usize, x1: usize| (y0..y1).flat_map(move |y| (x0..x1).map(move |x| (x, y)));
        let luma = rows(2 * area.y0, 2 * area.y1, 2 * area.x0, 2 * area.x1)
            .filter_map(|(x, y)| slide(y * 2 * source.width + x, [x as f32 * 0.5, y as f32 * 0.5]));
        let chroma = rows(area.y0 / 2, area.y1 / 2, area.x0 / 2, area.x1 / 2)
            .filter_map(|(x, y)| slide(y * (source.width / 2) + x, [2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5]));
        Some(Self { luma: luma.collect(), chroma: chroma.collect() })
    }

    /// Slides the eye of `open` into `out`, which is as `open` there.
    pub(super) fn paint(&self, gaze: Gaze, open: &Source, out: &mut Source) {
        let from = |s: &Slide| [0, 1].map(|i| s.place[i] - gaze.x * s.right[i] - gaze.y * s.down[i]);
        for s in &self.luma {
            out.luma[s.at as usize] = (open.luma_at(from(s)) + 0.5) as u8;
        }
        for s in &self.chroma {
            for (which, plane) in out.chroma.iter_mut().enumerate() {
                plane[s.at as usize] = (open.chroma_at(which, from(s)) + 0.5) as u8;
            }
        }
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.luma.len() + self.chroma.len()) * size_of::<Slide>()
    }
}

/// How far of the iris's way a place of the eye goes (0..=1), and the slope of its way, which follows the lids.
fn sliding(eye: &Eye, [iris, radius]: [f32; 2], [x, y]: [f32; 2]) -> Option<(f32, f32)> {
    let (top, opening) = (eye.upper.at(x), eye.opening.at(x));
    let (above, below) = (y - top, top + opening - y);
    if above <= 0.0 || below <= 0.0 {
        return None;
    }
    let (left, right) = eye.corners;
    let corner = if x < iris { left } else { right };
    let from_iris = ((x - iris).abs() - 1.08 * radius).max(0.0);
    let room = ((corner - iris).abs() - 1.08 * radius).max(0.02);
    let across = 1.0 - smoothstep(0.0, 0.95, from_iris / room);
    let lids = smoothstep(0.0, LID_EDGE, above) * smoothstep(0.0, LID_EDGE, below);
    let t = above / opening.max(1e-3);
    let slope = |step: f32| {
        let at = |x: f32| eye.upper.at(x) + t * eye.opening.at(x);
        ((at(x + step) - at(x - step)) / (2.0 * step)).clamp(-0.8, 0.8)
    };
    let weight = across * lids;
    (weight > 0.003).then(|| (weight, slope(0.02)))
}
