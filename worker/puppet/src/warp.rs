//! Inverting the sheets: where in the reference does a pixel of the frame come from?

use super::grid::Grid;

/// Newton steps a node, from its neighbour's answer: 0.03 pixel are left (see the tests).
const STEPS: usize = 3;

/// Solves `x + displacement(x) = target(p)` for the nodes of `rows` of the grid `out`.
///
/// `displacement` holds pixels at the nodes of `field`; `targets`, for each node of `out`, where the head's motion takes
/// its pixel from. Answers (pixels of the reference) go to the same places of `sources`. Rows are solved from the top:
/// each node starts from the answer above it.
pub(super) fn solve(
    field: &Grid,
    displacement: &[[f32; 2]],
    out: &Grid,
    rows: std::ops::Range<usize>,
    targets: &[[f32; 2]],
    sources: &mut [[f32; 2]],
) {
    let first = rows.start;
    for r in rows {
        for c in 0..out.cols {
            let at = r * out.cols + c;
            let t = targets[at];
            let mut x = if r == first {
                let (d, _) = sample(field, displacement, t);
                [t[0] - d[0], t[1] - d[1]]
            } else {
                let above = sources[at - out.cols];
                let from = targets[at - out.cols];
                [t[0] + above[0] - from[0], t[1] + above[1] - from[1]]
            };
            for _ in 0..STEPS {
                let (d, j) = sample(field, displacement, x);
                let miss = [t[0] - x[0] - d[0], t[1] - x[1] - d[1]];
                if miss[0].abs() + miss[1].abs() < 0.02 {
                    break;
                }
                // (I + J) step = miss; where a sheet folds the determinant is held up, which shortens the step.
                let (a, b, e, f) = (1.0 + j[0], j[1], j[2], 1.0 + j[3]);
                let k = 1.0 / (a * f - b * e).max(0.35);
                x[0] += ((f * miss[0] - b * miss[1]) * k).clamp(-12.0, 12.0);
                x[1] += ((a * miss[1] - e * miss[0]) * k).clamp(-12.0, 12.0);
            }
            sources[at] = x;
        }
    }
}

/// Displacement at pixel `p` and its derivatives `[dx/x, dx/y, dy/x, dy/y]`; clamped to the grid.
#[inline]
fn sample(grid: &Grid, values: &[[f32; 2]], p: [f32; 2]) -> ([f32; 2], [f32; 4]) {
    let (at, fx, fy) = grid.cell(p);
    let k = 1.0 / grid.step as f32;
    let top = &values[at..at + 2];
    let bottom = &values[at + grid.cols..at + grid.cols + 2];
    let mut d = [0.0; 2];
    let mut j = [0.0; 4];
    for i in 0..2 {
        let (across_top, across_bottom) = (top[1][i] - top[0][i], bottom[1][i] - bottom[0][i]);
        let (t, b) = (top[0][i] + across_top * fx, bottom[0][i] + across_bottom * fx);
        d[i] = t + (b - t) * fy;
        j[2 * i] = (across_top + (across_bottom - across_top) * fy) * k;
        j[2 * i + 1] = (b - t) * k;
    }
    (d, j)
}

/// Interpolates node answers along pixel row `y` for the pixels `from..to`, which the grid must enclose.
pub(super) fn row(out: &Grid, sources: &[[f32; 2]], y: usize, from: usize, to: usize, xs: &mut [f32], ys: &mut [f32]) {
    // The distance between nodes is one of few: known when compiled, its loops unroll.
    match out.step {
        1 => row_of::<1>(out, sources, y, from, to, xs, ys),
        2 => row_of::<2>(out, sources, y, from, to, xs, ys),
        4 => row_of::<4>(out, sources, y, from, to, xs, ys),
        _ => row_of::<8>(out, sources, y, from, to, xs, ys),
    }
}

