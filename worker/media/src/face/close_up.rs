//! A face by itself: upright, of one size, for measures that ask for colours.

use image::RgbImage;

use super::{
    FaceError, Mesh,
    crop::{Outside, Pyramid},
    landmarks::around_mesh,
};
use crate::image::Lab;

/// Side of a close-up in pixels.
const SIDE: usize = 192;

/// The square around a face, turned upright, and the mesh in its pixels; the eyes are some 60 pixels apart.
#[derive(Debug, Clone)]
pub struct CloseUp {
    /// RGB, 0..=255, row by row; what lies outside the picture repeats its edge.
    pixels: Vec<f32>,
    /// The mesh.
    pub mesh: Mesh,
}

impl CloseUp {
    /// Of the face of `picture` with this mesh.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`].
    pub fn of(picture: &RgbImage, mesh: &Mesh) -> Result<Self, FaceError> {
        if picture.width() == 0 || picture.height() == 0 {
            return Err(FaceError::EmptyPicture);
        }
        let window = around_mesh(mesh);
        let mut pixels = Vec::new();
        Pyramid::new(picture).crop(window, SIDE, Outside::Edge, [1.0, 0.0], &mut pixels);
        let depth = SIDE as f32 / window.side;
        let points = mesh.points.iter().map(|&[x, y, z]| {
            let [x, y] = window.to_crop([x, y], SIDE);
            [x, y, z * depth]
        });
        Ok(Self { pixels, mesh: Mesh { points: points.collect(), presence: mesh.presence } })
    }

    /// Colours of the pixels within `radius` (in distances of the outer eye corners) of the mean of `points`.
    pub fn around(&self, points: &[usize], radius: f32) -> Vec<Lab> {
        let [x, y] = self.middle(points);
        let radius = radius * self.mesh.eye_span();
        self.where_in([x - radius, y - radius], [x + radius, y + radius], |px, py| (px - x).hypot(py - y) <= radius)
    }

    /// Colours of the pixels within an outline.
    pub fn within(&self, outline: &[[f32; 2]]) -> Vec<Lab> {
        let bound = |start: f32, pick: fn(f32, f32) -> f32| {
            [0, 1].map(|axis| outline.iter().map(|p| p[axis]).fold(start, pick))
        };
        let (low, high) = (bound(f32::MAX, f32::min), bound(f32::MIN, f32::max));
        self.where_in(low, high, |x, y| encloses(outline, [x, y]))
    }

    /// A point between two of the mesh: `share` of the way.
    pub fn between(&self, from: usize, to: usize, share: f32) -> [f32; 2] {
        let (a, b) = (self.mesh.points[from], self.mesh.points[to]);
        [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
    }

    fn middle(&self, points: &[usize]) -> [f32; 2] {
        let count = points.len().max(1) as f32;
        [0, 1].map(|axis| points.iter().map(|&p| self.mesh.points[p][axis]).sum::<f32>() / count)
    }

    /// Colours of the pixels of a box for which `is_in` holds.
    fn where_in(&self, low: [f32; 2], high: [f32; 2], is_in: impl Fn(f32, f32) -> bool) -> Vec<Lab> {
        let range = |axis: usize| {
            let from = low[axis].floor().clamp(0.0, SIDE as f32) as usize;
            from..(high[axis].ceil().clamp(-1.0, (SIDE - 1) as f32) + 1.0) as usize
        };
        let mut found = Vec::new();
        for y in range(1) {
            for x in range(0) {
                if is_in(x as f32, y as f32) {
                    let at = (y * SIDE + x) * 3;
                    found.push(Lab::of([self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]));
                }
            }
        }
        found
    }
}

/// True for a point within a closed outline.
fn encloses(outline: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    let mut inside = false;
    let mut before = outline.last();
    for here in outline {
        if let Some(&[bx, by]) = before {
            let [hx, hy] = *here;
            if (hy > y) != (by > y) && x < (bx - hx) * (y - hy) / (by - hy) + hx {
                inside = !inside;
            }
        }
        before = Some(here);
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    fn blank() -> CloseUp {
        let mut points = vec![[96.0, 96.0, 0.0]; POINTS];
        (points[33], points[263]) = ([66.0, 60.0, 0.0], [126.0, 60.0, 0.0]);
        CloseUp { pixels: vec![255.0; SIDE * SIDE * 3], mesh: Mesh { points, presence: 1.0 } }
    }

    #[test]
    fn places_are_found_and_end_at_the_edge() {
        let mut face = blank();
        // A black disc around the middle.
        for (i, pixel) in face.pixels.chunks_exact_mut(3).enumerate() {
            let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
            if (x - 96.0).hypot(y - 96.0) <= 12.0 {
                pixel.fill(0.0);
            }
        }
        let inside = face.around(&[1, 4], 0.2);
        assert!((400..500).contains(&inside.len()) && inside.iter().all(|c| c.l < 1.0), "{}", inside.len());
        let square = face.within(&[[90.0, 90.0], [100.0, 90.0], [100.0, 100.0], [90.0, 100.0]]);
        assert!((90..=121).contains(&square.len()) && square.iter().all(|c| c.l < 1.0));
        assert!(face.within(&[[180.0, -50.0], [400.0, -50.0], [400.0, 9.0]]).iter().all(|c| c.l > 99.0));
        assert!(face.within(&[[300.0, 300.0], [400.0, 300.0], [400.0, 400.0]]).is_empty());
        assert!(face.within(&[]).is_empty());
    }
}
