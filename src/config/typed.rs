//! Every setting by its key, with its range.

use super::ice::IceServers;
use super::read::Reader;
use super::values::{Address, Addresses, PublicAddress, Size};
use super::{Config, Log, Stores};
use mouthpiece_coordinator::http::HttpSettings;
use mouthpiece_coordinator::office::{FetchSettings, LiveSettings, SessionBounds};
use mouthpiece_domain::control::Settings;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::retention::Ages;
use mouthpiece_worker::engines::check_engine;
use mouthpiece_worker::{MAX_SLOTS, RtcSettings, WorkerSettings};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);
/// Of what must neither be at once nor be forgotten.
const SOME_TIME: RangeInclusive<Duration> = SECOND..=DAY;
const CACHE: RangeInclusive<Size> = Size(1 << 20)..=Size(1 << 50);
const UPLOAD: RangeInclusive<Size> = Size(1024)..=Size(1 << 40);

/// All settings. What is wrong with them is kept by the reader.
pub fn config(from: &mut Reader<'_>) -> Config {
    let control = control(from);
    Config {
        prices: from.get("prices"),
        http: http(from),
        stores: stores(from),
        worker: worker(from, control.lease),
        control,
        grace: from.within("worker.grace", Duration::ZERO..=7 * DAY),
        first_key_name: from.get("keys.first_name"),
        log: Log { level: level(from), format: from.get("log.format") },
    }
}

fn http(from: &mut Reader<'_>) -> HttpSettings {
    let Address(ip) = from.get("http.bind");
    HttpSettings {
        bind: SocketAddr::new(ip, from.get("http.port")),
        public_url: from.get::<PublicAddress>("http.public_url").0,
        portrait_bytes: from.within("http.max_portrait", UPLOAD).0,
        speech_bytes: from.within("http.max_speech", UPLOAD).0,
        max_uploads: from.within("http.max_uploads", 1..=10_000),
        max_streams: from.within("http.max_streams", 1..=1_000_000),
        max_connections: from.within("http.max_connections", 1..=1_000_000),
        threads: from.within("http.threads", 1..=256),
        keep_alive: from.within("http.keep_alive", SOME_TIME),
        head_timeout: from.within("http.head_timeout", SOME_TIME),
        body_pause: from.within("http.body_pause", SOME_TIME),
        shutdown_timeout: from.within("http.shutdown_timeout", Duration::ZERO..=DAY),
        fetch: FetchSettings {
            connect_timeout: from.within("fetch.connect_timeout", SOME_TIME),
            total_timeout: from.within("fetch.total_timeout", SOME_TIME),
            private_addresses: from.get::<Addresses>("fetch.private_addresses").0,
        },
        sessions: sessions(from),
        live: live(from),
        retention: retention(from),
        ..HttpSettings::default()
    }
}

/// Between being used on record and being named by a session's record, a file is stored and the session admitted: the
/// least age of what sessions name is well above that.
fn retention(from: &mut Reader<'_>) -> Ages {
    const HOUR: Duration = Duration::from_secs(3600);
    Ages {
        results: from.age("retention.results", SECOND),
        uploads: from.age("retention.uploads", HOUR),
        avatars: from.age("retention.avatars", HOUR),
        tokens: from.age("retention.idempotency_keys", SECOND),
    }
}

fn live(from: &mut Reader<'_>) -> LiveSettings {
    LiveSettings {
        ice_servers: from.get::<IceServers>("live.ice_servers").0,
        max_sockets: from.within("live.max_sockets", 1..=1_000_000),
        ask_timeout: from.within("live.ask_timeout", SOME_TIME),
        whep_wait: from.within("live.whep_wait", Duration::ZERO..=DAY),
        queue_timeout: from.within("live.queue_timeout", SOME_TIME),
        ..LiveSettings::default()
    }
}

