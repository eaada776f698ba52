//! A prepared reference as bytes, so that a face is analysed once and used by every worker.
//!
//! The container is small and fixed, all numbers little-endian:
//!
//! ```text
//! "MOUTHREF"  version u32
//! width u32, height u32, frames u32, frames per second f32 (0: a still)
//! report: faces u32, a box (4 f32) for each; chosen u32; its box; score, presence, yaw, pitch, roll, eye span f32;
//!         input width u32, height u32; shown: crop, reason, left, top, width, height u32, eyes f32;
//!         warnings u32, for each its length u32 and UTF-8 bytes
//! irises u32, matte u32 (1 where each frame has them, else 0)
//! each frame: 468 points of 3 f32, presence f32; planes Y, U, V; irises: 2 of x, y, radius f32; matte: width * height bytes
//! SHA-256 of all before
//! ```
//! Nothing is taken on trust: every count and size is bounded, the length must be exactly what the header makes it, and
//! no number that is none gets in. So reading allocates no more than a few times the bytes it was given.

use super::{
    ChosenFrame, FaceReport, MAX_VIDEO_FRAMES, PortraitCrop, PreparedReference, Reference, ReferenceFrame, SizeReason,
};
use crate::face::{FaceBox, HeadPose, Iris, Matte, Mesh, POINTS};
use crate::image::I420;
use sha2::{Digest, Sha256};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"MOUTHREF";
/// The version that is written and read: it grows whenever the same portrait comes out otherwise than before.
const VERSION: u32 = 7;
/// Crops by their numbers.
const CROPS: [PortraitCrop; 3] = [PortraitCrop::None, PortraitCrop::Bust, PortraitCrop::Head];
/// Longest side of a stored frame in pixels.
const MAX_SIDE: u32 = 4096;
/// Most faces in a report.
const MAX_FACES: u32 = 64;
/// Most warnings in a report.
const MAX_WARNINGS: u32 = 64;
/// Longest warning in bytes.
const MAX_WARNING: u32 = 4096;
/// Bytes of the digest at the end.
const DIGEST: usize = 32;

/// Bytes that are no stored reference.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum StoredError {
    /// They begin otherwise.
    #[error("this is not a stored reference")]
    Foreign,
    /// Written by another version of the program.
    #[error("a stored reference of version {0}: version {VERSION} is read, prepare it again")]
    Version(u32),
    /// A value is out of its range.
    #[error("the stored reference has {what} of {got}: it must be {range}, prepare it again")]
    OutOfRange {
        /// The value that does not fit.
        what: &'static str,
        /// What it is.
        got: u64,
        /// What is accepted.
        range: &'static str,
    },
    /// Cut off, lengthened or changed.
    #[error("the stored reference is damaged ({0}): prepare it again")]
    Damaged(&'static str),
}

