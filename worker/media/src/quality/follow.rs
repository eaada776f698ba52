//! Following the face of a finished video through any number of frames, keeping only the last mesh.

use image::RgbImage;

use crate::face::{Detection, FaceError, FaceFinder, MIN_PRESENCE, Mesh};

/// While no face is seen it is searched for less and less often, down to every 32nd frame: a search may take long.
const LONGEST_WAIT: u32 = 32;

/// Goes from mesh to mesh, and detects again when the face is lost.
pub(super) struct Follower<'a> {
    finder: &'a mut FaceFinder,
    last: Option<Mesh>,
    /// Frames to let pass before the next search, and how many it was after the one before.
    wait: u32,
    pause: u32,
}

impl<'a> Follower<'a> {
    pub(super) fn new(finder: &'a mut FaceFinder) -> Self {
        Self { finder, last: None, wait: 0, pause: 0 }
    }

    /// The face in the next frame: the one that was followed, else the nearest to it, at first the largest.
    pub(super) fn next(&mut self, frame: &RgbImage) -> Result<Option<Mesh>, FaceError> {
        if self.pause == 0
            && let Some(last) = &self.last
        {
            let near = self.finder.mesh_near(frame, last)?;
            if near.presence >= MIN_PRESENCE {
                self.last = Some(near.clone());
                return Ok(Some(near));
            }
        }
        if self.wait > 0 {
            self.wait -= 1;
            return Ok(None);
        }
        let found = self.search(frame)?;
        if found.is_some() {
            (self.wait, self.pause) = (0, 0);
            self.last.clone_from(&found);
        } else {
            self.pause = (self.pause * 2).clamp(1, LONGEST_WAIT);
            self.wait = self.pause - 1;
        }
        Ok(found)
    }

    /// A face in a single frame, measured as [`Follower::next`] measures those that follow.
    fn search(&mut self, frame: &RgbImage) -> Result<Option<Mesh>, FaceError> {
        let faces = self.finder.find(frame)?;
        let face = match &self.last {
            None => faces.first(),
            Some(last) => {
                let [x, y] = last.bounds(&[]).centre();
                let distance = |f: &Detection| (f.bounds.centre()[0] - x).hypot(f.bounds.centre()[1] - y);
                faces.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
            }
        };
        let Some(face) = face else { return Ok(None) };
        let mesh = self.finder.mesh(frame, face)?;
        if mesh.presence < MIN_PRESENCE {
            return Ok(None);
        }
        let near = self.finder.mesh_near(frame, &mesh)?;
        Ok(Some(near).filter(|mesh| mesh.presence >= MIN_PRESENCE))
    }
}
