//! What goes wrong at will.

use hyper::HeaderMap;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Something that goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused with an error code of S3's, for example `SlowDown` (503) or `InternalError` (500), before anything is done.
    Refused(&'static str),
    /// Refused in the same way if it has a condition (`If-None-Match`), as services do that know none.
    Unconditional,
    /// Never answered.
    Silent,
    /// Done, and then answered as if the server had failed.
    AnswerLost,
    /// The connection is cut after so many bytes of the body.
    Cut(usize),
    /// The answer has no `ETag`.
    NoETag,
}

#[derive(Debug, Default)]
struct State {
    /// Per operation: faults and how many more requests they befall.
    planned: HashMap<&'static str, Vec<(Fault, u32)>>,
    /// Requests that were signed rightly, per operation.
    seen: HashMap<String, u64>,
    /// Of the latest of them, per operation.
    headers: HashMap<String, HeaderMap>,
}

/// Faults by S3's names of operations: `PutObject`, `GetObject`, `HeadObject`, `DeleteObject`, `ListObjectsV2`,
/// `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`, `AbortMultipartUpload`.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

impl Faults {
    /// The next `times` requests for an operation go wrong.
    pub fn plan(&self, operation: &'static str, fault: Fault, times: u32) {
        self.state().planned.entry(operation).or_default().push((fault, times));
    }

    /// Nothing more goes wrong.
    pub fn clear(&self) {
        self.state().planned.clear();
    }

    /// Requests for an operation so far, those that went wrong included.
    pub fn seen(&self, operation: &str) -> u64 {
        self.state().seen.get(operation).copied().unwrap_or_default()
    }

    /// A header of the latest request for an operation.
    pub fn header(&self, operation: &str, name: &str) -> Option<String> {
        Some(self.state().headers.get(operation)?.get(name)?.to_str().ok()?.to_owned())
    }

    pub(super) fn count(&self, operation: &str, headers: HeaderMap) {
        let mut state = self.state();
        *state.seen.entry(operation.to_owned()).or_default() += 1;
        state.headers.insert(operation.to_owned(), headers);
    }

    /// The fault that befalls a request, if it is one of those that `which` looks for.
    pub(super) fn take(&self, operation: &str, which: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut state = self.state();
        let planned = state.planned.get_mut(operation)?.iter_mut();
        let (fault, times) = planned.into_iter().find(|(fault, times)| *times > 0 && which(*fault))?;
        *times -= 1;
        Some(*fault)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
