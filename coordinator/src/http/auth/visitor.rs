//! Who may be let in to one session: a key, or whoever has that session's token.

use super::caller::{Credential, credential, extracted, session_token, unauthorized};
use super::token::SessionToken;
use super::{Caller, Scope};
use crate::http::problem::{Kind, Problem};
use crate::http::sessions::{current, visible};
use crate::http::{Api, fields, now};
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use mouthpiece_domain::control::Change;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::Session;
use mouthpiece_ports::records::ApiKey;
use std::sync::Arc;

/// Who asks about one session. As a handler's argument it refuses requests with neither a valid key nor a valid token of a
/// session (401), with the token of a revoked key (403), and with the page's cookie from elsewhere (403).
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

/// The same for addresses that are opened without headers of one's own (a browser's WebSockets and streams of events, players
/// that know nothing but an address): there a session's token may also be the query's `token`.
#[derive(Debug, Clone)]
pub struct LinkedVisitor(pub Visitor);

impl Visitor {
    /// The session with this id of the path, if it may be looked at.
    ///
    /// # Errors
    /// 403 for the token of another session, 404.
    pub async fn session(&self, api: &Api, id: &str) -> Result<Change, Problem> {
        let token = match self {
            Self::Key(caller) => return visible(api, caller, id, "session").await,
            Self::Guest { token, .. } => token,
        };
        let id: SessionId = fields::path_id("session", id)?;
        if token.session != id {
            return Err(Problem::new(Kind::Forbidden, "this token is good for another session than this one"));
        }
        current(api, id).await?.ok_or_else(|| Problem::not_found(format!("session {id}")))
    }

    /// Passes for who may not only look at it.
    ///
    /// # Errors
    /// 403 for a key without the scope `sessions`.
    pub fn may_use(&self) -> Result<(), Problem> {
        match self {
            Self::Key(caller) => caller.need(Scope::Sessions),
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

    /// False once the key was revoked, the page was closed or the token has expired. While that cannot be asked, it is taken
    /// to be valid.
    pub async fn still_allowed(&self, api: &Api) -> bool {
        match self {
            Self::Key(caller) => caller.still_allowed(api).await,
            Self::Guest { key, token } => {
                let found = api.keys.find(api.records.as_ref(), &key.secret_hash).await;
                token.expires > seconds() && !matches!(found, Ok(None))
            }
        }
    }

    async fn of(api: &Api, credential: Credential) -> Result<Self, Problem> {
        match credential {
            Credential::Session(token) => Self::guest(api, token).await,
            other => Caller::of(api, other).await.map(Self::Key),
        }
    }

    async fn guest(api: &Api, token: SessionToken) -> Result<Self, Problem> {
        // What is wrong with a token that was not signed here is nobody's business.
        let unknown = || unauthorized("this session token is not valid: take it from the session's `live.token`");
        let session = current(api, token.session).await?.ok_or_else(unknown)?.session;
        let key = api.keys.with_id(api.records.as_ref(), session.key).await?.ok_or_else(unknown)?;
        if !token.is_signed_by(&key) {
            return Err(unknown());
        }
        if token.expires <= seconds() {
            return Err(unauthorized("the session's token expired: whoever made the session gets a new one by GET"));
        }
        if key.revoked.is_some() {
            return Err(Problem::new(Kind::Forbidden, "the API key that made this session was revoked"));
        }
        Ok(Self::Guest { key, token })
    }
}

/// Seconds since 1970, now.
fn seconds() -> u64 {
    u64::try_from(now().0 / 1000).unwrap_or_default()
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        extracted(req, credential(req), Self::of)
    }
}

impl FromRequest for LinkedVisitor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = match token_in_query(req).filter(|_| !req.headers().contains_key(AUTHORIZATION)) {
            Some(text) if SessionToken::is_one(&text) => session_token(&text),
            Some(_) => Err(unauthorized(
                "the query's `token` must be a session's token (mps_...); an API key's secret belongs into no address",
            )),
            None => credential(req),
        };
        extracted(req, found, async |api: &Api, credential| Visitor::of(api, credential).await.map(Self))
    }
}

/// The query's `token`.
pub(in crate::http) fn token_in_query(req: &HttpRequest) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(req.query_string().as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}
