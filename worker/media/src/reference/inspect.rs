//! A picture of what was found in a picture.

use image::RgbImage;

use super::{Analysis, FaceReport, PreparedReference};
use crate::{
    face::{FaceBox, topology},
    image::{
        draw::{Pen, line, path},
        frame_to_rgb,
    },
};

const OTHERS: [u8; 3] = [150, 150, 150];
const BOX: [u8; 3] = [255, 210, 40];
const POINTS: [u8; 3] = [60, 255, 120];
const OUTLINES: [u8; 3] = [70, 170, 255];
const MOUTH: [u8; 3] = [255, 70, 90];

impl PreparedReference {
    /// The first frame at output size, with the same drawn on it as by [`Analysis::draw`]; none without a frame.
    pub fn draw(&self) -> Option<RgbImage> {
        let first = self.reference.frames.first()?;
        let ([left, top, width, height], output) = (self.report.frame.area, self.report.frame.output);
        let (sx, sy) = (output[0] as f32 / width.max(1) as f32, output[1] as f32 / height.max(1) as f32);
        let (left, top) = (left as f32, top as f32);
        let shrunk = |b: &FaceBox| FaceBox {
            x0: (b.x0 - left) * sx,
            y0: (b.y0 - top) * sy,
            x1: (b.x1 - left) * sx,
            y1: (b.y1 - top) * sy,
        };
        let faces = self.report.faces.iter().map(shrunk).collect();
        let eye_span_px = first.face.eye_span();
        let report = FaceReport { faces, eye_span_px, ..self.report.clone() };
        Some(Analysis { mesh: first.face.clone(), report }.draw(&frame_to_rgb(&first.picture)))
    }
}

impl Analysis {
    /// A copy of the analysed `picture` with the box (yellow; of other faces grey), the mesh's points (green) and
    /// outlines (blue), and the region that speech moves (red) drawn on it.
    pub fn draw(&self, picture: &RgbImage) -> RgbImage {
        let mut out = picture.clone();
        // Strokes grow with the face, so that they show on a large picture and hide nothing on a small one.
        let width = (self.report.eye_span_px / 110.0).clamp(0.8, 12.0);
        let pen = |colour, opacity, times: f32| Pen { colour, opacity, width: width * times };
        for (index, face) in self.report.faces.iter().enumerate() {
            let chosen = index + 1 == self.report.chosen;
            path(&mut out, &corners(face), true, pen(if chosen { BOX } else { OTHERS }, 0.9, 2.0));
        }
        let at = |i: usize| [self.mesh.points[i][0], self.mesh.points[i][1]];
        for (outline, closed) in topology::OUTLINES {
            let points: Vec<_> = outline.iter().map(|&i| at(i)).collect();
            path(&mut out, &points, closed, pen(OUTLINES, 0.75, 1.0));
        }
        let region: Vec<_> = topology::MOUTH_REGION.iter().map(|&i| at(i)).collect();
        path(&mut out, &region, true, pen(MOUTH, 0.9, 1.5));
        for i in 0..self.mesh.points.len() {
            line(&mut out, at(i), at(i), pen(POINTS, 0.9, 1.8));
        }
        out
    }
}

fn corners(b: &FaceBox) -> [[f32; 2]; 4] {
    [[b.x0, b.y0], [b.x1, b.y0], [b.x1, b.y1], [b.x0, b.y1]]
}
