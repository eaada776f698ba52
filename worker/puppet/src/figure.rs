//! The person as a layer of their own, before a background that stays where it is.
//!
//! What lies behind the person nobody has seen, so it is filled in once, from the background around ([`fill`](self)). A
//! pixel that the person's motion takes from `q` is the picture at `q`, less what of the background shone through there,
//! plus what shines through now. So a head that does not move is the picture, byte by byte, and wisps of hair that the
//! outline misses go along with the head on whatever is behind them.

mod cells;
mod fill;

use super::grid::Grid;
use super::sample::{PADDING, Plane};
use super::source::{Source, TO_CHROMA};
pub(super) use cells::CellKind;
use cells::{Cell, cells};
use fill::{Pull, filled};
use mouthpiece_frame::{I420, Matte};

/// How far beyond the outline hair and soft edges may go on, in D.
const RIM: f32 = 0.020;
/// A value of the mask that says: nothing of the person. Above it the matte's 0..=255 begins.
const NOTHING: u8 = 0;

/// The layers of one reference frame.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    width: usize,
    height: usize,
    /// The background without the person: Y, U, V, each with padding.
    plate: [Vec<u8>; 3],
    /// Where the person is, at the size of luma and of chroma: 0 nowhere near, else 1 + coverage * 254.
    mask: [Vec<u8>; 2],
    cells: Vec<Cell>,
    columns: usize,
}

/// Reused lines of samples.
#[derive(Debug, Default)]
pub(super) struct RimScratch([Vec<u8>; 3]);

impl RimScratch {
    /// Three lines of `count` samples; none will have more than `most`, for which room is made once: the longest may come late.
    fn runs(&mut self, most: usize, count: usize) -> [&mut [u8]; 3] {
        self.0.each_mut().map(|line| {
            line.resize(line.len().max(most), 0);
            &mut line[..count]
        })
    }
}

