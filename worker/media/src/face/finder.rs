//! Faces, their meshes and the person around them: the networks behind one door.

use image::RgbImage;

use super::{
    Detection, FaceBox, FaceError, Iris, Matte, Mesh, Runtime, Shake,
    crop::{Pyramid, Window},
    detector::Detector,
    landmarks::{Landmarks, NEXT_FRAME, STILL, around_detection, around_mesh},
    matting::Matting,
    suppress, tiles,
};

/// A mesh with a lower [`Mesh::presence`] is not of a face.
pub const MIN_PRESENCE: f32 = 0.5;
/// When the largest face fills this share of what was looked at, smaller ones are not searched for.
const LARGE: f32 = 0.25;
/// When nothing is seen, the picture is looked at once more from this much further away: a face may fill it wholly.
const STEP_BACK: f32 = 1.6;
/// At most this many faces are reported, the largest.
const MAX_FACES: usize = 64;

/// Finds faces and their meshes. Holds the networks and runs them on the calling thread; not shared, but may be sent.
pub struct FaceFinder {
    detector: Detector,
    landmarks: Landmarks,
    matting: Matting,
}

impl FaceFinder {
    /// Loads the built-in networks (about 3 MB, some 60 ms).
    ///
    /// # Errors
    /// [`FaceError::Load`] when ONNX Runtime refuses a network.
    pub fn new(runtime: &Runtime) -> Result<Self, FaceError> {
        let (detector, landmarks) = (Detector::new(runtime)?, Landmarks::new(runtime)?);
        Ok(Self { detector, landmarks, matting: Matting::new(runtime)? })
    }

    /// The upright faces of a picture, by area, largest first; at most 64.
    ///
    /// Faces much smaller than the largest are not reported: tiles are looked at only while what was found is small.
    /// One look takes a millisecond; the largest picture without a face takes about two thousand.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn find(&mut self, picture: &RgbImage) -> Result<Vec<Detection>, FaceError> {
        let mut picture = pyramid(picture)?;
        let [w, h] = picture.size();
        let longer = w.max(h);
        let whole = |side| Window { centre: [(w - 1.0) / 2.0, (h - 1.0) / 2.0], side, angle: 0.0 };
        let mut seen = self.detector.look(&mut picture, whole(longer))?;
        if seen.is_empty() {
            seen = self.detector.look(&mut picture, whole(longer * STEP_BACK))?;
        }
        let mut faces = self.confirm(&mut picture, seen)?;
        let mut looked_at = longer;
        for side in tiles::sides(longer) {
            if faces.iter().any(|face| face.bounds.side() >= looked_at * LARGE) {
                break;
            }
            let mut seen = Vec::new();
            for tile in tiles::cover([w, h], side) {
                let whole_faces = self.detector.look(&mut picture, tile)?.into_iter();
                seen.extend(whole_faces.filter(|face| !is_cut(&face.bounds, tile, [w, h])));
            }
            faces.extend(self.confirm(&mut picture, seen)?);
            looked_at = side;
        }
        let mut faces = suppress::join(faces);
        faces.truncate(MAX_FACES);
        Ok(faces)
    }

    /// Keeps what the mesh network also takes for a face: the detector alone sees one in many a cup and cat.
    fn confirm(&mut self, picture: &mut Pyramid<'_>, seen: Vec<Detection>) -> Result<Vec<Detection>, FaceError> {
        let mut faces = Vec::new();
        for face in suppress::join(seen).into_iter().take(MAX_FACES) {
            if self.landmarks.fit(picture, around_detection(&face), NEXT_FRAME)?.presence >= MIN_PRESENCE {
                faces.push(face);
            }
        }
        Ok(faces)
    }

    /// The mesh of a detected face, from six crops (some 25 ms); look at [`Mesh::presence`] before trusting it.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn mesh(&mut self, picture: &RgbImage, face: &Detection) -> Result<Mesh, FaceError> {
        self.landmarks.fit(&mut pyramid(picture)?, around_detection(face), STILL)
    }

    /// The irises of the face with this mesh, the viewer's left one first.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn irises(&mut self, picture: &RgbImage, mesh: &Mesh) -> Result<[Iris; 2], FaceError> {
        self.landmarks.irises(&mut pyramid(picture)?, mesh)
    }

    /// How far the face with this mesh moves about when it is looked at from slightly elsewhere, from eight crops (some 35 ms).
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn shake(&mut self, picture: &RgbImage, mesh: &Mesh) -> Result<Shake, FaceError> {
        self.landmarks.shake(&mut pyramid(picture)?, mesh)
    }

    /// The outline of the person with this face; none where it is not sure, or where there is hardly any background.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn matte(&mut self, picture: &RgbImage, mesh: &Mesh) -> Result<Option<Matte>, FaceError> {
        pyramid(picture)?;
        self.matting.matte(picture, mesh)
    }

    /// The mesh of a face that was at `previous` in the frame before, from two crops.
    ///
    /// # Errors
    /// [`FaceError::EmptyPicture`], or a failing network.
    pub fn mesh_near(&mut self, picture: &RgbImage, previous: &Mesh) -> Result<Mesh, FaceError> {
        self.landmarks.fit(&mut pyramid(picture)?, around_mesh(previous), NEXT_FRAME)
    }
}

fn pyramid(picture: &RgbImage) -> Result<Pyramid<'_>, FaceError> {
    if picture.width() == 0 || picture.height() == 0 { Err(FaceError::EmptyPicture) } else { Ok(Pyramid::new(picture)) }
}

/// True for a box that reaches over a side of the tile where the picture goes on: another tile shows it whole.
fn is_cut(face: &FaceBox, tile: Window, [w, h]: [f32; 2]) -> bool {
    let half = tile.side / 2.0;
    let [x, y] = tile.centre;
    (face.x0 < x - half && x - half > 0.0)
        || (face.y0 < y - half && y - half > 0.0)
        || (face.x1 > x + half && x + half < w - 1.0)
        || (face.y1 > y + half && y + half < h - 1.0)
}
