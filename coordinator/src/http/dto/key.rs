//! API keys and the page's session.

use super::time_text;
use mouthpiece_ports::records::ApiKey;
use serde::Serialize;
use utoipa::ToSchema;

/// An API key; its secret is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyBody {
    /// Its id.
    #[schema(example = "key_0197b2c4d5e67f8091a2b3c4d5e6f708")]
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it may do: some of `sessions`, `farm`, `reports`, `keys`.
    #[schema(example = json!(["sessions"]))]
    pub scopes: Vec<String>,
    /// Sessions that it may have open at a time.
    pub max_open: u32,
    /// Minutes of video that it may have made a UTC day; null: no bound.
    pub minutes_per_day: Option<u32>,
    /// When it was made.
    #[schema(example = "2026-11-25T16:00:00.123Z")]
    pub created: String,
    /// When it was revoked; null while it is valid.
    pub revoked: Option<String>,
}

/// A new key with its secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = NewKey)]
pub struct NewKeyBody {
    /// The key.
    #[serde(flatten)]
    pub key: KeyBody,
    /// Its secret: told this once.
    #[schema(example = "mp_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG")]
    pub secret: String,
}

/// All keys, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<KeyBody>,
}

/// What the page's cookie stands for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = PageSession)]
pub struct PageBody {
    /// The key.
    pub key: PageKey,
}

/// A key as far as the page needs it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PageKey {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
}

impl From<&ApiKey> for KeyBody {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            max_open: key.max_open,
            minutes_per_day: key.minutes_per_day,
            created: time_text(key.created),
            revoked: key.revoked.map(time_text),
        }
    }
}

impl From<&ApiKey> for PageBody {
    fn from(key: &ApiKey) -> Self {
        Self { key: PageKey { id: key.id.to_string(), name: key.name.clone(), scopes: key.scopes.clone() } }
    }
}