impl Figure {
    /// Cuts the person out of `picture`. `unit`: D in pixels; `grid`: the head's.
    pub(super) fn cut(picture: &I420, matte: &Matte, unit: f32, grid: &Grid) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let rim = (RIM * unit).ceil() as usize + 1;
        let near = dilated(&matte.coverage, width, height, rim);
        let luma_mask: Vec<u8> = matte.coverage.iter().zip(&near).map(|(c, near)| mark(*c, *near)).collect();
        let (half_w, half_h) = (width / 2, height / 2);
        let chroma_mask: Vec<u8> = (0..half_w * half_h)
            .map(|i| {
                let at = i / half_w * 2 * width + i % half_w * 2;
                let block = [at, at + 1, at + width, at + width + 1];
                let mean = block.iter().map(|&at| u32::from(matte.coverage[at])).sum::<u32>() / 4;
                mark(mean as u8, block.iter().any(|&at| near[at]))
            })
            .collect();
        let plane = |values: &[u8], mask: &[u8], w: usize, h: usize| {
            let mut plate = filled(values, w, h, |i| if mask[i] == NOTHING { Pull::Keep } else { Pull::Fill });
            plate.extend_from_slice(&[0; PADDING]);
            plate
        };
        let plate = [
            plane(&picture.y, &luma_mask, width, height),
            plane(&picture.u, &chroma_mask, half_w, half_h),
            plane(&picture.v, &chroma_mask, half_w, half_h),
        ];
        let cells = cells(&luma_mask, width, height, grid);
        let padded = |mut mask: Vec<u8>| {
            mask.extend_from_slice(&[0; PADDING]);
            mask
        };
        Self { width, height, plate, mask: [padded(luma_mask), padded(chroma_mask)], cells, columns: grid.cols - 1 }
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.plate.iter().chain(&self.mask).map(Vec::len).sum::<usize>() + size_of_val(&self.cells[..])
    }

    /// What the cells of `grid` show when its nodes take their pixels from `sources`: row by row into `kinds`.
    pub(super) fn kinds(&self, grid: &Grid, sources: &[[f32; 2]], kinds: &mut Vec<CellKind>) {
        let away = |c: usize, r: usize| {
            let ([x, y], from) = (grid.place(c, r), sources[r * grid.cols + c]);
            (from[0] - x).abs().max((from[1] - y).abs())
        };
        kinds.clear();
        for (i, cell) in self.cells.iter().enumerate() {
            let (c, r) = (i % self.columns, i / self.columns);
            let far = away(c, r).max(away(c + 1, r)).max(away(c, r + 1)).max(away(c + 1, r + 1));
            // Samples are taken between pixels, and speech moves what a head carries.
            let clear = far + 1.5 <= f32::from(cell.clear);
            kinds.push(if clear { cell.kind } else { CellKind::Rim });
        }
    }

    /// Cells in a row.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Luma of row `y` from column `x` on, taken from `xs` and `ys` by the person's motion.
    pub(super) fn luma_run(
        &self,
        source: &Source,
        [x, y]: [usize; 2],
        [xs, ys]: [&[f32]; 2],
        out: &mut [u8],
        s: &mut RimScratch,
    ) {
        source.luma_run(xs, ys, out);
        let [mask, plate, _] = s.runs(self.width, out.len());
        let planes = [&self.mask[0], &self.plate[0]].map(|plane| Plane::new(plane, self.width, self.height));
        Plane::run_all(planes, 1.0, 0.0, xs, ys, [&mut *mask, &mut *plate]);
        let at = y * self.width + x;
        lay(out, mask, plate, &self.plate[0][at..at + out.len()]);
    }

    /// U and V of chroma row `y` from chroma column `x` on; coordinates are those of luma.
    pub(super) fn chroma_run(
        &self,
        source: &Source,
        [x, y]: [usize; 2],
        [xs, ys]: [&[f32]; 2],
        [us, vs]: [&mut [u8]; 2],
        s: &mut RimScratch,
    ) {
        let [mask, of_u, of_v] = s.runs(self.width, us.len());
        let (w, h) = (self.width / 2, self.height / 2);
        let [m, u, v] = [&self.mask[1], &self.plate[1], &self.plate[2]].map(|plane| Plane::new(plane, w, h));
        let planes = [source.chroma_plane(0), source.chroma_plane(1), m, u, v];
        let (scale, shift) = TO_CHROMA;
        Plane::run_all(planes, scale, shift, xs, ys, [&mut *us, &mut *vs, &mut *mask, &mut *of_u, &mut *of_v]);
        let at = y * w + x;
        lay(us, mask, of_u, &self.plate[1][at..at + us.len()]);
        lay(vs, mask, of_v, &self.plate[2][at..at + vs.len()]);
    }
}

/// Exchanges the background that shone through where `out` was taken from, which is `there`, for that where it is shown.
fn lay(out: &mut [u8], mask: &[u8], there: &[u8], here: &[u8]) {
    for (((out, mask), there), here) in out.iter_mut().zip(mask).zip(there).zip(here) {
        let through = 255 - i32::from(*mask);
        let change = (through * (i32::from(*here) - i32::from(*there)) * 258 + (1 << 15)) >> 16;
        *out = if *mask == NOTHING { *here } else { (i32::from(*out) + change).clamp(0, 255) as u8 };
    }
}

fn mark(coverage: u8, near: bool) -> u8 {
    if near { 1 + (u16::from(coverage) * 254 / 255) as u8 } else { NOTHING }
}

