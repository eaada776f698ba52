//! The head moves a little: a similarity about the neck, a depth parallax from the mesh, and the brows.

use super::curves::smoothstep;
use super::frame::FaceFrame;
use super::grid::Grid;
use mouthpiece_engine::Expression;
use mouthpiece_frame::Rect;

/// Distance between the nodes of the head field, in pixels.
pub(super) const HEAD_STEP: usize = 8;

/// Half the spread of one landmark's depth, in D: the mesh's ridges must not show as steps.
const DEPTH_BLUR: f32 = 0.11;

/// Where and how strongly the head moves, on a coarse grid over the whole picture.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) grid: Grid,
    frame: FaceFrame,
    /// Point about which the head turns, face frame.
    pivot: [f32; 2],
    /// Per node: share of the head's motion, depth times that share (D), brow lift (D).
    nodes: Vec<[f32; 3]>,
    /// Face coordinates of each node.
    places: Vec<[f32; 2]>,
    /// Pixels that can move.
    pub(super) support: Rect,
}

/// Where the head's motion takes pixels from, at the nodes of the head's grid.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadSources {
    motion: Vec<[f32; 2]>,
    pub(super) nodes: Vec<[f32; 2]>,
}

impl Head {
    /// Memory of its nodes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.nodes[..]) + size_of_val(&self.places[..])
    }

    /// Measures a head from the mesh in face coordinates (`points`: `[X, Y, depth]`).
    pub(super) fn measure(points: &[[f32; 3]], frame: FaceFrame, width: usize, height: usize) -> Self {
        let grid = Grid::over(Rect { x0: 0, y0: 0, x1: width, y1: height }, HEAD_STEP);
        let centre = (points[234][0] + points[454][0]) / 2.0;
        let half = ((points[454][0] - points[234][0]) / 2.0).max(0.3);
        let chin = points[152][1];
        let border = 0.12 * width.min(height) as f32;
        let depth = depth_field(points, frame, grid);
        let brow_heights = [[70, 63, 105, 66, 107], [336, 296, 334, 293, 300]]
            .map(|ids| ids.iter().map(|&i| points[i][1]).sum::<f32>() / 5.0);
        let brows = [(points[105][0], brow_heights[0]), (points[334][0], brow_heights[1])];

        let mut nodes = Vec::with_capacity(grid.len());
        let mut places = Vec::with_capacity(grid.len());
        for r in 0..grid.rows {
            for c in 0..grid.cols {
                let [px, py] = grid.place(c, r);
                let [x, y] = frame.to_face([px, py]);
                let sides = 1.0 - smoothstep(half * 1.25, half * 2.1, (x - centre).abs());
                let neck = 1.0 - smoothstep(chin - 0.08, chin + 0.85, y);
                let edge = |d: f32| smoothstep(0.0, 1.0, d / border);
                let edges = edge(px) * edge(width as f32 - 1.0 - px) * edge(py);
                let share = sides * neck * edges;
                let brow: f32 = brows
                    .iter()
                    .map(|&(bx, by)| {
                        let up = if y < by {
                            (-((y - by) / 0.22) * ((y - by) / 0.22)).exp()
                        } else {
                            1.0 - smoothstep(0.0, 0.11, y - by)
                        };
                        -0.03 * (-((x - bx) / 0.2) * ((x - bx) / 0.2)).exp() * up
                    })
                    .sum();
                let brow = if brow.abs() < 2e-4 { 0.0 } else { brow * edges };
                nodes.push([share, depth[r * grid.cols + c] * share, brow]);
                places.push([x, y]);
            }
        }
        let support = support(&grid, &nodes, width, height);
        Self { grid, frame, pivot: [centre, chin + 0.25], nodes, places, support }
    }

    /// Works out where each node's picture comes from. Allocates only at first use.
    pub(super) fn solve(&self, e: &Expression, out: &mut HeadSources) {
        let h = e.head;
        let (cos, sin) = (h.roll.cos() - 1.0, h.roll.sin());
        out.motion.clear();
        out.motion.extend(self.nodes.iter().zip(&self.places).map(|(&[share, depth, brow], &[x, y])| {
            let (xr, yr) = (x - self.pivot[0], y - self.pivot[1]);
            let dx = share * (cos * xr - sin * yr + h.dx) + h.yaw * depth;
            let dy = share * (sin * xr + cos * yr + h.dy) + h.pitch * depth + e.brow * brow;
            self.frame.vector_to_px([dx, dy])
        }));
        out.nodes.clear();
        for r in 0..self.grid.rows {
            for c in 0..self.grid.cols {
                let p = self.grid.place(c, r);
                let mut d = out.motion[r * self.grid.cols + c];
                if d != [0.0; 2] {
                    // The motion is small and smooth: three steps of x = p - motion(x) leave less than 0.01 pixel.
                    for _ in 0..2 {
                        d = bilinear(&self.grid, &out.motion, [p[0] - d[0], p[1] - d[1]]);
                    }
                }
                out.nodes.push([p[0] - d[0], p[1] - d[1]]);
            }
        }
    }
}

