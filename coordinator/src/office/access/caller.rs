//! Who calls.

use super::{AccessRefusal, KeyScope, SessionToken};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::session::Session;
use mouthpiece_ports::records::ApiKey;
use std::sync::Arc;

/// How a caller says who it is.
pub enum Credential {
    /// An API key's secret.
    Secret(String),
    /// The values of the page's cookie, of which one is to be good.
    Page(Vec<String>),
    /// A session's token.
    Session(SessionToken),
}

/// A valid key and its scopes.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: Arc<ApiKey>,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The hash of the page's session that it came by, if it did.
    pub(super) page: Option<String>,
}

impl Caller {
    pub(super) fn new(key: Arc<ApiKey>, page: Option<String>) -> Self {
        let scopes = key.scopes.iter().filter_map(|s| KeyScope::from_name(s)).collect();
        Self { key, scopes, page }
    }

    /// True when the key has this scope.
    pub fn may(&self, scope: KeyScope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Passes when the key has this scope.
    ///
    /// # Errors
    /// [`AccessRefusal::MissingScope`].
    pub fn need(&self, scope: KeyScope) -> Result<(), AccessRefusal> {
        if self.may(scope) { Ok(()) } else { Err(AccessRefusal::MissingScope(scope)) }
    }

    /// Passes for who may read sessions and avatars. What sees everything also reads its own.
    ///
    /// # Errors
    /// [`AccessRefusal::MissingScope`].
    pub fn may_read(&self) -> Result<(), AccessRefusal> {
        if self.may(KeyScope::Farm) { Ok(()) } else { self.need(KeyScope::Sessions) }
    }

    /// True for what this key made, and for everything with the scope `farm`.
    pub fn sees(&self, owner: KeyId) -> bool {
        owner == self.key.id || self.may(KeyScope::Farm)
    }

    /// Whose things may be listed: its own, or everyone's.
    pub fn sees_only(&self) -> Option<KeyId> {
        (!self.may(KeyScope::Farm)).then_some(self.key.id)
    }
}

/// Who asks about one session.
#[derive(Debug, Clone)]
pub enum Visitor {
    /// A key.
    Key(Caller),
    /// Somebody with a session's token, which is genuine.
    Guest {
        /// The key that made the session.
        key: Arc<ApiKey>,
        /// The token.
        token: SessionToken,
    },
}

impl Visitor {
    /// Passes for who may not only look at it.
    ///
    /// # Errors
    /// [`AccessRefusal::MissingScope`] for a key without the scope `sessions`.
    pub fn may_use(&self) -> Result<(), AccessRefusal> {
        match self {
            Self::Key(caller) => caller.need(KeyScope::Sessions),
            Self::Guest { .. } => Ok(()),
        }
    }

    /// True for the key that made a session.
    pub fn made(&self, session: &Session) -> bool {
        matches!(self, Self::Key(caller) if caller.key.id == session.key)
    }

    /// The key behind it.
    pub fn key(&self) -> &ApiKey {
        match self {
            Self::Key(caller) => &caller.key,
            Self::Guest { key, .. } => key,
        }
    }
}
