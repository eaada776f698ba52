//! Which part of a picture becomes the reference, and how large.

use super::PrepareOptions;
use crate::face::{FaceBox, Mesh, topology};
use crate::image::enlarged_size;
use std::fmt;

/// Eyes so far apart (outer corners, pixels) show what a face does.
pub const CLEAR_EYES: f32 = 120.0;

/// Which part of a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PortraitCrop {
    /// All of it.
    #[default]
    None,
    /// Head and shoulders.
    Bust,
    /// The head.
    Head,
}

/// Why a reference has the size that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeReason {
    /// Somebody named it.
    Asked,
    /// The usual size shows the face well.
    Usual,
    /// It grew until the face is shown well.
    Grown,
    /// It grew as far as it may.
    Largest,
    /// The picture has no more pixels.
    Native,
    /// It has few pixels, and was enlarged.
    Enlarged,
}

impl SizeReason {
    pub(super) const ALL: [Self; 6] =
        [Self::Asked, Self::Usual, Self::Grown, Self::Largest, Self::Native, Self::Enlarged];
}

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChosenFrame {
    /// Which part: asked for, and not what the picture's own edges left of it.
    pub crop: PortraitCrop,
    /// The part of the input that is shown: left, top, width, height in its pixels.
    pub area: [u32; 4],
    /// Size of the output, `[width, height]`.
    pub output: [u32; 2],
    /// Distance of the outer eye corners in the output, pixels.
    pub eyes_px: f32,
    /// Why it is so large.
    pub reason: SizeReason,
}

impl ChosenFrame {
    /// For a picture of `native` size whose face is `mesh`, and which may be enlarged `growth` times.
    pub(super) fn of(native: [u32; 2], mesh: &Mesh, growth: f32, options: &PrepareOptions) -> Self {
        let area = match options.crop {
            PortraitCrop::None => [0, 0, native[0], native[1]],
            PortraitCrop::Bust => around(native, mesh, [2.6, 1.0, 2.4]),
            PortraitCrop::Head => around(native, mesh, [1.65, 0.75, 0.75]),
        };
        let [_, _, width, height] = area;
        let longer = (width.max(height) as f32 * growth).round() as u32;
        let eyes = mesh.eye_span() * growth;
        let wanted = (longer as f32 * CLEAR_EYES / eyes.max(1.0)).ceil() as u32;
        // Even, so that what is fitted to it later comes out the same.
        let wanted = wanted.next_multiple_of(2);
        let size = options.up_to.map_or(options.size, |most| wanted.clamp(options.size, most.max(options.size)));
        let output = enlarged_size([width, height], growth, size);
        let reason = match options.up_to {
            _ if output[0] > width || output[1] > height => SizeReason::Enlarged,
            None => SizeReason::Asked,
            Some(_) if wanted <= options.size && longer >= options.size => SizeReason::Usual,
            Some(_) if longer <= size => SizeReason::Native,
            Some(_) if wanted <= size => SizeReason::Grown,
            Some(_) => SizeReason::Largest,
        };
        let eyes_px = eyes * output[0].max(output[1]) as f32 / longer.max(1) as f32;
        Self { crop: options.crop, area, output, eyes_px, reason }
    }

    /// True where the output has more pixels than the input.
    pub fn is_enlarged(&self) -> bool {
        self.reason == SizeReason::Enlarged
    }

    /// By how much lengths grow from the input to the output.
    pub fn scale(&self) -> f32 {
        let [_, _, width, height] = self.area;
        self.output[0].max(self.output[1]) as f32 / width.max(height).max(1) as f32
    }

    /// The same part for pictures that are shown as they are.
    pub(super) fn whole(native: [u32; 2], output: [u32; 2], eyes: f32) -> Self {
        let eyes_px = eyes * (output[0] as f32 / native[0].max(1) as f32).min(1.0);
        let area = [0, 0, native[0], native[1]];
        Self { crop: PortraitCrop::None, area, output, eyes_px, reason: SizeReason::Asked }
    }
}

