//! Following one face through a video.

use image::RgbImage;

use super::{Detection, FaceBox, FaceError, FaceFinder, MIN_PRESENCE, Mesh, POINTS};

/// A face may be out of sight, or too blurred for a mesh, for at most this long, in seconds.
const LONGEST_GAP_S: f32 = 0.4;
/// A face that appears within this many box sides of where the lost one was is taken for the same.
const SAME_FACE_REACH: f32 = 0.75;
/// And only if it has not grown or shrunk by more than this meanwhile.
const SAME_FACE_GROWTH: f32 = 2.0;

/// Follows one face: detects it in the first frame, then goes from mesh to mesh, and detects again when it is lost.
///
/// Give the frames in order to [`Tracker::push`], then take the meshes from [`Tracker::finish`]. It keeps meshes
/// (about 6 KB each), never pictures.
pub struct Tracker<'a> {
    finder: &'a mut FaceFinder,
    frames_per_second: f32,
    face: Option<usize>,
    first: Option<(Detection, Vec<FaceBox>)>,
    seen: Vec<FaceSighting>,
    last: Option<Mesh>,
}

/// What a frame shows of the face.
enum FaceSighting {
    /// The face, clear enough for a mesh.
    Clear(Mesh),
    /// The face, too blurred for one.
    Blurred,
    /// Nobody.
    Nobody,
}

/// A followed face.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceTrack {
    /// One a frame: none where the face is out of sight. Those of frames in which it is too blurred are between their
    /// neighbours', with a presence of 0.
    pub meshes: Vec<Option<Mesh>>,
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
        Self { finder, frames_per_second, face, first: None, seen: Vec::new(), last: None }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`FaceError::Lost`] or [`FaceError::NeverSeen`] when the face is away for more than 0.4 s,
    /// [`FaceError::NoSuchFace`] when the asked face is not in the first frame, or a failing network.
    pub fn push(&mut self, frame: &RgbImage) -> Result<(), FaceError> {
        let seen = match self.last.take() {
            None => self.detect_first(frame)?,
            Some(last) => {
                let near = self.finder.mesh_near(frame, &last)?;
                let seen = if near.presence >= MIN_PRESENCE {
                    FaceSighting::Clear(near)
                } else {
                    self.detect_again(frame, &last)?
                };
                self.last = Some(if let FaceSighting::Clear(mesh) = &seen { mesh.clone() } else { last });
                seen
            }
        };
        self.seen.push(seen);
        let gap = self.seen.iter().rev().take_while(|seen| !matches!(seen, FaceSighting::Clear(_))).count();
        if gap as f32 > (LONGEST_GAP_S * self.frames_per_second).max(1.0) {
            return Err(if self.first.is_none() {
                FaceError::NeverSeen { seconds: gap as f32 / self.frames_per_second }
            } else {
                let at_s = (self.seen.len() - gap) as f32 / self.frames_per_second;
                FaceError::Lost { at_s, longest_gap_s: LONGEST_GAP_S }
            });
        }
        Ok(())
    }

    /// One mesh for each frame that was pushed and shows the face.
    ///
    /// # Errors
    /// [`FaceError::NeverSeen`] when no frame showed a face.
    pub fn finish(self) -> Result<FaceTrack, FaceError> {
        let seconds = self.seen.len() as f32 / self.frames_per_second;
        let (first, faces) = self.first.ok_or(FaceError::NeverSeen { seconds })?;
        Ok(FaceTrack { meshes: bridge(&self.seen), first, faces })
    }

    fn detect_first(&mut self, frame: &RgbImage) -> Result<FaceSighting, FaceError> {
        let faces = self.finder.find(frame)?;
        if faces.is_empty() {
            return Ok(FaceSighting::Nobody);
        }
        let asked = self.face.unwrap_or(1);
        let face = asked.checked_sub(1).and_then(|index| faces.get(index));
        let face = face.ok_or(FaceError::NoSuchFace { asked, found: faces.len() })?;
        let mesh = self.finder.mesh(frame, face)?;
        if mesh.presence < MIN_PRESENCE {
            return Ok(FaceSighting::Blurred);
        }
        self.first = Some((face.clone(), faces.iter().map(|face| face.bounds).collect()));
        self.last = Some(mesh.clone());
        Ok(FaceSighting::Clear(mesh))
    }

    /// The face nearest to where it was, unless it is so far away that it must be another.
    fn detect_again(&mut self, frame: &RgbImage, last: &Mesh) -> Result<FaceSighting, FaceError> {
        let was = last.bounds(&[]);
        let [x, y] = was.centre();
        let distance = |face: &Detection| (face.bounds.centre()[0] - x).hypot(face.bounds.centre()[1] - y);
        let faces = self.finder.find(frame)?;
        let nearest = faces.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let alike =
            |face: &Detection| (1.0 / SAME_FACE_GROWTH..=SAME_FACE_GROWTH).contains(&(face.bounds.side() / was.side()));
        let Some(face) = nearest.filter(|face| distance(face) <= was.side() * SAME_FACE_REACH && alike(face)) else {
            return Ok(FaceSighting::Nobody);
        };
        let mesh = self.finder.mesh(frame, face)?;
        Ok(if mesh.presence >= MIN_PRESENCE { FaceSighting::Clear(mesh) } else { FaceSighting::Blurred })
    }
}

