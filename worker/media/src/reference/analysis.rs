//! Which face a picture shows, and whether it can be animated.

use image::RgbImage;

use super::{ChosenFrame, PrepareOptions, ReferenceError, Signs};
use crate::face::{
    CloseUp, Detection, FaceBox, FaceError, FaceFinder, HeadPose, MIN_PRESENCE, Mesh, softness, topology,
};
use mouthpiece_frame::Rect;

/// A face whose box is smaller than this many pixels shows too little to be animated.
pub const MIN_FACE_SIDE: f32 = 64.0;
/// In a picture it may be as small as this: it is enlarged.
pub const MIN_ENLARGED_SIDE: f32 = 40.0;
/// A face that is enlarged becomes this large, where the output has room.
const ENLARGED_SIDE: f32 = 128.0;
/// Below this distance of the outer eye corners in the output, the mouth is a smear.
const SHARP_EYE_SPAN: f32 = 45.0;
/// A head turned further than this is warned about.
const TURNED_DEG: f32 = 25.0;
/// A mesh less sure than this is warned about.
const SURE: f32 = 0.8;
/// A face with more blur than this, in shares of the distance of its eyes, is warned about: lips and teeth have no edges that could be
/// followed. 85 portraits have .004 to .016 but for a few that show it.
const BLURRED: f32 = 0.0165;
/// So far apart are the eyes that most videos show.
const USUAL_EYE_SPAN: f32 = 120.0;

/// What was found in a picture, for people to read. All boxes and lengths are in pixels of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceReport {
    /// Boxes of all faces, largest first.
    pub faces: Vec<FaceBox>,
    /// The face that was taken, counted from 1 in `faces`.
    pub chosen: usize,
    /// Its box.
    pub bounds: FaceBox,
    /// The detector's score, 0.5..=1.
    pub score: f32,
    /// The mesh's presence, 0..=1.
    pub presence: f32,
    /// Where the head looks.
    pub pose: HeadPose,
    /// Distance of the outer eye corners.
    pub eye_span_px: f32,
    /// Size of the input, `[width, height]`.
    pub native_size: [u32; 2],
    /// Which part of the input is shown, how large, and why.
    pub frame: ChosenFrame,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
}

/// A picture's faces, one of them with its mesh, in pixels of the input.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The mesh of the chosen face.
    pub mesh: Mesh,
    /// What was found.
    pub report: FaceReport,
}

impl Analysis {
    /// Looks at a picture at its own size.
    ///
    /// # Errors
    /// [`ReferenceError`] when no face can be animated: none, too small, unclear, from the side, or not the asked one.
    pub fn of(picture: &RgbImage, finder: &mut FaceFinder, options: &PrepareOptions) -> Result<Self, ReferenceError> {
        let faces = finder.find(picture)?;
        if faces.is_empty() {
            return Err(ReferenceError::NoFace);
        }
        let asked = options.face.unwrap_or(1);
        let face = asked.checked_sub(1).and_then(|index| faces.get(index));
        let face = face.ok_or(FaceError::NoSuchFace { asked, found: faces.len() })?;
        require_size(face, MIN_ENLARGED_SIDE)?;
        let mesh = finder.mesh(picture, face)?;
        let native_size = [picture.width(), picture.height()];
        require_front(&mesh, None)?;
        let frame = ChosenFrame::of(native_size, &mesh, growth(face), options);
        require_shown(face, &frame)?;
        let signs = Signs::of(&mesh, picture.height(), &CloseUp::of(picture, &mesh)?, finder.shake(picture, &mesh)?);
        signs.require_face()?;
        let boxes: Vec<FaceBox> = faces.iter().map(|face| face.bounds).collect();
        let mut report = FaceReport::new(&mesh, face, &boxes, native_size, frame, options.face);
        report.warnings.extend(signs.warnings());
        if !frame.is_enlarged() && frame.eyes_px >= SHARP_EYE_SPAN && blur(picture, &mesh) > BLURRED {
            report.warnings.push("the picture is blurred: a sharper one gives a clearer mouth".to_owned());
        }
        Ok(Self { mesh, report })
    }
}

/// How blurred the face is, in shares of the distance of its eyes, looked at as large as it is usually shown.
fn blur(picture: &RgbImage, mesh: &Mesh) -> f32 {
    let step = ((mesh.eye_span() / USUAL_EYE_SPAN) as usize).max(1);
    let face = mesh.bounds(&topology::OVAL);
    let inner = |from: f32, to: f32, share: f32| ((from + (to - from) * share).max(0.0) as usize) / step;
    let area = Rect {
        x0: inner(face.x0, face.x1, 0.1),
        y0: inner(face.y0, face.y1, 0.15),
        x1: inner(face.x0, face.x1, 0.9).min(picture.width() as usize / step),
        y1: inner(face.y0, face.y1, 0.9).min(picture.height() as usize / step),
    };
    let soft = softness(area, |x, y| {
        let [r, g, b] = picture.get_pixel((x * step) as u32, (y * step) as u32).0.map(f32::from);
        0.299 * r + 0.587 * g + 0.114 * b
    });
    soft * step as f32 / mesh.eye_span().max(1.0)
}