fn sessions(from: &mut Reader<'_>) -> SessionBounds {
    let within = SECOND..=30 * DAY;
    let before = from.problems.len();
    let bounds = SessionBounds {
        queue_timeout: from.within("sessions.queue_timeout", within.clone()),
        longest_queue_timeout: from.within("sessions.longest_queue_timeout", within.clone()),
        max_duration: from.within("sessions.max_duration", within.clone()),
        longest_duration: from.within("sessions.longest_duration", within),
        key_max_open: from.within("keys.max_open", 1..=1_000_000),
    };
    if from.problems.len() == before {
        for (key, usual, longest, other) in [
            ("sessions.queue_timeout", bounds.queue_timeout, bounds.longest_queue_timeout, "longest_queue_timeout"),
            ("sessions.max_duration", bounds.max_duration, bounds.longest_duration, "longest_duration"),
        ] {
            if usual > longest {
                from.wrong(key, &format!("{usual:?} is more than {other} allows, {longest:?}"));
            }
        }
    }
    bounds
}

fn stores(from: &mut Reader<'_>) -> Stores {
    Stores {
        data: PathBuf::from(from.get::<String>("stores.data")),
        records: from.get("stores.records"),
        bus: from.get("stores.bus"),
        pool: from.get("stores.pool"),
        blobs: from.get("stores.blobs"),
        fleet: from.get("stores.fleet"),
    }
}

fn control(from: &mut Reader<'_>) -> Settings {
    Settings {
        lease: lease(from),
        queue_limit: from.within("coordinator.queue_limit", 0..=1_000_000),
        max_attempts: from.within("coordinator.max_attempts", 1..=100),
        warm_workers: from.within("coordinator.warm_workers", 0..=10_000),
        max_workers: from.within("coordinator.max_workers", 1..=10_000),
        slots_per_worker: from.within("coordinator.slots_per_worker", 1..=MAX_SLOTS),
        sweep_every: from.within("coordinator.sweep_every", SOME_TIME),
        adopt_after: from.within("coordinator.adopt_after", Duration::from_millis(10)..=DAY),
        book_every: from.within("coordinator.book_every", SOME_TIME),
    }
}

fn worker(from: &mut Reader<'_>, lease: LeaseTerms) -> WorkerSettings {
    let usual = WorkerSettings::default();
    let named: String = from.get("worker.name");
    let settings = WorkerSettings {
        slots: from.within("worker.slots", 1..=MAX_SLOTS),
        name: if named.is_empty() { usual.name.clone() } else { named },
        engine: engine(from),
        instance_type: from.get("worker.instance_type"),
        cache_mib: u32::try_from(from.within("worker.cache", CACHE).0 >> 20).unwrap_or(u32::MAX),
        drain_timeout: from.within("worker.drain_timeout", Duration::ZERO..=7 * DAY),
        measure: from.get("worker.measure"),
        rtc: rtc(from),
        lease,
        ..usual
    };
    if let (Err(e), true) = (settings.check(), from.problems.is_empty()) {
        from.problems.push(e.to_string());
    }
    settings
}

fn engine(from: &mut Reader<'_>) -> String {
    let name: String = from.get("worker.engine");
    if let Err(e) = check_engine(&name) {
        from.wrong("worker.engine", &e.to_string());
    }
    name
}

fn rtc(from: &mut Reader<'_>) -> RtcSettings {
    let Address(ip) = from.get("rtc.bind");
    let stun: String = from.get("rtc.stun");
    RtcSettings {
        bind: SocketAddr::new(ip, from.get("rtc.port")),
        addresses: from.get::<Addresses>("rtc.addresses").0,
        public: from.get("rtc.public"),
        stun: (!stun.is_empty()).then_some(stun),
        max_viewers: from.within("rtc.max_viewers", 1..=100_000),
        max_viewers_per_session: from.within("rtc.max_viewers_per_session", 1..=10_000),
    }
}

fn lease(from: &mut Reader<'_>) -> LeaseTerms {
    let range = Duration::from_millis(50)..=Duration::from_secs(3600);
    let before = from.problems.len();
    let [renew, soft, hard, expiry] = ["lease.renew", "lease.soft_stop", "lease.hard_stop", "lease.expiry"]
        .map(|key| from.within(key, range.clone()));
    let terms = LeaseTerms::new(renew, soft, hard, expiry);
    if let (Err(e), true) = (terms, from.problems.len() == before) {
        from.wrong("lease.expiry", &e.to_string());
    }
    terms.unwrap_or_default()
}

fn level(from: &mut Reader<'_>) -> String {
    let level: String = from.get("log.level");
    if let Err(e) = EnvFilter::builder().parse(&level) {
        from.wrong("log.level", &format!("\"{level}\" cannot be understood: {e}"));
    }
    level
}
