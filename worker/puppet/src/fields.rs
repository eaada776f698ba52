//! The two displacement sheets: how each mouth parameter moves the face above and below the mouth line.
//!
//! Above the line everything belongs to the upper sheet, below it to the lower. Beyond the corners the two agree; between
//! the corners they differ, and that opens the mouth. A sheet's displacement is the sum over the parameters, so a frame
//! costs one weighted sum over a small grid of nodes.

use super::curves::smoothstep;
use super::frame::FaceFrame;
use super::grid::Grid;
use super::mouth::{CLOSE_UPPER_SHARE, Mouth};
use super::shape::{FIELDS, Field};
use mouthpiece_frame::Rect;

/// Displacement (face frame, D) of one place by each parameter: upper sheet, lower sheet.
pub(super) type Basis = [([f32; 2], [f32; 2]); FIELDS];

/// How far below the chin the neck still follows the jaw, in D.
const NECK: f32 = 0.62;

/// What the fields across are made for, in D.
const USUAL_HALF_WIDTH: f32 = 0.28;

/// The part of the picture that mouth parameters can move, in the face frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    centre: f32,
    side: f32,
    top: f32,
    bottom: f32,
}

impl Reach {
    pub(super) fn of(mouth: &Mouth) -> Self {
        let (highest, _) = mouth.upper.range();
        let (_, lowest) = mouth.lower.range();
        Self {
            centre: mouth.chin_x / 2.0,
            side: (1.32 * mouth.jaw_half).max(2.75 * mouth.half_width) + mouth.chin_x.abs() / 2.0,
            top: highest - mouth.nose * 1.7 - 0.06,
            bottom: lowest + mouth.chin + NECK + 0.02,
        }
    }

    /// Furthest X to either side of the origin.
    pub(super) fn furthest_x(&self) -> f32 {
        self.centre.abs() + self.side
    }

    /// 1 inside, falling to 0 over the last tenth of D: the sheets end without a seam.
    pub(super) fn window(&self, [x, y]: [f32; 2]) -> f32 {
        (1.0 - smoothstep(self.side - 0.12, self.side, (x - self.centre).abs()))
            * smoothstep(self.top, self.top + 0.10, y)
            * (1.0 - smoothstep(self.bottom - 0.10, self.bottom, y))
    }

    /// The pixels that it covers, clipped to the frame and made even.
    pub(super) fn pixels(&self, frame: FaceFrame, width: usize, height: usize) -> Rect {
        let across = [self.centre - self.side, self.centre + self.side];
        frame.pixels(across, [self.top, self.bottom], width, height)
    }
}

