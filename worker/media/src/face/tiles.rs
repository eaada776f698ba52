//! Where to look again for faces too small for one look at the whole picture.

use super::crop::Window;

/// No look is taken at tiles smaller than this: a face of 64 pixels, the smallest that is of use, fills a sixth of it.
pub(super) const SMALLEST: f32 = 384.0;
/// A tile begins this share of its side after the one before, so that a face of half a tile lies whole in one of them.
const STEP: f32 = 0.5;

/// Tile sides from coarse to fine for a picture whose longer side is `longer`: halves of it, down to [`SMALLEST`].
pub(super) fn sides(longer: f32) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(longer / 2.0), |side| Some(side / 2.0))
        .map(move |side| side.max(SMALLEST.min(longer)))
        .scan(f32::MAX, |last, side| (side < *last).then(|| *last = side).map(|()| side))
        .take_while(move |side| *side < longer)
}

/// Upright windows of `side` pixels that cover a picture of `size` (`[w, h]`), with half of each shared with the next.
pub(super) fn cover([w, h]: [f32; 2], side: f32) -> Vec<Window> {
    let starts = |length: f32| -> Vec<f32> {
        let room = (length - side).max(0.0);
        let count = (room / (side * STEP)).ceil() as usize;
        let first = if length < side { (length - side) / 2.0 } else { 0.0 };
        (0..=count).map(|i| if count == 0 { first } else { room * i as f32 / count as f32 }).collect()
    };
    let columns = starts(w);
    starts(h)
        .into_iter()
        .flat_map(|y| columns.iter().map(move |x| (*x, y)))
        .map(|(x, y)| Window { centre: [x + side / 2.0 - 0.5, y + side / 2.0 - 0.5], side, angle: 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_halve_down_to_the_smallest() {
        assert_eq!(sides(2000.0).collect::<Vec<_>>(), [1000.0, 500.0, 384.0]);
        assert_eq!(sides(768.0).collect::<Vec<_>>(), [384.0]);
        assert_eq!(sides(500.0).collect::<Vec<_>>(), [384.0]);
        assert_eq!(sides(384.0).count(), 0);
        assert_eq!(sides(10.0).count(), 0);
    }

    #[test]
    fn every_small_square_lies_whole_in_a_tile() {
        let (size, side) = ([2000.0, 1300.0], 500.0);
        let tiles = cover(size, side);
        let face = side * STEP;
        for step in 0..400 {
            let x = (size[0] - face) * (step % 20) as f32 / 19.0;
            let y = (size[1] - face) * (step / 20) as f32 / 19.0;
            let holds = |t: &Window| {
                let (left, top) = (t.centre[0] + 0.5 - side / 2.0, t.centre[1] + 0.5 - side / 2.0);
                x >= left - 0.01 && y >= top - 0.01 && x + face <= left + side + 0.01 && y + face <= top + side + 0.01
            };
            assert!(tiles.iter().any(holds), "{x} {y}");
        }
    }

    #[test]
    fn the_number_of_looks_is_bounded_for_the_largest_picture() {
        let looks: usize = sides(8192.0).map(|side| cover([8192.0, 4882.0], side).len()).sum();
        assert!(looks < 2000, "{looks}");
    }

    #[test]
    fn a_narrow_picture_is_centred_in_its_tiles() {
        let tiles = cover([100.0, 1000.0], 400.0);
        assert!(tiles.iter().all(|t| t.centre[0] == 49.5));
        assert_eq!(tiles.len(), 4);
    }
}
