//! Head, neck and shoulders move a little: the head turns about the top of the spine, what is nearer moves further, the
//! shoulders follow by a part and rise with the breath, the brows lift.
//!
//! Where the person is cut out of the picture ([`Figure`](super::figure::Figure)) everything that is theirs moves and
//! nothing else. Where not, the motion fades beside the head, and less of it is shown.

use super::curves::smoothstep;
use super::frame::FaceFrame;
use super::grid::Grid;
use mouthpiece_engine::{Expression, HeadPose};
use mouthpiece_frame::Rect;

/// Distance between the nodes of the head field, in pixels.
pub(super) const HEAD_STEP: usize = 8;

/// Half the spread of one landmark's depth, in D: the mesh's ridges must not show as steps.
const DEPTH_BLUR: f32 = 0.11;
/// How far before the axis of its turns a head's outline lies, in D.
const BEFORE_AXIS: f32 = 0.20;
/// The most that a head moves, whatever is asked: shifts (D), roll, yaw, pitch (radians).
const MOST: HeadPose = HeadPose { dx: 0.06, dy: 0.06, roll: 0.14, yaw: 0.18, pitch: 0.18 };
/// Share of the head's shift and lean that the shoulders take over.
const SHOULDERS: f32 = 0.22;
/// How far shoulders rise with a full breath, and how far they widen, in D.
const BREATH: [f32; 2] = [0.030, 0.010];
/// How much of the motion is shown of a head whose background is in the same layer.
const UNCUT: f32 = 0.55;

/// One node's part in each motion.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Node {
    /// Face coordinates.
    place: [f32; 2],
    /// Share of the head's motion.
    head: f32,
    /// How far before the axis, times that share (D).
    depth: f32,
    /// Share of the shoulders' motion.
    shoulders: f32,
    /// How far the brow lifts (D, negative upwards).
    brow: f32,
    /// How much of a motion across, and up and down, the border of the picture allows.
    room: [f32; 2],
}

/// Where and how strongly the head moves, on a coarse grid over the whole picture.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) grid: Grid,
    frame: FaceFrame,
    /// Point about which the head turns, face frame.
    pivot: [f32; 2],
    nodes: Vec<Node>,
    /// How much of what is asked is shown.
    share: f32,
    /// Pixels that can move.
    pub(super) support: Rect,
}

/// Where the head's motion takes pixels from, at the nodes of the head's grid.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadSources {
    motion: Vec<[f32; 2]>,
    pub(super) nodes: Vec<[f32; 2]>,
}

/// What the fields of a head are made from.
struct Build {
    /// Middle of the head, and half its width.
    centre: f32,
    half: f32,
    chin: f32,
    brows: [[f32; 2]; 2],
    cut_out: bool,
}

