//! A visible mark on every frame: what is seen was made by a machine.
//!
//! The letters AI in a dark, rounded field at the lower right. It is drawn on a copy, since engines go on from their own last frame.

use mouthpiece_media::image::I420;

/// The field's height as a share of the picture's shorter side, and in pixels at least.
const HEIGHT: f32 = 0.062;
const LEAST: f32 = 16.0;
/// In heights: its width, the distance from the edges, and how round the corners are.
const WIDTH: f32 = 1.6;
const MARGIN: f32 = 0.45;
const CORNER: f32 = 0.28;
/// In heights: where the letters stand, how far they reach, and how thick they are.
const LETTERS: [f32; 2] = [0.24, 0.78];
const STROKE: f32 = 0.13;
/// Of the picture so much is hidden by the field.
const COVER: f32 = 0.62;
/// Luma of the field and of the letters.
const DARK: f32 = 24.0;
const LIGHT: f32 = 230.0;
/// Pixels are sampled so many times in each direction.
const SAMPLES: usize = 4;

/// Puts the mark on a session's frames, where that is wished.
#[derive(Debug)]
pub struct FrameMarker {
    wished: bool,
    mark: Option<VisibleMark>,
}

impl FrameMarker {
    /// One that puts the mark on frames, or leaves them as they are.
    pub fn new(wished: bool) -> Self {
        Self { wished, mark: None }
    }

    /// The frame as it is to be seen. Allocates at the first one only; all of them are of one size.
    pub fn shown<'a>(&'a mut self, picture: &'a I420) -> &'a I420 {
        if !self.wished {
            return picture;
        }
        self.mark.get_or_insert_with(|| VisibleMark::for_frames_like(picture)).on(picture)
    }
}

/// The mark for frames of one size.
#[derive(Debug)]
struct VisibleMark {
    sheet: I420,
    /// The mark's first column and row, both even, and its width in pixels, even.
    at: [usize; 2],
    width: usize,
    /// Of each of its pixels: how much of the picture stays, and the luma that is added.
    luma: Vec<[f32; 2]>,
    /// Of each of its chroma samples: how much of its colour stays.
    chroma: Vec<f32>,
}

impl VisibleMark {
    fn for_frames_like(picture: &I420) -> Self {
        let (sheet, width, height) = (picture.clone(), picture.width(), picture.height());
        let tall = (HEIGHT * width.min(height) as f32).max(LEAST);
        let even = |pixels: f32, most: usize| (pixels.round() as usize).next_multiple_of(2).min(most);
        let (wide, high) = (even(WIDTH * tall, width), even(tall, height));
        let edge = (MARGIN * tall) as usize;
        let at = [(width - wide).saturating_sub(edge) & !1, (height - high).saturating_sub(edge) & !1];
        let scale = high as f32;
        let mut luma = Vec::with_capacity(wide * high);
        for y in 0..high {
            for x in 0..wide {
                let (field, letter) = covered(x, y, scale);
                let hidden = field * (COVER + (1.0 - COVER) * letter);
                luma.push([1.0 - hidden, field * (COVER * DARK * (1.0 - letter) + LIGHT * letter)]);
            }
        }
        let quarter = |x: usize, y: usize| {
            [(0, 0), (1, 0), (0, 1), (1, 1)].iter().map(|(dx, dy)| luma[(y + dy) * wide + x + dx][0]).sum::<f32>() / 4.0
        };
        let chroma = (0..high).step_by(2).flat_map(|y| (0..wide).step_by(2).map(move |x| (x, y)));
        let chroma = chroma.map(|(x, y)| quarter(x, y)).collect();
        Self { sheet, at, width: wide, luma, chroma }
    }

