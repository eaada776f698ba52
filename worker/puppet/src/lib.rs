//! The puppet: one portrait moved by warping, on the CPU, with no downloaded weights.
//!
//! The face is two displacement sheets that meet at the mouth line ([`fields`](self)); where neither covers a pixel, the
//! inside of the mouth shows. It is honest about what it is: it moves a photograph. What it moves, and how far, was
//! tuned by eye on several portraits; lengths are in D, the distance between the outer eye corners.

mod curves;
mod draw;
mod draw_pool;
mod ear;
mod eyes;
mod fields;
mod figure;
mod frame;
mod grid;
mod head;
mod interior;
mod lips;
mod mouth;
mod palette;
mod rig;
mod sample;
mod shape;
mod softness;
mod source;
mod table;
mod warp;

pub use ear::PuppetEar;
pub use shape::MouthShape;

use draw_pool::DrawPool;
use eyes::EyeState;
use frame::FaceFrame;
use mouth::{Mouth, OPEN_GAP};
use mouthpiece_engine::{Engine, EngineError, EngineTick, Expression, SpeechLevel};
use mouthpiece_frame::{I420, Rect, Reference};
use mouthpiece_media::{compose::Canvas, features::VisemeNet};
use rig::Rig;
use source::Source;
use std::sync::Arc;

/// How much sound past a frame its mouth shape may use: a recording is all there, so smoothing is symmetrical.
const FUTURE_MS: usize = 200;

/// The puppet engine. What it draws with lives in avatars and seats; its own are the network that its ears hear with, and
/// the threads that help it to draw the ticks of several sessions at once.
#[derive(Debug, Clone)]
pub struct Puppet {
    crew: Arc<DrawPool>,
    net: Arc<VisemeNet>,
}

impl Puppet {
    /// The puppet with the shipped network.
    ///
    /// # Errors
    /// [`EngineError::Load`] when the network cannot be used: never with the shipped one.
    pub fn load() -> Result<Self, EngineError> {
        let net = VisemeNet::shipped().map_err(|e| EngineError::Load(e.into()))?;
        Ok(Self { crew: Arc::default(), net: Arc::new(net) })
    }
}

/// A prepared face.
#[derive(Debug)]
pub struct PuppetAvatar {
    reference: Reference,
    faces: Vec<(FaceFrame, Mouth)>,
    /// The first frame, built: a still portrait never needs another.
    first: (Source, Rig),
}

impl PuppetAvatar {
    /// How many reference frames it holds.
    pub fn frames(&self) -> usize {
        self.reference.frames.len()
    }

    /// Refuses a reference frame that it does not hold.
    fn check(&self, asked: usize) -> Result<(), EngineError> {
        let held = self.frames();
        if asked < held { Ok(()) } else { Err(EngineError::NoSuchFrame { asked, held }) }
    }

    /// The reference it was made from.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// One session's working memory.
#[derive(Debug)]
pub struct PuppetSeat {
    canvas: Canvas,
    /// The picture with its lids as they are now.
    source: Source,
    /// The reference frame in `source`, and its rig and open-eyed picture if it is not the first.
    shown: usize,
    other: Option<(Source, Rig)>,
    /// What the eyes in `source` show.
    eyes: [EyeState; 2],
    scratch: draw::Scratch,
}

impl Engine for Puppet {
    type Avatar = PuppetAvatar;
    type Cue = MouthShape;
    type Seat = PuppetSeat;
    type Ear = PuppetEar;

    fn id(&self) -> &'static str {
        "puppet/2"
    }

    fn prepare(&self, reference: Reference) -> Result<PuppetAvatar, EngineError> {
        let faces = trace_faces(&reference)?;
        let first = reference.frames.first().ok_or(EngineError::EmptyReference)?;
        let source = Source::new(&first.picture);
        let rig = Rig::build(first, faces[0].0, &faces[0].1, &source);
        Ok(PuppetAvatar { first: (source, rig), faces, reference })
    }

    fn bytes(avatar: &PuppetAvatar) -> usize {
        let frames = &avatar.reference.frames;
        let Some(first) = frames.first() else { return 0 };
        let pixels = first.picture.width() * first.picture.height();
        let mesh = first.face.points.len() * size_of::<[f32; 3]>();
        let (source, rig) = &avatar.first;
        let traced = size_of::<(FaceFrame, Mouth)>() * frames.len();
        let mattes: usize = frames.iter().filter_map(|f| f.matte.as_ref()).map(|m| m.coverage.len()).sum();
        frames.len() * (pixels * 3 / 2 + mesh) + mattes + traced + source.bytes() + rig.bytes()
    }

