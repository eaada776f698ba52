//! Callers that come straight to a worker: a listener of its own, for whoever shows a ticket of a coordinator's.
//!
//! ```text
//! caller                                              worker
//!   GET /v1/sessions/{id}/audio?ticket=...       ->
//!                                                <-   101, or a status with a sentence
//!   what it says at a coordinator's socket, too  <->  mouthpiece_speech
//! ```
//! The ticket is all that is asked for: it opens the audio of one session, on one worker, under one fence, within half a minute. It is no
//! cookie, so it does not matter which page a browser was on. When the session is moved, what its worker's door had taken and was not
//! played goes to the new worker from here; then the caller is sent on.

mod admission;
mod host;
mod listener;
mod query;
mod settings;
mod socket;
mod url;

pub(crate) use listener::CallerListener;
pub use settings::CallerSettings;
pub use url::{CallersUrl, CallersUrlError};