impl Head {
    /// Memory of its nodes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.nodes[..])
    }

    /// Measures a head from the mesh in face coordinates (`points`: `[X, Y, depth]`). `cut_out`: the person is a layer of
    /// their own.
    pub(super) fn measure(points: &[[f32; 3]], frame: FaceFrame, [width, height]: [usize; 2], cut_out: bool) -> Self {
        let grid = Grid::over(Rect { x0: 0, y0: 0, x1: width, y1: height }, HEAD_STEP);
        let brow =
            |ids: [usize; 5], over: usize| [points[over][0], ids.iter().map(|&i| points[i][1]).sum::<f32>() / 5.0];
        let build = Build {
            centre: (points[234][0] + points[454][0]) / 2.0,
            half: ((points[454][0] - points[234][0]) / 2.0).max(0.3),
            chin: points[152][1],
            brows: [brow([70, 63, 105, 66, 107], 105), brow([336, 296, 334, 293, 300], 334)],
            cut_out,
        };
        let depth = depth_field(points, frame, grid);
        let (w, h) = (width as f32 - 1.0, height as f32 - 1.0);
        let border = 0.12 * w.min(h);
        let edge = |d: f32| smoothstep(0.0, 1.0, d / border);
        let mut nodes = Vec::with_capacity(grid.len());
        for r in 0..grid.rows {
            for c in 0..grid.cols {
                let [px, py] = grid.place(c, r);
                let room = [edge(px) * edge(w - px), edge(py) * smoothstep(0.0, 0.05 * h, h - py)];
                // Background that moves along must not move at the border; a person may move along it.
                let room = if cut_out { room } else { [room[0] * edge(py); 2] };
                nodes.push(build.node(frame.to_face([px, py]), depth[r * grid.cols + c], room));
            }
        }
        let support = support(&grid, &nodes, width, height);
        let share = if cut_out { 1.0 } else { UNCUT };
        Self { grid, frame, pivot: [build.centre, build.chin + 0.25], nodes, share, support }
    }

    /// Works out where each node's picture comes from. Allocates only at first use.
    pub(super) fn solve(&self, e: &Expression, out: &mut HeadSources) {
        let within = |v: f32, most: f32| (self.share * v).clamp(-most, most);
        let (dx, dy) = (within(e.head.dx, MOST.dx), within(e.head.dy, MOST.dy));
        let (roll, yaw, pitch) =
            (within(e.head.roll, MOST.roll), within(e.head.yaw, MOST.yaw), within(e.head.pitch, MOST.pitch));
        let (cos, sin) = (roll.cos() - 1.0, roll.sin());
        // The lean of a head carries the foot of the neck to its side.
        let lean = [SHOULDERS * (dx + 0.35 * sin), SHOULDERS * dy - BREATH[0] * self.share * e.breath.clamp(0.0, 1.0)];
        let widen = BREATH[1] * self.share * e.breath.clamp(0.0, 1.0);
        let brow = e.brow.clamp(-1.0, 1.4);
        out.motion.clear();
        out.motion.extend(self.nodes.iter().map(|n| {
            let (xr, yr) = (n.place[0] - self.pivot[0], n.place[1] - self.pivot[1]);
            let x = n.head * (cos * xr - sin * yr + dx)
                + yaw * n.depth
                + n.shoulders * (lean[0] + widen * (0.7 * xr).clamp(-1.0, 1.0));
            let y = n.head * (sin * xr + cos * yr + dy) + pitch * n.depth + n.shoulders * lean[1] + brow * n.brow;
            let [x, y] = self.frame.vector_to_px([x, y]);
            [x * n.room[0], y * n.room[1]]
        }));
        out.nodes.clear();
        for r in 0..self.grid.rows {
            for c in 0..self.grid.cols {
                let p = self.grid.place(c, r);
                let mut d = out.motion[r * self.grid.cols + c];
                if d != [0.0; 2] {
                    // The motion is smooth: x = p - motion(x), three times, leaves less than a twentieth of a pixel.
                    for _ in 0..3 {
                        d = self.grid.sample(&out.motion, [p[0] - d[0], p[1] - d[1]]);
                    }
                }
                out.nodes.push([p[0] - d[0], p[1] - d[1]]);
            }
        }
    }
}

impl Build {
    /// The node at `place`, whose picture lies `depth` before the ears (D).
    fn node(&self, place: [f32; 2], depth: f32, room: [f32; 2]) -> Node {
        let [x, y] = place;
        let aside = (x - self.centre).abs();
        let sides = |from: f32, to: f32| if self.cut_out { 1.0 } else { 1.0 - smoothstep(from, to, aside / self.half) };
        let head = sides(1.25, 2.1) * (1.0 - smoothstep(self.chin - 0.08, self.chin + 0.85, y));
        let shoulders = sides(2.0, 4.0) * smoothstep(self.chin + 0.10, self.chin + 0.85, y);
        let lift = |&[bx, by]: &[f32; 2]| {
            let up = if y < by { bell((y - by) / 0.24) } else { 1.0 - smoothstep(0.0, 0.12, y - by) };
            -0.040 * bell((x - bx) / 0.22) * up
        };
        let brow: f32 = self.brows.iter().map(lift).sum();
        let brow = if brow.abs() < 2e-4 { 0.0 } else { brow };
        Node { place, head, depth: (depth + BEFORE_AXIS) * head, shoulders, brow, room }
    }
}

/// exp(-x^2)
fn bell(x: f32) -> f32 {
    (-x * x).exp()
}

impl HeadSources {
    /// Where pixel `p` comes from.
    #[inline]
    pub(super) fn at(&self, grid: &Grid, p: [f32; 2]) -> [f32; 2] {
        grid.sample(&self.nodes, p)
    }
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
fn support(grid: &Grid, nodes: &[Node], width: usize, height: usize) -> Rect {
    let mut area = Rect::default();
    for r in 0..grid.rows {
        for c in 0..grid.cols {
            let n = &nodes[r * grid.cols + c];
            if (n.head != 0.0 || n.shoulders != 0.0 || n.brow != 0.0) && n.room != [0.0; 2] {
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