/// Meshes of blurred frames: on the straight line between the clear ones before and after, or the nearest at either end.
fn bridge(seen: &[FaceSighting]) -> Vec<Option<Mesh>> {
    let clear: Vec<(usize, &Mesh)> = seen
        .iter()
        .enumerate()
        .filter_map(|(frame, seen)| if let FaceSighting::Clear(mesh) = seen { Some((frame, mesh)) } else { None })
        .collect();
    let between = |frame: usize| -> Option<Mesh> {
        let after = clear.partition_point(|&(k, _)| k < frame);
        let (from, a) = *clear.get(after.checked_sub(1).unwrap_or(after))?;
        let (to, b) = clear.get(after).copied().unwrap_or((from, a));
        let share = if to == from { 0.0 } else { (frame - from) as f32 / (to - from) as f32 };
        let blend = |i: usize| std::array::from_fn(|c| a.points[i][c] + (b.points[i][c] - a.points[i][c]) * share);
        Some(Mesh { points: (0..POINTS).map(blend).collect(), presence: 0.0 })
    };
    let mesh = |(frame, seen): (usize, &FaceSighting)| match seen {
        FaceSighting::Clear(mesh) => Some(mesh.clone()),
        FaceSighting::Blurred => between(frame),
        FaceSighting::Nobody => None,
    };
    seen.iter().enumerate().map(mesh).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> FaceSighting {
        FaceSighting::Clear(Mesh { points: vec![[x, 2.0 * x, 0.0]; POINTS], presence: 0.9 })
    }

    fn xs(seen: &[FaceSighting]) -> Vec<Option<f32>> {
        bridge(seen).iter().map(|mesh| mesh.as_ref().map(|m| m.points[0][0])).collect()
    }

    #[test]
    fn blurred_frames_lie_between_their_neighbours_and_empty_ones_have_no_mesh() {
        let seen = [at(1.0), FaceSighting::Blurred, FaceSighting::Nobody, FaceSighting::Blurred, at(5.0)];
        assert_eq!(xs(&seen), [Some(1.0), Some(2.0), None, Some(4.0), Some(5.0)]);
        let meshes = bridge(&seen);
        assert_eq!(meshes[3].as_ref().unwrap().points[9][1], 8.0);
        assert_eq!(meshes[1].as_ref().unwrap().presence, 0.0);
    }

    #[test]
    fn either_end_repeats_the_nearest() {
        let seen = [FaceSighting::Nobody, FaceSighting::Blurred, at(3.0), at(4.0), FaceSighting::Blurred];
        assert_eq!(xs(&seen), [None, Some(3.0), Some(3.0), Some(4.0), Some(4.0)]);
        assert_eq!(xs(&[FaceSighting::Blurred]), [None]);
        assert!(xs(&[]).is_empty());
    }
}
