//! Where a drawn face replaces the reference: a jaw-shaped region with a soft edge, in place of the original's face parsing.

use super::crop::{CropOptions, JAW};
use mouthpiece_frame::{Mesh, Rect};

/// Width of the soft edge, in widths of the box: as the original blurs.
const FEATHER: f32 = 0.05;
/// The upper edge of the region: across the cheeks and below the tip of the nose.
const UPPER: [usize; 5] = [50, 205, 2, 425, 280];
/// Around it, what `cheeks` of 0 leaves: the corners of the mouth.
const MOUTH: [usize; 2] = [61, 291];

/// How much of a drawn face is seen, 0..=255, for each pixel of `area`, row after row. 0 at its edge.
pub fn jaw_mask(mesh: &Mesh, area: Rect, options: &CropOptions) -> Vec<u8> {
    let outline = outline(mesh, options);
    let (w, h) = (area.width(), area.height());
    let mut mask = vec![0.0_f32; w * h];
    for (y, row) in mask.chunks_exact_mut(w.max(1)).enumerate() {
        fill(row, &crossings(&outline, (area.y0 + y) as f32), area.x0 as f32);
    }
    let radius = ((FEATHER * w as f32) as usize).max(1);
    // Three boxes are near enough to a Gaussian.
    let mut scratch = mask.clone();
    for _ in 0..3 {
        blur(&mut mask, &mut scratch, [w, h], radius);
    }
    fade_to_the_edge(&mut mask, [w, h], radius);
    mask.into_iter().map(|m| (m * 255.0).round() as u8).collect()
}

/// The region's corners.
fn outline(mesh: &Mesh, options: &CropOptions) -> Vec<[f32; 2]> {
    let at = |i: usize| [mesh.points[i][0], mesh.points[i][1]];
    let [left, right] = MOUTH.map(at);
    let middle = [(left[0] + right[0]) / 2.0, (left[1] + right[1]) / 2.0];
    let face = mesh.bounds(&JAW);
    let outward = 0.08 * options.jaw.clamp(0.0, 1.0);
    let cheeks = options.cheeks.clamp(0.0, 1.0);
    // The ends of the jaw are beside the eyes: the region begins below.
    let jaw = JAW[3..JAW.len() - 3].iter().map(|i| {
        let [x, y] = at(*i);
        // Beside the mouth the region reaches as far out as the cheeks are drawn, below it over the chin.
        let beside = ((x - middle[0]) / (face.width() / 2.0)).abs().min(1.0);
        let reach = (1.0 + outward) * (1.0 - beside * (1.0 - cheeks) * 0.5);
        [middle[0] + (x - middle[0]) * reach, middle[1] + (y - middle[1]) * (1.0 + outward)]
    });
    let upper = UPPER.iter().rev().map(|i| {
        let [x, y] = at(*i);
        [middle[0] + (x - middle[0]) * (0.5 + 0.5 * cheeks), y]
    });
    jaw.chain(upper).collect()
}

