//! Which points of the mesh the network looks at once more.
//!
//! The network gives lips and eyes a second time, from a closer look at each, as lists of their own. Every entry is a point
//! of the mesh whose place it replaces (depth stays); the tables follow MediaPipe's
//! `tensors_to_face_landmarks_with_attention`, and were checked against what its own pipeline does with one face.

use super::POINTS;

/// Values in each list: x and y of each point.
pub(super) const LIPS: usize = 80 * 2;
pub(super) const EYE: usize = 71 * 2;

/// Outer border below and above, inner border below and above, the ring within the outer one and that around the inner one,
/// each from left to right as seen.
#[rustfmt::skip]
const LIP_POINTS: [usize; 80] = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
];

/// The eye on the viewer's left: its contour below and above, and four rings around it up to the brow.
#[rustfmt::skip]
const LEFT_EYE_POINTS: [usize; 71] = [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245,
    156, 70, 63, 105, 66, 107, 55, 193,
];

/// The other eye, mirrored.
#[rustfmt::skip]
const RIGHT_EYE_POINTS: [usize; 71] = [
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
    383, 300, 293, 334, 296, 336, 285, 417,
];

/// Moves the points of `mesh` (x, y, z of each, in cells of the input) to where the closer looks saw them.
pub(super) fn refine(mesh: &mut [f32], lips: &[f32], left_eye: &[f32], right_eye: &[f32]) {
    debug_assert_eq!(mesh.len(), POINTS * 3);
    let lists: [(&[usize], &[f32]); 3] =
        [(&LIP_POINTS, lips), (&LEFT_EYE_POINTS, left_eye), (&RIGHT_EYE_POINTS, right_eye)];
    for (points, places) in lists {
        for (&point, place) in points.iter().zip(places.as_chunks::<2>().0) {
            mesh[point * 3..point * 3 + 2].copy_from_slice(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::topology;
    use std::collections::HashSet;

    #[test]
    fn every_point_is_named_once_and_all_of_the_lips_are() {
        let all: Vec<usize> = LIP_POINTS.into_iter().chain(LEFT_EYE_POINTS).chain(RIGHT_EYE_POINTS).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 80 + 71 + 71);
        assert!(all.iter().all(|&p| p < POINTS));
        assert!(topology::LIPS_OUTER.iter().chain(&topology::LIPS_INNER).all(|p| LIP_POINTS.contains(p)));
    }

    #[test]
    fn places_move_and_depth_stays() {
        let mut mesh: Vec<f32> = (0..POINTS * 3).map(|i| i as f32).collect();
        let (lips, eye) = (vec![-1.0; LIPS], vec![-2.0; EYE]);
        refine(&mut mesh, &lips, &eye, &eye);
        assert_eq!(mesh[13 * 3..13 * 3 + 3], [-1.0, -1.0, 41.0]);
        assert_eq!(mesh[263 * 3..263 * 3 + 3], [-2.0, -2.0, 791.0]);
        assert_eq!(mesh[..3], [0.0, 1.0, 2.0].map(|v| if v < 2.0 { -1.0 } else { v }));
        assert_eq!(mesh[3..6], [3.0, 4.0, 5.0]);
    }
}
