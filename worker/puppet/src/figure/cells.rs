//! Which cells of the head's grid show the person, which the background, and how far around them that holds.

use super::NOTHING;
use crate::grid::Grid;

/// Further around it no cell is looked at, in pixels.
const FURTHEST: u8 = 96;
/// What a cell of the head's grid may show when the head moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// The background alone: nothing is drawn.
    Background,
    /// The person alone.
    Person,
    /// Both.
    Rim,
}

/// One cell of the head's grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) kind: CellKind,
    /// So many pixels around it show the same.
    pub(super) clear: u8,
}

/// What each cell shows while nothing moves, and how far around it that holds.
pub(super) fn cells(mask: &[u8], width: usize, height: usize, grid: &Grid) -> Vec<Cell> {
    let sums = AreaSums::of(mask, width, height);
    let step = grid.step as f32;
    let mut cells = Vec::with_capacity((grid.cols - 1) * (grid.rows - 1));
    for r in 0..grid.rows - 1 {
        for c in 0..grid.cols - 1 {
            let [x, y] = grid.place(c, r);
            let around = |by: u8| {
                let by = f32::from(by);
                sums.kind([x - by, x + step + by], [y - by, y + step + by])
            };
            let kind = around(0);
            let mut clear = 0;
            if kind != CellKind::Rim {
                // The largest distance at which nothing else is seen, by halving.
                let (mut low, mut high) = (0, FURTHEST);
                while low < high {
                    let middle = low + (high - low).div_ceil(2);
                    (low, high) = if around(middle) == kind { (middle, high) } else { (low, middle - 1) };
                }
                clear = low;
            }
            cells.push(Cell { kind, clear });
        }
    }
    cells
}

/// For each place, how many pixels above and to the left of it are none of the person's, and how many are theirs alone.
struct AreaSums {
    width: usize,
    height: usize,
    sums: Vec<[u32; 2]>,
}

impl AreaSums {
    fn of(mask: &[u8], width: usize, height: usize) -> Self {
        let columns = width + 1;
        let mut sums = vec![[0_u32; 2]; columns * (height + 1)];
        for y in 0..height {
            let mut row = [0_u32; 2];
            for x in 0..width {
                let m = mask[y * width + x];
                row[0] += u32::from(m == NOTHING);
                row[1] += u32::from(m == 255);
                let above = sums[y * columns + x + 1];
                sums[(y + 1) * columns + x + 1] = [above[0] + row[0], above[1] + row[1]];
            }
        }
        Self { width, height, sums }
    }

    /// What the pixels of a box show, as far as it lies in the picture.
    fn kind(&self, [x0, x1]: [f32; 2], [y0, y1]: [f32; 2]) -> CellKind {
        let low = |v: f32, most: usize| v.clamp(0.0, (most - 1) as f32) as usize;
        let high = |v: f32, most: usize| (v.ceil().clamp(0.0, most as f32) as usize).max(1);
        let (x0, x1, y0, y1) = (low(x0, self.width), high(x1, self.width), low(y0, self.height), high(y1, self.height));
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let sum = |k: usize| at(x1, y1)[k] + at(x0, y0)[k] - at(x1, y0)[k] - at(x0, y1)[k];
        let count = ((x1 - x0) * (y1 - y0)) as u32;
        match (sum(0), sum(1)) {
            (none, _) if none == count => CellKind::Background,
            (_, all) if all == count => CellKind::Person,
            _ => CellKind::Rim,
        }
    }
}