/// Where any coverage lies within `by` pixels across and down.
fn dilated(coverage: &[u8], width: usize, height: usize, by: usize) -> Vec<bool> {
    let grow = |count: usize, stride: usize, from: &dyn Fn(usize) -> bool, out: &mut [bool], start: usize| {
        let mut until = 0; // one past the last place that a value seen so far reaches
        for i in 0..count + by {
            if i < count && from(start + i * stride) {
                until = i + by + 1;
            }
            if i >= by {
                out[start + (i - by) * stride] |= until > i - by;
            }
        }
    };
    let mut across = vec![false; coverage.len()];
    (0..height).for_each(|y| grow(width, 1, &|at| coverage[at] > 2, &mut across, y * width));
    let mut both = vec![false; coverage.len()];
    (0..width).for_each(|x| grow(height, width, &|at| across[at], &mut both, x));
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_frame::Rect;

    const SIDE: usize = 64;

    /// A bright disc with a soft edge before a background that grows brighter to the right.
    fn scene() -> (I420, Matte) {
        let mut picture = I420::new(SIDE, SIDE).unwrap();
        let cover = |x: usize, y: usize| (18.5 - (x as f32 - 31.5).hypot(y as f32 - 31.5)).clamp(0.0, 1.0);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let c = cover(x, y);
                picture.y[y * SIDE + x] = (200.0 * c + (60.0 + x as f32) * (1.0 - c) + 0.5) as u8;
            }
        }
        let coverage = (0..SIDE * SIDE).map(|i| (255.0 * cover(i % SIDE, i / SIDE)) as u8).collect();
        (picture, Matte { coverage })
    }

    fn grid() -> Grid {
        Grid::over(Rect { x0: 0, y0: 0, x1: SIDE, y1: SIDE }, 8)
    }

    fn figure() -> (Figure, Source, I420) {
        let (picture, matte) = scene();
        let figure = Figure::cut(&picture, &matte, 20.0, &grid());
        (figure, Source::new(&picture), picture)
    }

    fn shifted(by: f32) -> (Vec<u8>, I420) {
        let (figure, source, picture) = figure();
        let mut out = vec![0; SIDE * SIDE];
        for y in 0..SIDE {
            let xs: Vec<f32> = (0..SIDE).map(|x| x as f32 - by).collect();
            let row = &mut out[y * SIDE..(y + 1) * SIDE];
            figure.luma_run(&source, [0, y], [&xs, &[y as f32; SIDE]], row, &mut RimScratch::default());
        }
        (out, picture)
    }

    #[test]
    fn a_person_who_does_not_move_is_the_picture() {
        let (out, picture) = shifted(0.0);
        assert_eq!(out, picture.y);
    }

    #[test]
    fn the_person_moves_and_the_background_stays() {
        let (out, picture) = shifted(4.0);
        let row = 32 * SIDE;
        assert_eq!(out[row..row + 8], picture.y[row..row + 8], "left of the disc");
        assert_eq!(out[row + 58..row + 64], picture.y[row + 58..row + 64], "right of it");
        assert!((19..52).all(|x| out[row + x] == 200), "{:?}", &out[row..row + SIDE]);
        // Where the disc was, the background is filled in from around: a little darker than to the right of it.
        assert!((14..17).all(|x| (60..100).contains(&out[row + x])), "{:?}", &out[row..row + SIDE]);
    }

    #[test]
    fn cells_know_what_they_can_show() {
        let (figure, ..) = figure();
        let grid = grid();
        let shown = |by: f32| {
            let places = (0..grid.len()).map(|i| grid.place(i % grid.cols, i / grid.cols));
            let mut kinds = Vec::new();
            figure.kinds(&grid, &places.map(|[x, y]| [x - by, y]).collect::<Vec<_>>(), &mut kinds);
            [kinds[0], kinds[4 * 8 + 4], kinds[4 * 8 + 1]]
        };
        assert_eq!(shown(0.0), [CellKind::Background, CellKind::Person, CellKind::Rim]);
        assert_eq!(shown(30.0), [CellKind::Rim; 3]);
    }

    #[test]
    fn growing_reaches_so_far_and_no_further() {
        let mut coverage = vec![0; 15 * 9];
        coverage[4 * 15 + 7] = 255;
        let grown = dilated(&coverage, 15, 9, 3);
        for (i, grown) in grown.into_iter().enumerate() {
            let (x, y) = (i % 15, i / 15);
            assert_eq!(grown, x.abs_diff(7) <= 3 && y.abs_diff(4) <= 3, "({x}, {y})");
        }
    }
}