impl fmt::Display for ChosenFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [w, h] = self.output;
        let part = match self.crop {
            PortraitCrop::None => "the whole picture",
            PortraitCrop::Bust => "head and shoulders",
            PortraitCrop::Head => "the head",
        };
        let eyes = format_args!("the eyes are {:.0} pixels apart", self.eyes_px);
        write!(f, "{w}x{h}, {part}: ")?;
        match self.reason {
            SizeReason::Asked => write!(f, "the size that was asked for; {eyes}"),
            SizeReason::Usual => write!(f, "the usual size, which shows the face well; {eyes}"),
            SizeReason::Grown => write!(f, "larger than usual, so that {eyes}"),
            SizeReason::Largest if self.crop == PortraitCrop::None => {
                write!(f, "the largest that is chosen; {eyes}, cropped to bust or head they are further")
            }
            SizeReason::Largest => write!(f, "the largest that is chosen; {eyes}"),
            SizeReason::Native => write!(f, "the picture has no more pixels; {eyes}"),
            SizeReason::Enlarged => write!(f, "enlarged, as the face has few pixels; {eyes}"),
        }
    }
}

/// The box about a head that reaches so many eye spans to either side, above the forehead and below the chin, within the
/// picture. Both sides are even where the picture has room.
fn around([width, height]: [u32; 2], mesh: &Mesh, [side, above, below]: [f32; 3]) -> [u32; 4] {
    let FaceBox { x0, y0, x1, y1 } = mesh.bounds(&topology::OVAL);
    // A head that is turned away shows its eyes closer together than they are.
    let unit = mesh.eye_span().max((y1 - y0) / 1.75);
    let centre = (x0 + x1) / 2.0;
    let span = |low: f32, high: f32, most: u32| {
        let low = low.floor().clamp(0.0, most.saturating_sub(2) as f32) as u32;
        let high = (high.ceil().max(0.0) as u32).clamp(low + 1, most.max(low + 1));
        (low, high - low)
    };
    let (left, across) = span(centre - side * unit, centre + side * unit, width);
    let (top, down) = span(y0 - above * unit, y1 + below * unit, height);
    [left, top, across, down]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    /// A face in the middle of a 2000x3000 picture, its eyes `eyes` apart.
    fn face(eyes: f32) -> Mesh {
        let mut points = vec![[1000.0, 1000.0, 0.0]; POINTS];
        points[33][0] = 1000.0 - eyes / 2.0;
        points[263][0] = 1000.0 + eyes / 2.0;
        points[10][1] = 1000.0 - 0.8 * eyes;
        points[152][1] = 1000.0 + 0.9 * eyes;
        points[234][0] = 1000.0 - 0.75 * eyes;
        points[454][0] = 1000.0 + 0.75 * eyes;
        Mesh { points, presence: 1.0 }
    }

    fn chosen(eyes: f32, crop: PortraitCrop, up_to: Option<u32>) -> ChosenFrame {
        ChosenFrame::of([2000, 3000], &face(eyes), 1.0, &PrepareOptions { size: 512, up_to, crop, face: None })
    }

    #[test]
    fn the_size_is_the_least_that_shows_the_face_well() {
        let close = chosen(1000.0, PortraitCrop::None, Some(1080));
        assert_eq!((close.output, close.reason), ([342, 512], SizeReason::Usual));
        let further = chosen(450.0, PortraitCrop::None, Some(1080));
        assert_eq!((further.output[1], further.reason), (800, SizeReason::Grown));
        assert!(further.eyes_px >= 119.5, "{further:?}");
        let far = chosen(150.0, PortraitCrop::None, Some(1080));
        assert_eq!((far.output[1], far.reason), (1080, SizeReason::Largest));
        assert_eq!(
            far.to_string(),
            "720x1080, the whole picture: the largest that is chosen; the eyes are 54 pixels apart, \
                                     cropped to bust or head they are further"
        );
        assert_eq!(chosen(150.0, PortraitCrop::None, None).output, [342, 512]);
    }

    #[test]
    fn a_crop_keeps_the_face_and_goes_no_further_than_the_picture() {
        for (crop, share) in [(PortraitCrop::Bust, 5.2), (PortraitCrop::Head, 3.3)] {
            for eyes in [150.0, 450.0, 1000.0] {
                let c = chosen(eyes, crop, Some(1080));
                let [x, y, w, h] = c.area;
                assert!(x + w <= 2000 && y + h <= 3000, "{c:?}");
                assert!(
                    w as f32 <= share * eyes + 2.0 && (w > (1.5 * eyes) as u32) && h > (1.7 * eyes) as u32,
                    "{c:?}"
                );
                assert!(c.output.iter().all(|side| side.is_multiple_of(2)));
            }
        }
        let small = chosen(100.0, PortraitCrop::Head, Some(1080));
        assert_eq!((small.output[1].max(small.output[0]) < 340, small.reason), (true, SizeReason::Native));
    }
}
