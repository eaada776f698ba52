//! Fetching what a caller names by address.
//!
//! Each hop is judged anew: its scheme, its host if that is an address, else every address that it resolves to. Connections
//! are made to judged addresses only, because the client's own resolver is the judge; so a name that resolves differently a
//! moment later gains nothing. Redirects are followed by hand, proxies of the environment are not used.

use super::address::is_public;
use super::stage::{Stage, Staged};
use crate::http::Api;
use crate::http::problem::Problem;
use crate::http::settings::FetchSettings;
use futures_util::StreamExt;
use mouthpiece_domain::file_kind::FileUse;
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
use url::{Host, Url};

/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// Characters of an address.
pub const URL_CHARS: usize = 2000;

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

    /// Fetches the file at `text`, an address that came in `field`.
    ///
    /// # Errors
    /// 422 for an address that may not or cannot be fetched, 413 beyond the limit, 415 for a type that is not taken, 503 when
    /// too many uploads are under way or nothing can be written.
    pub async fn fetch(&self, api: &Api, field: &str, text: &str, given_as: FileUse) -> Result<Staged, Problem> {
        let url = Url::parse(text).map_err(|e| Problem::invalid(field, format!("{field} is not a URL: {e}")))?;
        let _permit = api.upload_permit()?;
        let slow = |_| {
            let detail = format!("{field} could not be fetched within {} s", self.total_timeout.as_secs());
            Err(Problem::invalid(field, detail))
        };
        let read = async {
            let answer = self.follow(field, url).await?;
            read(api, field, given_as, answer).await
        };
        timeout(self.total_timeout, read).await.unwrap_or_else(slow)
    }

    async fn follow(&self, field: &str, mut url: Url) -> Result<Response, Problem> {
        for _ in 0..=REDIRECTS {
            self.judge_url(field, &url)?;
            let asked = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity").send().await;
            let answer = asked.map_err(|e| failed(field, &e))?;
            if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
                return Ok(answer);
            }
            let next = answer.headers().get(LOCATION).and_then(|l| l.to_str().ok()).and_then(|l| url.join(l).ok());
            url = next.ok_or_else(|| Problem::invalid(field, format!("{field} redirects to nowhere")))?;
        }
        Err(Problem::invalid(field, format!("{field} redirects more than {REDIRECTS} times")))
    }

    /// What can be judged before resolution.
    fn judge_url(&self, field: &str, url: &Url) -> Result<(), Problem> {
        let refuse = |why: &str| Err(Problem::invalid(field, format!("{field} may not be fetched: {why}")));
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http and https addresses are");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it has a user name or password in it");
        }
        let literal = match url.host() {
            None => return refuse("it names no host"),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        };
        if literal.is_some_and(|address| !self.judge.allows(address)) {
            return refuse("it does not lead to a public address");
        }
        Ok(())
    }
}

async fn read(api: &Api, field: &str, given_as: FileUse, answer: Response) -> Result<Staged, Problem> {
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        return Err(Problem::invalid(field, format!("{field} was answered with status {status}")));
    }
    let mut stage = Stage::new(api, field, given_as)?;
    if answer.content_length().is_some_and(|n| n > stage.limit()) {
        return Err(Problem::too_large(field, stage.limit()).at(field));
    }
    let mut body = answer.bytes_stream();
    while let Some(chunk) = body.next().await {
        stage.push(&chunk.map_err(|e| failed(field, &e))?).await?;
    }
    stage.finish().await
}

/// What is told of a failure: whether it was refused here, or failed there; not what this server's network looks like.
fn failed(field: &str, error: &reqwest::Error) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if e.is::<NotPublic>() {
            return Problem::invalid(field, format!("{field} may not be fetched: {NotPublic}"));
        }
        cause = e.source();
    }
    tracing::debug!(%error, "a fetch failed");
    let why = match error {
        e if e.is_connect() => "no connection could be made",
        e if e.is_timeout() => "it took too long",
        e if e.is_body() || e.is_decode() => "the answer broke off",
        _ => "the request failed",
    };
    Problem::invalid(field, format!("{field} could not be fetched: {why}"))
}
