//! Every setting by its key, with its range.

use super::ice::IceServers;
use super::read::Reader;
use super::values::{ByteSize, ListenAddress, ListenAddresses, MicroUsd, PublicAddress, TextList};
use super::{
    BucketAccess, CallerAccess, Config, FarmSecret, FarmSettings, LogSettings, MachineAccess, ModelSettings,
    StoreSettings, StoreUrl,
};
use mouthpiece_coordinator::http::HttpSettings;
use mouthpiece_coordinator::office::{FetchSettings, LiveSettings, SessionBounds};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::retention::RetentionAges;
use mouthpiece_domain::warm_pool::ScalingMode;
use mouthpiece_worker_settings::{
    MAX_SLOTS, NeuralMemory, NeuralSettings, ProvenanceSettings, RtcSettings, WorkerSettings, check_engine,
};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);
/// Of what must neither be at once nor be forgotten.
const SOME_TIME: RangeInclusive<Duration> = SECOND..=DAY;
const CACHE: RangeInclusive<ByteSize> = ByteSize(1 << 20)..=ByteSize(1 << 50);
const UPLOAD: RangeInclusive<ByteSize> = ByteSize(1024)..=ByteSize(1 << 40);

/// All settings. What is wrong with them is kept by the reader.
pub fn config(from: &mut Reader<'_>) -> Config {
    let mut control = control(from);
    let stores = stores(from);
    if stores.fleet != StoreUrl::Nothing {
        if control.scaling == ScalingMode::Announced {
            let both = "stores.fleet names who starts and stops workers: leave one of them out";
            from.wrong("coordinator.scaled_by_metrics", both);
        }
        control.scaling = ScalingMode::Own;
    }
    Config {
        prices: from.get("prices"),
        http: http(from),
        stores,
        worker: worker(from, control.lease),
        control,
        counts_from_boot: from.get("worker.counts_from_boot"),
        grace: from.within("worker.grace", Duration::ZERO..=7 * DAY),
        first_key_name: from.get("keys.first_name"),
        models: ModelSettings {
            folder: PathBuf::from(from.get::<String>("models.folder")),
            mirrors: from.get::<TextList>("models.mirrors").0,
            allow_licences: from.get::<TextList>("models.allow_licences").0,
        },
        log: LogSettings { level: level(from), format: from.get("log.format") },
        farm: farm(from),
    }
}

fn http(from: &mut Reader<'_>) -> HttpSettings {
    let ListenAddress(ip) = from.get("http.bind");
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
            private_addresses: from.get::<ListenAddresses>("fetch.private_addresses").0,
        },
        sessions: sessions(from),
        live: live(from),
        retention: retention(from),
        egress_micro_usd_per_gb: from.get::<MicroUsd>("egress.usd_per_gb").0,
        ..HttpSettings::default()
    }
}

