//! A machine's metadata, version 2, in this process: nothing is told without a token.

use crate::local_http::{Answer, LocalHttp, told};
use anyhow::Result;
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const TOKEN: &str = "x-aws-ec2-metadata-token";
const TOKEN_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// AWS's own limit.
const LONGEST_TTL: u32 = 21_600;

#[derive(Debug, Default)]
struct Told {
    /// By path below `/latest/meta-data/`.
    values: BTreeMap<String, String>,
    tokens: BTreeSet<String>,
    given: u32,
    /// Requests by path.
    asked: BTreeMap<String, u64>,
}

/// A metadata service on a port of its own, of a machine that is there until it is told otherwise.
#[derive(Debug)]
pub struct MetadataServer {
    told: Arc<Mutex<Told>>,
    http: LocalHttp,
}

impl MetadataServer {
    /// Starts one for a machine with these values: paths below `/latest/meta-data/`.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(values: &[(&str, &str)]) -> Result<Self> {
        let values = values.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        let told = Arc::new(Mutex::new(Told { values, ..Told::default() }));
        let state = Arc::clone(&told);
        let http = LocalHttp::start(Arc::new(move |head: Parts, _: Bytes| {
            let answer = locked(&state).answer(&head);
            Box::pin(async move { Some(answer) })
        }))
        .await?;
        Ok(Self { told, http })
    }

    /// Starts one for a spot machine.
    ///
    /// # Errors
    /// There is no port.
    pub async fn spot(id: &str, instance_type: &str, zone: &str) -> Result<Self> {
        Self::start(&[
            ("instance-id", id),
            ("instance-type", instance_type),
            ("placement/availability-zone", zone),
            ("instance-life-cycle", "spot"),
        ])
        .await
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        self.http.endpoint()
    }

    /// Tells something from now on.
    pub fn set(&self, path: &str, value: &str) {
        locked(&self.told).values.insert(path.to_owned(), value.to_owned());
    }

    /// Gives notice that the machine is taken away at a time (RFC 3339).
    pub fn interrupt(&self, at: &str) {
        self.set("spot/instance-action", &format!(r#"{{"action": "terminate", "time": "{at}"}}"#));
    }

    /// Forgets all tokens that were given.
    pub fn forget_tokens(&self) {
        locked(&self.told).tokens.clear();
    }

    /// How often a path was asked for, with a token.
    pub fn asked(&self, path: &str) -> u64 {
        locked(&self.told).asked.get(path).copied().unwrap_or_default()
    }

    /// Listens no longer.
    pub async fn stop(&mut self) {
        self.http.stop().await;
    }

    /// Listens again.
    ///
    /// # Errors
    /// Somebody else has its port by now.
    pub async fn start_again(&mut self) -> Result<()> {
        self.http.start_again().await
    }
}

fn locked(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Told {
    fn answer(&mut self, head: &Parts) -> Answer {
        if head.uri.path() == "/latest/api/token" {
            return self.token(head);
        }
        let known = |headers: &HeaderMap| {
            headers.get(TOKEN).and_then(|token| token.to_str().ok()).is_some_and(|token| self.tokens.contains(token))
        };
        if !known(&head.headers) {
            return told(401, "text/html", "Unauthorized".to_owned());
        }
        let path = head.uri.path().strip_prefix("/latest/meta-data/").unwrap_or_default();
        *self.asked.entry(path.to_owned()).or_default() += 1;
        match self.values.get(path) {
            Some(value) if head.method == Method::GET => told(200, "text/plain", value.clone()),
            _ => told(404, "text/html", "Not Found".to_owned()),
        }
    }

    fn token(&mut self, head: &Parts) -> Answer {
        let ttl = head.headers.get(TOKEN_TTL).and_then(|ttl| ttl.to_str().ok()?.parse::<u32>().ok());
        let Some(ttl) = ttl.filter(|ttl| (1..=LONGEST_TTL).contains(ttl) && head.method == Method::PUT) else {
            return told(400, "text/html", "Bad Request".to_owned());
        };
        self.given += 1;
        let token = format!("token-{}", self.given);
        self.tokens.insert(token.clone());
        let mut answer = told(200, "text/plain", token);
        answer.headers_mut().insert(TOKEN_TTL, ttl.into());
        answer
    }
}
