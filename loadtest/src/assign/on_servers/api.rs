//! The coordinators' API, as callers use it: one after the other in turn.

use crate::assign::audit::nothing_left;
use crate::assign::callers::CallerAsk;
use crate::assign::http::{PORTRAIT, one_file_form};
use crate::{LoadError, setup};
use bytes::Bytes;
use mouthpiece_coordinator::office::{KeyScope, new_secret, secret_hash};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::{ApiKey, KeyRegister};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// An answer that takes longer is none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Workers are known to all coordinators, and what ended is known to be over, within this.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// A key of the load test's own.
pub(super) struct LoadKey {
    id: KeyId,
    secret: String,
}

impl LoadKey {
    /// Notes it in the records. `base` tells the runs on one store apart.
    pub(super) async fn add(records: &dyn KeyRegister, base: Wall) -> Result<Self, LoadError> {
        let (id, secret) = (KeyId(u128::from(base.0.unsigned_abs()) << 64), new_secret().map_err(setup)?);
        let key = ApiKey {
            id,
            name: "load test".to_owned(),
            secret_hash: secret_hash(&secret),
            scopes: [KeyScope::Sessions, KeyScope::Farm].map(|scope| scope.name().to_owned()).into(),
            max_open: u32::MAX,
            minutes_per_day: None,
            created: base,
            revoked: None,
        };
        records.add_key(&key).await.map_err(setup)?;
        Ok(Self { id, secret })
    }

    /// Its id: all sessions of the run are its.
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Of no use any more.
    pub(super) async fn revoke(&self, records: &dyn KeyRegister, at: Wall) -> Result<(), LoadError> {
        records.revoke_key(self.id, at).await.map_err(setup).map(|_| ())
    }
}

/// All coordinators.
#[derive(Clone)]
pub(super) struct CoordinatorsApi {
    client: Client,
    urls: Vec<String>,
    bearer: String,
    /// What asks for a session, once there is an avatar.
    body: Bytes,
}

impl CoordinatorsApi {
    pub(super) fn new(urls: Vec<String>, key: &LoadKey) -> Result<Self, LoadError> {
        let client = Client::builder().no_proxy().timeout(ANSWERED_WITHIN).build().map_err(setup)?;
        Ok(Self { client, urls, bearer: format!("Bearer {}", key.secret), body: Bytes::new() })
    }

    /// Adds the avatar that all sessions use; the session that prepares it.
    pub(super) async fn add_avatar(&mut self) -> Result<SessionId, LoadError> {
        let (media_type, form) = one_file_form("image", "a.png", PORTRAIT);
        let request =
            self.client.post(format!("{}/v1/avatars", self.urls[0])).header(CONTENT_TYPE, media_type).body(form);
        let (status, avatar) = self.answer(request).await?;
        let text = |name| avatar.get(name).and_then(Value::as_str).filter(|_| status.is_success());
        let (Some(id), Some(by)) = (text("id"), text("prepared_by")) else {
            return Err(setup(format!("no avatar was made: {status}: {avatar}")));
        };
        let asked = json!({"kind": "live", "avatar_id": id, "queue_timeout_s": 600});
        self.body = asked.to_string().into();
        by.parse().map_err(setup)
    }

    /// Waits until every coordinator knows so many slots.
    pub(super) async fn know_slots(&self, slots: u64) -> Result<(), LoadError> {
        for url in &self.urls {
            self.look(url, |farm| {
                let known = farm.pointer("/slots/total").and_then(Value::as_u64).unwrap_or_default();
                if known >= slots { Ok(()) } else { Err(setup(format!("{url} knows only {known} of {slots} slots"))) }
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until no coordinator believes in anything any more.
    pub(super) async fn know_nothing(&self) -> Result<(), LoadError> {
        for url in &self.urls {
            self.look(url, |farm| {
                let number = |at| farm.pointer(at).and_then(Value::as_u64).unwrap_or(u64::MAX);
                let [taken, waiting] = ["/slots/taken", "/queue/length"].map(number);
                nothing_left(usize::try_from(taken).unwrap_or(usize::MAX), u32::try_from(waiting).unwrap_or(u32::MAX))
            })
            .await?;
        }
        Ok(())
    }

    /// Looks at the farm until it is as it should be.
    async fn look(&self, url: &str, judge: impl Fn(&Value) -> Result<(), LoadError>) -> Result<(), LoadError> {
        let begun = Instant::now();
        loop {
            let (status, farm) = self.answer(self.client.get(format!("{url}/v1/workers"))).await?;
            if !status.is_success() {
                return Err(setup(format!("{url} does not tell its workers: {status}: {farm}")));
            }
            match judge(&farm) {
                Err(error) if begun.elapsed() > KNOWN_WITHIN => return Err(error),
                Err(_) => sleep(LOOK).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Value), LoadError> {
        let answer = request.header(AUTHORIZATION, &self.bearer).send().await.map_err(setup)?;
        let status = answer.status();
        let text = answer.text().await.map_err(setup)?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}

impl CallerAsk for CoordinatorsApi {
    fn ask(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<Option<SessionId>, LoadError>>>> {
        let at = usize::try_from(n).unwrap_or_default() % self.urls.len();
        let this = self.clone();
        Box::pin(async move {
            let request = this.client.post(format!("{}/v1/sessions", this.urls[at]));
            let request = request.header(CONTENT_TYPE, "application/json").body(this.body.clone());
            match this.answer(request).await? {
                (StatusCode::CREATED, session) => {
                    session.get("id").and_then(Value::as_str).unwrap_or_default().parse().map(Some).map_err(setup)
                }
                (StatusCode::SERVICE_UNAVAILABLE, _) => Ok(None),
                (status, told) => Err(setup(format!("a session was answered with {status}: {told}"))),
            }
        })
    }
}