/// Between being used on record and being named by a session's record, a file is stored and the session admitted: the
/// least age of what sessions name is well above that.
fn retention(from: &mut Reader<'_>) -> RetentionAges {
    const HOUR: Duration = Duration::from_secs(3600);
    RetentionAges {
        results: from.age("retention.results", SECOND),
        uploads: from.age("retention.uploads", HOUR),
        avatars: from.age("retention.avatars", HOUR),
        tokens: from.age("retention.idempotency_keys", SECOND),
        sessions: from.age("retention.sessions", HOUR),
        // Quotas are judged by what was delivered in the last day.
        usage: from.age("retention.usage", 2 * DAY),
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

fn stores(from: &mut Reader<'_>) -> StoreSettings {
    StoreSettings {
        data: PathBuf::from(from.get::<String>("stores.data")),
        records: from.get("stores.records"),
        bus: from.get("stores.bus"),
        pool: from.get("stores.pool"),
        blobs: from.get("stores.blobs"),
        fleet: from.get("stores.fleet"),
    }
}

fn farm(from: &mut Reader<'_>) -> FarmSettings {
    let file = |from: &mut Reader<'_>, key| PathBuf::from(from.get::<String>(key));
    let address = |from: &mut Reader<'_>, bind, port| {
        let ListenAddress(ip) = from.get(bind);
        SocketAddr::new(ip, from.get(port))
    };
    let settings = FarmSettings {
        secret: FarmSecret(from.get("farm.secret")),
        secret_file: file(from, "farm.secret_file"),
        ca_file: file(from, "farm.ca_file"),
        s3: BucketAccess {
            endpoint: from.get("s3.endpoint"),
            region: from.get("s3.region"),
            path_style: from.get("s3.path_style"),
            credentials_file: file(from, "s3.credentials_file"),
            public_endpoint: from.get("s3.public_endpoint"),
            links: from.get("s3.links"),
            encryption: from.get("s3.encryption"),
            copies: from.get::<ByteSize>("s3.copies").0,
        },
        aws: machines(from),
        lines: address(from, "lines.bind", "lines.port"),
        lines_address: from.get("lines.address"),
        lines_tls: ["lines.tls_certificate", "lines.tls_key_file"].map(|key| file(from, key)),
        lines_ca: file(from, "lines.ca_file"),
        callers: CallerAccess {
            url: from.get("callers.url"),
            bind: address(from, "callers.bind", "callers.port"),
            tls: ["callers.tls_certificate", "callers.tls_key_file"].map(|key| file(from, key)),
            max_sockets: from.within("callers.max_sockets", 1..=100_000),
            longest: from.within("callers.longest", SOME_TIME),
        },
        health: address(from, "health.bind", "health.port"),
    };
    for (key, [certificate, secret]) in
        [("lines.tls_certificate", &settings.lines_tls), ("callers.tls_certificate", &settings.callers.tls)]
    {
        if certificate.as_os_str().is_empty() != secret.as_os_str().is_empty() {
            from.wrong(key, "certificate and key belong together: set both, or neither");
        }
    }
    let CallerAccess { url, tls: [certificate, _], .. } = &settings.callers;
    let is_secure = url.starts_with("wss://");
    if !url.is_empty() && !is_secure && !url.starts_with("ws://") {
        let remedy =
            "must be wss://host, as callers reach the worker or the proxy before it; ws:// in a private network only";
        from.wrong("callers.url", remedy);
    } else if !url.is_empty() && !is_secure && !certificate.as_os_str().is_empty() {
        from.wrong("callers.url", "callers.tls_certificate is set: then it must begin with wss://");
    }
    if !settings.secret.0.is_empty() && !settings.secret_file.as_os_str().is_empty() {
        from.wrong("farm.secret_file", "farm.secret is set, too: leave one of them out");
    }
    settings
}

fn machines(from: &mut Reader<'_>) -> MachineAccess {
    MachineAccess {
        region: from.get("aws.region"),
        credentials_file: PathBuf::from(from.get::<String>("aws.credentials_file")),
        autoscaling_endpoint: from.get("aws.autoscaling_endpoint"),
        ec2_endpoint: from.get("aws.ec2_endpoint"),
        metadata_endpoint: from.get("aws.metadata_endpoint"),
        spot_prices: from.get("aws.spot_prices"),
        // Of the two minutes that a machine is told before, most shall be left.
        watch_every: from.within("aws.watch_every", Duration::from_millis(100)..=Duration::from_secs(60)),
    }
}

fn control(from: &mut Reader<'_>) -> ControlSettings {
    ControlSettings {
        lease: lease(from),
        queue_limit: from.within("coordinator.queue_limit", 0..=1_000_000),
        max_attempts: from.within("coordinator.max_attempts", 1..=100),
        scaling: match from.get("coordinator.scaled_by_metrics") {
            true => ScalingMode::Announced,
            false => ScalingMode::Fixed,
        },
        warm_workers: from.within("coordinator.warm_workers", 0..=10_000),
        max_workers: from.within("coordinator.max_workers", 1..=10_000),
        max_micro_usd_per_hour: Some(from.get::<MicroUsd>("coordinator.max_usd_per_hour").0).filter(|most| *most > 0),
        slots_per_worker: from.within("coordinator.slots_per_worker", 1..=MAX_SLOTS),
        start_up: from.within("coordinator.start_up", SECOND..=Duration::from_secs(1800)),
        arrival_window: from.within("coordinator.arrival_window", SECOND..=DAY),
        shrink_after: from.within("coordinator.shrink_after", SECOND..=DAY),
        billing_period: from.within("coordinator.billing_period", SECOND..=DAY),
        sweep_every: from.within("coordinator.sweep_every", SOME_TIME),
        adopt_after: from.within("coordinator.adopt_after", Duration::from_millis(10)..=DAY),
        book_every: from.within("coordinator.book_every", SOME_TIME),
    }
}

fn worker(from: &mut Reader<'_>, lease: LeaseTerms) -> WorkerSettings {
    let usual = WorkerSettings::default();
    let named: String = from.get("worker.name");
    let slots = from.within("worker.slots", 1..=MAX_SLOTS);
    let settings = WorkerSettings {
        slots,
        name: if named.is_empty() { usual.name.clone() } else { named },
        engine: engine(from),
        neural: neural(from, slots),
        instance_type: from.get("worker.instance_type"),
        cache_mib: u32::try_from(from.within("worker.cache", CACHE).0 >> 20).unwrap_or(u32::MAX),
        drain_timeout: from.within("worker.drain_timeout", Duration::ZERO..=7 * DAY),
        measure: from.get("worker.measure"),
        mark: from.get("worker.mark"),
        provenance: provenance(from),
        rtc: rtc(from),
        lease,
        ..usual
    };
    if let (Err(e), true) = (settings.check(), from.problems.is_empty()) {
        from.problems.push(e.to_string());
    }
    settings
}

fn provenance(from: &mut Reader<'_>) -> ProvenanceSettings {
    let [certificates, key_file] =
        ["provenance.certificates", "provenance.key_file"].map(|key| PathBuf::from(from.get::<String>(key)));
    if certificates.as_os_str().is_empty() != key_file.as_os_str().is_empty() {
        from.wrong("provenance.certificates", "certificates and key belong together: set both, or neither");
    }
    ProvenanceSettings { certificates, key_file, algorithm: from.get("provenance.algorithm") }
}

fn engine(from: &mut Reader<'_>) -> String {
    let name: String = from.get("worker.engine");
    if let Err(e) = check_engine(&name) {
        from.wrong("worker.engine", &e.to_string());
    }
    name
}

fn neural(from: &mut Reader<'_>, sessions: u8) -> NeuralSettings {
    NeuralSettings {
        graphs: PathBuf::from(from.get::<String>("neural.graphs")),
        provider: from.get("neural.provider"),
        device: from.within("neural.device", 0..=63),
        threads: from.within("neural.threads", 0..=1024),
        decoder: from.get("neural.decoder"),
        launch: from.get("neural.launch"),
        sessions,
        extra_margin: from.within("neural.extra_margin", 0..=64),
        cheeks: from.within("neural.cheeks", 0..=100),
        jaw: from.within("neural.jaw", 0..=100),
        restoration: from.get("neural.restoration"),
        memory: NeuralMemory {
            total_mib: mib(from, "neural.memory"),
            system_mib: mib(from, "neural.memory_system"),
            models_mib: mib(from, "neural.memory_models"),
            buffers_mib: mib(from, "neural.memory_buffers"),
        },
    }
}

fn mib(from: &mut Reader<'_>, key: &'static str) -> u32 {
    u32::try_from(from.within(key, ByteSize(0)..=ByteSize(1 << 40)).0 >> 20).unwrap_or(u32::MAX)
}

fn rtc(from: &mut Reader<'_>) -> RtcSettings {
    let ListenAddress(ip) = from.get("rtc.bind");
    let stun: String = from.get("rtc.stun");
    RtcSettings {
        bind: SocketAddr::new(ip, from.get("rtc.port")),
        addresses: from.get::<ListenAddresses>("rtc.addresses").0,
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
