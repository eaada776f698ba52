//! Who calls, and what they may do.
//!
//! A key's secret is 32 random bytes; records hold its SHA-256 only. The page is let in by a link and has a cookie then, which
//! stands for a key ([`pages`]). Whoever shall only watch or speak in one live session gets that session's token ([`token`]).

mod cache;
mod caller;
mod pages;
mod scope;
mod secret;
mod token;

pub use cache::KeyCache;
pub use caller::{Caller, Credential, Visitor};
pub use pages::{LINK_HOURS, PageLink, new_page_link};
pub use scope::KeyScope;
pub use secret::{KeyError, create_first_key, hex, looks_like_a_secret, new_secret, secret_hash};
pub use token::SessionToken;

use super::refusal::refuses_when_unavailable;
use super::sessions::Sessions;
use super::{StoreUnavailable, now};
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::session::Session;
use mouthpiece_domain::time::{HOUR_MS, Wall, as_millis};
use mouthpiece_ports::passes::{PassKind, Passes};
use mouthpiece_ports::records::{ApiKey, KeyRegister};
use std::sync::Arc;

/// A token outlives what its session may last by so much.
const GRACE_MS: i64 = HOUR_MS;

/// Why somebody is not let in.
#[derive(Debug)]
pub enum AccessRefusal {
    /// No valid key has this secret.
    UnknownSecret,
    /// The page's session is over.
    PageOver,
    /// A session's token where a key is needed.
    TokenNeedsKey,
    /// The key lacks a scope.
    MissingScope(KeyScope),
    /// The session's token was not signed here. What is wrong with it is nobody's business.
    UnknownToken,
    /// The session's token has expired.
    TokenExpired,
    /// The key that made the session was revoked.
    KeyRevoked,
    /// The token is good for another session than this one.
    OtherSession,
    /// The page's link was used, is too old, or was replaced.
    LinkOver,
    /// It cannot be told just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(AccessRefusal);

impl From<KeyError> for AccessRefusal {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Records(error) => error.into(),
            KeyError::Random(error) => error.into(),
        }
    }
}

/// Tells who calls.
#[derive(Clone)]
pub struct Access {
    register: Arc<dyn KeyRegister>,
    passes: Arc<dyn Passes>,
    sessions: Sessions,
    cache: Arc<KeyCache>,
}

impl Access {
    pub(super) fn new(register: Arc<dyn KeyRegister>, passes: Arc<dyn Passes>, sessions: Sessions) -> Self {
        Self { register, passes, sessions, cache: Arc::default() }
    }

    /// The keys that were looked up lately.
    pub(super) fn cache(&self) -> Arc<KeyCache> {
        Arc::clone(&self.cache)
    }

    /// The caller with this credential.
    ///
    /// # Errors
    /// [`AccessRefusal`]; a session's token is none.
    pub async fn caller(&self, credential: Credential) -> Result<Caller, AccessRefusal> {
        match credential {
            Credential::Secret(secret) => Ok(Caller::new(self.key_of_secret(&secret).await?, None)),
            Credential::Page(tokens) => self.caller_of_page(&tokens).await,
            Credential::Session(_) => Err(AccessRefusal::TokenNeedsKey),
        }
    }

