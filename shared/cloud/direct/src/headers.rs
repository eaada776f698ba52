//! What is said in HTTP headers and paths.

/// Where a coordinator opens a line.
pub(crate) const LINES: &str = "/lines";
/// Where a coordinator asks questions.
pub(crate) const QUESTIONS: &str = "/questions";

/// Which version is spoken.
pub(crate) const PROTOCOL_HEADER: &str = "sec-websocket-protocol";
/// Which worker is called: a process may have several.
pub(crate) const WORKER: &str = "mouthpiece-worker";
/// One side's challenge.
pub(crate) const CHALLENGE: &str = "mouthpiece-challenge";
/// A worker's proof that it is that worker.
pub(crate) const PROOF: &str = "mouthpiece-proof";
/// Where callers may come straight to this worker, ...
pub(crate) const CALLERS: &str = "mouthpiece-callers";
/// ... and its proof that it says so.
pub(crate) const CALLERS_PROOF: &str = "mouthpiece-callers-proof";