impl HeadSources {
    /// Where pixel `p` comes from.
    #[inline]
    pub(super) fn at(&self, grid: &Grid, p: [f32; 2]) -> [f32; 2] {
        bilinear(grid, &self.nodes, p)
    }
}

/// Samples node values at a pixel, clamped to the grid.
#[inline]
fn bilinear(grid: &Grid, values: &[[f32; 2]], p: [f32; 2]) -> [f32; 2] {
    let (at, fx, fy) = grid.cell(p);
    let (a, b) = (values[at], values[at + 1]);
    let (d, e) = (values[at + grid.cols], values[at + grid.cols + 1]);
    let mix = |i: usize| {
        let top = a[i] + (b[i] - a[i]) * fx;
        let bottom = d[i] + (e[i] - d[i]) * fx;
        top + (bottom - top) * fy
    };
    [mix(0), mix(1)]
}

/// How much nearer than the ears each node is, in D, never negative, blurred.
fn depth_field(points: &[[f32; 3]], frame: FaceFrame, grid: Grid) -> Vec<f32> {
    let ears = (points[234][2] + points[454][2]) / 2.0;
    let mut sums = vec![[0.0_f32; 2]; grid.len()];
    let reach = (DEPTH_BLUR * 2.6 * frame.unit / grid.step as f32).ceil() as isize;
    for p in points {
        let px = frame.to_px([p[0], p[1]]);
        let (c0, r0) = ((px[0] / grid.step as f32) as isize, (px[1] / grid.step as f32) as isize);
        for r in (r0 - reach).max(0)..(r0 + reach + 1).min(grid.rows as isize) {
            for c in (c0 - reach).max(0)..(c0 + reach + 1).min(grid.cols as isize) {
                let q = grid.place(c as usize, r as usize);
                let d = ((q[0] - px[0]).hypot(q[1] - px[1])) / (frame.unit * DEPTH_BLUR);
                let w = (-d * d).exp();
                let sum = &mut sums[r as usize * grid.cols + c as usize];
                sum[0] += w * (p[2] - ears).max(0.0);
                sum[1] += w;
            }
        }
    }
    // A little weight of "no depth" everywhere lets the field fade beyond the mesh.
    sums.iter().map(|[z, w]| z / (w + 0.35)).collect()
}

/// The pixels whose node cells hold any motion, even.
fn support(grid: &Grid, nodes: &[[f32; 3]], width: usize, height: usize) -> Rect {
    let mut area = Rect::default();
    for r in 0..grid.rows {
        for c in 0..grid.cols {
            if nodes[r * grid.cols + c].iter().any(|&v| v != 0.0) {
                let [x, y] = grid.place(c, r).map(|v| v as usize);
                area = area.union(Rect {
                    x0: x.saturating_sub(grid.step),
                    y0: y.saturating_sub(grid.step),
                    x1: x + grid.step,
                    y1: y + grid.step,
                });
            }
        }
    }
    area.to_even(width, height)
}