    /// The visitor of a session with this credential.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub async fn visitor(&self, credential: Credential) -> Result<Visitor, AccessRefusal> {
        match credential {
            Credential::Session(token) => self.guest(token).await,
            other => self.caller(other).await.map(Visitor::Key),
        }
    }

    /// The session with this id, if the visitor may look at it; `None` when there is none that it sees.
    ///
    /// # Errors
    /// [`AccessRefusal::OtherSession`] for a token, [`AccessRefusal::MissingScope`] for a key.
    pub async fn session(&self, visitor: &Visitor, id: SessionId) -> Result<Option<SessionChange>, AccessRefusal> {
        match visitor {
            Visitor::Key(caller) => self.visible(caller, id).await,
            Visitor::Guest { token, .. } if token.session != id => Err(AccessRefusal::OtherSession),
            Visitor::Guest { .. } => Ok(self.sessions.current(id).await?),
        }
    }

    /// A session that the caller may see; `None` when there is none such.
    ///
    /// # Errors
    /// [`AccessRefusal::MissingScope`].
    pub async fn visible(&self, caller: &Caller, id: SessionId) -> Result<Option<SessionChange>, AccessRefusal> {
        caller.may_read()?;
        Ok(self.sessions.current(id).await?.filter(|c| caller.sees(c.session.key)))
    }

    /// False once the key was revoked, the page was closed or the token has expired. While that cannot be asked, it is taken
    /// to be valid.
    pub async fn still_allowed(&self, visitor: &Visitor) -> bool {
        match visitor {
            Visitor::Key(caller) => {
                if let Some(hash) = &caller.page
                    && matches!(self.passes.pass(PassKind::Page, hash, now()).await, Ok(None))
                {
                    return false;
                }
                self.is_valid(&caller.key).await
            }
            Visitor::Guest { key, token } => token.expires > seconds() && self.is_valid(key).await,
        }
    }

    /// The token of a session for the key that made it, and when it expires. Of a full hour, so that reading the session again
    /// mostly tells the same token. `None` never happens ([`SessionToken::issue`]).
    pub fn session_token(&self, key: &ApiKey, session: &Session) -> Option<(SessionToken, Wall)> {
        let lasts = as_millis(session.max_duration.saturating_add(session.queue_timeout));
        let lasts = i64::try_from(lasts).unwrap_or(i64::MAX).saturating_add(GRACE_MS + HOUR_MS);
        let expires = Wall(now().hour().0.saturating_add(lasts));
        let token = SessionToken::issue(key, session.id, expires.0.div_euclid(1000).try_into().unwrap_or_default());
        token.map(|token| (token, expires))
    }

    /// The valid key with this secret.
    ///
    /// # Errors
    /// [`AccessRefusal::UnknownSecret`].
    pub async fn key_of_secret(&self, secret: &str) -> Result<Arc<ApiKey>, AccessRefusal> {
        let key = self.cache.find(self.register.as_ref(), &secret_hash(secret)).await?;
        key.ok_or(AccessRefusal::UnknownSecret)
    }

    /// The valid key that a page's link stands for. The link is used up with that.
    ///
    /// # Errors
    /// [`AccessRefusal::LinkOver`].
    pub async fn follow_link(&self, secret: &str) -> Result<Arc<ApiKey>, AccessRefusal> {
        let key = match pages::follow_link(self.passes.as_ref(), secret).await? {
            Some(id) => self.valid_key(id).await?,
            None => None,
        };
        key.ok_or(AccessRefusal::LinkOver)
    }

    /// Opens a page's session; the cookie's value.
    ///
    /// # Errors
    /// [`AccessRefusal::Unavailable`].
    pub async fn open_page(&self, key: &ApiKey) -> Result<String, AccessRefusal> {
        Ok(pages::open_page(self.passes.as_ref(), key).await?)
    }

    /// Closes the session that a cookie's value stands for.
    ///
    /// # Errors
    /// [`AccessRefusal::Unavailable`].
    pub async fn close_page(&self, token: &str) -> Result<(), AccessRefusal> {
        Ok(pages::close_page(self.passes.as_ref(), token).await?)
    }

    async fn caller_of_page(&self, tokens: &[String]) -> Result<Caller, AccessRefusal> {
        for token in tokens {
            let Some(pass) = pages::find_page(self.passes.as_ref(), token).await? else { continue };
            if let Some(key) = self.valid_key(pass.key).await? {
                return Ok(Caller::new(key, Some(pass.hash)));
            }
        }
        Err(AccessRefusal::PageOver)
    }

    async fn guest(&self, token: SessionToken) -> Result<Visitor, AccessRefusal> {
        let unknown = || AccessRefusal::UnknownToken;
        let session = self.sessions.current(token.session).await?.ok_or_else(unknown)?.session;
        let key = self.cache.with_id(self.register.as_ref(), session.key).await?.ok_or_else(unknown)?;
        if !token.is_signed_by(&key) {
            return Err(unknown());
        }
        if token.expires <= seconds() {
            return Err(AccessRefusal::TokenExpired);
        }
        if key.revoked.is_some() {
            return Err(AccessRefusal::KeyRevoked);
        }
        Ok(Visitor::Guest { key, token })
    }

    async fn valid_key(&self, id: KeyId) -> Result<Option<Arc<ApiKey>>, AccessRefusal> {
        let key = self.cache.with_id(self.register.as_ref(), id).await?;
        Ok(key.filter(|key| key.revoked.is_none()))
    }

    async fn is_valid(&self, key: &ApiKey) -> bool {
        !matches!(self.cache.find(self.register.as_ref(), &key.secret_hash).await, Ok(None))
    }
}

/// Seconds since 1970, now.
fn seconds() -> u64 {
    u64::try_from(now().0 / 1000).unwrap_or_default()
}
