//! Avatars, and the uploads that they and sessions are made of.

use super::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::session::BlobKey;
use mouthpiece_domain::time::Wall;

/// A registered portrait. Whether it is prepared is told by its session of kind prepare.
#[derive(Debug, Clone, PartialEq)]
pub struct Avatar {
    /// Its id.
    pub id: AvatarId,
    /// Whose it is.
    pub key: KeyId,
    /// A name for people, at most 100 characters; may be empty.
    pub name: String,
    /// SHA-256 of the portrait, 64 hexadecimal digits.
    pub content: String,
    /// The portrait as uploaded.
    pub portrait: BlobKey,
    /// Its media type, for example `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Which face; the largest if none is named.
    pub face: Option<u32>,
    /// The session that prepares (or prepared) it.
    pub prepared_by: SessionId,
    /// When it was registered.
    pub created: Wall,
    /// When it was registered, registered again, or taken for a session last.
    pub used: Wall,
}

/// Records of avatars and uploads.
#[async_trait]
pub trait AvatarRegister: Send + Sync {
    /// Uses an upload of this content (64 hexadecimal digits), and returns where it lies, or where it is to be put now:
    /// `fresh`, a key that was never used, unless the content is known. It stays at least for its age from `at` on, and as
    /// long as an avatar or an open session names it. Registered before it is stored, so that no blob is ever unknown.
    async fn use_upload(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError>;

    /// Registers an avatar; when the caller has one of the same content and face, that is returned as it is, used now.
    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError>;

    /// Points an avatar at another preparing session, after an earlier one ended without success.
    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError>;

    /// One avatar.
    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError>;

    /// Avatars, newest first, at most `limit` (1 to 500), of one caller or of all.
    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError>;

    /// Takes an avatar, and its portrait, for a session that is about to be made; `None` when there is none any more. It
    /// stays at least for its age from `at` on.
    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError>;

    /// Forgets an avatar; false when there is none. Sessions keep its id. Its portrait, what was prepared from it and the results
    /// of renders with it go as soon as nothing needs them, whatever their age: see
    /// [`Retention::finish_removals`](crate::retention::Retention::finish_removals).
    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError>;
}
