//! What the sound asks of the mouth, in an engine's own terms.

/// What the sound asks of the mouth at one instant: a few weights for one engine, a window of features for another.
///
/// A cue is moved from the ear to the engine and never copied. One that is large lies behind a pointer, and can give its
/// memory back to its ear when it is dropped.
pub trait Cue: Send + Sync {
    /// True when nothing is asked of the mouth. Such a frame is drawn by [`Engine::rest`](crate::Engine::rest) where the
    /// engine can be spared.
    fn is_rest(&self) -> bool;
}
