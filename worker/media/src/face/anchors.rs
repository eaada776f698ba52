//! The detector's anchor points: where in its input each of its 896 answers is centred.

/// Side of the detector's input in cells.
pub(super) const SIDE: usize = 128;
/// Number of anchors.
pub(super) const COUNT: usize = 896;

/// `[x, y]` of each anchor in input cells, measured from the input's left and top edge.
///
/// A 16x16 grid with two anchors a node, then an 8x8 grid with six (MediaPipe's strides 8, 16, 16, 16).
pub(super) fn anchors() -> Vec<[f32; 2]> {
    let mut all = Vec::with_capacity(COUNT);
    for (grid, repeat) in [(16_usize, 2), (8, 6)] {
        let step = (SIDE / grid) as f32;
        for y in 0..grid {
            for x in 0..grid {
                all.extend(std::iter::repeat_n([(x as f32 + 0.5) * step, (y as f32 + 0.5) * step], repeat));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_896_and_they_lie_where_mediapipe_puts_them() {
        let all = anchors();
        assert_eq!(all.len(), COUNT);
        assert_eq!(all[0], [4.0, 4.0]);
        assert_eq!(all[511], [124.0, 124.0]);
        assert_eq!(all[512], [8.0, 8.0]);
        assert_eq!(all[895], [120.0, 120.0]);
    }
}
