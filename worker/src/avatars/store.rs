//! Where prepared avatars lie in the store.

use super::Key;
use crate::work::WorkError;
use bytes::Bytes;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::frame::Crop;
use mouthpiece_domain::names;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, Blobs};
use mouthpiece_ports::retry::{CallFailure, RetryPolicy, ask_again};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, warn};

/// A stored reference is no larger: its pictures take at most 256 MiB.
const MAX_STORED: u64 = 272 << 20;
/// A store that cannot be reached is asked again after these waits, for a minute: one that is restarted, or a network that is mended,
/// shall not fail the sessions of that time. Whoever stops the session stops the waiting.
const PAUSES: RetryPolicy = RetryPolicy {
    backoff: Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2), again: Some(32) },
    call: None,
};

/// Tries again, some times, where that may help.
pub(crate) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, BlobError>
where
    F: Future<Output = Result<T, BlobError>>,
{
    let hopeless = |error: &BlobError| !matches!(error, BlobError::Unavailable(_));
    let failed = |failure: &CallFailure<BlobError>| debug!(%failure, "the store failed");
    ask_again(PAUSES, ask, hopeless, failed).await.map_err(|failure| match failure {
        CallFailure::Port(error) => error,
        CallFailure::Silent => BlobError::Unavailable("it does not answer".to_owned()),
    })
}

pub(super) struct AvatarStore {
    /// Name and version of the engine, fit for a key.
    engine: String,
    blobs: Arc<dyn Blobs>,
}

impl AvatarStore {
    pub(super) fn new(engine: &str, blobs: Arc<dyn Blobs>) -> Self {
        let safe = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
        Self { engine: engine.to_ascii_lowercase().chars().map(safe).collect(), blobs }
    }

    /// `<the portrait's folder>/<engine>-<size>-<face or 0>[-<rate of a video>][-on<background>][-<crop>][-to<largest size>].<ending>`;
    /// endings are `ref`, `png` for the small picture, and `<version>.kept` for what the engine made of it
    fn key(&self, key: &Key, ending: &str) -> Result<BlobKey, WorkError> {
        let Key { content, face, size, fps, background, framing } = key;
        let rate = if *fps > 0 { format!("-{fps}") } else { String::new() };
        let on =
            background.map_or_else(String::new, |colour| format!("-on{}", colour.to_string().trim_start_matches('#')));
        let crop = if framing.crop == Crop::None { String::new() } else { format!("-{}", framing.crop.name()) };
        let up_to = framing.size_up_to.map_or_else(String::new, |most| format!("-to{most}"));
        let name = format!("{}-{size}-{face}{rate}{on}{crop}{up_to}.{ending}", self.engine);
        let named = names::prepared(content).and_then(|folder| BlobKey::new(format!("{folder}/{name}")));
        named.map_err(|_| WorkError::Failed("the avatar's content hash is none".to_owned()))
    }

    pub(super) fn preview(&self, key: &Key) -> Result<BlobKey, WorkError> {
        self.key(key, "png")
    }

