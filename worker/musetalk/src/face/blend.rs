//! A drawn face back into its frame.

use super::crop::lanczos;
use super::tone::{SeamEdge, TonePlanes};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use mouthpiece_frame::{I420, Rect, rgb_to_yuv};

/// Where a face is put back, and how much of it.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Its box in the frame.
    pub area: Rect,
    /// How much of the drawn face is seen, 0..=255, for each pixel of the box.
    pub luma: Vec<u8>,
    /// The same for each 2x2 pixels of the frame that the box touches.
    chroma: Vec<u8>,
    /// Where the drawn face goes over into the frame.
    pub(super) edge: SeamEdge,
}

impl Patch {
    /// Of a box and its mask.
    ///
    /// # Panics
    /// When the mask is not the box's.
    pub fn new(area: Rect, luma: Vec<u8>) -> Self {
        assert_eq!(luma.len(), area.width() * area.height(), "the mask of the box");
        let cells = chroma_cells(area);
        let at = |x: usize, y: usize| {
            let inside = (area.x0..area.x1).contains(&x) && (area.y0..area.y1).contains(&y);
            if inside { u32::from(luma[(y - area.y0) * area.width() + x - area.x0]) } else { 0 }
        };
        let mean = |cx: usize, cy: usize| {
            let (x, y) = (2 * cx, 2 * cy);
            ((at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4) as u8
        };
        let chroma =
            (cells.y0..cells.y1).flat_map(|y| (cells.x0..cells.x1).map(move |x| (x, y))).map(|(x, y)| mean(x, y));
        Self { area, chroma: chroma.collect(), edge: SeamEdge::of(area, &luma), luma }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.luma.len() + self.chroma.len() + self.edge.bytes()
    }
}

/// The cells of 2x2 pixels that a box touches.
fn chroma_cells(area: Rect) -> Rect {
    Rect { x0: area.x0 / 2, y0: area.y0 / 2, x1: area.x1.div_ceil(2), y1: area.y1.div_ceil(2) }
}

/// Puts faces back; its memory is made once for a size.
pub struct Blender {
    resizer: Resizer,
    how: ResizeOptions,
    face: Image<'static>,
    yuv: Vec<[f32; 3]>,
    /// What was taken from the last face, so that its colours are the frame's.
    tone: Option<TonePlanes>,
    matches_tone: bool,
}

impl Default for Blender {
    fn default() -> Self {
        let face = Image::new(1, 1, PixelType::U8x3);
        Self { resizer: Resizer::new(), how: lanczos(), face, yuv: Vec::new(), tone: None, matches_tone: true }
    }
}

impl Blender {
    /// One that leaves colours and brightness as they were drawn.
    pub fn with_plain_colours() -> Self {
        Self { matches_tone: false, ..Self::default() }
    }

    /// Blends `picture` (RGB, `side` x `side`) into `frame`. Nothing outside of the patch's box is touched.
    ///
    /// # Panics
    /// When the picture has another size, or the box lies outside of the frame.
    pub fn blend(&mut self, frame: &mut I420, patch: &Patch, picture: &[u8], side: usize) {
        self.put(frame, patch, picture, side, true);
    }

    /// The same again for a better picture of the face that was blended last: its colours are changed by as much.
    ///
    /// # Panics
    /// As [`Blender::blend`].
    pub fn blend_again(&mut self, frame: &mut I420, patch: &Patch, picture: &[u8], side: usize) {
        self.put(frame, patch, picture, side, false);
    }

    fn put(&mut self, frame: &mut I420, patch: &Patch, picture: &[u8], side: usize, is_new: bool) {
        let (w, h) = (patch.area.width(), patch.area.height());
        if w == 0 || h == 0 {
            return;
        }
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if (self.face.width(), self.face.height()) != (size(w), size(h)) {
            self.face = Image::new(size(w), size(h), PixelType::U8x3);
        }
        // The sizes are right by what was just made: a picture of another size is the caller's mistake.
        let drawn = ImageRef::new(size(side), size(side), picture, PixelType::U8x3).expect("a square of RGB");
        self.resizer.resize(&drawn, &mut self.face, &self.how).expect("two pictures that are not empty");
        self.yuv.clear();
        self.yuv.extend(self.face.buffer().chunks_exact(3).map(|p| rgb_to_yuv([p[0], p[1], p[2]].map(f32::from))));
        if self.matches_tone {
            if is_new || self.tone.is_none() {
                self.measure_tone(frame, patch);
            }
            self.match_tone(patch);
        }
        self.luma(frame, patch);
        self.chroma(frame, patch);
    }

    /// How the face's colours differ from the frame's at the edge.
    fn measure_tone(&mut self, frame: &I420, patch: &Patch) {
        let (area, yuv) = (patch.area, &self.yuv);
        let (stride, half) = (frame.width(), frame.width() / 2);
        let at = |x: usize, y: usize| {
            let chroma = y / 2 * half + x / 2;
            [frame.y[y * stride + x], frame.u[chroma], frame.v[chroma]].map(f32::from)
        };
        let newest = patch.edge.difference(area, |i| yuv[i], at);
        self.tone = Some(TonePlanes::following(self.tone, newest));
    }

