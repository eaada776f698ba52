//! What a video's frames have to do with each other.
//!
//! One of them is the home frame: its mouth is the most closed ([`home`]), and the face is measured in it alone. Of every other
//! frame it is known how the mouth would lie in it if it did nothing ([`pose`], and from frame to frame [`step`]), and it is brought to that ([`close`]):
//! what the person said when they were filmed is not to be seen. So a frame is drawn as the home frame is, by way of its pose, and
//! in silence it is shown as it is. Before that, the mouths go into the bank.

mod affine;
mod close;
mod home;
mod pose;
mod spread;
mod step;

pub(super) use affine::Affine;

use super::bank::{Bank, BankFrame, BankOrigin, Mouthful, SkinLight};
use super::draw_pool::DrawPool;
use super::frame::FaceFrame;
use super::hidden_teeth::brought_below_teeth;
use super::mouth::{self, Mouth, OPEN_GAP};
use super::rig::Rig;
use super::seam::seam;
use super::source::Source;
use close::LipCloser;
use home::{MouthReading, most_closed};
use mouthpiece_engine::EngineError;
use mouthpiece_frame::{I420, Mesh, Reference, ReferenceFrame};
use mouthpiece_media::face::HeadPose;

/// How one frame lies to the home frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct FramePose {
    /// From the home frame's pixels to this one's.
    pub(super) there: Affine,
    /// And back.
    pub(super) back: Affine,
    /// The head's turn to a side and down, degrees.
    pub(super) turn: [f32; 2],
    pub(super) light: SkinLight,
}

/// A video, ready to be drawn.
#[derive(Debug)]
pub(super) struct Clip {
    pub(super) home: usize,
    pub(super) poses: Vec<FramePose>,
    pub(super) bank: Bank,
    /// No frame's lower face takes more pixels.
    pub(super) most_pixels: usize,
}

/// The face of the frame that is drawn from.
pub(super) struct HomeFace {
    pub(super) source: Source,
    pub(super) rig: Rig,
}

impl Clip {
    /// Prepares a reference of several frames: closes the mouths in its pictures. `kept`: a bank that was made before.
    pub(super) fn prepare(
        reference: &mut Reference,
        crew: &DrawPool,
        kept: Option<&[u8]>,
    ) -> Result<(Self, HomeFace), EngineError> {
        let frames_per_second = reference.frames_per_second;
        let frames = &mut reference.frames;
        for (i, f) in frames.iter().enumerate() {
            FaceFrame::of(&f.face, i)?;
        }
        let readings: Vec<MouthReading> = frames.iter().map(|f| MouthReading::of(&f.face)).collect();
        let home = most_closed(&readings);
        let at_home = frames.get(home).ok_or(EngineError::EmptyReference)?.clone();
        let frame = FaceFrame::of(&at_home.face, home)?;
        let source = Source::new(&at_home.picture);
        let mouth = mouth_of(&at_home.face, frame, &at_home.picture);

        let there =
            step::steadied(frames, &meshed(frames, &at_home.face), &at_home.face, frame, frames_per_second, crew);
        let poses = poses(frames, there, &at_home.face, crew);
        let origin = BankOrigin { frames: frames.len(), home };
        let bank = kept.and_then(|kept| Bank::from_bytes(kept, origin));
        let bank = bank.unwrap_or_else(|| fill(frames, &poses, frame, crew));

        let closer = LipCloser::new(&at_home.face, frame, &mouth, &source);
        let others = frames.iter_mut().zip(&poses).enumerate().filter(|(i, _)| *i != home);
        let mut others: Vec<_> = others.map(|(_, pair)| pair).collect();
        crew.each(&mut others, |(f, pose)| closer.close(&f.face, pose.there, &mut f.picture));
        let rig = Rig::build(&at_home, frame, &mouth, &source);
        let (width, height) = (source.width, source.height);
        let pixels = poses.iter().map(|p| p.there.bounds(&rig.sheets.grid, width, height));
        let most_pixels = pixels.map(|area| area.width() * area.height()).max().unwrap_or(0);
        Ok((Self { home, poses, bank, most_pixels }, HomeFace { source, rig }))
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.poses[..]) + self.bank.bytes()
    }
}

/// A frame's mouth, closed unless it is plainly open, or shows teeth where the mesh sees a lip.
pub(super) fn mouth_of(face: &Mesh, frame: FaceFrame, picture: &I420) -> Mouth {
    let mut points = frame.landmarks(face);
    let is_open = |points: &[[f32; 3]]| mouth::inner_gap(points) > OPEN_GAP;
    let open = is_open(&points) || brought_below_teeth(&mut points, frame, face, picture) && is_open(&points);
    let half_width = (points[308][0] - points[78][0]) / 2.0;
    let snap = (!open).then(|| {
        let line = Mouth::middle_line(&points, half_width);
        let thickness = (points[17][1] - line.at(points[17][0])).max(0.05);
        seam(picture, frame, &line, thickness)
    });
    Mouth::trace(&points, open, snap.as_ref(), 1.0 / frame.unit)
}

/// How each frame lies to the home frame by its mesh; one whose face says nothing lies as the one before.
fn meshed(frames: &[ReferenceFrame], home: &Mesh) -> Vec<Affine> {
    let mut last = Affine::IDENTITY;
    let mut pose = |f: &ReferenceFrame| {
        last = pose::pose(home, &f.face).unwrap_or(last);
        last
    };
    frames.iter().map(&mut pose).collect()
}

/// What is to be known of each frame, which lies to the home frame as `there` says.
fn poses(frames: &[ReferenceFrame], there: Vec<Affine>, home: &Mesh, crew: &DrawPool) -> Vec<FramePose> {
    let mut jobs: Vec<(&ReferenceFrame, Affine, Option<FramePose>)> =
        frames.iter().zip(there).map(|(f, there)| (f, there, None)).collect();
    crew.each(&mut jobs, |(f, there, pose)| {
        let head = HeadPose::of(&f.face);
        let light = SkinLight::of(home, there, &f.picture);
        let back = there.inverse().unwrap_or(Affine::IDENTITY);
        *pose = Some(FramePose { there: *there, back, turn: [head.yaw_deg, head.pitch_deg], light });
    });
    jobs.into_iter().filter_map(|job| job.2).collect()
}

/// The bank of the frames' mouths.
fn fill(frames: &[ReferenceFrame], poses: &[FramePose], home: FaceFrame, crew: &DrawPool) -> Bank {
    let seen = |(reference, pose): (_, &FramePose)| BankFrame { reference, pose: pose.there, light: pose.light };
    let views: Vec<BankFrame<'_>> = frames.iter().zip(poses).map(seen).collect();
    let mut mouths: Vec<(usize, Option<Mouthful>)> = (0..views.len()).map(|i| (i, None)).collect();
    crew.each(&mut mouths, |(i, mouthful)| *mouthful = Mouthful::of(*i, &views[*i], &poses[*i].back, home));
    let mouths: Vec<Option<Mouthful>> = mouths.into_iter().map(|m| m.1).collect();
    Bank::build(&views, &mouths)
}