/// How many times as large a small face may become.
fn growth(face: &Detection) -> f32 {
    let side = face.bounds.side();
    if side < MIN_FACE_SIDE { ENLARGED_SIDE / side } else { 1.0 }
}

/// Refuses a small face that does not become large enough in what is shown of the picture.
fn require_shown(face: &Detection, frame: &ChosenFrame) -> Result<(), ReferenceError> {
    let side = face.bounds.side();
    let shown = side * frame.scale();
    if side < MIN_FACE_SIDE && shown < MIN_FACE_SIDE {
        return Err(ReferenceError::ShownTooSmall { side, shown, output: frame.output });
    }
    Ok(())
}

/// Refuses a face that is smaller than `least`.
pub(super) fn require_size(face: &Detection, least: f32) -> Result<(), ReferenceError> {
    let side = face.bounds.side();
    if side < least { Err(ReferenceError::FaceTooSmall { side, least }) } else { Ok(()) }
}

/// Refuses a mesh that is not of a face, or of one from the side.
pub(super) fn require_front(mesh: &Mesh, at_s: Option<f32>) -> Result<(), ReferenceError> {
    if mesh.presence < MIN_PRESENCE {
        return Err(ReferenceError::Unclear { presence: mesh.presence });
    }
    let pose = HeadPose::of(mesh);
    if pose.is_profile() { Err(ReferenceError::Profile { yaw_deg: pose.yaw_deg, at_s }) } else { Ok(()) }
}

