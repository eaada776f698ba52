//! Where SyncNet looks: the face's box over time, and the square that is cut out around it. Pure.
//!
//! As in the published pipeline: a box a frame at 25 a second, missing ones interpolated, centre and size smoothed by a median of 13;
//! a square of 2.8 half sides, from half a side above the centre to 1.8 below, where the picture ends filled with grey. It took its
//! boxes from the detector S3FD; here they are the bounds of the mesh's outline, which lie where S3FD's training data have theirs,
//! from the forehead to the chin.

use super::FRAMES_PER_SECOND;
use crate::face::FaceBox;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// Pixels of the square's side.
pub const SIDE: usize = 224;
/// A face that is away for longer is another track.
const LONGEST_GAP_S: f64 = 25.0 / FRAMES_PER_SECOND;
/// A shorter track is not judged.
const LEAST_FRAMES: usize = 100;
/// Frames of the median.
const MEDIAN: usize = 13;
/// How far the square reaches beyond the box, in half sides.
const MARGIN: f64 = 0.4;
/// What is outside of the picture.
const GREY: u8 = 110;

/// A face at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenFace {
    /// Seconds of the video.
    pub seconds: f64,
    /// Its outline's bounds, pixels.
    pub bounds: FaceBox,
}

/// The middle of a face and half of its longer side, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceSquare {
    x: f64,
    y: f64,
    half: f64,
}

/// A face on end, 25 times a second.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceTrack {
    /// Seconds of the video at its first square.
    pub start: f64,
    /// Where it is, each 40 ms.
    pub squares: Vec<FaceSquare>,
}

impl FaceTrack {
    /// The longest of `faces`, which are in order, at most `most` squares of it; `None` where none is longer than 4 s.
    pub fn longest(faces: &[SeenFace], most: usize) -> Option<Self> {
        let tracks = faces.chunk_by(|a, b| b.seconds - a.seconds <= LONGEST_GAP_S);
        let length = |track: &&[SeenFace]| match track {
            [first, .., last] => last.seconds - first.seconds,
            _ => 0.0,
        };
        let track = tracks.max_by(|a, b| length(a).total_cmp(&length(b)))?;
        let (start, count) = (track.first()?.seconds, (length(&track) * FRAMES_PER_SECOND + 1e-6) as usize + 1);
        if count <= LEAST_FRAMES {
            return None;
        }
        let mut at = 0;
        let places = (0..count.min(most)).map(|i| {
            let seconds = start + i as f64 / FRAMES_PER_SECOND;
            while at + 2 < track.len() && track[at + 1].seconds <= seconds {
                at += 1;
            }
            between(&track[at], &track[at + 1], seconds)
        });
        let places: Vec<FaceSquare> = places.collect();
        let smooth = |of: fn(&FaceSquare) -> f64| median(&places.iter().map(of).collect::<Vec<_>>());
        let (x, y, half) = (smooth(|p| p.x), smooth(|p| p.y), smooth(|p| p.half));
        let squares = x.into_iter().zip(y).zip(half).map(|((x, y), half)| FaceSquare { x, y, half });
        Some(Self { start, squares: squares.collect() })
    }
}

fn between(a: &SeenFace, b: &SeenFace, seconds: f64) -> FaceSquare {
    let share = ((seconds - a.seconds) / (b.seconds - a.seconds).max(1e-9)).clamp(0.0, 1.0);
    let mix = |of: fn(&FaceBox) -> f32| {
        let [a, b] = [of(&a.bounds), of(&b.bounds)].map(f64::from);
        a + (b - a) * share
    };
    let [x0, y0, x1, y1] = [mix(|f| f.x0), mix(|f| f.y0), mix(|f| f.x1), mix(|f| f.y1)];
    FaceSquare { x: (x0 + x1) / 2.0, y: (y0 + y1) / 2.0, half: (x1 - x0).max(y1 - y0) / 2.0 }
}

/// The median of 13 values around each, with zeros beyond the ends, as SciPy's `medfilt` has it.
fn median(values: &[f64]) -> Vec<f64> {
    let reach = MEDIAN / 2;
    let at = |i: usize| {
        let value = |j: usize| (i + j).checked_sub(reach).and_then(|at| values.get(at)).copied().unwrap_or(0.0);
        let mut window: Vec<f64> = (0..MEDIAN).map(value).collect();
        window.sort_by(f64::total_cmp);
        window[reach]
    };
    (0..values.len()).map(at).collect()
}

/// Cuts squares out; its memory is reused.
#[derive(Debug, Default)]
pub struct SquareCutter {
    resizer: Resizer,
    square: Vec<u8>,
}

