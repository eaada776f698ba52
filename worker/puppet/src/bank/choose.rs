//! Which of a video's mouths are worth keeping: all kinds of them, of each kind the sharpest.

use super::contour::Contour;

/// What one frame's mouth shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Which frame.
    pub(super) frame: usize,
    pub(super) contour: Contour,
    /// Share of the opening that is bright: teeth.
    pub(super) teeth: f32,
    /// The head's turn to a side and down, degrees.
    pub(super) turn: [f32; 2],
    /// How much detail it shows; compared, never absolute.
    pub(super) sharpness: f32,
}

/// Openings lower than this show nothing, in D.
const LOWEST: f32 = 0.020;
/// Of a frame that is blurred in motion nothing is taken: less sharp than this share of what is usual.
const BLURRED: f32 = 0.55;
/// Two mouths within these distances are of one kind: opening, lift, width (D), teeth (share), turns (degrees).
const KIND: [f32; 6] = [0.014, 0.012, 0.03, 0.2, 9.0, 9.0];

/// At most `most` of the candidates, in the order of their frames.
///
/// They are sorted into bins of a kind, of which the sharpest stays. Where there are more bins than places, those are taken
/// that lie furthest from all taken before (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985).
pub(super) fn choose(candidates: &[Candidate], most: usize) -> Vec<usize> {
    let mut usual: Vec<f32> = candidates.iter().map(|c| c.sharpness).collect();
    usual.sort_by(f32::total_cmp);
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0.0);
    let mut kinds: Vec<([i32; 6], usize)> = (0..candidates.len())
        .filter(|&i| candidates[i].contour.opening() >= LOWEST && candidates[i].sharpness >= BLURRED * usual)
        .map(|i| (place(&candidates[i]).map(|v| v.round() as i32), i))
        .collect();
    let sharper = |a: usize, b: usize| candidates[b].sharpness.total_cmp(&candidates[a].sharpness).then(a.cmp(&b));
    kinds.sort_by(|a, b| a.0.cmp(&b.0).then(sharper(a.1, b.1)));
    kinds.dedup_by_key(|k| k.0);
    let kept: Vec<usize> = kinds.into_iter().map(|(_, i)| i).collect();
    let mut chosen = furthest(candidates, kept, most);
    chosen.sort_unstable_by_key(|&i| candidates[i].frame);
    chosen
}

/// In units of kinds.
fn place(c: &Candidate) -> [f32; 6] {
    let seen = [c.contour.opening(), c.contour.lift(), c.contour.half, c.teeth, c.turn[0], c.turn[1]];
    std::array::from_fn(|k| (seen[k] / KIND[k]).clamp(-1e4, 1e4))
}

fn furthest(candidates: &[Candidate], kept: Vec<usize>, most: usize) -> Vec<usize> {
    if kept.len() <= most {
        return kept;
    }
    let places: Vec<[f32; 6]> = kept.iter().map(|&i| place(&candidates[i])).collect();
    let distance =
        |a: usize, b: usize| -> f32 { places[a].iter().zip(&places[b]).map(|(a, b)| (a - b) * (a - b)).sum() };
    let sharpest =
        (0..kept.len()).max_by(|&a, &b| candidates[kept[a]].sharpness.total_cmp(&candidates[kept[b]].sharpness));
    let mut nearest = vec![f32::MAX; kept.len()];
    let mut chosen = Vec::with_capacity(most);
    let mut next = sharpest;
    while let Some(at) = next.filter(|_| chosen.len() < most) {
        chosen.push(kept[at]);
        for (other, nearest) in nearest.iter_mut().enumerate() {
            *nearest = nearest.min(distance(at, other));
        }
        next = (0..kept.len()).max_by(|&a, &b| nearest[a].total_cmp(&nearest[b])).filter(|&i| nearest[i] > 0.0);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::contour::tests::arc;
    use super::*;
    use proptest::prelude::*;

    fn mouth(frame: usize, bottom: f32, sharpness: f32) -> Candidate {
        Candidate { frame, contour: arc(0.3, 0.02, bottom), teeth: 0.3, turn: [0.0; 2], sharpness }
    }

    #[test]
    fn of_a_kind_the_sharpest_is_kept_and_closed_or_blurred_ones_never() {
        let seen = [
            mouth(0, 0.10, 1.0),
            mouth(1, 0.10, 1.4),
            mouth(2, 0.0, 2.0),
            mouth(3, 0.20, 0.3),
            mouth(4, 0.10, 1.2),
            mouth(5, 0.15, 1.0),
        ];
        assert_eq!(choose(&seen, 10), [1, 5]);
        assert!(choose(&[], 10).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_chosen_covers_what_was_seen(
            seen in prop::collection::vec((0.05_f32..0.3, 0.8_f32..1.2, 0.0_f32..1.0), 1..120), most in 1_usize..40
        ) {
            let seen: Vec<_> = seen.into_iter().enumerate()
                .map(|(i, (bottom, sharp, teeth))| Candidate { teeth, ..mouth(i, bottom, sharp) }).collect();
            let chosen = choose(&seen, most);
            prop_assert!(chosen.len() <= most && !chosen.is_empty());
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
            // With room for all kinds every mouth has one of its kind.
            let all = choose(&seen, 1000);
            for c in &seen {
                let near = all.iter().map(|&i| {
                    let (a, b) = (place(&seen[i]), place(c));
                    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
                });
                prop_assert!(near.fold(f32::MAX, f32::min) <= 1.001);
            }
        }
    }
}
