//! One service of one region, asked in AWS's query protocol: a form is posted, XML comes back.

use crate::answer::{read, refusal};
use crate::failure::AwsFailure;
use crate::settings::FleetOpenError;
use crate::signature::signed;
use mouthpiece_aws_access::{Access, explain};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::fleet::FleetError;
use mouthpiece_ports::retry::jittered;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, Url};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;
use url::form_urlencoded::Serializer;

const CONNECT: Duration = Duration::from_secs(3);
/// One request with its answer.
const REQUEST: Duration = Duration::from_secs(10);
/// A service that is busy is asked again after these waits, a random part of each.
const BUSY: Backoff = Backoff { first: Duration::from_millis(400), longest: Duration::from_secs(5), again: Some(3) };
/// A wait that the service names itself counts up to here.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A longer answer is refused. A group of 2,000 machines has about one MiB.
const MOST_BYTES: usize = 16 << 20;
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The client that all requests go through. With `direct`, no proxy of the environment is used.
pub(crate) fn http(access: &Access, direct: bool) -> Result<Client, FleetOpenError> {
    let failed = |e: reqwest::Error| FleetOpenError::Client(explain(&e));
    let mut builder = Client::builder().connect_timeout(CONNECT).timeout(REQUEST).redirect(Policy::none());
    if let Some(ca) = access.ca() {
        builder = builder.tls_certs_merge(Certificate::from_pem_bundle(ca).map_err(failed)?);
    }
    if direct {
        builder = builder.no_proxy();
    }
    builder.build().map_err(failed)
}

/// One service of one region. Debug output shows no secret.
#[derive(Debug)]
pub(crate) struct QueryClient {
    pub(crate) http: Client,
    pub(crate) access: Arc<Access>,
    /// As signatures have it: `autoscaling`, `ec2`.
    pub(crate) service: &'static str,
    /// Of its API.
    pub(crate) version: &'static str,
    pub(crate) region: String,
    pub(crate) endpoint: Url,
}

/// What is asked for besides the action, in order.
pub(crate) type Fields = Vec<(String, String)>;

impl QueryClient {
    /// Asks for an action; while the service is busy, a few times.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, action: &str, fields: &Fields) -> Result<T, AwsFailure> {
        let body = Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", self.version)
            .extend_pairs(fields)
            .finish();
        let mut tries = 0;
        loop {
            let (failure, wait) = match self.once(&body).await {
                Ok(text) => return read(&text).ok_or_else(|| AwsFailure::Away("the answer cannot be read".to_owned())),
                Err(failed) => failed,
            };
            match BUSY.wait(tries) {
                Some(usual) if failure.is_passing() => {
                    tracing::debug!(action, ?failure, "AWS is asked again");
                    sleep(wait.map_or_else(|| jittered(usual), |asked| asked.min(LONGEST_WAIT))).await;
                }
                _ => return Err(failure),
            }
            tries += 1;
        }
    }

    /// What a failure means for the farm.
    pub(crate) fn told(&self, action: &str, failure: &AwsFailure) -> FleetError {
        failure.told(&format!("{}:{action}", self.service), &self.region)
    }

    /// One request: the answer's text, or why there is none and how long the service wants to be left alone.
    async fn once(&self, body: &str) -> Result<String, (AwsFailure, Option<Duration>)> {
        let away = |why: String| (AwsFailure::Away(why), None);
        let credentials = self.access.credentials().await.map_err(|e| away(e.to_string()))?;
        let place = (self.service, self.region.as_str());
        let headers =
            signed(place, self.endpoint.as_str(), &[("content-type", FORM)], body, credentials, SystemTime::now())
                .ok_or_else(|| away("the request cannot be signed with these credentials: correct them".to_owned()))?;
        let sent = self.http.post(self.endpoint.clone()).headers(headers).body(body.to_owned()).send().await;
        let mut answer = sent.map_err(|e| away(unreachable(&e)))?;
        let status = answer.status();
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let text = text(&mut answer).await.map_err(away)?;
        if status.is_success() {
            return Ok(text);
        }
        Err((AwsFailure::answered(status.as_u16(), refusal(&text)), wait.map(Duration::from_secs)))
    }
}

async fn text(answer: &mut Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| unreachable(&e))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err("the answer is too long: is the endpoint right?".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| "the answer is no text: is the endpoint right?".to_owned())
}

fn unreachable(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time: look at the network, at security groups and at endpoints".to_owned();
    }
    explain(error)
}