    /// What is stored under a key, if anything is.
    pub(super) async fn load(&self, key: &Key) -> Result<Option<Bytes>, WorkError> {
        let key = self.key(key, "ref")?;
        match patiently(|| self.blobs.get(&key, MAX_STORED)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Missing(_)) => Ok(None),
            Err(e @ BlobError::TooLarge { .. }) => {
                warn!(error = %e, "this is no stored avatar: it is prepared anew");
                patiently(|| self.blobs.delete(&key)).await.map_err(|e| WorkError::blob(&e, "the avatar"))?;
                Ok(None)
            }
            Err(e) => Err(WorkError::blob(&e, "the avatar")),
        }
    }

    /// What an engine kept of it, under its version. None too when the store fails: it can be made again.
    pub(super) async fn load_kept(&self, key: &Key, version: &str) -> Option<Bytes> {
        let key = self.kept(key, version).ok()?;
        match patiently(|| self.blobs.get(&key, MAX_STORED)).await {
            Ok(bytes) => Some(bytes),
            Err(BlobError::Missing(_)) => None,
            Err(e) => {
                warn!(error = %e, "what the engine kept of an avatar cannot be read: it is made again");
                None
            }
        }
    }

    /// Stores it. What lies there already is of no use, or it would not have been made again: a store need not write over it.
    pub(super) async fn save_kept(&self, key: &Key, version: &str, bytes: Vec<u8>) -> Result<(), WorkError> {
        let (key, bytes) = (self.kept(key, version)?, Bytes::from(bytes));
        let replace = async {
            patiently(|| self.blobs.delete(&key)).await?;
            patiently(|| self.blobs.put(&key, bytes.clone())).await
        };
        replace.await.map_err(|e| WorkError::blob(&e, "the avatar"))
    }

    fn kept(&self, key: &Key, version: &str) -> Result<BlobKey, WorkError> {
        self.key(key, &format!("{version}.kept"))
    }

    /// Takes damaged data away: a store need not write what it has already.
    pub(super) async fn remove(&self, key: &Key) -> Result<(), WorkError> {
        let key = self.key(key, "ref")?;
        let removed = patiently(|| self.blobs.delete(&key)).await;
        removed.map(|_| ()).map_err(|e| WorkError::blob(&e, "the avatar"))
    }

    /// Stores an avatar. The preview comes first: where the data is, it is too.
    pub(super) async fn save(&self, key: &Key, data: Vec<u8>, preview: Vec<u8>) -> Result<(), WorkError> {
        self.put(key, "png", preview).await?;
        self.put(key, "ref", data).await
    }

    /// Whether the small picture is there.
    pub(super) async fn has_preview(&self, key: &Key) -> Result<bool, WorkError> {
        let key = self.preview(key)?;
        let size = patiently(|| self.blobs.size(&key)).await;
        size.map(|size| size.is_some()).map_err(|e| WorkError::blob(&e, "the avatar"))
    }

    /// Stores a small picture that was missing.
    pub(super) async fn save_preview(&self, key: &Key, preview: Vec<u8>) -> Result<(), WorkError> {
        self.put(key, "png", preview).await
    }

    async fn put(&self, key: &Key, ending: &str, bytes: Vec<u8>) -> Result<(), WorkError> {
        let (key, bytes) = (self.key(key, ending)?, Bytes::from(bytes));
        let put = patiently(|| self.blobs.put(&key, bytes.clone())).await;
        put.map_err(|e| WorkError::blob(&e, "the avatar"))
    }

    /// The portrait as a file.
    pub(super) async fn portrait(&self, portrait: &BlobKey, folder: &Path) -> Result<PathBuf, WorkError> {
        let local = patiently(|| self.blobs.local(portrait, folder)).await;
        local.map_err(|e| WorkError::blob(&e, "the portrait"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::colour::Colour;
    use mouthpiece_domain::frame::{FrameSize, Framing};
    use mouthpiece_embedded::Directory;

    #[test]
    fn all_that_shows_in_the_frames_is_in_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = AvatarStore::new("puppet/1", Arc::new(Directory::open(folder.path()).unwrap()));
        let plain =
            Key { content: "0f".repeat(32), face: 0, size: 512, fps: 0, background: None, framing: Framing::default() };
        let name = |key: &Key| store.key(key, "ref").unwrap().to_string();
        let content = &plain.content;
        assert_eq!(name(&plain), format!("avatars/0f/{content}/puppet-1-512-0.ref"));
        let video = Key { fps: 30, background: Some(Colour([0, 177, 64])), ..plain.clone() };
        assert_eq!(name(&video), format!("avatars/0f/{content}/puppet-1-512-0-30-on00b140.ref"));
        let framing = Framing { crop: Crop::Bust, size_up_to: FrameSize::new(720).ok() };
        assert_eq!(
            name(&Key { framing, ..plain.clone() }),
            format!("avatars/0f/{content}/puppet-1-512-0-bust-to720.ref")
        );
    }
}