fn row_of<const STEP: usize>(
    out: &Grid,
    sources: &[[f32; 2]],
    y: usize,
    from: usize,
    to: usize,
    xs: &mut [f32],
    ys: &mut [f32],
) {
    debug_assert_eq!(out.step, STEP);
    let down = (y as isize - out.y0) as usize;
    let r = (down / STEP).min(out.rows - 2);
    let fy = (down - r * STEP) as f32 / STEP as f32;
    let (top, bottom) = (&sources[r * out.cols..][..out.cols], &sources[(r + 1) * out.cols..][..out.cols]);
    let node = |c: usize| {
        let (a, b) = (top[c], bottom[c]);
        [a[0] + (b[0] - a[0]) * fy, a[1] + (b[1] - a[1]) * fy]
    };
    let slope = |a: [f32; 2], b: [f32; 2]| [(b[0] - a[0]) / STEP as f32, (b[1] - a[1]) / STEP as f32];
    let count = to - from;
    let right = (from as isize - out.x0) as usize;
    let mut c = (right / STEP).min(out.cols - 2);
    let mut left = node(c);
    // The rest of the first cell.
    let start = right - c * STEP;
    let mut done = (STEP - start.min(STEP)).min(count);
    let mut next = node(c + 1);
    let k = slope(left, next);
    for i in 0..done {
        let f = (start + i) as f32;
        (xs[i], ys[i]) = (left[0] + k[0] * f, left[1] + k[1] * f);
    }
    // Whole cells, then what is left of the last.
    while done < count {
        c = (c + 1).min(out.cols - 2);
        left = next;
        next = node(c + 1);
        let k = slope(left, next);
        let here = STEP.min(count - done);
        if let (true, Some(x), Some(y)) =
            (here == STEP, xs[done..].first_chunk_mut::<STEP>(), ys[done..].first_chunk_mut::<STEP>())
        {
            for i in 0..STEP {
                (x[i], y[i]) = (left[0] + k[0] * i as f32, left[1] + k[1] * i as f32);
            }
        } else {
            for i in 0..here {
                (xs[done + i], ys[done + i]) = (left[0] + k[0] * i as f32, left[1] + k[1] * i as f32);
            }
        }
        done += here;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::Rect;
    use proptest::prelude::*;

    /// A smooth bump of displacement, `h` pixels high, that nowhere folds.
    fn bump(grid: &Grid, h: f32) -> Vec<[f32; 2]> {
        (0..grid.len())
            .map(|i| {
                let [x, y] = grid.place(i % grid.cols, i / grid.cols);
                let g = (-((x - 60.0) / 22.0).powi(2) - ((y - 50.0) / 22.0).powi(2)).exp();
                [0.3 * h * g, h * g]
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_node_lands_where_it_should(h in -14.0_f32..14.0) {
            let grid = Grid::over(Rect { x0: 0, y0: 0, x1: 120, y1: 100 }, 2);
            let d = bump(&grid, h);
            let mut sources = vec![[0.0; 2]; grid.len()];
            let places: Vec<[f32; 2]> = (0..grid.len()).map(|i| grid.place(i % grid.cols, i / grid.cols)).collect();
            solve(&grid, &d, &grid, 0..grid.rows, &places, &mut sources);
            for r in 0..grid.rows {
                for c in 0..grid.cols {
                    let p = grid.place(c, r);
                    let x = sources[r * grid.cols + c];
                    let (moved, _) = sample(&grid, &d, x);
                    let miss = (x[0] + moved[0] - p[0]).hypot(x[1] + moved[1] - p[1]);
                    prop_assert!(miss < 0.03, "{miss} at {p:?}");
                }
            }
        }
    }

    #[test]
    fn a_row_interpolates_the_nodes() {
        let grid = Grid::over(Rect { x0: 4, y0: 6, x1: 16, y1: 14 }, 4);
        let sources: Vec<[f32; 2]> =
            (0..grid.len()).map(|i| grid.place(i % grid.cols, i / grid.cols)).map(|[x, y]| [2.0 * x, x + y]).collect();
        let (mut xs, mut ys) = ([0.0; 9], [0.0; 9]);
        row(&grid, &sources, 9, 5, 14, &mut xs, &mut ys);
        for i in 0..9 {
            assert_eq!((xs[i], ys[i]), (2.0 * (5 + i) as f32, (5 + i + 9) as f32));
        }
    }
}