impl SquareCutter {
    /// The square around a face, RGB of [`SIDE`] x [`SIDE`]; bilinear, as OpenCV has it.
    pub fn cut(&mut self, picture: &RgbImage, place: &FaceSquare) -> Vec<u8> {
        // Whole pixels are found after the picture was grown, as the published pipeline does.
        let grown = (place.half * (1.0 + 2.0 * MARGIN)).trunc();
        let whole = |at: f64| (at + grown).trunc() as i64 - grown as i64;
        let (x0, x1) = (whole(place.x - place.half * (1.0 + MARGIN)), whole(place.x + place.half * (1.0 + MARGIN)));
        let (y0, y1) = (whole(place.y - place.half), whole(place.y + place.half * (1.0 + 2.0 * MARGIN)));
        let (w, h) = ((x1 - x0).max(1), (y1 - y0).max(1));
        self.square.clear();
        self.square.reserve((w * h * 3) as usize);
        for y in y0..y0 + h {
            for x in x0..x0 + w {
                let inside = u32::try_from(x).ok().zip(u32::try_from(y).ok());
                let pixel = inside.and_then(|(x, y)| picture.get_pixel_checked(x, y));
                self.square.extend(pixel.map_or([GREY; 3], |p| p.0));
            }
        }
        let mut made = Image::new(SIDE as u32, SIDE as u32, PixelType::U8x3);
        let how = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
        if let Ok(square) = ImageRef::new(w as u32, h as u32, &self.square, PixelType::U8x3) {
            // Neither is empty, and both are RGB: nothing is left that could fail.
            let _ = self.resizer.resize(&square, &mut made, &how);
        }
        made.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(seconds: f64, x: f32) -> SeenFace {
        SeenFace { seconds, bounds: FaceBox { x0: x, y0: 100.0, x1: x + 60.0, y1: 180.0 } }
    }

    #[test]
    fn a_track_is_25_squares_a_second_whatever_the_video_has() {
        let faces: Vec<_> = (0..300).map(|i| face(0.5 + f64::from(i) / 30.0, i as f32)).collect();
        let track = FaceTrack::longest(&faces, 10_000).unwrap();
        assert_eq!((track.start, track.squares.len()), (0.5, 250));
        // Half a second later it is 15 of its frames further to the right.
        let FaceSquare { x, y, half } = track.squares[50];
        assert!(
            (x - (30.0 + 60.0)).abs() < 1e-3 && (y - 140.0).abs() < 1e-6 && (half - 40.0).abs() < 1e-6,
            "{x} {y} {half}"
        );
        assert_eq!(FaceTrack::longest(&faces, 120).unwrap().squares.len(), 120);
    }

    #[test]
    fn a_short_gap_is_bridged_and_a_long_one_ends_the_track() {
        let at = |i: i32| f64::from(i) / 25.0;
        let bridged: Vec<_> = (0..200).filter(|i| !(50..70).contains(i)).map(|i| face(at(i), 10.0)).collect();
        assert_eq!(FaceTrack::longest(&bridged, 10_000).unwrap().squares.len(), 200);
        let ended: Vec<_> = (0..300).filter(|i| !(50..90).contains(i)).map(|i| face(at(i), 10.0)).collect();
        let track = FaceTrack::longest(&ended, 10_000).unwrap();
        assert!((track.start - at(90)).abs() < 1e-9 && track.squares.len() == 210);
        let short: Vec<_> = (0..100).map(|i| face(at(i), 10.0)).collect();
        assert_eq!(FaceTrack::longest(&short, 10_000), None);
        assert_eq!(FaceTrack::longest(&[], 10_000), None);
    }

    #[test]
    fn one_wild_box_is_smoothed_away() {
        let mut faces: Vec<_> = (0..150).map(|i| face(f64::from(i) / 25.0, 10.0)).collect();
        faces[70].bounds.x1 = 500.0;
        let track = FaceTrack::longest(&faces, 10_000).unwrap();
        assert_eq!(track.squares[70], track.squares[40]);
        // The median of scipy.signal.medfilt([1, 2, ..., 8], 13): zeros beyond the ends.
        let counted: Vec<f64> = (1..=8).map(f64::from).collect();
        assert_eq!(median(&counted), [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn the_square_reaches_further_down_than_up_and_is_grey_outside() {
        let mut picture = RgbImage::from_pixel(400, 400, image::Rgb([200, 10, 10]));
        for y in 0..400 {
            picture.put_pixel(200, y, image::Rgb([10, 200, 10]));
        }
        let place = FaceSquare { x: 200.0, y: 200.0, half: 80.0 };
        let square = SquareCutter::default().cut(&picture, &place);
        assert_eq!(square.len(), SIDE * SIDE * 3);
        // 2.8 half sides are 224 pixels: nothing is scaled, and the middle is at 112.
        let at = |x: usize, y: usize| [0, 1, 2].map(|c| square[(y * SIDE + x) * 3 + c]);
        assert_eq!((at(112, 5), at(110, 5)), ([10, 200, 10], [200, 10, 10]));
        let corner = FaceSquare { x: 0.0, y: 0.0, half: 80.0 };
        let square = SquareCutter::default().cut(&picture, &corner);
        assert_eq!([square[0], square[1], square[2]], [GREY; 3]);
        let far = &square[(SIDE * SIDE - 1) * 3..];
        assert_eq!(far, [200, 10, 10]);
    }
}
