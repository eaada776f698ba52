//! An HTTP side with records on SQLite and nothing else.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use actix_web::web::Data;
use actix_web::{App, test};
use async_trait::async_trait;
use mouthpiece_coordinator::farm::{Farm, FarmError, FarmNews};
use mouthpiece_coordinator::http::{Api, HttpSettings, configure};
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_coordinator::office::{KeyScope, new_secret, secret_hash};
use mouthpiece_domain::control::{FarmView, SessionChange, SubmitAnswer};
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::{Capability, Hold};
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::{
    BlobKey, EndReason, Fence, FrameProgress, Phase, RenderPreset, Session, SessionEnd, SessionKind, SessionSpec,
    SlotIndex,
};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_embedded::{Directory, Sqlite, farm_ports};
use mouthpiece_ports::records::{ApiKey, Avatar, Records};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::broadcast;

pub const T4: &str = "g4dn.xlarge";
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
/// 2026-11-25T10:00:00Z
pub const TEN: Wall = Wall(1_795_600_800_000);

/// Reports do not ask the farm anything.
struct NoFarm;

#[async_trait]
impl Farm for NoFarm {
    async fn submit(&self, _: Session, _: Option<Idempotency>, _: u32) -> Result<SubmitAnswer, FarmError> {
        Err(FarmError::Stopped)
    }

    async fn cancel(&self, _: SessionId) -> Result<(), FarmError> {
        Err(FarmError::Stopped)
    }

    async fn drain(&self, _: WorkerId) -> Result<Option<Vec<SessionId>>, FarmError> {
        Err(FarmError::Stopped)
    }

    async fn view(&self) -> Result<FarmView, FarmError> {
        Err(FarmError::Stopped)
    }

    async fn session(&self, _: SessionId) -> Result<Option<SessionChange>, FarmError> {
        Err(FarmError::Stopped)
    }

    fn watch(&self) -> broadcast::Receiver<FarmNews> {
        broadcast::channel(1).1
    }
}

/// An answer.
pub struct Answered {
    pub status: StatusCode,
    pub text: String,
    headers: HashMap<HeaderName, String>,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn content_type(&self) -> &str {
        &self.headers[&CONTENT_TYPE]
    }

    pub fn disposition(&self) -> &str {
        &self.headers[&CONTENT_DISPOSITION]
    }
}