    fn on(&mut self, picture: &I420) -> &I420 {
        self.sheet.copy_area(picture, picture.bounds());
        let ([x0, y0], wide, stride) = (self.at, self.width, self.sheet.width());
        for (row, marks) in self.luma.chunks_exact(wide).enumerate() {
            let from = (y0 + row) * stride + x0;
            for (pixel, [stays, added]) in self.sheet.y[from..from + wide].iter_mut().zip(marks) {
                *pixel = (f32::from(*pixel) * stays + added).round() as u8;
            }
        }
        for plane in [&mut self.sheet.u, &mut self.sheet.v] {
            for (row, marks) in self.chroma.chunks_exact(wide / 2).enumerate() {
                let from = (y0 / 2 + row) * (stride / 2) + x0 / 2;
                for (sample, stays) in plane[from..from + wide / 2].iter_mut().zip(marks) {
                    *sample = (128.0 + (f32::from(*sample) - 128.0) * stays).round() as u8;
                }
            }
        }
        &self.sheet
    }
}

/// How much of a pixel lies in the field, and how much of that in a letter. `scale` is the field's height in pixels.
fn covered(x: usize, y: usize, scale: f32) -> (f32, f32) {
    let (mut field, mut letter) = (0.0, 0.0);
    for sample in 0..SAMPLES * SAMPLES {
        let inside = |pixel: usize, part: usize| (pixel as f32 + (part as f32 + 0.5) / SAMPLES as f32) / scale;
        let point = [inside(x, sample % SAMPLES), inside(y, sample / SAMPLES)];
        if in_field(point) {
            field += 1.0;
            letter += f32::from(u8::from(in_letters(point)));
        }
    }
    let all = (SAMPLES * SAMPLES) as f32;
    (field / all, if field > 0.0 { letter / field } else { 0.0 })
}

fn in_field([x, y]: [f32; 2]) -> bool {
    let beyond = |at: f32, long: f32| (CORNER - at).max(at - (long - CORNER)).max(0.0);
    let (right, below) = (beyond(x, WIDTH), beyond(y, 1.0));
    right * right + below * below <= CORNER * CORNER
}

fn in_letters([x, y]: [f32; 2]) -> bool {
    let [top, bottom] = LETTERS;
    if !(top..=bottom).contains(&y) {
        return false;
    }
    // The A: two slanting strokes that meet at its top, and a bar between them.
    let (middle, half) = (0.62, 0.26);
    let down = (y - top) / (bottom - top);
    let leg = STROKE / 2.0 + (half - STROKE / 2.0) * down;
    let from_middle = (x - middle).abs();
    let slanting = from_middle <= leg && from_middle >= leg - STROKE * 1.05;
    let bar = from_middle <= leg && (0.58..=0.78).contains(&down);
    // The I.
    let upright = (x - 1.12).abs() <= STROKE / 2.0;
    slanting || bar || upright
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize) -> I420 {
        let mut picture = I420::new(width, height).unwrap();
        picture.y.fill(128);
        picture.u.fill(90);
        picture.v.fill(160);
        picture
    }

    #[test]
    fn it_is_seen_in_its_corner_and_touches_nothing_else() {
        for (width, height) in [(512, 512), (288, 512), (1080, 606), (64, 64), (16, 16), (2, 2)] {
            let picture = grey(width, height);
            let marked = FrameMarker::new(true).shown(&picture).clone();
            let changed: Vec<usize> = (0..width * height).filter(|&i| marked.y[i] != 128).collect();
            let brightest = marked.y.iter().max().copied().unwrap_or_default();
            if width.min(height) >= 128 {
                assert!(brightest > 220 && marked.y.iter().any(|&y| y < 75), "{width}x{height}: letters in a field");
                let least = |side: usize| side / 2;
                assert!(changed.iter().all(|i| i % width > least(width) && i / width > least(height)));
                assert_eq!(marked.u[0], 90);
            }
            assert!(changed.len() < width * height / 8 || width < 128, "{width}x{height}: {}", changed.len());
        }
    }

    #[test]
    fn a_frame_leaves_nothing_behind_on_the_next() {
        let mut marker = FrameMarker::new(true);
        let (first, second) = (grey(128, 128), I420::new(128, 128).unwrap());
        let alone = FrameMarker::new(true).shown(&second).clone();
        marker.shown(&first);
        assert_eq!(*marker.shown(&second), alone);
        assert_eq!(*FrameMarker::new(false).shown(&first), first, "where it is not wished");
    }
}
