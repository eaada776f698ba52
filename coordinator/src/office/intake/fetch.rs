//! Fetching what a caller names by address.
//!
//! Each hop is judged anew: its scheme, its host if that is an address, else every address that it resolves to. Connections
//! are made to judged addresses only, because the client's own resolver is the judge; so a name that resolves differently a
//! moment later gains nothing. Redirects are followed by hand, proxies of the environment are not used.

use super::address::is_public;
use super::{Intake, IntakeRefusal, StagedFile};
use crate::office::FetchSettings;
use futures_util::StreamExt;
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::ids::KeyId;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;
use url::{Host, ParseError, Url};

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 5;

/// Why a file was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchRefusal {
    /// The address cannot be read.
    NotAUrl(ParseError),
    /// The address may not be fetched.
    NotAllowed(NotFetchable),
    /// A redirect names no address.
    RedirectsNowhere,
    /// Redirects do not end.
    RedirectsTooOften {
        /// So many are followed.
        most: usize,
    },
    /// The answer's status is not 200.
    Status(u16),
    /// It took longer than this, redirects included.
    Slow(Duration),
    /// Something failed on the way.
    Failed(FetchFailure),
}

/// Why an address may not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFetchable {
    /// Neither http nor https.
    Scheme,
    /// It has a name or a password in it.
    Credentials,
    /// It names no host.
    NoHost,
    /// It does not lead to a public address.
    NotPublic,
}

/// What failed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFailure {
    /// No connection could be made.
    Connect,
    /// A step took too long.
    Timeout,
    /// The answer broke off.
    BrokeOff,
    /// The request failed in a way that has no name of its own.
    Request,
}

/// Says which addresses may be connected to.
#[derive(Debug, Clone)]
struct Judge {
    also: Arc<[IpAddr]>,
}

impl Judge {
    fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.also.contains(&address)
    }
}

/// A name that leads nowhere public.
#[derive(Debug, Error)]
#[error("it does not lead to a public address")]
struct NotPublic;

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let judge = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|a| judge.allows(a.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(NotPublic) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Fetches files.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    judge: Judge,
    total_timeout: Duration,
}

impl Fetcher {
    /// A fetcher.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(settings: &FetchSettings) -> Result<Self, reqwest::Error> {
        let judge = Judge { also: settings.private_addresses.clone().into() };
        let client = Client::builder()
            .dns_resolver(Arc::new(judge.clone()))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("mouthpiece/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, judge, total_timeout: settings.total_timeout })
    }

    /// Fetches the file at `address`, which came in `field`.
    pub(super) async fn fetch(
        &self,
        intake: &Intake,
        key: KeyId,
        field: &str,
        address: &str,
        given_as: FileUse,
    ) -> Result<StagedFile, IntakeRefusal> {
        let refused = |why| IntakeRefusal::NotFetched { field: field.to_owned(), why };
        let url = Url::parse(address).map_err(|e| refused(FetchRefusal::NotAUrl(e)))?;
        let _permit = intake.permit(key)?;
        let read = async {
            let answer = self.follow(url).await.map_err(refused)?;
            if answer.status() != StatusCode::OK {
                return Err(refused(FetchRefusal::Status(answer.status().as_u16())));
            }
            let mut stage = intake.stage(field, given_as)?;
            if answer.content_length().is_some_and(|n| n > stage.limit()) {
                return Err(stage.too_large());
            }
            let mut body = answer.bytes_stream();
            while let Some(chunk) = body.next().await {
                stage.push(&chunk.map_err(|e| refused(failed(&e)))?).await?;
            }
            stage.finish().await
        };
        let slow = |_| Err(refused(FetchRefusal::Slow(self.total_timeout)));
        timeout(self.total_timeout, read).await.unwrap_or_else(slow)
    }

    async fn follow(&self, mut url: Url) -> Result<Response, FetchRefusal> {
        for _ in 0..=MOST_REDIRECTS {
            self.judge_url(&url).map_err(FetchRefusal::NotAllowed)?;
            let asked = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity").send().await;
            let answer = asked.map_err(|e| failed(&e))?;
            if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
                return Ok(answer);
            }
            let next = answer.headers().get(LOCATION).and_then(|l| l.to_str().ok()).and_then(|l| url.join(l).ok());
            url = next.ok_or(FetchRefusal::RedirectsNowhere)?;
        }
        Err(FetchRefusal::RedirectsTooOften { most: MOST_REDIRECTS })
    }

    /// What can be judged before resolution.
    fn judge_url(&self, url: &Url) -> Result<(), NotFetchable> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NotFetchable::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotFetchable::Credentials);
        }
        let literal = match url.host() {
            None => return Err(NotFetchable::NoHost),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        };
        if literal.is_some_and(|address| !self.judge.allows(address)) {
            return Err(NotFetchable::NotPublic);
        }
        Ok(())
    }
}

/// What is told of a failure: whether it was refused here, or failed there; not what this server's network looks like.
fn failed(error: &reqwest::Error) -> FetchRefusal {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if e.is::<NotPublic>() {
            return FetchRefusal::NotAllowed(NotFetchable::NotPublic);
        }
        cause = e.source();
    }
    tracing::debug!(%error, "a fetch failed");
    FetchRefusal::Failed(match error {
        e if e.is_connect() => FetchFailure::Connect,
        e if e.is_timeout() => FetchFailure::Timeout,
        e if e.is_body() || e.is_decode() => FetchFailure::BrokeOff,
        _ => FetchFailure::Request,
    })
}