impl PreparedReference {
    /// The bytes that [`PreparedReference::from_bytes`] reads. Warnings that are longer or more than the format holds are cut.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { reference, report } = self;
        let size = reference.frames.first().map_or([0; 2], |f| [f.picture.width(), f.picture.height()]);
        let extras = Extras {
            irises: reference.frames.iter().all(|f| f.irises.is_some()),
            matte: reference.frames.iter().all(|f| f.matte.is_some()),
        };
        let frame = extras.frame_bytes(size[0] * size[1]);
        let mut out = Writer(Vec::with_capacity(reference.frames.len() * frame + 4096));
        out.0.extend_from_slice(MAGIC);
        out.u32(VERSION);
        size.iter().for_each(|side| out.u32(*side as u32));
        out.u32(reference.frames.len() as u32);
        out.f32(reference.frames_per_second);
        out.report(report);
        [extras.irises, extras.matte].iter().for_each(|has| out.u32((*has).into()));
        for ReferenceFrame { picture, face, irises, matte } in &reference.frames {
            face.points.iter().flatten().for_each(|c| out.f32(*c));
            out.f32(face.presence);
            for plane in [&picture.y, &picture.u, &picture.v] {
                out.0.extend_from_slice(plane);
            }
            for Iris { centre: [x, y], radius } in irises.iter().flatten().filter(|_| extras.irises) {
                [x, y, radius].iter().for_each(|v| out.f32(**v));
            }
            if let Some(matte) = matte.as_ref().filter(|_| extras.matte) {
                out.0.extend_from_slice(&matte.coverage);
            }
        }
        let digest = Sha256::digest(&out.0);
        out.0.extend_from_slice(&digest);
        out.0
    }

    /// Reads what [`PreparedReference::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StoredError`]: they are something else, damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut head = Reader(bytes);
        if head.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(StoredError::Foreign);
        }
        match head.u32()? {
            VERSION => {}
            other => return Err(StoredError::Version(other)),
        }
        let body = bytes.len().checked_sub(DIGEST).ok_or(StoredError::Damaged("it is cut off"))?;
        let (body, digest) = bytes.split_at(body);
        let start = MAGIC.len() + 4;
        let mut from = Reader(body.get(start..).ok_or(StoredError::Damaged("it is cut off"))?);
        let sides = "even, from 2 to 4096 pixels";
        let width = from.within("a width", sides, |w| (2..=MAX_SIDE).contains(&w) && w % 2 == 0)? as usize;
        let height = from.within("a height", sides, |h| (2..=MAX_SIDE).contains(&h) && h % 2 == 0)? as usize;
        let frames = from.within("a frame count", "1 to 600", |n| (1..=MAX_VIDEO_FRAMES as u32).contains(&n))? as usize;
        let frames_per_second = from.f32()?;
        if !(0.0..=240.0).contains(&frames_per_second) {
            return Err(StoredError::Damaged("its frame rate is none"));
        }
        let report = from.report([width as u32, height as u32])?;
        let has = |from: &mut Reader<'_>, what| from.within(what, "0 or 1", |n| n <= 1).map(|n| n == 1);
        let extras =
            Extras { irises: has(&mut from, "a mark of irises")?, matte: has(&mut from, "a mark of a matte")? };
        if from.0.len() != frames * extras.frame_bytes(width * height) {
            return Err(StoredError::Damaged("its length is not what its header says"));
        }
        // Last of the cheap refusals: hashing reads all of it.
        if Sha256::digest(body)[..] != *digest {
            return Err(StoredError::Damaged("its digest differs"));
        }
        let frames = (0..frames).map(|_| from.frame(width, height, extras)).collect::<Result<_, _>>()?;
        Ok(Self { reference: Reference { frames, frames_per_second }, report })
    }
}

/// What frames have besides picture and face.
#[derive(Debug, Clone, Copy)]
struct Extras {
    irises: bool,
    matte: bool,
}

