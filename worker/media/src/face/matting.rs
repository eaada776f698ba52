//! The person, cut out of the background: a network that sees outlines coarsely, and the picture's own edges.

use image::RgbImage;

use super::{
    FaceError, Matte, Mesh, Runtime,
    crop::{Outside, Pyramid, Window},
    guided::guided,
    network::Network,
    topology,
};

static GRAPH: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/face/person_matte.onnx"));
/// Side of the network's input and output in cells.
const SIDE: usize = 256;
/// From how sure the network is of a cell on, the person goes on there.
const PERSON: f32 = 0.4;
/// Within this share of its way from the middle, the face must belong to the person.
const INNER_FACE: f32 = 0.85;
/// And the person must cover so much of it.
const COVERED: f32 = 0.92;
/// With less background than this share of the picture there is nothing that could stay behind.
const LEAST_BACKGROUND: f32 = 0.03;
/// How much of an edge of the picture (variance of luma, 0..=1) the outline follows.
const EDGES: f32 = 4e-4;

/// The network and its reused input.
pub(super) struct Matting {
    network: Network,
    input: Vec<f32>,
}

impl Matting {
    pub(super) fn new(runtime: &Runtime) -> Result<Self, FaceError> {
        Ok(Self { network: Network::new(runtime, "matte", GRAPH, SIDE)?, input: Vec::new() })
    }

    /// The outline of the person with the face `mesh`.
    pub(super) fn matte(&mut self, picture: &RgbImage, mesh: &Mesh) -> Result<Option<Matte>, FaceError> {
        let [w, h] = [picture.width() as f32, picture.height() as f32];
        let window = Window { centre: [(w - 1.0) / 2.0, (h - 1.0) / 2.0], side: w.max(h), angle: 0.0 };
        Pyramid::new(picture).crop(window, SIDE, Outside::Edge, [1.0 / 255.0, 0.0], &mut self.input);
        let [mut cells] = self.network.run(&self.input, ["matte"], [SIDE * SIDE])?;
        let scale = SIDE as f32 / window.side;
        let to_cell = |x: f32, y: f32| {
            let half = (SIDE as f32 - 1.0) / 2.0;
            [(x - window.centre[0]) * scale + half, (y - window.centre[1]) * scale + half]
        };
        let face = inner_face(mesh).map(|[x, y]| to_cell(x, y));
        let inside: Vec<usize> = face.filter_map(|[x, y]| cell(x, y)).collect();
        let covered = inside.iter().map(|&at| cells[at]).sum::<f32>() / inside.len().max(1) as f32;
        if covered < COVERED {
            return Ok(None);
        }
        keep_connected(&mut cells, &inside);

        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let coarse: Vec<f32> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| between(&cells, to_cell(x as f32, y as f32)))
            .collect();
        let luma: Vec<f32> = picture.pixels().map(|p| luma(p.0)).collect();
        let radius = (2.0 / scale).round().max(2.0) as usize;
        let fine = guided(&luma, &coarse, [width, height], radius, EDGES);
        let coverage: Vec<u8> = fine.iter().map(|v| (255.0 * firm(*v) + 0.5) as u8).collect();
        let background = coverage.iter().filter(|v| **v == 0).count();
        Ok((background as f32 >= LEAST_BACKGROUND * coverage.len() as f32).then_some(Matte { coverage }))
    }
}

/// Places within the face, in pixels.
fn inner_face(mesh: &Mesh) -> impl Iterator<Item = [f32; 2]> {
    let oval = topology::OVAL.map(|i| mesh.points[i]);
    let [x, y] = mesh.bounds(&topology::OVAL).centre();
    let towards = move |share: f32| oval.map(|p| [x + (p[0] - x) * share, y + (p[1] - y) * share]);
    [0.3, 0.6, INNER_FACE].into_iter().flat_map(towards)
}

/// The cell at a place of the network's output, if it is there.
fn cell(x: f32, y: f32) -> Option<usize> {
    let inside = |v: f32| (0.0..SIDE as f32 - 0.5).contains(&v);
    (inside(x) && inside(y)).then(|| (y + 0.5) as usize * SIDE + (x + 0.5) as usize)
}

/// Leaves of the cells what hangs together with those of `seeds`: other people and things are background.
fn keep_connected(cells: &mut [f32], seeds: &[usize]) {
    let mut reached = vec![false; cells.len()];
    let mut next: Vec<usize> = seeds.to_vec();
    while let Some(at) = next.pop() {
        if reached[at] || cells[at] < PERSON {
            continue;
        }
        reached[at] = true;
        let (x, y) = (at % SIDE, at / SIDE);
        let near = [
            (x > 0, at.wrapping_sub(1)),
            (x + 1 < SIDE, at + 1),
            (y > 0, at.wrapping_sub(SIDE)),
            (y + 1 < SIDE, at + SIDE),
        ];
        next.extend(near.into_iter().filter(|(is_there, _)| *is_there).map(|(_, at)| at));
    }
    // The soft edge around what was reached belongs to it.
    for y in 0..SIDE {
        for x in 0..SIDE {
            let near = |y: usize| (x.saturating_sub(2)..(x + 3).min(SIDE)).any(|x| reached[y * SIDE + x]);
            if !(y.saturating_sub(2)..(y + 3).min(SIDE)).any(near) {
                cells[y * SIDE + x] = 0.0;
            }
        }
    }
}

/// Bilinear between cells, the edge repeated.
fn between(cells: &[f32], [x, y]: [f32; 2]) -> f32 {
    let most = SIDE as f32 - 1.0;
    let (x, y) = (x.clamp(0.0, most), y.clamp(0.0, most));
    let (c, r) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let (fx, fy) = (x - c as f32, y - r as f32);
    let row = |r: usize| cells[r * SIDE + c] + (cells[r * SIDE + c + 1] - cells[r * SIDE + c]) * fx;
    row(r) + (row(r + 1) - row(r)) * fy
}

/// Half-sure is background or person: only real edges stay soft.
fn firm(v: f32) -> f32 {
    let t = ((v - 0.15) / 0.7).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn luma([r, g, b]: [u8; 3]) -> f32 {
    (0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hang_together_with_the_face_is_background() {
        let mut cells = vec![0.0; SIDE * SIDE];
        for y in 0..SIDE {
            for x in 0..SIDE {
                let near = |cx: f32, cy: f32, r: f32| (x as f32 - cx).hypot(y as f32 - cy) < r;
                if near(80.0, 100.0, 30.0) || near(200.0, 100.0, 30.0) {
                    cells[y * SIDE + x] = 0.9;
                }
            }
        }
        keep_connected(&mut cells, &[100 * SIDE + 80]);
        assert_eq!((cells[100 * SIDE + 105], cells[100 * SIDE + 200]), (0.9, 0.0));
    }

    #[test]
    fn places_outside_have_no_cell() {
        assert_eq!((cell(0.0, 0.0), cell(255.4, 3.2)), (Some(0), Some(3 * SIDE + 255)));
        assert_eq!((cell(-0.1, 3.0), cell(3.0, 300.0)), (None, None));
    }
}