    /// Takes that from the face.
    fn match_tone(&mut self, patch: &Patch) {
        let (area, w, tone) = (patch.area, patch.area.width(), self.tone.unwrap_or_default());
        for (row, pixels) in self.yuv.chunks_exact_mut(w).enumerate() {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let taken = tone.at(area, area.x0 + column, area.y0 + row);
                pixel.iter_mut().zip(taken).for_each(|(c, t)| *c -= t);
            }
        }
    }

    fn luma(&self, frame: &mut I420, patch: &Patch) {
        let (area, w) = (patch.area, patch.area.width());
        let stride = frame.width();
        for (row, (yuv, mask)) in self.yuv.chunks_exact(w).zip(patch.luma.chunks_exact(w)).enumerate() {
            let at = (area.y0 + row) * stride + area.x0;
            for ((to, new), share) in frame.y[at..at + w].iter_mut().zip(yuv).zip(mask) {
                *to = mix(*to, new[0], *share);
            }
        }
    }

    fn chroma(&self, frame: &mut I420, patch: &Patch) {
        let (area, cells, w) = (patch.area, chroma_cells(patch.area), patch.area.width());
        let stride = frame.width() / 2;
        for (cy, mask) in (cells.y0..cells.y1).zip(patch.chroma.chunks_exact(cells.width())) {
            for (cx, share) in (cells.x0..cells.x1).zip(mask) {
                let (mut u, mut v, mut n) = (0.0, 0.0, 0.0);
                for y in (2 * cy).max(area.y0)..(2 * cy + 2).min(area.y1) {
                    for x in (2 * cx).max(area.x0)..(2 * cx + 2).min(area.x1) {
                        let [_, pu, pv] = self.yuv[(y - area.y0) * w + x - area.x0];
                        (u, v, n) = (u + pu, v + pv, n + 1.0);
                    }
                }
                if n > 0.0 {
                    let at = cy * stride + cx;
                    frame.u[at] = mix(frame.u[at], u / n, *share);
                    frame.v[at] = mix(frame.v[at], v / n, *share);
                }
            }
        }
    }
}

fn mix(old: u8, new: f32, share: u8) -> u8 {
    let share = f32::from(share) / 255.0;
    (f32::from(old) * (1.0 - share) + new * share).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(side: usize) -> I420 {
        let mut frame = I420::new(side, side).unwrap();
        frame.y.fill(100);
        frame
    }

    #[test]
    fn only_what_the_mask_shows_changes() {
        let area = Rect { x0: 9, y0: 7, x1: 30, y1: 28 };
        let mut mask = vec![0; 21 * 21];
        for y in 5..16 {
            mask[y * 21 + 5..y * 21 + 16].fill(255);
        }
        let (mut frame, before) = (grey(64), grey(64));
        let red: Vec<u8> = [255, 0, 0].repeat(256 * 256);
        Blender::with_plain_colours().blend(&mut frame, &Patch::new(area, mask), &red, 256);
        let [y, _, v] = rgb_to_yuv([255.0, 0.0, 0.0]).map(|c| c.round() as u8);
        for row in 0..64 {
            for column in 0..64 {
                let inside = (14..25).contains(&column) && (12..23).contains(&row);
                let wanted = if inside { y } else { 100 };
                assert_eq!(frame.y[row * 64 + column], wanted, "{column} {row}");
            }
        }
        assert_eq!(frame.v[8 * 32 + 9], v, "well inside");
        assert_eq!(frame.v[2 * 32 + 2], before.v[2 * 32 + 2], "well outside");
    }

    #[test]
    fn half_of_a_mask_is_half_of_both() {
        let area = Rect { x0: 0, y0: 0, x1: 16, y1: 16 };
        let mut frame = grey(16);
        let white: Vec<u8> = vec![255; 256 * 256 * 3];
        Blender::with_plain_colours().blend(&mut frame, &Patch::new(area, vec![128; 256]), &white, 256);
        // 235 is white.
        assert!(frame.y.iter().all(|y| *y == 168), "{}", frame.y[0]);
    }

    #[test]
    fn one_blender_serves_boxes_of_several_sizes() {
        let mut blender = Blender::with_plain_colours();
        let black = vec![0; 256 * 256 * 3];
        for side in [16, 40, 16] {
            let area = Rect { x0: 3, y0: 3, x1: 3 + side, y1: 3 + side };
            let mut frame = grey(64);
            blender.blend(&mut frame, &Patch::new(area, vec![255; side * side]), &black, 256);
            assert_eq!(frame.y.iter().filter(|y| **y == 16).count(), side * side);
        }
    }

    #[test]
    fn a_face_that_is_brighter_than_its_frame_leaves_no_seam() {
        let area = Rect { x0: 8, y0: 8, x1: 56, y1: 56 };
        let share = |i: usize| 1.0 - (((i % 48) as f32 - 23.5).hypot((i / 48) as f32 - 23.5) - 10.0) / 12.0;
        let mask = (0..48 * 48).map(|i| (share(i).clamp(0.0, 1.0) * 255.0) as u8).collect();
        let (patch, before) = (Patch::new(area, mask), grey(64));
        // 131 of 255 is 128 in the frame's range.
        let bright: Vec<u8> = vec![131; 256 * 256 * 3];
        let step = |mut blender: Blender| {
            let mut frame = grey(64);
            blender.blend(&mut frame, &patch, &bright, 256);
            patch.seam_step(&frame, &before)
        };
        let (plain, matched) = (step(Blender::with_plain_colours()), step(Blender::default()));
        assert!(plain > 10.0 && matched < 0.6, "{plain} without, {matched} with");
    }
}
