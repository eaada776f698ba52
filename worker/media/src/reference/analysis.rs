//! Which face a picture shows, and whether it can be animated.

use image::RgbImage;

use super::{ChosenFrame, PrepareOptions, ReferenceError};
use crate::face::{Detection, FaceBox, FaceError, FaceFinder, HeadPose, MIN_PRESENCE, Mesh, topology};

/// A face whose box is smaller than this many pixels shows too little to be animated.
pub const MIN_FACE_SIDE: f32 = 64.0;
/// Below this distance of the outer eye corners in the output, the mouth is a smear.
const SHARP_EYE_SPAN: f32 = 45.0;
/// A head turned further than this is warned about.
const TURNED_DEG: f32 = 25.0;
/// A mesh less sure than this is warned about.
const SURE: f32 = 0.8;
/// Inner lips further apart than this, in distances of the outer eye corners, are warned about: broad smiles read .16.
const WIDE_OPEN: f32 = 0.24;
/// An eye that is open by less than this share of its width is shut; narrow open ones read .20.
const SHUT_EYE: f32 = 0.13;

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
        require_size(face)?;
        let mesh = finder.mesh(picture, face)?;
        let native_size = [picture.width(), picture.height()];
        require_front(&mesh, None)?;
        let boxes: Vec<FaceBox> = faces.iter().map(|face| face.bounds).collect();
        let frame = ChosenFrame::of(native_size, &mesh, options);
        let report = FaceReport::new(&mesh, face, &boxes, native_size, frame, options.face);
        Ok(Self { mesh, report })
    }
}

/// Refuses a face too small.
pub(super) fn require_size(face: &Detection) -> Result<(), ReferenceError> {
    let side = face.bounds.side();
    if side < MIN_FACE_SIDE { Err(ReferenceError::FaceTooSmall { side }) } else { Ok(()) }
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
        if frame.eyes_px < SHARP_EYE_SPAN {
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
        if distance(mesh, 13, 14) > WIDE_OPEN * mesh.eye_span() {
            report.warnings.push(
                "the mouth is wide open: a picture with closed lips or a smile looks better when it speaks".to_owned(),
            );
        }
        let shut = [[159, 145, 33, 133], [386, 374, 362, 263]]
            .map(|[above, below, a, b]| distance(mesh, above, below) < SHUT_EYE * distance(mesh, a, b));
        if shut.contains(&true) {
            let which = if shut == [true; 2] { "the eyes are" } else { "one eye is" };
            report.warnings.push(format!("{which} shut: a picture with open eyes can blink"));
        }
        let face = mesh.bounds(&topology::OVAL);
        let [w, h] = native.map(|side| side as f32 - 0.5);
        if face.x0 < -0.5 || face.y0 < -0.5 || face.x1 > w || face.y1 > h {
            report.warnings.push("part of the face lies outside the picture: leave some room around it".to_owned());
        }
        report
    }
}

/// Distance of two points of a mesh in pixels.
fn distance(mesh: &Mesh, a: usize, b: usize) -> f32 {
    let (a, b) = (mesh.points[a], mesh.points[b]);
    (a[0] - b[0]).hypot(a[1] - b[1])
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
        let frame = ChosenFrame::of(native, mesh, &PrepareOptions { size, ..PrepareOptions::default() });
        FaceReport::new(mesh, &face(80.0), &[], native, frame, None)
    }

    fn face(side: f32) -> Detection {
        let bounds = FaceBox { x0: 0.0, y0: 0.0, x1: side, y1: side };
        Detection { bounds, keypoints: [[0.0; 2]; 6], score: 0.9 }
    }

    #[test]
    fn sizes_and_certainty_are_judged() {
        let error = require_size(&face(63.0)).unwrap_err().to_string();
        assert_eq!(error, "the face is only 63 pixels large, 64 are needed: give a larger or closer picture");
        assert!(require_size(&face(64.0)).is_ok());
        assert!(require_front(&mesh(0.9), None).is_ok());
        assert!(matches!(require_front(&mesh(0.4), None), Err(ReferenceError::Unclear { .. })));
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
    fn shut_eyes_and_a_gaping_mouth_are_told() {
        let warned = |change: &dyn Fn(&mut Mesh)| {
            let mut mesh = mesh(0.9);
            change(&mut mesh);
            reported(&mesh, [128, 128], 512).warnings.join(" ")
        };
        assert_eq!(warned(&|_| {}), "");
        assert!(warned(&|m| m.points[145][1] = 48.0).starts_with("one eye is shut"));
        assert!(warned(&|m| (m.points[145][1], m.points[374][1]) = (48.0, 48.0)).starts_with("the eyes are shut"));
        assert!(warned(&|m| m.points[14][1] = 70.0).starts_with("the mouth is wide open"));
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