/// The displacement that each parameter gives to the place `[x, y]` of the face frame.
pub(super) fn basis(m: &Mouth, [x, y]: [f32; 2]) -> Basis {
    let (line_u, line_l) = (m.upper.at(x), m.lower.at(x));
    let (vu, vl) = ((line_u - y).max(0.0), (y - line_l).max(0.0));
    let is_above = line_u > y;
    let u = x / m.half_width;
    let au = u.abs();
    let (tu, tl) = (m.upper_lip, m.lower_lip);
    // Small mouths, and those of turned faces, move less far.
    let size = (m.half_width / USUAL_HALF_WIDTH).clamp(0.6, 1.0);
    // Profiles along the mouth: 1 in the middle, 0 at the corners, in three fullnesses.
    let dome = (1.0 - u * u).clamp(0.0, 1.0);
    let full = dome.powf(0.62);
    let lip = dome.powf(1.2);
    let middle = (-(u / 0.55) * (u / 0.55)).exp() * (1.2 * dome).min(1.0);
    // Falloffs away from the line.
    let to_nose = 1.0 - smoothstep(tu * 0.5, m.nose, vu);
    let past_nose = 1.0 - smoothstep(tu * 0.3, m.nose * 1.6, vu);
    let lower_lip = 1.0 - smoothstep(tl * 0.6, tl * 2.2, vl);
    // A sideways pull is strongest at the corners and fades over the cheek.
    let across = u.signum() * au.min(1.0);
    let cheek = bell(y - (line_u + line_l) / 2.0, 0.22);
    let mut b = [([0.0; 2], [0.0; 2]); FIELDS];

    // Jaw: the lips follow by a profile along the line, below them the chin is a plate, the neck takes up the rest.
    const CORNER: f32 = 0.30;
    let beyond = 1.0 - smoothstep(1.0, 2.1, au);
    let plate =
        1.0 - smoothstep(0.45 * m.jaw_half, 1.28 * m.jaw_half, (x - m.chin_x * (vl / m.chin).clamp(0.0, 1.0)).abs());
    let neck = 1.0 - smoothstep(m.chin * 0.98, m.chin + NECK, vl);
    let (line_upper, line_lower) = if au < 1.0 {
        (CORNER * au.powi(5), CORNER + (1.0 - CORNER) * full)
    } else {
        (CORNER * beyond, CORNER * beyond)
    };
    let k = smoothstep(0.0, (1.6 * tl).max(0.20), vl);
    let narrow = -0.030 * size * u.signum() * au.min(1.0).powf(1.5) * (1.0 - smoothstep(1.0, 2.3, au));
    let narrow = narrow * if is_above { bell(vu, 0.16) } else { bell(vl, 0.20) };
    b[Field::Jaw as usize] =
        ([narrow, 0.165 * line_upper * past_nose], [narrow, 0.165 * (line_lower * (1.0 - k) + plate * k) * neck]);

    b[Field::LowerLipDown as usize] = ([0.0; 2], [0.0, 0.050 * lip * lower_lip]);
    b[Field::UpperLipUp as usize] = ([0.0, -0.070 * dome.powf(0.9) * to_nose], [0.0; 2]);

    let wide = 0.075 * size * across * (1.0 - smoothstep(1.0, 2.6, au)) * cheek;
    let lift = -0.020 * au.min(1.0).powi(3) * (1.0 - smoothstep(1.0, 2.4, au)) * cheek;
    b[Field::Wide as usize] = ([wide, lift], [wide, lift]);

    // Pucker: corners in, lips swell: their outer borders move away from the line.
    let pull = -0.098 * size * u.signum() * au.min(1.0).powf(1.35) * (1.0 - smoothstep(1.0, 2.6, au)) * cheek;
    let swell_u = bell((vu - tu) / tu, 0.9) * (1.0 - smoothstep(m.nose * 0.5, m.nose, vu));
    let swell_l = bell((vl - tl) / tl, 0.9);
    // What opens is round: beside the middle the lips come together.
    let beside = 0.045 * (full - dome.powf(1.6));
    let mut upper_y = 0.008 * middle * to_nose - 0.016 * middle * swell_u + beside * to_nose;
    let mut lower_y = 0.010 * middle * lower_lip + 0.014 * middle * swell_l - 0.5 * beside * lower_lip;
    if m.open {
        // A smile must unbend to pucker: the middle of the upper lip and the corners come down.
        upper_y += 0.030 * middle * to_nose - 1.6 * lift;
        lower_y += -1.6 * lift - 0.006 * middle * lower_lip;
    }
    b[Field::Pucker as usize] = ([pull, upper_y], [pull, lower_y]);

    b[Field::Press as usize] = (
        [0.0, 0.018 * lip * bell((vu - tu) / tu, 0.8) * smoothstep(0.0, 0.7 * tu, vu)],
        [0.0, -0.024 * lip * bell((vl - tl) / tl, 0.8) * smoothstep(0.0, 0.7 * tl, vl)],
    );
    b[Field::Tuck as usize] = ([0.0; 2], [0.0, -0.040 * lip * lower_lip]);

    // A smile: the corners go out and up, the cheeks above them rise, and the lips are drawn a little thin.
    let beside = 1.0 - smoothstep(1.0, 2.7, au);
    let drawn = au.min(1.0).powf(1.7) * beside;
    let out = 0.045 * across * beside * bell(y - line_u, 0.26);
    let cheeks = -0.016 * bell((au - 1.7) / 0.9, 1.0) * bell(y - (line_u - 0.30), 0.22);
    let up = -0.048 * drawn * bell(y - (line_u - 0.04), 0.30) + cheeks + 0.004 * middle * bell(y - line_u, 0.2);
    b[Field::Smile as usize] = ([out, up], [out, up]);

    if m.open {
        // Each lip goes part of the gap. Its outer border follows by less than its edge, since a smile draws lips thin; the
        // falloffs are long, so that cheeks and chin relax with it.
        let gap = (line_l - line_u).max(0.0);
        let fade_u = 1.0 - 0.62 * smoothstep(0.0, tu * 1.5, vu) - 0.38 * smoothstep(tu * 0.8, m.nose * 1.15, vu);
        let fade_l = 1.0 - 0.20 * smoothstep(0.0, tl * 1.1, vl) - 0.80 * smoothstep(tl * 0.6, m.chin * 0.95, vl);
        b[Field::Close as usize] =
            ([0.0, CLOSE_UPPER_SHARE * gap * fade_u], [0.0, -(1.0 - CLOSE_UPPER_SHARE) * gap * fade_l]);
    }
    b
}

