//! What a slot runs, and how it fails.

use crate::RenderError;
use crate::board::ProgressBoard;
use crate::stop::{Stop, Stopped};
use mouthpiece_domain::fleet::Assignment;
use mouthpiece_domain::session::{EndReason, Fence, SessionEnd};
use mouthpiece_engine::EngineError;
use mouthpiece_media::encode::EncodeError;
use mouthpiece_ports::blobs::BlobError;
use thiserror::Error;
use tracing::{error, warn};

/// Runs sessions. The slots know no more of their work than this.
pub trait SessionRunner: Send + Sync + 'static {
    /// Runs one session to its end, on a thread that is its own; gives up at the next frame once `stop` is set. How it ended
    /// is the answer: with a result, or, a live one, because nobody was there any more.
    ///
    /// # Errors
    /// [`WorkError`].
    fn run(&self, assignment: &Assignment, board: &ProgressBoard, stop: &Stop) -> Result<SessionEnd, WorkError>;

    /// Content hashes of the avatars in memory, at most 64, most recently used first.
    fn resident(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why a session did not come to its own end. Its words are for the user: no path of this machine is in them.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum WorkError {
    /// Its owner wanted no more.
    #[error("stopped")]
    Stopped,
    /// The engine's thread has ended, or its device failed for good: another worker may do it.
    #[error("the engine has stopped")]
    EngineGone,
    /// This worker's engine cannot use the face; another engine may.
    #[error("{0}")]
    Unfit(String),
    /// What was given cannot be used.
    #[error("{0}")]
    BadInput(String),
    /// Something that the user cannot mend.
    #[error("{0}")]
    Failed(String),
}

impl From<Stopped> for WorkError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl WorkError {
    /// How the session ends; nothing is to be said of one that was stopped or lost its engine.
    pub fn end(self) -> Option<SessionEnd> {
        match self {
            Self::Stopped | Self::EngineGone => None,
            Self::Unfit(words) | Self::BadInput(words) => Some(SessionEnd::new(EndReason::BadInput, words)),
            Self::Failed(words) => Some(SessionEnd::new(EndReason::Failed, words)),
        }
    }

    /// The same of a session under `fence`, on a worker with this engine. Under the first fence a face that the engine cannot use is the
    /// caller's to change. Later it is not: the session may have run elsewhere with it, and the caller did nothing since.
    #[must_use]
    pub fn under(self, fence: Fence, engine: &str) -> Self {
        let Self::Unfit(why) = self else { return self };
        if fence == Fence::FIRST {
            return Self::BadInput(format!("the engine '{engine}' cannot use this portrait: {why}: give another one"));
        }
        warn!(engine, why, "a session was placed again here, whose face this engine cannot use");
        Self::Failed(format!(
            "it was placed again, on a worker whose engine, '{engine}', cannot use this portrait: {why}. Begin it anew: it may come to a \
             worker with another engine"
        ))
    }

    /// A failed render in words in which each file goes by what it is to the user.
    pub fn render(e: RenderError) -> Self {
        match &e {
            RenderError::Cancelled => return Self::Stopped,
            // Another worker may do it: what failed here is no fault of the session's.
            RenderError::Engine(
                EngineError::Gone | EngineError::Broken | EngineError::Recovering | EngineError::Device(_),
            ) => return Self::EngineGone,
            // No word of these names a file or a machine.
            RenderError::Engine(why @ (EngineError::ImpossibleFace { .. } | EngineError::EmptyReference)) => {
                return Self::Unfit(why.to_string());
            }
            // Their words name files of this machine and remedies for its operator.
            RenderError::Runtime(_) | RenderError::Face(_) | RenderError::Engine(EngineError::Load(_)) => {
                error!(error = %e, "faces or speech cannot be analysed on this worker");
                return Self::Failed("the worker cannot analyse faces or speech: its log says why".to_owned());
            }
            // What an engine or an encoder says is for its operator, too.
            RenderError::Engine(EngineError::Run(_)) => return Self::broke("the engine", &e),
            RenderError::Encode(EncodeError::Failed { .. } | EncodeError::None(_)) | RenderError::Voice(_) => {
                return Self::broke("the encoder", &e);
            }
            _ => {}
        }
        let ours = matches!(
            e,
            RenderError::Output { .. } | RenderError::Mux(_) | RenderError::Encode(EncodeError::Missing { .. })
        );
        let is_theirs = e.is_input() && !ours;
        if !is_theirs {
            error!(error = %e, "a session failed");
        }
        let words = e.by_role().to_string();
        if is_theirs { Self::BadInput(words) } else { Self::Failed(words) }
    }

    /// A store that fails while `what` is read or written.
    pub fn blob(e: &BlobError, what: &str) -> Self {
        warn!(error = %e, what, "the store does not do what it was asked");
        Self::Failed(match e {
            BlobError::Missing(_) => format!("{what} is not in the store any more"),
            BlobError::Full(_) => format!("{what} cannot be stored: the store is full"),
            BlobError::TooLarge { .. } => format!("{what} is too large"),
            BlobError::Local { .. } | BlobError::Unavailable(_) => {
                format!("{what} cannot be read or stored just now: try again later")
            }
        })
    }

    /// A step that broke without an error of its own.
    pub fn broke(step: &str, cause: &dyn std::fmt::Display) -> Self {
        error!(error = %cause, step, "a session broke");
        Self::Failed(format!("{step} broke in the worker: its log says where"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_media::FileName;
    use mouthpiece_media::audio::AudioError;
    use mouthpiece_media::mux::MuxError;
    use mouthpiece_media::reference::ReferenceError;
    use std::path::Path;

    #[test]
    fn files_are_called_by_what_they_are() {
        let file = FileName::from(Path::new("/srv/blobs/uploads/0f/x"));
        let e = RenderError::Reference { file: file.clone(), source: ReferenceError::NoFace };
        assert!(e.to_string().starts_with("'/srv/blobs/uploads/0f/x': no face"), "{e}");
        let WorkError::BadInput(words) = WorkError::render(e) else { panic!("it is the user's to mend") };
        assert_eq!(words, "the portrait: no face was found: give an upright picture that shows a face from the front");
        let told = WorkError::render(RenderError::Audio(AudioError::NoSound { file }));
        assert_eq!(told, WorkError::BadInput("the speech holds no sound: its length is zero".to_owned()));
    }

    #[test]
    fn a_face_that_only_this_engine_cannot_use_is_the_callers_fault_at_first_and_not_later() {
        let unfit = || {
            let impossible = EngineError::ImpossibleFace { frame: 0, reason: "its mouth has no width" };
            WorkError::render(RenderError::Engine(impossible))
        };
        let told = |fence| unfit().under(fence, "puppet/1").end().unwrap();
        let first = told(Fence::FIRST);
        assert_eq!(first.reason, EndReason::BadInput);
        let wanted =
            "the engine 'puppet/1' cannot use this portrait: the face of reference frame 0 has an impossible shape";
        assert!(first.detail.as_ref().is_some_and(|told| told.starts_with(wanted)), "{first:?}");
        let later = told(Fence::FIRST.next());
        assert_eq!(later.reason, EndReason::Failed);
        let words = later.detail.unwrap_or_default();
        assert!(words.starts_with("it was placed again") && words.contains("puppet/1"), "{words}");
        let other = WorkError::Failed("the store is full".to_owned());
        assert_eq!(other.clone().under(Fence::FIRST.next(), "puppet/1"), other);
    }

    #[test]
    fn a_fault_of_ours_is_no_bad_input() {
        let (file, reason) = (FileName::from(Path::new("/tmp/x")), "the disk is full".to_owned());
        let told = WorkError::render(RenderError::Output { file: file.clone(), reason: reason.clone() });
        assert_eq!(told, WorkError::Failed("the result cannot be written: the disk is full".to_owned()));
        let told = WorkError::render(RenderError::Mux(MuxError::Write { file, reason }));
        assert_eq!(told, WorkError::Failed("writing the result failed: the disk is full".to_owned()));
        assert_eq!(WorkError::render(RenderError::Engine(EngineError::Gone)).end(), None);
        let failed = EncodeError::Failed { name: "x264", pts: 7, reason: "Error 0x7f\n".to_owned() };
        let told = WorkError::render(RenderError::Encode(failed));
        assert_eq!(told, WorkError::Failed("the encoder broke in the worker: its log says where".to_owned()));
    }
}
