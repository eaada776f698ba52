//! Colour and brightness of a drawn face matched to the frame that it is put into, so that its edge does not show.
//!
//! Where the mask goes from nothing to all, the drawn face and the frame show the same cheek. How they differ there is
//! fitted by a plane a channel, which is then taken from the whole drawn face: it cannot follow a jaw that moves through a part of
//! the edge. Pure: what was taken from the last frame is given in, and the correction follows slowly, for a step from frame to
//! frame would flicker.

use super::blend::Patch;
use mouthpiece_frame::{LightFit, LightPlanes, Rect};

/// Pixels of the edge that are looked at, at most: more tell no more.
const SAMPLES: usize = 4096;
/// A pixel that differs by more than this is a moving jaw, an open mouth or hair, not light.
const LARGEST: f32 = 40.0;
/// How much of the newest frame's difference is taken over.
const FOLLOW: f32 = 0.3;
/// How much slopes are held back: just so that an edge that lies on a line can be fitted.
const HELD: f64 = 0.01;

/// One pixel of the edge.
#[derive(Debug, Clone, Copy)]
struct EdgePixel {
    /// Its place in the box's rows, and in the frame.
    inside: u32,
    x: u32,
    y: u32,
    /// Most where the mask is at a half.
    weight: f32,
}

/// The edge of a mask, and what fits planes to it.
#[derive(Debug, Clone)]
pub struct SeamEdge {
    pixels: Vec<EdgePixel>,
    fit: LightFit,
}

/// What is taken from a drawn face: planes over -1..1 across and down its box, in steps of 255.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TonePlanes(LightPlanes);

impl SeamEdge {
    /// The edge of a mask over a box.
    pub fn of(area: Rect, mask: &[u8]) -> Self {
        let w = area.width().max(1);
        let share = |i: usize| f32::from(mask[i]) / 255.0;
        let weight = |i: usize| 4.0 * share(i) * (1.0 - share(i));
        let edge: Vec<usize> = (0..mask.len()).filter(|i| weight(*i) > 0.2).collect();
        let step = edge.len().div_ceil(SAMPLES).max(1);
        let pixel = |i: usize| EdgePixel {
            inside: i as u32,
            x: (area.x0 + i % w) as u32,
            y: (area.y0 + i / w) as u32,
            weight: weight(i),
        };
        let pixels: Vec<EdgePixel> = edge.into_iter().step_by(step).map(pixel).collect();
        let places = pixels.iter().map(|pixel| (pixel.place(area), pixel.weight));
        let fit = LightFit::of(places, HELD);
        Self { pixels, fit }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.pixels.len() * size_of::<EdgePixel>()
    }

    /// The planes by which `drawn` differs from `frame` at the edge. Both are asked for the Y, U and V of a pixel: `drawn` by its
    /// place in the box, `frame` by its own place.
    pub fn difference(
        &self,
        area: Rect,
        drawn: impl Fn(usize) -> [f32; 3],
        frame: impl Fn(usize, usize) -> [f32; 3],
    ) -> TonePlanes {
        TonePlanes(self.fit.planes(self.pixels.iter().map(|pixel| {
            let (new, old) = (drawn(pixel.inside as usize), frame(pixel.x as usize, pixel.y as usize));
            let apart = [0, 1, 2].map(|channel| (new[channel] - old[channel]).clamp(-LARGEST, LARGEST));
            (pixel.place(area), pixel.weight, apart)
        })))
    }

    /// The mean difference of luma at the edge, in steps of 255, of what `picture` shows to what `frame` shows.
    pub fn step(&self, picture: impl Fn(usize, usize) -> f32, frame: impl Fn(usize, usize) -> f32) -> f32 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for EdgePixel { x, y, weight, .. } in &self.pixels {
            let (x, y) = (*x as usize, *y as usize);
            sum += (picture(x, y) - frame(x, y)).abs() * weight;
            weights += weight;
        }
        if weights > 0.0 { sum / weights } else { 0.0 }
    }
}

impl TonePlanes {
    /// What is taken from the next frame, when `newest` was found in it and `before` was taken from the last.
    #[must_use]
    pub fn following(before: Option<Self>, newest: Self) -> Self {
        let Some(Self(LightPlanes(mut next))) = before else { return newest };
        for (channel, new) in next.iter_mut().zip(newest.0.0) {
            channel.iter_mut().zip(new).for_each(|(at, new)| *at += (new - *at) * FOLLOW);
        }
        Self(LightPlanes(next))
    }

