//! The engine trait.

use crate::Expression;
use mouthpiece_media::{image::I420, reference::Reference};
use thiserror::Error;

/// Why an engine cannot prepare or draw an avatar.
#[derive(Debug, Error)]
pub enum EngineError {
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
}

/// One video frame's work for one session.
#[derive(Debug)]
pub struct Tick<'a, E: Engine + ?Sized> {
    /// Whose face.
    pub avatar: &'a E::Avatar,
    /// The session's working memory; holds the picture afterwards.
    pub seat: &'a mut E::Seat,
    /// Which reference frame is shown, `0..frames`.
    pub reference: usize,
    /// What the sound asks of the mouth.
    pub cue: E::Cue,
    /// What eyes, brows and head do.
    pub expression: Expression,
}

/// What generates mouth pixels.
///
/// One engine serves several sessions: avatars are shared and immutable, a seat belongs to one session.
pub trait Engine: Send {
    /// A prepared face: made once, then only read.
    type Avatar: Send + Sync;
    /// What the sound asks of the mouth at one instant.
    type Cue: Copy + Default + Send;
    /// One session's working memory and its current picture.
    type Seat: Send;

    /// Name and version of what the avatar data depends on, for example `puppet/1`.
    fn id(&self) -> &'static str;

    /// Prepares an avatar. Takes milliseconds to seconds; never called per frame.
    ///
    /// # Errors
    /// [`EngineError`] when the reference is empty or its landmarks cannot belong to a face.
    fn prepare(&self, reference: Reference) -> Result<Self::Avatar, EngineError>;

    /// Makes the working memory for one session of `avatar`; all that drawing ever allocates.
    fn seat(&self, avatar: &Self::Avatar) -> Self::Seat;

    /// Draws each tick into its seat. Ticks of several sessions may be given together.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`] when a tick names a reference frame that the avatar lacks.
    fn draw(&mut self, ticks: &mut [Tick<'_, Self>]) -> Result<(), EngineError>;

    /// The picture that the last tick left in a seat.
    fn picture<'a>(&self, seat: &'a Self::Seat) -> &'a I420;
}