impl FaceReport {
    /// A report on one of `faces`, with its warnings.
    pub(super) fn new(
        mesh: &Mesh,
        face: &Detection,
        faces: &[FaceBox],
        native: [u32; 2],
        frame: ChosenFrame,
        asked: Option<usize>,
    ) -> Self {
        let pose = HeadPose::of(mesh);
        let mut report = Self {
            faces: faces.to_vec(),
            chosen: asked.unwrap_or(1),
            bounds: face.bounds,
            score: face.score,
            presence: mesh.presence,
            pose,
            eye_span_px: mesh.eye_span(),
            native_size: native,
            frame,
            warnings: Vec::new(),
        };
        if asked.is_none() && faces.len() > 1 {
            report.warnings.push(format!(
                "{} faces were found and the largest was taken: --face 2 takes the next smaller",
                faces.len()
            ));
        }
        if frame.is_enlarged() {
            report.warnings.push(format!(
                "the face is only {:.0} pixels large: it was enlarged {:.1} times and stays soft, a closer picture is sharper",
                face.bounds.side(),
                frame.scale()
            ));
        } else if frame.eyes_px < SHARP_EYE_SPAN {
            report.warnings.push(format!(
                "the face is small in the output (eyes {:.0} pixels apart): a closer picture gives a clearer mouth",
                frame.eyes_px
            ));
        }
        if pose.yaw_deg.abs() > TURNED_DEG {
            report.warnings.push(format!(
                "the head is turned {:.0} degrees: a picture from the front looks better",
                pose.yaw_deg.abs()
            ));
        }
        if mesh.presence < SURE {
            report.warnings.push(format!(
                "the face is not quite clear (certainty {:.2}): hair, hands or glasses may move with the mouth",
                mesh.presence
            ));
        }
        let face = mesh.bounds(&topology::OVAL);
        let [w, h] = native.map(|side| side as f32 - 0.5);
        if face.x0 < -0.5 || face.y0 < -0.5 || face.x1 > w || face.y1 > h {
            report.warnings.push("part of the face lies outside the picture: leave some room around it".to_owned());
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    fn mesh(presence: f32) -> Mesh {
        let mut points = vec![[50.0, 50.0, 0.0]; POINTS];
        points[33] = [20.0, 50.0, 0.0];
        points[263] = [80.0, 50.0, 0.0];
        points[10] = [50.0, 10.0, 0.0];
        points[152] = [50.0, 90.0, 0.0];
        // Open eyes, closed lips.
        for (above, below, corner) in [(159, 145, 133), (386, 374, 362)] {
            points[above][1] = 47.0;
            points[below][1] = 53.0;
            points[corner][1] = 50.0;
        }
        Mesh { points, presence }
    }

    fn reported(mesh: &Mesh, native: [u32; 2], size: u32) -> FaceReport {
        let frame = ChosenFrame::of(native, mesh, 1.0, &PrepareOptions { size, ..PrepareOptions::default() });
        FaceReport::new(mesh, &face(80.0), &[], native, frame, None)
    }

    fn face(side: f32) -> Detection {
        let bounds = FaceBox { x0: 0.0, y0: 0.0, x1: side, y1: side };
        Detection { bounds, keypoints: [[0.0; 2]; 6], score: 0.9 }
    }

    #[test]
    fn sizes_and_certainty_are_judged() {
        let error = require_size(&face(63.0), MIN_FACE_SIDE).unwrap_err().to_string();
        assert_eq!(error, "the face is only 63 pixels large, 64 are needed: give a larger or closer picture");
        assert!(
            require_size(&face(64.0), MIN_FACE_SIDE).is_ok() && require_size(&face(40.0), MIN_ENLARGED_SIDE).is_ok()
        );
        assert!(require_front(&mesh(0.9), None).is_ok());
        assert!(matches!(require_front(&mesh(0.4), None), Err(ReferenceError::Unclear { .. })));
    }

    #[test]
    fn a_blurred_face_is_told_from_a_sharp_one_of_any_size() {
        // Stripes an eighth of the face wide, blurred by a share of the distance of its eyes.
        let blurred = |large: f32, share: f32| {
            let mut mesh = mesh(0.9);
            (mesh.points[234], mesh.points[454]) = ([10.0, 50.0, 0.0], [90.0, 50.0, 0.0]);
            mesh.points.iter_mut().for_each(|point| *point = point.map(|v| v * large));
            let (period, sigma) = (25.0 * large, share * mesh.eye_span());
            let mut picture = RgbImage::new((100.0 * large) as u32, (100.0 * large) as u32);
            for (x, _, pixel) in picture.enumerate_pixels_mut() {
                let from_edge = 0.25 * period - ((x as f32 + 0.5) % period - 0.5 * period).abs();
                pixel.0 = [(40.0 + 160.0 / (1.0 + (-1.702 * from_edge / sigma).exp())) as u8; 3];
            }
            blur(&picture, &mesh) > BLURRED
        };
        for large in [1.5, 4.0, 9.0] {
            assert!(!blurred(large, 0.006) && blurred(large, 0.026), "{large}");
        }
    }

    #[test]
    fn a_small_face_is_enlarged_where_there_is_room() {
        let small = face(50.0);
        let shown = |native: [u32; 2], size: u32| {
            let options = PrepareOptions { size, ..PrepareOptions::default() };
            ChosenFrame::of(native, &mesh(0.9), growth(&small), &options)
        };
        let frame = shown([200, 150], 512);
        assert_eq!((frame.output, frame.is_enlarged()), ([512, 384], true));
        require_shown(&small, &frame).unwrap();
        let report = FaceReport::new(&mesh(0.9), &small, &[], [200, 150], frame, None);
        assert_eq!(
            report.warnings,
            ["the face is only 50 pixels large: it was enlarged 2.6 times and stays soft, a closer picture is sharper"]
        );
        let error = require_shown(&small, &shown([2000, 1500], 512)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the face is only 50 pixels large and would be 13 in a video of 512x384: \
             crop the picture to bust or head, or give a closer one"
        );
        assert!(!shown([2000, 1500], 512).is_enlarged());
        assert_eq!(growth(&face(64.0)), 1.0);
        assert!(require_shown(&face(64.0), &shown([2000, 1500], 512)).is_ok());
    }

    #[test]
    fn a_profile_is_refused_with_side_and_time() {
        let mut turned = mesh(0.9);
        for p in &mut turned.points {
            let (sin, cos) = (-60.0_f32).to_radians().sin_cos();
            *p = [p[0] * cos, p[1], p[0] * sin];
        }
        let error = require_front(&turned, Some(1.5)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the head is turned 60 degrees to the left at 1.50 s, more than 50: give a picture from the front"
        );
    }

    #[test]
    fn warnings_name_what_could_be_better() {
        let report = reported(&mesh(0.7), [128, 128], 64);
        assert_eq!(report.frame.output, [64, 64]);
        assert_eq!(report.warnings.len(), 2, "{:?}", report.warnings);
        let report = reported(&mesh(0.9), [85, 85], 512);
        assert!(report.warnings.iter().any(|w| w.contains("outside")), "{:?}", report.warnings);
        assert!(reported(&mesh(0.9), [128, 128], 512).warnings.is_empty());
    }
}
