//! Where closed lips meet, found on the picture.
//!
//! The landmarks' own line sits visibly beside it. It is the darkest smooth path near them below which the lower lip begins:
//! a moustache is darker than any line between lips, and what hangs over the mouth must move with the upper one. The path is
//! found by dynamic programming over the columns: darkness costs, what is not lip below it costs, distance and bends cost.

use super::curves::Profile;
use super::frame::FaceFrame;
use super::palette::{Tint, median, pixel};
use mouthpiece_frame::I420;

/// Unit of the search, in D: one pixel of the face that it was tuned on.
pub(super) const STEP: f32 = 1.0 / 116.0;
/// How far above and below the landmarks' line it looks, in D: hair hangs lower than landmarks are wrong.
const ABOVE: f32 = 0.035;
const BELOW: f32 = 0.050;
/// Where the lower lip is surely lip, in shares of its thickness.
const LIP: [f32; 7] = [0.35, 0.41, 0.47, 0.53, 0.59, 0.65, 0.71];
/// So many columns to either side say what colour it has.
const NEIGHBOURS: usize = 4;
/// So far below the line the lip must be seen, in steps.
const UNDER: [f32; 4] = [2.0, 3.0, 4.0, 5.0];
/// Luma below the lip's and chroma beside it that still are lip, what more of each costs a level, and the most that it may.
const DARKER: (f32, f32) = (10.0, 0.5);
const COLOURED: (f32, f32) = (4.0, 1.0);
const NO_LIP: f32 = 30.0;

/// How far below `line` (the landmarks') the line between closed lips lies, over X, in D. `thickness`: that of the lower lip.
pub(super) fn seam(picture: &I420, frame: FaceFrame, line: &Profile, thickness: f32) -> Profile {
    let offsets: Vec<f32> =
        (0..=((ABOVE + BELOW) / STEP * 2.0) as usize).map(|k| k as f32 * 0.5 - ABOVE / STEP).collect();
    let places: Vec<[f32; 2]> = (0..line.values().len()).map(|i| [line.place(i), line.values()[i]]).collect();
    let seen = |[x, y]: [f32; 2], by: f32| soft(picture, frame.to_px([x, y + by]));
    let lips: Vec<[Tint; LIP.len()]> =
        places.iter().map(|&place| LIP.map(|share| seen(place, share * thickness))).collect();
    let cost = |column: usize| -> Vec<f32> {
        let near = column.saturating_sub(NEIGHBOURS)..(column + NEIGHBOURS + 1).min(places.len());
        let lip = median(lips[near].as_flattened().iter().copied());
        let look = |by: f32| seen(places[column], by * STEP);
        let luma: Vec<f32> = offsets.iter().map(|&o| look(o)[0]).collect();
        let least = luma.iter().copied().fold(f32::MAX, f32::min);
        let each = luma.iter().zip(&offsets).map(|(luma, &o)| {
            let under = mean(UNDER.map(|by| look(o + by)));
            let dark = (lip[0] - under[0] - DARKER.0).max(0.0) * DARKER.1;
            let other = ((under[1] - lip[1]).hypot(under[2] - lip[2]) - COLOURED.0).max(0.0) * COLOURED.1;
            luma - least + (dark + other).min(NO_LIP) + 0.12 * o.abs().powf(1.5)
        });
        each.collect()
    };
    line.with_values(cheapest(&offsets, places.len(), cost).into_iter().map(|o| o * STEP).collect()).averaged(3)
}

/// The cheapest path through `columns` columns, as one of `offsets` each.
pub(super) fn cheapest(offsets: &[f32], columns: usize, cost: impl Fn(usize) -> Vec<f32>) -> Vec<f32> {
    let bend = |a: f32, b: f32| 14.0 * (a - b) * (a - b);
    let mut total: Vec<f32> = cost(0).iter().zip(offsets).map(|(c, o)| c + 3.0 * o.abs()).collect();
    let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(columns);
    for column in 1..columns {
        let mut next = cost(column);
        let mut back = vec![0; offsets.len()];
        for (j, cost) in next.iter_mut().enumerate() {
            let (k, least) = (0..offsets.len())
                .map(|k| (k, total[k] + bend(offsets[k], offsets[j])))
                .fold((0, f32::MAX), |best, c| if c.1 < best.1 { c } else { best });
            back[j] = k;
            *cost += least;
        }
        came_from.push(back);
        total = next;
    }
    let mut at = (0..total.len()).fold(0, |best, k| if total[k] < total[best] { k } else { best });
    let mut path = vec![offsets[at]];
    for back in came_from.iter().rev() {
        at = back[at];
        path.push(offsets[at]);
    }
    path.reverse();
    path
}

fn mean<const N: usize>(of: [Tint; N]) -> Tint {
    std::array::from_fn(|i| of.iter().map(|t| t[i]).sum::<f32>() / N as f32)
}

/// The colour around a place; its luma is weighted by a 3x3 binomial, so that single pixels do not attract the line.
pub(super) fn soft(picture: &I420, [x, y]: [f32; 2]) -> Tint {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (xi, yi) = (x0 as isize, y0 as isize);
    // Binomial 1 2 1 shifted by the fraction: four taps a side.
    let taps = |f: f32| [0.25 * (1.0 - f), 0.5 - 0.25 * f, 0.25 + 0.25 * f, 0.25 * f];
    let (tx, ty) = (taps(fx), taps(fy));
    let mut sum = [0.0; 3];
    for (j, ky) in ty.iter().enumerate() {
        for (i, kx) in tx.iter().enumerate() {
            let seen = pixel(picture, xi + i as isize - 1, yi + j as isize - 1);
            for (sum, seen) in sum.iter_mut().zip(seen) {
                *sum += kx * ky * seen;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: FaceFrame = FaceFrame { origin: [100.0, 60.0], ex: [1.0, 0.0], unit: 120.0 };

    /// Skin, something `above` the mouth of this luma and chroma down to row 64, a line of 4 rows, a lower lip.
    fn found(above: [u8; 3], line: Option<u8>) -> f32 {
        let mut picture = I420::new(200, 120).unwrap();
        let paint = |y: usize| match y {
            0..40 => [170, 118, 140],
            40..64 => above,
            64..68 => line.map_or(above, |luma| [luma, 116, 142]),
            68..84 => [120, 112, 156],
            _ => [170, 118, 140],
        };
        for y in 0..120 {
            let [luma, u, v] = paint(y);
            picture.y[y * 200..(y + 1) * 200].fill(luma);
            picture.u[y / 2 * 100..(y / 2 + 1) * 100].fill(u);
            picture.v[y / 2 * 100..(y / 2 + 1) * 100].fill(v);
        }
        let line = Profile::sample(-0.3, 0.3, 81, |_| 0.0);
        60.0 + 120.0 * seam(&picture, FRAME, &line, 0.16).at(0.0)
    }

    #[test]
    fn between_lips_runs_the_darkest_line() {
        let at = found([105, 114, 150], Some(40));
        assert!((at - 65.5).abs() < 1.5, "{at}");
    }

    #[test]
    fn a_moustache_ends_where_the_lip_begins() {
        for hair in [[35, 126, 130], [150, 90, 150]] {
            let at = found(hair, None);
            assert!((at - 66.5).abs() < 2.5, "{hair:?}: {at}");
        }
    }
}
