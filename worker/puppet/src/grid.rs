//! A grid of nodes over pixels: everything smooth is worked out there and interpolated between.

use mouthpiece_frame::Rect;

/// A regular grid of nodes over pixels: node (c, r) stands at pixel (x0 + c * step, y0 + r * step).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub(super) x0: isize,
    pub(super) y0: isize,
    pub(super) step: usize,
    pub(super) cols: usize,
    pub(super) rows: usize,
}

impl Grid {
    /// The grid whose nodes enclose `area`; at least 2 by 2 nodes.
    pub(super) fn over(area: Rect, step: usize) -> Self {
        let count = |a: usize, b: usize| (b.saturating_sub(a)).div_ceil(step).max(1) + 1;
        Self {
            x0: area.x0 as isize,
            y0: area.y0 as isize,
            step,
            cols: count(area.x0, area.x1),
            rows: count(area.y0, area.y1),
        }
    }

    /// The same grid with `nodes` more on each side.
    pub(super) fn grown(self, nodes: usize) -> Self {
        let by = (nodes * self.step) as isize;
        Self { x0: self.x0 - by, y0: self.y0 - by, cols: self.cols + 2 * nodes, rows: self.rows + 2 * nodes, ..self }
    }

    pub(super) fn len(&self) -> usize {
        self.cols * self.rows
    }

    /// Where node (c, r) stands, in pixels.
    #[inline]
    pub(super) fn place(&self, c: usize, r: usize) -> [f32; 2] {
        [(self.x0 + (c * self.step) as isize) as f32, (self.y0 + (r * self.step) as isize) as f32]
    }

    /// The cell that holds a pixel: the index of its upper left node, and how far the pixel is into it, 0..=1 each way.
    /// Pixels outside belong to the nearest cell's edge.
    #[inline]
    pub(super) fn cell(&self, [x, y]: [f32; 2]) -> (usize, f32, f32) {
        let k = 1.0 / self.step as f32;
        let gx = ((x - self.x0 as f32) * k).clamp(0.0, (self.cols - 1) as f32);
        let gy = ((y - self.y0 as f32) * k).clamp(0.0, (self.rows - 1) as f32);
        let (c, r) = ((gx as usize).min(self.cols - 2), (gy as usize).min(self.rows - 2));
        (r * self.cols + c, gx - c as f32, gy - r as f32)
    }

    /// What the nodes' `values` are at a pixel, linear between them.
    #[inline]
    pub(super) fn sample(&self, values: &[[f32; 2]], p: [f32; 2]) -> [f32; 2] {
        let (at, fx, fy) = self.cell(p);
        let (a, b, c, d) = (values[at], values[at + 1], values[at + self.cols], values[at + self.cols + 1]);
        let one = |i: usize| {
            let (top, bottom) = (a[i] + (b[i] - a[i]) * fx, c[i] + (d[i] - c[i]) * fx);
            top + (bottom - top) * fy
        };
        [one(0), one(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_find_their_cell() {
        let grid = Grid::over(Rect { x0: 4, y0: 8, x1: 12, y1: 16 }, 4);
        assert_eq!((grid.cols, grid.rows), (3, 3));
        assert_eq!(grid.cell([9.0, 13.0]), (4, 0.25, 0.25));
        assert_eq!(grid.cell([-50.0, 99.0]), (3, 0.0, 1.0));
        assert_eq!(grid.place(1, 2), [8.0, 16.0]);
    }
}