    /// Y, U and V to take from the pixel at `x`, `y`.
    pub fn at(&self, area: Rect, x: usize, y: usize) -> [f32; 3] {
        self.0.at(place(area, x, y))
    }
}

impl EdgePixel {
    fn place(&self, area: Rect) -> [f32; 2] {
        place(area, self.x as usize, self.y as usize)
    }
}

/// Where a pixel lies in the box, -1..1 across and down.
fn place(area: Rect, x: usize, y: usize) -> [f32; 2] {
    let side = |at: usize, from: usize, to: usize| {
        let half = ((to - from) as f32 / 2.0).max(0.5);
        (at as f32 + 0.5 - from as f32) / half - 1.0
    };
    [side(x, area.x0, area.x1), side(y, area.y0, area.y1)]
}

impl Patch {
    /// How far the edge of a drawn face shows: the mean difference of luma of `picture` to the reference `frame` there.
    pub fn seam_step(&self, picture: &mouthpiece_frame::I420, frame: &mouthpiece_frame::I420) -> f32 {
        let luma = |of: &mouthpiece_frame::I420, x: usize, y: usize| f32::from(of.y[y * of.width() + x]);
        self.edge.step(|x, y| luma(picture, x, y), |x, y| luma(frame, x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x0: 10, y0: 20, x1: 74, y1: 84 };

    /// A round mask with a soft edge.
    fn mask() -> Vec<u8> {
        let share = |i: usize| {
            let (x, y) = ((i % 64) as f32 - 31.5, (i / 64) as f32 - 31.5);
            (1.0 - (x.hypot(y) - 16.0) / 10.0).clamp(0.0, 1.0)
        };
        (0..64 * 64).map(|i| (share(i) * 255.0) as u8).collect()
    }

    /// What was added to a face everywhere.
    fn light(x: usize, y: usize) -> [f32; 3] {
        let [u, v] = place(AREA, x, y);
        [12.0 + 6.0 * u - 3.0 * v, -4.0 + u, 5.0 - 2.0 * v]
    }

    fn pixel(i: usize) -> (usize, usize) {
        (AREA.x0 + i % 64, AREA.y0 + i / 64)
    }

    #[test]
    fn light_that_falls_otherwise_is_found_from_the_edge_alone() {
        let edge = SeamEdge::of(AREA, &mask());
        let drawn = |i: usize| {
            let (x, y) = pixel(i);
            // Inside of the edge there is a mouth: it does not count.
            let mouth = if (x as f32 - 42.0).hypot(y as f32 - 52.0) < 14.0 { 80.0 } else { 0.0 };
            light(x, y).map(|c| c + 100.0 - mouth)
        };
        let found = edge.difference(AREA, drawn, |_, _| [100.0; 3]);
        for (x, y) in [(15, 30), (42, 52), (70, 80)] {
            for (found, added) in found.at(AREA, x, y).into_iter().zip(light(x, y)) {
                assert!((found - added).abs() < 0.5, "at {x} {y}: {found} of {added}");
            }
        }
    }

    #[test]
    fn a_jaw_that_moves_through_a_part_of_the_edge_takes_little_with_it() {
        let edge = SeamEdge::of(AREA, &mask());
        // The lowest part of the edge shows a dark neck instead of a chin.
        let drawn = |i: usize| if pixel(i).1 > 76 { [0.0; 3] } else { [100.0; 3] };
        let found = edge.difference(AREA, drawn, |_, _| [100.0; 3]);
        let [moved, ..] = found.at(AREA, 42, 52);
        assert!(moved.abs() < 8.0, "{moved}");
    }

    #[test]
    fn the_correction_follows_slowly_but_begins_at_once() {
        let (zero, ten) = (TonePlanes::default(), TonePlanes(LightPlanes([[10.0, 0.0, 0.0]; 3])));
        assert_eq!(TonePlanes::following(None, ten), ten);
        let mut now = TonePlanes::following(Some(zero), ten);
        assert!((now.at(AREA, 42, 52)[0] - 3.0).abs() < 1e-3);
        for _ in 0..30 {
            now = TonePlanes::following(Some(now), ten);
        }
        assert!((now.at(AREA, 42, 52)[0] - 10.0).abs() < 0.01);
    }

    #[test]
    fn a_mask_without_an_edge_changes_nothing() {
        for mask in [vec![0; 64 * 64], vec![255; 64 * 64]] {
            let edge = SeamEdge::of(AREA, &mask);
            assert_eq!(edge.difference(AREA, |_| [255.0; 3], |_, _| [0.0; 3]), TonePlanes::default());
            assert_eq!(edge.step(|_, _| 255.0, |_, _| 0.0), 0.0);
        }
    }
}
