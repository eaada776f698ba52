//! Lines of the canonical face mesh: which points outline which feature.
//!
//! "Left" and "right" are the picture's, as the viewer sees it. Closed outlines do not repeat their first point.

/// Outer border of both lips, closed, clockwise from the left corner.
pub const LIPS_OUTER: [usize; 20] =
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146];
/// Inner border of both lips, closed, clockwise from the left corner.
pub const LIPS_INNER: [usize; 20] =
    [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95];
/// The left eye's lids, closed, clockwise from the outer corner.
pub const LEFT_EYE: [usize; 16] = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7];
/// The right eye's lids, closed, clockwise from the inner corner.
pub const RIGHT_EYE: [usize; 16] = [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382];
/// Upper edge of the left brow, open, from the outer end.
pub const LEFT_BROW: [usize; 5] = [70, 63, 105, 66, 107];
/// Upper edge of the right brow, open, from the inner end.
pub const RIGHT_BROW: [usize; 5] = [336, 296, 334, 293, 300];
/// Ridge of the nose, open, from between the eyes to the tip.
pub const NOSE_RIDGE: [usize; 6] = [168, 6, 197, 195, 5, 4];
/// Base of the nose, open, from the left wing to the right.
pub const NOSE_BASE: [usize; 7] = [64, 98, 97, 2, 326, 327, 294];
/// The face's outline, closed, clockwise from the top of the forehead.
pub const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// Every outline and whether it is closed.
pub const OUTLINES: [(&[usize], bool); 9] = [
    (&OVAL, true),
    (&LEFT_BROW, false),
    (&RIGHT_BROW, false),
    (&LEFT_EYE, true),
    (&RIGHT_EYE, true),
    (&NOSE_RIDGE, false),
    (&NOSE_BASE, false),
    (&LIPS_OUTER, true),
    (&LIPS_INNER, true),
];

/// The closed outline of what speech moves: from the nose's base over the cheeks to the chin.
pub const MOUTH_REGION: [usize; 24] = [
    2, 327, 423, 425, 411, 416, 367, 364, 394, 395, 369, 396, 175, 171, 140, 170, 169, 135, 138, 192, 187, 205, 203, 98,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    #[test]
    fn outlines_name_existing_points_once() {
        for (outline, _) in OUTLINES.into_iter().chain([(MOUTH_REGION.as_slice(), true)]) {
            let unique: std::collections::HashSet<_> = outline.iter().collect();
            assert_eq!(unique.len(), outline.len());
            assert!(outline.iter().all(|&i| i < POINTS));
        }
    }
}
