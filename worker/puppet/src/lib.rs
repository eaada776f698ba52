//! The puppet: one portrait moved by warping, on the CPU, with no downloaded weights.
//!
//! The face is two displacement sheets that meet at the mouth line ([`fields`](self)); where neither covers a pixel, the
//! inside of the mouth shows. It is honest about what it is: it moves a photograph. What it moves, and how far, was
//! tuned by eye on several portraits; lengths are in D, the distance between the outer eye corners.

mod bank;
mod clip;
mod corners;
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
mod hidden_teeth;
mod interior;
mod lip_zone;
mod lips;
mod moustache;
mod mouth;
mod own_teeth;
mod palette;
mod rig;
mod sample;
mod seam;
mod shape;
mod source;
mod table;
mod warp;

pub use ear::PuppetEar;
pub use shape::MouthShape;

use bank::{BankOrigin, FORMAT, Follower};
use clip::{Clip, HomeFace};
use draw::View;
use draw_pool::DrawPool;
use eyes::EyeState;
use frame::FaceFrame;
use mouthpiece_engine::{Engine, EngineError, EngineTick, Expression, SpeechLevel};
use mouthpiece_frame::{I420, Rect, Reference, ReferenceFrame};
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
    /// What is shown at rest: of a video the frames with their mouths closed.
    reference: Reference,
    /// The frame that all are drawn from, and its face.
    home: (Source, Rig),
    /// What a video has besides.
    clip: Option<Clip>,
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

    /// The reference it was made from; of a video with closed mouths.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// How many of the person's own mouths it can show; 0 of a still, and of a video in which nobody speaks.
    pub fn mouths(&self) -> usize {
        self.clip.as_ref().map_or(0, |clip| clip.bank.len())
    }

    /// Which reference frame has the mouth that silence shows.
    pub fn home_frame(&self) -> usize {
        self.clip.as_ref().map_or(0, |clip| clip.home)
    }
}

/// One session's working memory.
#[derive(Debug)]
pub struct PuppetSeat {
    canvas: Canvas,
    /// The picture with its lids as they are now.
    source: Source,
    /// The reference frame in `source`.
    shown: usize,
    /// Which of the person's own mouths are shown.
    follower: Follower,
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
        self.prepare_with(reference, None)
    }

    fn kept_version(&self) -> Option<String> {
        Some(format!("bank{FORMAT}"))
    }

    fn keep(avatar: &PuppetAvatar) -> Vec<u8> {
        let origin = |home| BankOrigin { frames: avatar.frames(), home };
        avatar.clip.as_ref().map_or_else(Vec::new, |clip| clip.bank.to_bytes(origin(clip.home)))
    }

    fn can_use(&self, reference: &Reference, kept: &[u8]) -> bool {
        reference.frames.len() > 1 && bank::is_whole(kept, reference.frames.len())
    }

    fn prepare_kept(&self, reference: Reference, kept: &[u8]) -> Result<PuppetAvatar, EngineError> {
        self.prepare_with(reference, Some(kept))
    }

    fn bytes(avatar: &PuppetAvatar) -> usize {
        let frames = &avatar.reference.frames;
        let Some(first) = frames.first() else { return 0 };
        let pixels = first.picture.width() * first.picture.height();
        let mesh = first.face.points.len() * size_of::<[f32; 3]>();
        let (source, rig) = &avatar.home;
        let mattes: usize = frames.iter().filter_map(|f| f.matte.as_ref()).map(|m| m.coverage.len()).sum();
        let clip = avatar.clip.as_ref().map_or(0, Clip::bytes);
        frames.len() * (pixels * 3 / 2 + mesh) + mattes + source.bytes() + rig.bytes() + clip
    }

    fn seat(avatar: &PuppetAvatar) -> PuppetSeat {
        PuppetSeat {
            canvas: Canvas::new(&avatar.reference.frames[avatar.home_frame()].picture),
            source: avatar.home.0.clone(),
            shown: avatar.home_frame(),
            follower: Follower::default(),
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

impl Puppet {
    fn prepare_with(&self, mut reference: Reference, kept: Option<&[u8]>) -> Result<PuppetAvatar, EngineError> {
        if let [first] = &reference.frames[..] {
            let home = still(first)?;
            return Ok(PuppetAvatar { home, clip: None, reference });
        }
        let (clip, HomeFace { source, rig }) = Clip::prepare(&mut reference, &self.crew, kept)?;
        Ok(PuppetAvatar { home: (source, rig), clip: Some(clip), reference })
    }
}

impl PuppetSeat {
    /// Makes `index` the reference frame that is drawn from.
    fn show(&mut self, avatar: &PuppetAvatar, index: usize) {
        if self.shown != index {
            self.shown = index;
            self.eyes = Default::default();
            self.source.replace(&avatar.reference.frames[index].picture);
        }
    }

    /// Paints the shown frame with this mouth and expression. The eyes of a video blink and look by themselves.
    fn paint(&mut self, avatar: &PuppetAvatar, shape: &MouthShape, expression: &Expression) {
        let (open, rig) = &avatar.home;
        let still = avatar.clip.is_none();
        for (eye, shown) in rig.eyes.iter().zip(&mut self.eyes).filter(|_| still) {
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
        let view = View::of(avatar, rig, &self.source, self.shown);
        painted = painted.union(draw::draw(&view, shape, expression, &mut self.follower, &mut self.scratch, frame));
        self.canvas.painted(painted);
    }
}

/// A still portrait's face.
fn still(first: &ReferenceFrame) -> Result<(Source, Rig), EngineError> {
    let frame = FaceFrame::of(&first.face, 0)?;
    let source = Source::new(&first.picture);
    let mouth = clip::mouth_of(&first.face, frame, &first.picture);
    let rig = Rig::build(first, frame, &mouth, &source);
    Ok((source, rig))
}