impl Extras {
    /// Bytes of a frame of so many pixels.
    fn frame_bytes(self, pixels: usize) -> usize {
        let (irises, matte) = (if self.irises { 6 * 4 } else { 0 }, if self.matte { pixels } else { 0 });
        pixels * 3 / 2 + (POINTS * 3 + 1) * 4 + irises + matte
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn f32(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn face_box(&mut self, b: &FaceBox) {
        [b.x0, b.y0, b.x1, b.y1].iter().for_each(|side| self.f32(*side));
    }

    fn report(&mut self, r: &FaceReport) {
        let faces = &r.faces[..r.faces.len().min(MAX_FACES as usize)];
        self.u32(faces.len() as u32);
        faces.iter().for_each(|b| self.face_box(b));
        self.u32(r.chosen as u32);
        self.face_box(&r.bounds);
        let HeadPose { yaw_deg, pitch_deg, roll_deg } = r.pose;
        [r.score, r.presence, yaw_deg, pitch_deg, roll_deg, r.eye_span_px].iter().for_each(|v| self.f32(*v));
        r.native_size.iter().for_each(|side| self.u32(*side));
        let ChosenFrame { crop, area, output: _, eyes_px, reason } = r.frame;
        self.u32(CROPS.iter().position(|c| *c == crop).unwrap_or(0) as u32);
        self.u32(SizeReason::ALL.iter().position(|c| *c == reason).unwrap_or(0) as u32);
        area.iter().for_each(|side| self.u32(*side));
        self.f32(eyes_px);
        let warnings = &r.warnings[..r.warnings.len().min(MAX_WARNINGS as usize)];
        self.u32(warnings.len() as u32);
        for warning in warnings {
            let warning = &warning[..warning.floor_char_boundary(MAX_WARNING as usize)];
            self.u32(warning.len() as u32);
            self.0.extend_from_slice(warning.as_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StoredError> {
        let (now, later) = self.0.split_at_checked(count).ok_or(StoredError::Damaged("it is cut off"))?;
        self.0 = later;
        Ok(now)
    }

    fn u32(&mut self) -> Result<u32, StoredError> {
        let (now, later) = self.0.split_first_chunk().ok_or(StoredError::Damaged("it is cut off"))?;
        self.0 = later;
        Ok(u32::from_le_bytes(*now))
    }

    fn f32(&mut self) -> Result<f32, StoredError> {
        let value = f32::from_bits(self.u32()?);
        if value.is_finite() { Ok(value) } else { Err(StoredError::Damaged("it holds what is no number")) }
    }

    fn within(
        &mut self,
        what: &'static str,
        range: &'static str,
        fits: impl FnOnce(u32) -> bool,
    ) -> Result<u32, StoredError> {
        let value = self.u32()?;
        if fits(value) { Ok(value) } else { Err(StoredError::OutOfRange { what, got: value.into(), range }) }
    }

    fn face_box(&mut self) -> Result<FaceBox, StoredError> {
        Ok(FaceBox { x0: self.f32()?, y0: self.f32()?, x1: self.f32()?, y1: self.f32()? })
    }

    fn report(&mut self, output: [u32; 2]) -> Result<FaceReport, StoredError> {
        let faces = self.within("a face count", "at most 64", |n| n <= MAX_FACES)?;
        let faces = (0..faces).map(|_| self.face_box()).collect::<Result<_, _>>()?;
        let chosen = self.within("a face number", "1 to 64", |n| (1..=MAX_FACES).contains(&n))? as usize;
        let bounds = self.face_box()?;
        let (score, presence) = (self.f32()?, self.f32()?);
        let pose = HeadPose { yaw_deg: self.f32()?, pitch_deg: self.f32()?, roll_deg: self.f32()? };
        let eye_span_px = self.f32()?;
        let native_size = [self.u32()?, self.u32()?];
        let crop = CROPS[self.within("a crop", "0 to 2", |n| n < 3)? as usize];
        let reason = SizeReason::ALL[self.within("a reason of its size", "0 to 5", |n| n < 6)? as usize];
        let area = [self.u32()?, self.u32()?, self.u32()?, self.u32()?];
        let frame = ChosenFrame { crop, area, output, eyes_px: self.f32()?, reason };
        let warnings = self.within("a warning count", "at most 64", |n| n <= MAX_WARNINGS)?;
        let warnings = (0..warnings).map(|_| self.sentence()).collect::<Result<_, _>>()?;
        Ok(FaceReport { faces, chosen, bounds, score, presence, pose, eye_span_px, native_size, frame, warnings })
    }

    fn sentence(&mut self) -> Result<String, StoredError> {
        let length = self.within("a warning's length", "at most 4096 bytes", |n| n <= MAX_WARNING)?;
        let text = std::str::from_utf8(self.take(length as usize)?);
        text.map(str::to_owned).map_err(|_| StoredError::Damaged("a warning is not text"))
    }

    fn iris(&mut self) -> Result<Iris, StoredError> {
        Ok(Iris { centre: [self.f32()?, self.f32()?], radius: self.f32()? })
    }

    fn frame(&mut self, width: usize, height: usize, extras: Extras) -> Result<ReferenceFrame, StoredError> {
        let mut points = Vec::with_capacity(POINTS);
        for _ in 0..POINTS {
            points.push([self.f32()?, self.f32()?, self.f32()?]);
        }
        let face = Mesh { points, presence: self.f32()? };
        let mut picture = I420::new(width, height).map_err(|_| StoredError::Damaged("its size is none"))?;
        for plane in [&mut picture.y, &mut picture.u, &mut picture.v] {
            let count = plane.len();
            plane.copy_from_slice(self.take(count)?);
        }
        let irises = if extras.irises { Some([self.iris()?, self.iris()?]) } else { None };
        let matte = if extras.matte { Some(Matte { coverage: self.take(width * height)?.to_vec() }) } else { None };
        Ok(ReferenceFrame { picture, face, irises, matte })
    }
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