/// Where the outline crosses row `y`, sorted.
fn crossings(outline: &[[f32; 2]], y: f32) -> Vec<f32> {
    let mut found = Vec::new();
    for (a, b) in outline.iter().zip(outline.iter().cycle().skip(1)) {
        if (a[1] <= y) != (b[1] <= y) {
            found.push(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
        }
    }
    found.sort_by(f32::total_cmp);
    found
}

/// Fills a row between every second crossing and the next.
fn fill(row: &mut [f32], crossings: &[f32], x0: f32) {
    for pair in crossings.chunks_exact(2) {
        let inside = |x: f32| (x - x0).round().clamp(0.0, row.len() as f32) as usize;
        let (from, to) = (inside(pair[0]), inside(pair[1]));
        row[from..to.max(from)].fill(1.0);
    }
}

/// The mean of `2 radius + 1` pixels in both directions; outside is 0.
fn blur(mask: &mut [f32], scratch: &mut [f32], [w, h]: [usize; 2], radius: usize) {
    let mean = |from: &[f32], to: &mut [f32], length: usize, step: usize, start: usize| {
        let get = |i: isize| if (0..length as isize).contains(&i) { from[start + i as usize * step] } else { 0.0 };
        let r = radius as isize;
        let mut sum: f32 = (-r..r).map(get).sum();
        for i in 0..length as isize {
            sum += get(i + r);
            to[start + i as usize * step] = (sum / (2 * radius + 1) as f32).clamp(0.0, 1.0);
            sum -= get(i - r);
        }
    };
    for y in 0..h {
        mean(mask, scratch, w, 1, y * w);
    }
    for x in 0..w {
        mean(scratch, mask, h, w, x);
    }
}

/// Whatever lies at the box's own edge ends there: a hard line would be seen.
fn fade_to_the_edge(mask: &mut [f32], [w, h]: [usize; 2], radius: usize) {
    for y in 0..h {
        for x in 0..w {
            let edge = x.min(w - 1 - x).min(y).min(h - 1 - y);
            if edge < radius {
                mask[y * w + x] *= edge as f32 / radius as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::POINTS;

    fn face() -> (Mesh, Rect) {
        let mut mesh = Mesh { points: vec![[200.0, 150.0, 0.0]; POINTS], presence: 1.0 };
        for (i, point) in JAW.into_iter().enumerate() {
            let angle = std::f32::consts::PI * i as f32 / 22.0;
            mesh.points[point] = [200.0 - 100.0 * angle.cos(), 150.0 + 100.0 * angle.sin(), 0.0];
        }
        for (point, at) in
            UPPER.into_iter().zip([[130.0, 170.0], [160.0, 185.0], [200.0, 180.0], [240.0, 185.0], [270.0, 170.0]])
        {
            mesh.points[point] = [at[0], at[1], 0.0];
        }
        mesh.points[MOUTH[0]] = [170.0, 205.0, 0.0];
        mesh.points[MOUTH[1]] = [230.0, 205.0, 0.0];
        (mesh, Rect { x0: 100, y0: 50, x1: 300, y1: 258 })
    }

    fn at(mask: &[u8], area: Rect, [x, y]: [usize; 2]) -> u8 {
        mask[(y - area.y0) * area.width() + x - area.x0]
    }

    #[test]
    fn the_mouth_is_drawn_anew_and_eyes_and_nose_are_not() {
        let (mesh, area) = face();
        let mask = jaw_mask(&mesh, area, &CropOptions::default());
        assert_eq!(mask.len(), area.width() * area.height());
        assert!(at(&mask, area, [200, 210]) > 250, "the mouth");
        assert!(at(&mask, area, [200, 235]) > 150, "the chin");
        for (what, place) in [("the nose", [200, 150]), ("an eye", [150, 100]), ("a corner", [101, 51])] {
            assert_eq!(at(&mask, area, place), 0, "{what}");
        }
    }

    #[test]
    fn no_line_is_hard() {
        let (mesh, area) = face();
        for cheeks in [0.0, 0.5, 1.0] {
            let mask = jaw_mask(&mesh, area, &CropOptions { cheeks, jaw: 1.0, ..CropOptions::default() });
            let w = area.width();
            let step = |a: u8, b: u8| a.abs_diff(b);
            let across = mask.chunks(w).flat_map(|row| row.windows(2).map(|p| step(p[0], p[1]))).max();
            let down = mask.iter().zip(&mask[w..]).map(|(a, b)| step(*a, *b)).max();
            assert!(across.max(down) <= Some(40), "{across:?} {down:?}");
            let edge = mask.chunks(w).flat_map(|row| [row[0], row[w - 1]]).chain(mask[..w].iter().copied()).max();
            assert_eq!(edge, Some(0), "the box's own edge");
        }
    }

    #[test]
    fn cheeks_make_the_region_wider() {
        let (mesh, area) = face();
        let sum = |cheeks| {
            let mask = jaw_mask(&mesh, area, &CropOptions { cheeks, ..CropOptions::default() });
            mask.iter().map(|m| u64::from(*m)).sum::<u64>()
        };
        assert!(sum(0.0) < sum(0.5) && sum(0.5) < sum(1.0));
    }

    #[test]
    fn a_face_that_leaves_the_picture_does_no_harm() {
        let (mesh, _) = face();
        let area = Rect { x0: 100, y0: 50, x1: 180, y1: 200 };
        assert_eq!(jaw_mask(&mesh, area, &CropOptions::default()).len(), 80 * 150);
    }
}
