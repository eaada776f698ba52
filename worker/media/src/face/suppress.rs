//! One answer a face: merging the many overlapping boxes that a detector gives for it.

use super::{Detection, FaceBox};

/// Boxes that overlap more than this (intersection over union) belong to one face.
const SAME_FACE: f32 = 0.3;
/// A box that lies with this share of its area in another is the same face seen at another scale.
const INSIDE: f32 = 0.6;

/// Merges the raw answers of one look: each group around the best score becomes its score-weighted mean.
pub(super) fn merge(mut raw: Vec<Detection>) -> Vec<Detection> {
    raw.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(best) = raw.first().cloned() {
        let (group, rest): (Vec<_>, Vec<_>) =
            raw.into_iter().partition(|d| *d == best || overlap_share(&d.bounds, &best.bounds) > SAME_FACE);
        raw = rest;
        faces.push(weighted_mean(&group, best.score));
    }
    faces
}

/// Joins what several looks found: of two that show one face the surer stays. Largest first.
pub(super) fn join(mut all: Vec<Detection>) -> Vec<Detection> {
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for face in all {
        let same = |other: &Detection| {
            let smaller = face.bounds.area().min(other.bounds.area()).max(f32::MIN_POSITIVE);
            overlap_share(&face.bounds, &other.bounds) > SAME_FACE
                || face.bounds.overlap(&other.bounds) / smaller > INSIDE
        };
        if !kept.iter().any(same) {
            kept.push(face);
        }
    }
    kept.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
    kept
}

/// Intersection over union, 0..=1.
fn overlap_share(a: &FaceBox, b: &FaceBox) -> f32 {
    let both = a.overlap(b);
    both / (a.area() + b.area() - both).max(f32::MIN_POSITIVE)
}

fn weighted_mean(group: &[Detection], score: f32) -> Detection {
    let total: f32 = group.iter().map(|d| d.score).sum();
    let mean = |of: &dyn Fn(&Detection) -> f32| group.iter().map(|d| of(d) * d.score).sum::<f32>() / total;
    Detection {
        bounds: FaceBox {
            x0: mean(&|d| d.bounds.x0),
            y0: mean(&|d| d.bounds.y0),
            x1: mean(&|d| d.bounds.x1),
            y1: mean(&|d| d.bounds.y1),
        },
        keypoints: std::array::from_fn(|k| [mean(&|d| d.keypoints[k][0]), mean(&|d| d.keypoints[k][1])]),
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, y: f32, side: f32, score: f32) -> Detection {
        let bounds = FaceBox { x0: x, y0: y, x1: x + side, y1: y + side };
        Detection { bounds, keypoints: [[x, y]; 6], score }
    }

    #[test]
    fn overlapping_boxes_become_their_weighted_mean() {
        let faces = merge(vec![face(0.0, 0.0, 10.0, 0.6), face(1.0, 0.0, 10.0, 0.9), face(50.0, 0.0, 10.0, 0.7)]);
        assert_eq!(faces.len(), 2);
        assert!((faces[0].bounds.x0 - 0.6).abs() < 1e-5);
        assert_eq!(faces[0].score, 0.9);
        assert_eq!(faces[1].bounds.x0, 50.0);
    }

    #[test]
    fn joining_keeps_the_surer_and_sorts_by_size() {
        let faces = join(vec![face(0.0, 0.0, 10.0, 0.9), face(2.0, 2.0, 5.0, 0.6), face(40.0, 0.0, 20.0, 0.5)]);
        let sides: Vec<f32> = faces.iter().map(|f| f.bounds.side()).collect();
        assert_eq!(sides, [20.0, 10.0]);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(merge(Vec::new()).is_empty());
        assert!(join(Vec::new()).is_empty());
    }
}
