//! Drawing one frame: solve where the pixels come from, fetch them, paint the lips.

use super::PuppetAvatar;
use super::bank::{Bank, BankInside, Contour, Follower, SAMPLES};
use super::clip::FramePose;
use super::corners::FOLLOWED;
use super::fields::Displacement;
use super::figure::{CellKind, RimScratch};
use super::grid::Grid;
use super::head::HeadSources;
use super::lip_zone::LipZone;
use super::lips::{NEAR, Origin, Place, layered};
use super::rig::Rig;
use super::shape::MouthShape;
use super::source::Source;
use super::warp;
use mouthpiece_engine::Expression;
use mouthpiece_frame::{I420, Rect};
use std::ops::Range;

/// Lips no further apart than this, in pixels, show nothing.
const SHUT: f32 = 0.3;

/// How far a moving head may carry the mouth, in D.
const MARGIN: f32 = 0.19;

/// Working memory for drawing: grown by the first frames, then only reused.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    displacement: Displacement,
    head: HeadSources,
    /// For each node of the mouth's grid, where the head's motion takes its pixel from.
    targets: Vec<[f32; 2]>,
    upper: Vec<[f32; 2]>,
    lower: Vec<[f32; 2]>,
    lips: LipZone,
    rows: [Row; 2],
    lower_row: Row,
    chroma: Row,
    rim: RimScratch,
    /// What the cells of the head's grid show.
    kinds: Vec<CellKind>,
}

/// Source coordinates along one row.
#[derive(Debug, Default)]
struct Row {
    xs: Vec<f32>,
    ys: Vec<f32>,
}

impl Row {
    /// Room for `most` is made once.
    fn resize(&mut self, width: usize, most: usize) {
        self.xs.reserve(most.saturating_sub(self.xs.len()));
        self.ys.reserve(most.saturating_sub(self.ys.len()));
        self.xs.resize(width, 0.0);
        self.ys.resize(width, 0.0);
    }
}

/// What is drawn: a face, and the picture that shows it.
pub(super) struct View<'a> {
    rig: &'a Rig,
    source: &'a Source,
    /// How the picture lies to the frame that the rig was made from; none where it is that frame.
    pose: Option<&'a FramePose>,
    /// The person's own mouths, where there are any.
    bank: Option<&'a Bank>,
    /// No picture's lower face takes more pixels; 0 where there is but one.
    most_pixels: usize,
}

impl<'a> View<'a> {
    /// Frame `shown` of an avatar, which is in `source`.
    pub(super) fn of(avatar: &'a PuppetAvatar, rig: &'a Rig, source: &'a Source, shown: usize) -> Self {
        let clip = avatar.clip.as_ref();
        Self {
            rig,
            source,
            pose: clip.map(|clip| &clip.poses[shown]),
            bank: clip.map(|clip| &clip.bank).filter(|bank| bank.len() > 0),
            most_pixels: clip.map_or(0, |clip| clip.most_pixels),
        }
    }
}

/// What one frame needs to know everywhere.
struct Frame<'a> {
    rig: &'a Rig,
    source: &'a Source,
    shape: &'a MouthShape,
    pose: Option<&'a FramePose>,
    inside: Option<BankInside<'a>>,
    most_pixels: usize,
    /// Whether the head moves at all.
    moving: bool,
    /// The grid of the mouth's answers, over the frame.
    out: Grid,
    /// Node rows that the upper and the lower sheet were solved for.
    upper_rows: Range<usize>,
    lower_rows: Range<usize>,
}

/// Draws `view` with the mouth in `shape` and the head as `expression` says; lids are already painted in its source.
/// Returns what was painted: even, inside the frame.
pub(super) fn draw(
    view: &View<'_>,
    shape: &MouthShape,
    expression: &Expression,
    follower: &mut Follower,
    s: &mut Scratch,
    frame: &mut I420,
) -> Rect {
    let &View { rig, source, pose, bank, most_pixels } = view;
    let moving = !expression.head.is_rest() || expression.brow != 0.0 || expression.breath != 0.0;
    let weights = shape.weights(rig.mouth.smile(), expression.smile);
    let speaking = weights.iter().any(|w| w.abs() >= 1e-4);
    if !speaking {
        follower.forget();
    }
    if !moving && !speaking {
        return Rect::default();
    }
    if moving {
        rig.head.solve(expression, &mut s.head);
    }
    let field = rig.sheets.grid;
    let margin = if moving { (MARGIN * rig.frame.unit / field.step as f32).ceil() as usize } else { 0 };
    let (width, height) = (frame.width(), frame.height());
    let out = pose.map_or(field, |pose| Grid::over(pose.there.bounds(&field, width, height), field.step)).grown(margin);
    let mut f =
        Frame { rig, source, shape, pose, inside: None, most_pixels, moving, out, upper_rows: 0..0, lower_rows: 0..0 };
    let mouth = if speaking {
        rig.sheets.combine(&weights, &mut s.displacement);
        if let Some((bank, pose)) = bank.zip(pose) {
            f.inside = f.choose(bank, pose, &s.displacement, follower);
        }
        f.solve_mouth(&weights, s);
        pixels_of(&out, width, height)
    } else {
        s.lips.begin(Rect::default(), 0);
        Rect::default()
    };
    let head = || pose.map_or(rig.head.support, |pose| pose.there.area(rig.head.support, width, height));
    let area = if moving { head().union(mouth) } else { mouth };
    f.rows(area, mouth, s, frame);
    if speaking {
        s.lips.finish(rig.soft, frame);
    }
    area
}