/// Records and who reads them.
pub struct Rig {
    pub records: Arc<dyn Records>,
    api: Data<Api>,
    secret: String,
    _folder: TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(&folder.path().join("farm.sqlite")).await.unwrap());
        let ports = farm_ports(store, Arc::new(Directory::open(&folder.path().join("blobs")).unwrap()));
        let records = Arc::clone(&ports.records);
        let settings = HttpSettings {
            staging: folder.path().join("staging"),
            egress_micro_usd_per_gb: 90_000,
            ..HttpSettings::default()
        };
        let api =
            Data::new(Api::new(Arc::new(NoFarm), ports.office(), Arc::new(Metrics::new().unwrap()), settings).unwrap());
        let mut rig = Self { records, api, secret: String::new(), _folder: folder };
        rig.secret = rig.key(99, "the reader", &[KeyScope::Reports]).await;
        rig
    }

    /// Adds a key; its secret.
    pub async fn key(&self, id: u128, name: &str, scopes: &[KeyScope]) -> String {
        let secret = new_secret().unwrap();
        let key = ApiKey {
            id: KeyId(id),
            name: name.to_owned(),
            secret_hash: secret_hash(&secret),
            scopes: scopes.iter().map(|s| s.name().to_owned()).collect(),
            max_open: 10,
            minutes_per_day: None,
            created: TEN,
            revoked: None,
        };
        self.records.add_key(&key).await.unwrap();
        secret
    }

    pub async fn avatar(&self, id: u128, name: &str) {
        let avatar = Avatar {
            id: AvatarId(id),
            key: KeyId(1),
            name: name.to_owned(),
            content: format!("{id:064x}"),
            portrait: BlobKey::new("uploads/a.png").unwrap(),
            media_type: "image/png".to_owned(),
            bytes: 1,
            face: None,
            prepared_by: SessionId(1),
            created: TEN,
            used: TEN,
        };
        self.records.add_avatar(&avatar).await.unwrap();
    }

    pub async fn price(&self, instance_type: &str, from: Wall, micro_usd_per_hour: u64) {
        let price = Price { instance_type: instance_type.to_owned(), from, micro_usd_per_hour };
        self.records.add_prices(&[price]).await.unwrap();
    }

    /// Books a worker's time in all, within the `hour`th hour after ten o'clock. Its start took no time.
    pub async fn machine(&self, worker: u128, instance_type: &str, hour: i64, uptime: Duration, busy: Duration) {
        let capability = Capability {
            name: format!("worker {worker}"),
            engine: "puppet/1".to_owned(),
            instance_type: instance_type.to_owned(),
            slots: 2,
            frames_per_second: 100,
            impaired: None,
            machine: None,
        };
        let (at, worker, capability) = (within(hour), WorkerId(worker), Box::new(capability));
        let heard_of = capability.clone();
        let (uptime_then, busy_then) = (Duration::ZERO, Duration::ZERO);
        let first = LedgerWrite::Machine { worker, capability: heard_of, uptime: uptime_then, busy: busy_then, at };
        self.write(first).await;
        self.write(LedgerWrite::Machine { worker, capability, uptime, busy, at }).await;
    }

    /// A session of a key and a face that a worker delivered within an hour, and how it ended.
    pub async fn session(
        &self,
        id: u128,
        [key, avatar]: [u128; 2],
        worker: u128,
        hour: i64,
        minutes: u32,
        how: EndReason,
    ) {
        self.deliver(new_session(id, key, avatar, within(hour)), worker, minutes, how).await;
    }

    /// The same for a live session of key 1 and face 5.
    pub async fn live_session(&self, id: u128, worker: u128, hour: i64, minutes: u32, how: EndReason) {
        let session = Session { kind: SessionKind::Live, ..new_session(id, 1, 5, within(hour)) };
        self.deliver(session, worker, minutes, how).await;
    }

    /// Books a worker that needed so long until it was heard of, and was then idle for as long again.
    pub async fn starting_machine(&self, worker: u128, hour: i64, took: Duration) {
        for uptime in [took, took * 2] {
            let capability = Capability {
                name: format!("worker {worker}"),
                engine: "puppet/1".to_owned(),
                instance_type: T4.to_owned(),
                slots: 2,
                frames_per_second: 100,
                impaired: None,
                machine: None,
            };
            let (worker, capability, at) = (WorkerId(worker), Box::new(capability), within(hour));
            self.write(LedgerWrite::Machine { worker, capability, uptime, busy: Duration::ZERO, at }).await;
        }
    }

    /// Books what a session's viewers were sent.
    pub async fn sends(&self, session: u128, worker: u128, hour: i64, sent_bytes: u64) {
        let hold =
            Hold { session: SessionId(session), fence: Fence::FIRST, worker: WorkerId(worker), slot: SlotIndex(0) };
        self.write(LedgerWrite::Egress { hold, sent_bytes, at: within(hour) }).await;
    }

    async fn deliver(&self, session: Session, worker: u128, minutes: u32, how: EndReason) {
        let (id, at) = (session.id, session.created);
        let hold = Hold { session: id, fence: Fence::FIRST, worker: WorkerId(worker), slot: SlotIndex(0) };
        let progress = FrameProgress { done: 1, total: 1 };
        let delivered = MINUTE * minutes;
        let session = Box::new(session);
        self.write(LedgerWrite::Create { session, idempotency: None }).await;
        self.write(LedgerWrite::Assign { hold, at }).await;
        // Half of it is reported on the way, the whole at the end: cumulative, so nothing is booked twice.
        let half = delivered / 2;
        self.write(LedgerWrite::Advance { hold, phase: Phase::Running, progress, delivered: half, at }).await;
        let end = Box::new(SessionEnd::new(how, None));
        let delivered = Some((hold.worker, hold.slot, delivered));
        let fence = hold.fence;
        let progress = Some(progress);
        self.write(LedgerWrite::End { session: hold.session, fence, end, progress, delivered, at }).await;
    }

    async fn write(&self, write: LedgerWrite) {
        assert_eq!(self.records.write(&[write]).await.unwrap(), [WriteOutcome::Applied]);
    }

    /// Asks as the reader does.
    pub async fn get(&self, query: &str) -> Answered {
        self.get_as(Some(&self.secret), query).await
    }

    pub async fn get_as(&self, secret: Option<&str>, query: &str) -> Answered {
        let app = test::init_service(App::new().configure(|cfg| configure(cfg, self.api.clone()))).await;
        let mut request = test::TestRequest::get().uri(&format!("/v1/reports/cost?{query}"));
        if let Some(secret) = secret {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {secret}")));
        }
        read(app.call(request.to_request()).await).await
    }
}

/// Refusals of extractors come as errors, all others as answers.
async fn read<B: MessageBody + 'static>(called: Result<ServiceResponse<B>, actix_web::Error>) -> Answered {
    let answer = match called {
        Ok(answer) => answer.map_into_boxed_body(),
        Err(error) => {
            let request = test::TestRequest::default().to_http_request();
            ServiceResponse::new(request, error.error_response())
        }
    };
    let header = |(name, value): (&HeaderName, &actix_web::http::header::HeaderValue)| {
        (name.clone(), value.to_str().unwrap().to_owned())
    };
    let headers = answer.headers().iter().map(header).collect();
    let status = answer.status();
    let text = String::from_utf8(test::read_body(answer).await.to_vec()).unwrap();
    Answered { status, text, headers }
}

fn within(hour: i64) -> Wall {
    Wall(TEN.0 + hour * HOUR_MS + HOUR_MS / 2)
}

fn new_session(id: u128, key: u128, avatar: u128, at: Wall) -> Session {
    let spec = SessionSpec {
        portrait: BlobKey::new("uploads/a.png").unwrap(),
        content: format!("{avatar:064x}"),
        face: None,
        speech: Some(BlobKey::new("uploads/a.wav").unwrap()),
        size: FrameSize::USUAL,
        fps: FrameRate::Fps25,
        preset: RenderPreset::Balanced,
        seed: 1,
        head: true,
        blinks: true,
        manner: Manner::default(),
        framing: Framing::default(),
        background: None,
        live: None,
    };
    Session {
        id: SessionId(id),
        kind: SessionKind::Render,
        key: KeyId(key),
        avatar: AvatarId(avatar),
        spec: Arc::new(spec),
        metadata: BTreeMap::new(),
        queue_timeout: HOUR,
        max_duration: HOUR,
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        moved_from: None,
        moves: 0,
        losses: 0,
        delivered_before: Duration::ZERO,
        progress: FrameProgress::default(),
        end: None,
        created: at,
        updated: at,
    }
}
