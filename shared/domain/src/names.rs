//! Where blobs lie in the latent and artifact store. Whoever writes, reads or removes one takes its key from here.

use crate::ids::SessionId;
use crate::retention::RetentionClass;
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

/// The folder that all blobs of a class lie in; `None`: it has none.
pub fn folder(class: RetentionClass) -> Option<BlobKey> {
    let name = match class {
        RetentionClass::Uploads => "uploads",
        RetentionClass::Avatars => "avatars",
        RetentionClass::Results => "results",
        RetentionClass::Tokens | RetentionClass::Sessions | RetentionClass::Usage => return None,
    };
    BlobKey::new(name.to_owned()).ok()
}

/// True where a key's content never changes once it is there: uploads have keys that were never given out before, and what
/// is prepared is named by all that shapes it. Results are not: a worker may store one again.
pub fn is_immutable(key: &BlobKey) -> bool {
    ["uploads/", "avatars/"].iter().any(|folder| key.as_str().starts_with(folder))
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
        for (class, name) in [
            (RetentionClass::Uploads, upload(&content, 7)),
            (RetentionClass::Avatars, prepared(&content)),
            (RetentionClass::Results, results(SessionId(1))),
        ] {
            let folder = format!("{}/", folder(class).unwrap());
            assert!(name.unwrap().as_str().starts_with(&folder), "{folder}");
        }
        assert_eq!(upload(&content, 7).unwrap().as_str(), format!("uploads/5e/{content}-{:032x}", 7));
        assert_eq!(prepared(&content).unwrap().as_str(), format!("avatars/5e/{content}"));
        let session = SessionId(u128::MAX);
        assert_eq!(result(session, Fence(3)).unwrap().as_str(), format!("{}/3.mp4", results(session).unwrap()));
        let immutable = |key: Result<BlobKey, BlobKeyError>| is_immutable(&key.unwrap());
        assert!(immutable(upload(&content, 7)) && immutable(prepared(&content)));
        assert!(!immutable(result(session, Fence(3))) && !immutable(BlobKey::new("uploads")));
        assert!(upload("", 1).is_ok() && upload("../..", 1).is_err() && prepared("").is_err());
    }
}