/// The mean of each 2x2 block of two rows.
fn mean_of_blocks(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((to, a), b) in out.iter_mut().zip(a.as_chunks::<2>().0).zip(b.as_chunks::<2>().0) {
        *to = 0.25 * ((a[0] + a[1]) + (b[0] + b[1]));
    }
}

/// The pixels that a grid encloses, clipped to the frame; even.
fn pixels_of(grid: &Grid, width: usize, height: usize) -> Rect {
    let clip = |v: isize, most: usize| v.clamp(0, most as isize) as usize;
    Rect {
        x0: clip(grid.x0, width),
        y0: clip(grid.y0, height),
        x1: clip(grid.x0 + ((grid.cols - 1) * grid.step) as isize, width) & !1,
        y1: clip(grid.y0 + ((grid.rows - 1) * grid.step) as isize, height) & !1,
    }
}

impl<'a> Frame<'a> {
    /// The person's own mouth that fits what the sheets leave open.
    fn choose(
        &self,
        bank: &'a Bank,
        pose: &FramePose,
        displacement: &Displacement,
        follower: &mut Follower,
    ) -> Option<BankInside<'a>> {
        let Rig { frame, mouth, sheets, .. } = self.rig;
        let moved = |place: [f32; 2], sheet: &[[f32; 2]]| {
            let p = frame.to_px(place);
            let d = sheets.grid.sample(sheet, p);
            frame.to_face([p[0] + d[0], p[1] + d[1]])
        };
        let lines: [[[f32; 2]; 2]; SAMPLES] = std::array::from_fn(|k| {
            let x = mouth.half_width * (2.0 * k as f32 / (SAMPLES - 1) as f32 - 1.0);
            [moved([x, mouth.upper.at(x)], &displacement.upper), moved([x, mouth.lower.at(x)], &displacement.lower)]
        });
        let wanted = Contour::resampled(&lines);
        if wanted.opening() * frame.unit < SHUT {
            follower.forget();
            return None;
        }
        bank.inside(follower, wanted, pose.turn, pose.light)
    }

    /// Where the head's motion takes pixel `p` from.
    #[inline]
    fn head(&self, sources: &HeadSources, p: [f32; 2]) -> [f32; 2] {
        let p = self.pose.map_or(p, |pose| pose.back.at(p));
        if self.moving { sources.at(&self.rig.head.grid, p) } else { p }
    }

    /// Solves both sheets, each where it can show, and finds the zone around the lips.
    fn solve_mouth(&mut self, weights: &[f32; super::shape::FIELDS], s: &mut Scratch) {
        let rig = self.rig;
        let (out, field) = (self.out, rig.sheets.grid);
        // Node rows near the lips: from above the upper line to below the lowest that the lower line can reach.
        let (highest, _) = rig.mouth.upper.range();
        let (_, lowest) = rig.mouth.lower.range();
        let reach = rig.mouth.half_width * FOLLOWED;
        let side = rig.sheets.reach.furthest_x(); // a tilted head's line runs on beyond the corners
        let slack = 0.09 + if self.moving { MARGIN } else { 0.0 };
        let drop: f32 = 0.2 * weights.iter().map(|w| w.max(0.0)).sum::<f32>().min(1.6);
        let ends = [
            [-side, highest - slack],
            [side, highest - slack],
            [-side, lowest + slack + drop],
            [side, lowest + slack + drop],
        ]
        .map(|p| rig.frame.to_px(p))
        .map(|p| self.pose.map_or(p, |pose| pose.there.at(p))[1]);
        let row_of = |y: f32| (((y - out.y0 as f32) / out.step as f32).max(0.0) as usize).min(out.rows);
        let first = row_of(ends.iter().copied().fold(f32::MAX, f32::min));
        let last = row_of(ends.iter().copied().fold(f32::MIN, f32::max) + 2.0 * out.step as f32);
        self.upper_rows = 0..last;
        self.lower_rows = first..out.rows;

        // Mouths of other frames need more nodes: room is made once.
        let most = self.most_pixels / (out.step * out.step) * 3 / 2;
        for nodes in [&mut s.upper, &mut s.lower, &mut s.targets] {
            nodes.reserve(most.saturating_sub(nodes.len()));
        }
        s.upper.resize(out.len(), [0.0; 2]);
        s.lower.resize(out.len(), [0.0; 2]);
        s.targets.clear();
        for r in 0..out.rows {
            s.targets.extend((0..out.cols).map(|c| self.head(&s.head, out.place(c, r))));
        }
        warp::solve(&field, &s.displacement.upper, &out, self.upper_rows.clone(), &s.targets, &mut s.upper);
        warp::solve(&field, &s.displacement.lower, &out, self.lower_rows.clone(), &s.targets, &mut s.lower);

        let mut zone = Rect::default();
        for r in first..last {
            for c in 0..out.cols {
                let at = r * out.cols + c;
                let (u, l) = (rig.frame.to_face(s.upper[at]), rig.frame.to_face(s.lower[at]));
                if u[0].abs().min(l[0].abs()) < reach && rig.mouth.above(u) < NEAR && rig.mouth.below(l) < NEAR {
                    let [x, y] = out.place(c, r);
                    let px = |v: f32, d: f32| (v + d * out.step as f32).max(0.0) as usize;
                    zone = zone.union(Rect { x0: px(x, -1.0), y0: px(y, -1.0), x1: px(x, 1.0), y1: px(y, 1.0) });
                }
            }
        }
        let inside = pixels_of(&out, self.source.width, self.source.height);
        let rows = |r: usize| (out.y0 + (r * out.step) as isize).max(0) as usize;
        let clip = |z: Rect| Rect {
            x0: z.x0.max(inside.x0),
            y0: z.y0.max(inside.y0).max(rows(first)),
            x1: z.x1.min(inside.x1),
            y1: z.y1.min(inside.y1).min(rows(last.saturating_sub(1))),
        };
        let zone = clip(zone).to_even(self.source.width, self.source.height);
        // A head that turns shows a mouth's zone that is larger than at rest: as large as a moving one's grid it never is.
        let most = (inside.width() * inside.height()).max(self.most_pixels);
        s.lips.begin(if zone.is_empty() { Rect::default() } else { zone }, most);
    }

    /// Fetches all pixels of `area`, two rows at a time (they share a row of chroma).
    fn rows(&self, area: Rect, mouth: Rect, s: &mut Scratch, frame: &mut I420) {
        let width = area.width();
        for row in &mut s.rows {
            row.resize(width, frame.width());
        }
        s.lower_row.resize(mouth.width(), frame.width());
        s.chroma.resize(width / 2, frame.width() / 2);
        let figure = self.rig.figure.as_ref().filter(|_| self.moving);
        let step = self.rig.head.grid.step;
        if let Some(figure) = figure {
            figure.kinds(&self.rig.head.grid, &s.head.nodes, &mut s.kinds);
        }
        for y in (area.y0..area.y1).step_by(2) {
            // Columns that anything is drawn in; what is background alone is there already.
            let cells = figure.map(|f| y / step * f.columns()..(y / step + 1) * f.columns());
            let drawn = |kind: &CellKind| *kind != CellKind::Background;
            let (mut from, mut to) = (area.x0, area.x1);
            if let Some(cells) = &cells {
                let row = &s.kinds[cells.clone()];
                let Some(first) = row.iter().position(drawn) else { continue };
                let last = row.iter().rposition(drawn).unwrap_or(first);
                (from, to) = ((first * step).max(area.x0), ((last + 1) * step).min(area.x1));
                if !mouth.is_empty() {
                    (from, to) = (from.min(mouth.x0), to.max(mouth.x1));
                }
            }
            if from >= to {
                continue;
            }
            let area = Rect { x0: from, x1: to, ..area };
            for dy in 0..2 {
                self.coordinates(y + dy, area, mouth, dy, s);
                if let Some(pose) = self.pose {
                    let row = &mut s.rows[dy];
                    pose.there.run(&mut row.xs[..area.width()], &mut row.ys[..area.width()]);
                }
            }
            let [a, b] = &s.rows;
            let width = area.width();
            mean_of_blocks(&a.xs[..width], &b.xs[..width], &mut s.chroma.xs);
            mean_of_blocks(&a.ys[..width], &b.ys[..width], &mut s.chroma.ys);
            let Some(cells) = cells else {
                self.fetch(y, from..to, area, CellKind::Person, s, frame);
                continue;
            };
            // Neighbouring cells of a kind are fetched in one go.
            while from < to {
                let at = from / step;
                let kind = s.kinds[cells.start + at];
                let same = s.kinds[cells.start + at..cells.end].iter().take_while(|k| **k == kind).count();
                let end = ((at + same) * step).min(to);
                if kind != CellKind::Background {
                    self.fetch(y, from..end, area, kind, s, frame);
                }
                from = end;
            }
        }
    }

    /// Fetches the columns `run` (even) of rows `y` and `y + 1`, whose coordinates are known.
    fn fetch(&self, y: usize, run: Range<usize>, area: Rect, kind: CellKind, s: &mut Scratch, frame: &mut I420) {
        let stride = frame.width();
        let within = run.start - area.x0..run.end - area.x0;
        let rim = self.rig.figure.as_ref().filter(|_| kind == CellKind::Rim);
        for dy in 0..2 {
            let row = &s.rows[dy];
            let (xs, ys) = (&row.xs[within.clone()], &row.ys[within.clone()]);
            let to = (y + dy) * stride;
            let out = &mut frame.y[to + run.start..to + run.end];
            match rim {
                Some(figure) => figure.luma_run(self.source, [run.start, y + dy], [xs, ys], out, &mut s.rim),
                None => self.source.luma_run(xs, ys, out),
            }
        }
        let half = within.start / 2..within.end / 2;
        let (xs, ys) = (&s.chroma.xs[half.clone()], &s.chroma.ys[half]);
        let to = y / 2 * (stride / 2);
        let columns = to + run.start / 2..to + run.end / 2;
        let outs = [&mut frame.u[columns.clone()], &mut frame.v[columns]];
        match rim {
            Some(figure) => figure.chroma_run(self.source, [run.start / 2, y / 2], [xs, ys], outs, &mut s.rim),
            None => self.source.chroma_run(xs, ys, outs),
        }
    }

    /// Fills `s.rows[slot]` with where the pixels of row `y` come from; shades those of the lip zone.
    fn coordinates(&self, y: usize, area: Rect, mouth: Rect, slot: usize, s: &mut Scratch) {
        let row = &mut s.rows[slot];
        let in_mouth = !mouth.is_empty() && (mouth.y0..mouth.y1).contains(&y);
        if self.moving && self.pose.is_none() {
            let grid = &self.rig.head.grid;
            warp::row(grid, &s.head.nodes, y, area.x0, area.x1, &mut row.xs, &mut row.ys);
        } else if self.moving {
            for (i, x) in (area.x0..area.x1).enumerate() {
                [row.xs[i], row.ys[i]] = self.head(&s.head, [x as f32, y as f32]);
            }
        }
        if !in_mouth {
            return;
        }
        let span = mouth.x0 - area.x0..mouth.x1 - area.x0;
        let (xs, ys) = (&mut row.xs[span.clone()], &mut row.ys[span]);
        let node_row = (y as isize - self.out.y0) as usize / self.out.step;
        let has =
            |rows: &Range<usize>| rows.contains(&node_row) && rows.contains(&(node_row + 1).min(self.out.rows - 1));
        let (upper, lower) = (has(&self.upper_rows), has(&self.lower_rows));
        if !upper {
            warp::row(&self.out, &s.lower, y, mouth.x0, mouth.x1, xs, ys);
            return;
        }
        warp::row(&self.out, &s.upper, y, mouth.x0, mouth.x1, xs, ys);
        if !lower {
            return;
        }
        let (lx, ly) = (&mut s.lower_row.xs[..], &mut s.lower_row.ys[..]);
        warp::row(&self.out, &s.lower, y, mouth.x0, mouth.x1, lx, ly);
        let zone = s.lips.area();
        let place = Place {
            rig: self.rig,
            source: self.source,
            shape: self.shape,
            there: self.pose.map(|pose| &pose.there),
            inside: self.inside.as_ref(),
            stretched: self.shape.stretched(),
        };
        if (zone.y0..zone.y1).contains(&y) {
            for x in zone.x0..zone.x1 {
                let i = x - mouth.x0;
                let head = self.head(&s.head, [x as f32, y as f32]);
                let from = Origin { upper: [xs[i], ys[i]], lower: [lx[i], ly[i]], head };
                s.lips.put(x, y, layered(from, &place));
            }
        }
        // Which sheet shows changes once or twice a row: where both ends of a run agree, so does what lies between.
        let upper_shows = |x: f32, y: f32| self.rig.mouth.above(self.rig.frame.to_face([x, y])) > 0.0;
        for (((xs, ys), lx), ly) in xs.chunks_mut(8).zip(ys.chunks_mut(8)).zip(lx.chunks(8)).zip(ly.chunks(8)) {
            let last = xs.len() - 1;
            let ends = [upper_shows(xs[0], ys[0]), upper_shows(xs[last], ys[last])];
            match ends {
                [true, true] => {}
                [false, false] => {
                    xs.copy_from_slice(lx);
                    ys.copy_from_slice(ly);
                }
                _ => {
                    for i in 0..=last {
                        if !upper_shows(xs[i], ys[i]) {
                            (xs[i], ys[i]) = (lx[i], ly[i]);
                        }
                    }
                }
            }
        }
    }
}
