//! Following one face through a video.

use image::RgbImage;

use super::{Detection, FaceBox, FaceError, FaceFinder, MIN_PRESENCE, Mesh, POINTS};

/// A face that is out of sight for at most this long is bridged by interpolation, in seconds.
const LONGEST_GAP_S: f32 = 0.4;
/// A face that appears within this many box sides of where the lost one was is taken for the same.
const SAME_FACE_REACH: f32 = 0.75;

/// Follows one face: detects it in the first frame, then goes from mesh to mesh, and detects again when it is lost.
///
/// Give the frames in order to [`Tracker::push`], then take the meshes from [`Tracker::finish`]. It keeps meshes
/// (about 6 KB each), never pictures.
pub struct Tracker<'a> {
    finder: &'a mut FaceFinder,
    frames_per_second: f32,
    face: Option<usize>,
    first: Option<(Detection, Vec<FaceBox>)>,
    meshes: Vec<Option<Mesh>>,
    last: Option<Mesh>,
}

/// A followed face.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// One mesh a frame; those of bridged frames have a presence of 0.
    pub meshes: Vec<Mesh>,
    /// How many frames were bridged.
    pub bridged: usize,
    /// The face as it was first detected.
    pub first: Detection,
    /// Boxes of all faces in that frame, largest first.
    pub faces: Vec<FaceBox>,
}

impl<'a> Tracker<'a> {
    /// Follows the largest face, or the `face`-th largest (from 1), of a video with `frames_per_second`.
    pub fn new(finder: &'a mut FaceFinder, frames_per_second: f32, face: Option<usize>) -> Self {
        // A rate that is no rate would make every time in a message nonsense.
        let frames_per_second = if frames_per_second.is_finite() { frames_per_second.max(1.0) } else { 25.0 };
        Self { finder, frames_per_second, face, first: None, meshes: Vec::new(), last: None }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`FaceError::Lost`] or [`FaceError::NeverSeen`] when the face is away for more than 0.4 s,
    /// [`FaceError::NoSuchFace`] when the asked face is not in the first frame, or a failing network.
    pub fn push(&mut self, frame: &RgbImage) -> Result<(), FaceError> {
        let mesh = match self.last.take() {
            None => self.detect_first(frame)?,
            Some(last) => {
                let near = Some(self.finder.mesh_near(frame, &last)?).filter(|mesh| mesh.presence >= MIN_PRESENCE);
                let found = if near.is_some() { near } else { self.detect_again(frame, &last)? };
                self.last = Some(found.clone().unwrap_or(last));
                found
            }
        };
        self.meshes.push(mesh);
        let gap = self.meshes.iter().rev().take_while(|mesh| mesh.is_none()).count();
        if gap as f32 > (LONGEST_GAP_S * self.frames_per_second).max(1.0) {
            return Err(if self.first.is_none() {
                FaceError::NeverSeen { seconds: gap as f32 / self.frames_per_second }
            } else {
                let at_s = (self.meshes.len() - gap) as f32 / self.frames_per_second;
                FaceError::Lost { at_s, longest_gap_s: LONGEST_GAP_S }
            });
        }
        Ok(())
    }

    /// One mesh for each frame that was pushed, gaps filled.
    ///
    /// # Errors
    /// [`FaceError::NeverSeen`] when no frame showed a face.
    pub fn finish(self) -> Result<Track, FaceError> {
        let seconds = self.meshes.len() as f32 / self.frames_per_second;
        let bridged = self.meshes.iter().filter(|mesh| mesh.is_none()).count();
        let (Some((first, faces)), Some(meshes)) = (self.first, bridge(&self.meshes)) else {
            return Err(FaceError::NeverSeen { seconds });
        };
        Ok(Track { meshes, bridged, first, faces })
    }

    fn detect_first(&mut self, frame: &RgbImage) -> Result<Option<Mesh>, FaceError> {
        let faces = self.finder.find(frame)?;
        if faces.is_empty() {
            return Ok(None);
        }
        let asked = self.face.unwrap_or(1);
        let face = asked.checked_sub(1).and_then(|index| faces.get(index));
        let face = face.ok_or(FaceError::NoSuchFace { asked, found: faces.len() })?;
        let mesh = self.finder.mesh(frame, face)?;
        if mesh.presence < MIN_PRESENCE {
            return Ok(None);
        }
        self.first = Some((face.clone(), faces.iter().map(|face| face.bounds).collect()));
        self.last = Some(mesh.clone());
        Ok(Some(mesh))
    }

    /// The face nearest to where it was, unless it is so far away that it must be another.
    fn detect_again(&mut self, frame: &RgbImage, last: &Mesh) -> Result<Option<Mesh>, FaceError> {
        let was = last.bounds(&[]);
        let [x, y] = was.centre();
        let distance = |face: &Detection| (face.bounds.centre()[0] - x).hypot(face.bounds.centre()[1] - y);
        let faces = self.finder.find(frame)?;
        let nearest = faces.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let Some(face) = nearest.filter(|face| distance(face) <= was.side() * SAME_FACE_REACH) else {
            return Ok(None);
        };
        Ok(Some(self.finder.mesh(frame, face)?).filter(|mesh| mesh.presence >= MIN_PRESENCE))
    }
}

/// Fills gaps: linearly between two meshes, with the nearest one at either end; none when all are gaps.
fn bridge(meshes: &[Option<Mesh>]) -> Option<Vec<Mesh>> {
    let known: Vec<usize> = (0..meshes.len()).filter(|&i| meshes[i].is_some()).collect();
    let fill = |frame: usize| -> Option<Mesh> {
        let after = known.partition_point(|&k| k < frame);
        let from = known.get(after.checked_sub(1).unwrap_or(after)).copied()?;
        let to = known.get(after).copied().unwrap_or(from);
        let (a, b) = (meshes[from].as_ref()?, meshes[to].as_ref()?);
        let share = if to == from { 0.0 } else { (frame - from) as f32 / (to - from) as f32 };
        let blend = |i: usize| std::array::from_fn(|c| a.points[i][c] + (b.points[i][c] - a.points[i][c]) * share);
        Some(Mesh { points: (0..POINTS).map(blend).collect(), presence: 0.0 })
    };
    meshes.iter().enumerate().map(|(frame, mesh)| mesh.clone().or_else(|| fill(frame))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Option<Mesh> {
        Some(Mesh { points: vec![[x, 2.0 * x, 0.0]; POINTS], presence: 0.9 })
    }

    #[test]
    fn gaps_are_bridged_in_a_straight_line() {
        let meshes = bridge(&[at(1.0), None, None, None, at(5.0)]).unwrap();
        let xs: Vec<f32> = meshes.iter().map(|m| m.points[0][0]).collect();
        assert_eq!(xs, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(meshes[2].points[9][1], 6.0);
        assert_eq!((meshes[0].presence, meshes[1].presence), (0.9, 0.0));
    }

    #[test]
    fn either_end_repeats_the_nearest() {
        let meshes = bridge(&[None, None, at(3.0), at(4.0), None]).unwrap();
        let xs: Vec<f32> = meshes.iter().map(|m| m.points[0][0]).collect();
        assert_eq!(xs, [3.0, 3.0, 3.0, 4.0, 4.0]);
    }

    #[test]
    fn nothing_cannot_be_bridged() {
        assert!(bridge(&[None, None]).is_none());
        assert_eq!(bridge(&[]), Some(Vec::new()));
    }
}
