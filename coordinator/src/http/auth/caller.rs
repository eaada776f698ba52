//! The caller of a request.

use super::pages::find_page;
use super::secret::{looks_like_a_secret, secret_hash};
use super::site::same_site;
use super::token::SessionToken;
use crate::http::problem::{Kind, Problem};
use crate::http::{Api, now};
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, COOKIE};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::passes::PassKind;
use mouthpiece_ports::records::ApiKey;
use std::sync::Arc;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Make, read and cancel its own sessions, renders and avatars.
    Sessions,
    /// See all sessions and workers; drain workers.
    Farm,
    /// Read cost reports.
    Reports,
    /// Manage keys.
    Keys,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Farm, Self::Reports, Self::Keys];

    /// The word in records and requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Farm => "farm",
            Self::Reports => "reports",
            Self::Keys => "keys",
        }
    }

    /// The scope of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// Who calls: a valid key and its scopes. As a handler's argument it refuses requests without one (401), and requests that
/// change something, have a cookie and do not come from the page itself (403).
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: Arc<ApiKey>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The hash of the page's session that it came by, if it did.
    page: Option<String>,
}

impl Caller {
    fn new(key: Arc<ApiKey>, page: Option<String>) -> Self {
        let scopes = key.scopes.iter().filter_map(|s| Scope::from_name(s)).collect();
        Self { key, scopes, page }
    }

    /// False once the key was revoked or the page's session was closed. While that cannot be asked, it is taken to be valid.
    pub(super) async fn still_allowed(&self, api: &Api) -> bool {
        if let Some(hash) = &self.page
            && matches!(api.passes.pass(PassKind::Page, hash, now()).await, Ok(None))
        {
            return false;
        }
        !matches!(api.keys.find(api.records.as_ref(), &self.key.secret_hash).await, Ok(None))
    }

    /// True when the key has this scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Passes when the key has this scope.
    ///
    /// # Errors
    /// 403.
    pub fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let name = scope.name();
        Err(Problem::new(Kind::Forbidden, format!("this key lacks the scope '{name}': use one that has it")))
    }

    /// True for what this key made, and for everything with the scope `farm`.
    pub fn sees(&self, owner: KeyId) -> bool {
        owner == self.key.id || self.may(Scope::Farm)
    }

    /// Whose things may be listed: its own, or everyone's.
    pub fn sees_only(&self) -> Option<KeyId> {
        (!self.may(Scope::Farm)).then_some(self.key.id)
    }
}

/// How a request says who calls.
pub(super) enum Credential {
    /// An API key's secret.
    Secret(String),
    /// The page's cookie.
    Page(String),
    /// A session's token.
    Session(SessionToken),
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        extracted(req, credential(req), Self::of)
    }
}

impl Caller {
    /// The caller with this credential.
    pub(super) async fn of(api: &Api, credential: Credential) -> Result<Self, Problem> {
        match credential {
            Credential::Secret(secret) => {
                let key = api.keys.find(api.records.as_ref(), &secret_hash(&secret)).await?;
                let unknown = || unauthorized("this API key is not valid: it was revoked or never existed");
                Ok(Self::new(key.ok_or_else(unknown)?, None))
            }
            Credential::Page(token) => Self::of_page(api, &token).await,
            Credential::Session(_) => {
                let detail = "a session's token is good for watching, speaking in and looking at that session only: \
                              use an API key";
                Err(Problem::new(Kind::Forbidden, detail))
            }
        }
    }

    async fn of_page(api: &Api, token: &str) -> Result<Self, Problem> {
        let over = || {
            unauthorized(
                "the page's session is over: open it with a new link (`mouthpiece page-link`), or give an API key",
            )
        };
        let pass = find_page(api.passes.as_ref(), token).await?.ok_or_else(over)?;
        let key = api.keys.with_id(api.records.as_ref(), pass.key).await?;
        let key = key.filter(|key| key.revoked.is_none()).ok_or_else(over)?;
        Ok(Self::new(key, Some(pass.hash)))
    }
}

/// Who is found by a request's credential.
pub(super) fn extracted<T: 'static>(
    req: &HttpRequest,
    found: Result<Credential, Problem>,
    who: impl AsyncFnOnce(&Api, Credential) -> Result<T, Problem> + 'static,
) -> LocalBoxFuture<'static, Result<T, Problem>> {
    let api = api(req);
    Box::pin(async move { who(&*api?, found?).await })
}

/// The shared state of a request.
pub(in crate::http) fn api(req: &HttpRequest) -> Result<web::Data<Api>, Problem> {
    req.app_data::<web::Data<Api>>().cloned().ok_or_else(|| Problem::internal("the shared state is missing"))
}

pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(Kind::Unauthorized, detail)
}

/// A bearer token goes before a cookie: who sends one means it.
pub(super) fn credential(req: &HttpRequest) -> Result<Credential, Problem> {
    if let Some(header) = req.headers().get(AUTHORIZATION) {
        let malformed = || unauthorized("the Authorization header must be 'Bearer mp_...' with an API key's secret");
        let (scheme, secret) = header.to_str().ok().and_then(|h| h.split_once(' ')).ok_or_else(malformed)?;
        let secret = secret.trim();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(malformed());
        }
        if SessionToken::is_one(secret) {
            return session_token(secret);
        }
        return if looks_like_a_secret(secret) { Ok(Credential::Secret(secret.to_owned())) } else { Err(malformed()) };
    }
    let Some(token) = page_cookie(req) else {
        return Err(unauthorized("send 'Authorization: Bearer mp_...' with an API key's secret"));
    };
    if !req.method().is_safe() {
        same_site(req)?;
    }
    Ok(Credential::Page(token))
}

/// A session's token by its text.
pub(super) fn session_token(text: &str) -> Result<Credential, Problem> {
    let malformed =
        || unauthorized("this session token is not well formed: take it whole from the session's `live.token`");
    SessionToken::read(text).map(Credential::Session).ok_or_else(malformed)
}

/// The value of the page's cookie.
pub(in crate::http) fn page_cookie(req: &HttpRequest) -> Option<String> {
    let own = api(req).ok()?.settings.cookie_name();
    let headers = req.headers().get_all(COOKIE).filter_map(|h| h.to_str().ok());
    let mut pairs = headers.flat_map(|h| h.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == own && !value.is_empty()).map(|(_, value)| value.to_owned())
}