    fn seat(avatar: &PuppetAvatar) -> PuppetSeat {
        PuppetSeat {
            canvas: Canvas::new(&avatar.reference.frames[0].picture),
            source: avatar.first.0.clone(),
            shown: 0,
            other: None,
            eyes: Default::default(),
            scratch: draw::Scratch::default(),
        }
    }

    fn ear(&self, level: SpeechLevel) -> PuppetEar {
        PuppetEar::new(Arc::clone(&self.net), level, FUTURE_MS)
    }

    fn live_ear(&self) -> PuppetEar {
        PuppetEar::live(Arc::clone(&self.net))
    }

    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        for tick in &*ticks {
            tick.avatar.check(tick.reference)?;
        }
        self.crew.each(ticks, |tick| {
            tick.seat.show(tick.avatar, tick.reference);
            tick.seat.paint(tick.avatar, tick.cue, &tick.expression);
        });
        Ok(())
    }

    fn rest(
        avatar: &PuppetAvatar,
        seat: &mut PuppetSeat,
        reference: usize,
        expression: Expression,
    ) -> Result<(), EngineError> {
        avatar.check(reference)?;
        seat.show(avatar, reference);
        seat.paint(avatar, &MouthShape::default(), &expression);
        Ok(())
    }

    fn helper(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn picture(seat: &PuppetSeat) -> &I420 {
        seat.canvas.frame()
    }
}

impl PuppetSeat {
    /// Makes `index` the reference frame that is drawn from.
    fn show(&mut self, avatar: &PuppetAvatar, index: usize) {
        if self.shown == index {
            return;
        }
        self.shown = index;
        self.eyes = Default::default();
        if index == 0 {
            self.source.clone_from(&avatar.first.0);
            return;
        }
        let frame = &avatar.reference.frames[index];
        let (face, mouth) = &avatar.faces[index];
        self.source.replace(&frame.picture);
        let rig = Rig::build(frame, *face, mouth, &self.source);
        self.other = Some((self.source.clone(), rig));
    }

    /// Paints the shown frame with this mouth and expression.
    fn paint(&mut self, avatar: &PuppetAvatar, shape: &MouthShape, expression: &Expression) {
        let (open, rig) = match &self.other {
            Some(other) if self.shown != 0 => other,
            _ => &avatar.first,
        };
        for (eye, shown) in rig.eyes.iter().zip(&mut self.eyes) {
            let state = eye.state(expression);
            // Eyes that rest are as they were painted last.
            if state != *shown {
                eye.paint(state, open, &mut self.source);
                *shown = state;
            }
        }

        let frame = self.canvas.begin(self.shown, &avatar.reference.frames[self.shown].picture);
        let mut painted = Rect::default();
        for (eye, _) in rig.eyes.iter().zip(&self.eyes).filter(|(_, shown)| !shown.is_rest()) {
            self.source.copy_pixels(eye.area, frame);
            painted = painted.union(eye.area);
        }
        painted = painted.union(draw::draw(rig, &self.source, shape, expression, &mut self.scratch, frame));
        self.canvas.painted(painted);
    }
}

/// Traces the mouth of every frame. Whether it is open is decided once for all of them.
fn trace_faces(reference: &Reference) -> Result<Vec<(FaceFrame, Mouth)>, EngineError> {
    let mut measured = Vec::with_capacity(reference.frames.len());
    for (i, f) in reference.frames.iter().enumerate() {
        let frame = FaceFrame::of(&f.face, i)?;
        measured.push((frame, frame.landmarks(&f.face)));
    }
    let mut gaps: Vec<f32> = measured.iter().map(|(_, points)| mouth::inner_gap(points)).collect();
    gaps.sort_by(f32::total_cmp);
    let open = gaps.get(gaps.len() / 2).ok_or(EngineError::EmptyReference)? > &OPEN_GAP;
    Ok(measured
        .into_iter()
        .zip(&reference.frames)
        .map(|((frame, points), f)| {
            let half_width = (points[308][0] - points[78][0]) / 2.0;
            let snap =
                (!open).then(|| mouth::snap_to_darkest(&f.picture, frame, &Mouth::middle_line(&points, half_width)));
            (frame, Mouth::trace(&points, open, snap.as_ref(), 1.0 / frame.unit))
        })
        .collect())
}
