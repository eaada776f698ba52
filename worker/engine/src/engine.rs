//! The engine trait.

use crate::{Cue, DeviceMemory, Ear, EngineRecovery, EngineStage, Expression, Restorations, SpeechLevel};
use mouthpiece_frame::{I420, Reference};
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;

/// Why an engine cannot be loaded, or cannot prepare or draw an avatar.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Something that it is loaded from is missing or damaged.
    #[error("the engine cannot be loaded: {0}")]
    Load(#[source] Box<dyn StdError + Send + Sync>),
    /// The reference holds no frame.
    #[error("the reference holds no picture")]
    EmptyReference,
    /// Landmarks that cannot belong to a face, for example all at one place.
    #[error("the face of reference frame {frame} has an impossible shape: {reason}")]
    ImpossibleFace {
        /// Index of the reference frame.
        frame: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A tick asked for a reference frame that the avatar does not have.
    #[error("reference frame {asked} was asked for, the avatar has {held}")]
    NoSuchFrame {
        /// Index asked for.
        asked: usize,
        /// Frames held.
        held: usize,
    },
    /// It did something that it should not.
    #[error("the engine failed: {0}")]
    Run(#[source] Box<dyn StdError + Send + Sync>),
    /// What it runs on failed, for example a GPU: [`Engine::recover`] may help.
    #[error("what the engine runs on failed: {0}")]
    Device(#[source] Box<dyn StdError + Send + Sync>),
    /// It is being recovered: nothing can be drawn just now, but a mouth at rest.
    #[error("the engine is being started again")]
    Recovering,
    /// It could not be recovered: nothing will ever be drawn.
    #[error("the engine has failed and could not be started again")]
    Broken,
    /// The thread that owned the engine has ended.
    #[error("the engine has stopped")]
    Gone,
}

/// One video frame's work for one session.
#[derive(Debug)]
pub struct EngineTick<'a, E: Engine> {
    /// The avatar that is drawn.
    pub avatar: &'a E::Avatar,
    /// The session's working memory; holds the picture afterwards.
    pub seat: &'a mut E::Seat,
    /// Which reference frame is shown, `0..frames`.
    pub reference: usize,
    /// What the sound asks of the mouth.
    pub cue: &'a E::Cue,
    /// What eyes, brows and head do.
    pub expression: Expression,
}

/// What generates mouth pixels.
///
/// An engine's constructor loads all that the engine and its ears need. Its clones are cheap and share what was loaded: one
/// prepares avatars and makes ears wherever sessions begin, another draws on the engine's thread. One engine serves several
/// sessions: avatars are shared and immutable, a seat and an ear belong to one session.
pub trait Engine: Clone + Send + Sync + 'static {
    /// A prepared face: made once, then only read.
    type Avatar: Send + Sync;
    /// What the sound asks of the mouth at one instant.
    type Cue: Cue;
    /// One session's working memory and its current picture.
    type Seat: Send;
    /// Listens for one session.
    type Ear: Ear<Cue = Self::Cue> + 'static;

    /// Name and version of what the avatar data depends on, for example `puppet/1`.
    fn id(&self) -> &'static str;

    /// Prepares an avatar. Takes milliseconds to seconds; never called per frame.
    ///
    /// # Errors
    /// [`EngineError`] when the reference is empty or its landmarks cannot belong to a face.
    fn prepare(&self, reference: Reference) -> Result<Self::Avatar, EngineError>;

    /// What shapes the data that is worth keeping beside a reference, since it takes long to make: weights, options. Lowercase
    /// letters and digits, at most 32, for the name that it is kept under; `None` where nothing is worth it.
    fn kept_version(&self) -> Option<String> {
        None
    }

    /// That data, of a prepared avatar; empty where nothing of this one is worth it.
    fn keep(_: &Self::Avatar) -> Vec<u8> {
        Vec::new()
    }

    /// Whether [`Engine::prepare_kept`] can use such data for this reference.
    fn can_use(&self, _reference: &Reference, _kept: &[u8]) -> bool {
        false
    }

    /// Prepares an avatar with data that was kept, of [`Engine::kept_version`], and does not make it again.
    ///
    /// # Errors
    /// As [`Engine::prepare`].
    fn prepare_kept(&self, reference: Reference, _kept: &[u8]) -> Result<Self::Avatar, EngineError> {
        self.prepare(reference)
    }

    /// About how many bytes of memory an avatar takes: caches are bounded by it.
    fn bytes(avatar: &Self::Avatar) -> usize;

    /// Makes the working memory for one session of `avatar`; all that drawing ever allocates.
    fn seat(avatar: &Self::Avatar) -> Self::Seat;

    /// Makes an ear for a recording as loud as `level`, of which all the sound is there to be waited for.
    fn ear(&self, level: SpeechLevel) -> Self::Ear;

    /// Makes an ear for somebody who speaks just now: nothing is known of them, and whatever it waits for is a delay.
    fn live_ear(&self) -> Self::Ear;

    /// Draws each tick into its seat. Ticks of several sessions may be given together.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`] when a tick names a reference frame that the avatar lacks; what became of the others
    /// is not told then, each may be drawn again.
    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError>;

    /// Makes what the last draw left in a seat better, on the session's own thread and not the engine's, if that is done by `due`; None: it
    /// is waited for. The picture can be shown without it.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`] as before.
    fn finish(_avatar: &Self::Avatar, _seat: &mut Self::Seat, _due: Option<Instant>) -> Result<(), EngineError> {
        Ok(())
    }

    /// Draws reference frame `reference` into a seat with the mouth at rest: the same picture as a tick whose cue is at
    /// rest. Needs no engine, so that silence costs none.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`] when the avatar lacks the reference frame.
    fn rest(
        avatar: &Self::Avatar,
        seat: &mut Self::Seat,
        reference: usize,
        expression: Expression,
    ) -> Result<(), EngineError>;

    /// Has it draw again after [`EngineError::Device`], for all its clones. May take as long as loading it did; where several
    /// sessions share it, it is called on the engine's thread.
    ///
    /// # Errors
    /// [`EngineError`] when nothing more can be done. It is not asked again then.
    fn recover(&mut self) -> Result<EngineRecovery, EngineError> {
        Err(EngineError::Broken)
    }

    /// How it is set up here, for the log, where there was something to choose.
    fn about(&self) -> Option<String> {
        None
    }

    /// What it takes of a device's memory; `None` where it draws with the machine's own.
    fn device_memory(&self) -> Option<DeviceMemory> {
        None
    }

    /// What its stages took since they were asked last, by all its clones, in the order in which they run; none where an engine
    /// has no stages of its own.
    fn take_stages(&self) -> Vec<EngineStage> {
        Vec::new()
    }

    /// What became of the mouths that [`Engine::finish`] was to restore, by all its clones; None where it restores none.
    fn restorations(&self) -> Option<Arc<Restorations>> {
        None
    }

    /// An engine that draws the same as this one beside it, where that is cheap: a session that would have to wait for a
    /// running call then draws its tick itself, on its own thread. None where all must go through the one engine, as on
    /// a GPU.
    fn helper(&self) -> Option<Self> {
        None
    }

    /// The picture that the last tick left in a seat. Needs no engine, so whoever holds the seat can encode it.
    fn picture(seat: &Self::Seat) -> &I420;
}