/// exp(-(x / width)^2)
#[inline]
fn bell(x: f32, width: f32) -> f32 {
    (-(x / width) * (x / width)).exp()
}

/// The displacement fields of a reference frame, in pixels on a grid of nodes.
#[derive(Debug, Clone)]
pub(super) struct Sheets {
    pub(super) grid: Grid,
    pub(super) reach: Reach,
    /// For each parameter `[upper x, upper y, lower x, lower y]`, each `grid.len()` long, one after the other.
    planes: Vec<f32>,
    /// Which of the four planes of a parameter hold anything.
    used: [[bool; 4]; FIELDS],
}

/// A frame's displacement of both sheets, in pixels at the nodes of the grid: `[x, y]` a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Displacement {
    pub(super) upper: Vec<[f32; 2]>,
    pub(super) lower: Vec<[f32; 2]>,
}

impl Sheets {
    /// Memory of its planes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.planes[..])
    }

    /// Lays the sheets over the part of a `width` x `height` picture that they can move.
    pub(super) fn lay(mouth: &Mouth, frame: FaceFrame, width: usize, height: usize) -> Self {
        let reach = Reach::of(mouth);
        // Every second pixel for the usual face; fine enough for the lips whatever its size.
        let step =
            if frame.unit < 48.0 { 1 } else { ((frame.unit / 58.0).round() as usize).clamp(2, 8).next_power_of_two() };
        let grid = Grid::over(reach.pixels(frame, width, height), step);
        let n = grid.len();
        let mut planes = vec![0.0; FIELDS * 4 * n];
        let mut used = [[false; 4]; FIELDS];
        for r in 0..grid.rows {
            for c in 0..grid.cols {
                let place = frame.to_face(grid.place(c, r));
                let window = reach.window(place);
                if window <= 0.0 {
                    continue;
                }
                for (field, (upper, lower)) in basis(mouth, place).into_iter().enumerate() {
                    let [ux, uy] = frame.vector_to_px(upper);
                    let [lx, ly] = frame.vector_to_px(lower);
                    for (plane, v) in [ux, uy, lx, ly].into_iter().enumerate() {
                        // Below a thousandth of a pixel nothing is to be seen.
                        let v = if v.abs() * window < 1e-3 { 0.0 } else { v * window };
                        planes[(field * 4 + plane) * n + r * grid.cols + c] = v;
                        used[field][plane] |= v != 0.0;
                    }
                }
            }
        }
        Self { grid, reach, planes, used }
    }

    /// The weighted sum of all fields. Allocates only when `out` has never been this large.
    pub(super) fn combine(&self, weights: &[f32; FIELDS], out: &mut Displacement) {
        let n = self.grid.len();
        for (half, sums) in [&mut out.upper, &mut out.lower].into_iter().enumerate() {
            sums.clear();
            sums.resize(n, [0.0; 2]);
            for (field, &w) in weights.iter().enumerate() {
                let plane = |axis: usize| {
                    let at = (field * 4 + half * 2 + axis) * n;
                    &self.planes[at..at + n]
                };
                let used = &self.used[field][half * 2..half * 2 + 2];
                if w.abs() < 1e-4 || !(used[0] || used[1]) {
                    continue;
                }
                if used[0] {
                    for ((sum, x), y) in sums.iter_mut().zip(plane(0)).zip(plane(1)) {
                        sum[0] += w * x;
                        sum[1] += w * y;
                    }
                } else {
                    for (sum, y) in sums.iter_mut().zip(plane(1)) {
                        sum[1] += w * y;
                    }
                }
            }
        }
    }
}
