//! Where blobs lie in the latent and artifact store. Whoever writes, reads or removes one takes its key from here.

use crate::ids::SessionId;
use crate::session::{BlobKey, BlobKeyError, Fence};

/// A new upload: `uploads/<two digits>/<content>-<id>`. The id makes the key one that was never given out before: an upload
/// that comes again after it was removed lies elsewhere, so its removal and its return cannot meet.
///
/// # Errors
/// [`BlobKeyError`]: `content` is no hash.
pub fn upload(content: &str, id: u128) -> Result<BlobKey, BlobKeyError> {
    BlobKey::new(format!("uploads/{}/{content}-{id:032x}", group(content)))
}

/// The folder of what was prepared from a portrait, of any size, face and engine: `avatars/<two digits>/<content>`.
///
/// # Errors
/// [`BlobKeyError`]: `content` is no hash.
pub fn prepared(content: &str) -> Result<BlobKey, BlobKeyError> {
    BlobKey::new(format!("avatars/{}/{content}", group(content)))
}

/// The folder of a session's results: `results/<session>`.
///
/// # Errors
/// [`BlobKeyError`]: never, as ids are.
pub fn results(session: SessionId) -> Result<BlobKey, BlobKeyError> {
    BlobKey::new(format!("results/{session}"))
}

/// What one placement of a session made, in [`results`].
///
/// # Errors
/// As [`results`].
pub fn result(session: SessionId, fence: Fence) -> Result<BlobKey, BlobKeyError> {
    BlobKey::new(format!("results/{session}/{}.mp4", fence.0))
}

fn group(content: &str) -> &str {
    content.get(..2).unwrap_or("00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_key() {
        let content = "5e".repeat(32);
        assert_eq!(upload(&content, 7).unwrap().as_str(), format!("uploads/5e/{content}-{:032x}", 7));
        assert_eq!(prepared(&content).unwrap().as_str(), format!("avatars/5e/{content}"));
        let session = SessionId(u128::MAX);
        assert_eq!(result(session, Fence(3)).unwrap().as_str(), format!("{}/3.mp4", results(session).unwrap()));
        assert!(upload("", 1).is_ok() && upload("../..", 1).is_err() && prepared("").is_err());
    }
}
