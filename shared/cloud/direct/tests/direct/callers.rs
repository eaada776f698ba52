//! Callers that come straight to a worker.

use crate::net::{
    BOUND, Book, Pair, SECRET, Seen, WORKER, comes, coordinator, eventually, hold, listen, pair, secrets,
};
use crate::tls::made;
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_direct::{CallerSettings, Direct, DirectEvent, FarmSecrets, ServerTls, Ticket, TicketRefusal};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{BegunUtterance, CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput};
use mouthpiece_domain::session::Fence;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::lines::{IncomingLine, IncomingLines, Lines, WAITING};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const MS: Duration = Duration::from_millis(1);
/// Messages of 100 kB that the way from a caller holds: the line, what a relay keeps back, one in hand on each side, and what fits
/// into the buffers of sockets.
const ON_THE_WAY: usize = WAITING + 32 + 2 + 8;

fn settings() -> CallerSettings {
    CallerSettings::new(([127, 0, 0, 1], 0).into(), "ws://127.0.0.1:0".parse().unwrap())
}

/// A worker that lets callers come, and a coordinator that tells them where.
struct Open {
    pair: Pair,
    calls: Box<dyn IncomingLines>,
}

impl Open {
    async fn with(change: impl FnOnce(&mut CallerSettings)) -> Self {
        let mut pair = pair(Default::default(), Default::default());
        let mut settings = settings();
        change(&mut settings);
        pair.worker = Some(pair.worker.take().unwrap().with_callers(settings, None).unwrap());
        let calls = pair.worker().calls(WORKER).await.unwrap();
        Self { pair, calls }
    }

    /// The address that a session's answer holds.
    async fn address(&self, hold: Hold) -> String {
        self.pair.coordinator.caller_address(&hold, now()).await.unwrap().url
    }

    /// A caller's socket and the session's end of its line, on which it has told its mood.
    async fn talk(&mut self, more: &str) -> (Caller, IncomingLine) {
        let address = format!("{}{more}", self.address(hold(1)).await);
        let caller = Caller::at(&address).await;
        let called = ring(&mut self.calls).await;
        (caller, called)
    }

    fn refusals(&self, why: TicketRefusal) -> usize {
        self.pair.at_worker.count(DirectEvent::Refused(why))
    }
}

/// The next line that rings at a worker, whose session tells its mood.
async fn ring(calls: &mut Box<dyn IncomingLines>) -> IncomingLine {
    let called = comes("a line rings", calls.next()).await.unwrap();
    called.down.send(LineOutput::Mood { mood: FaceMood::Idle, event: None }).await.unwrap();
    called
}

fn now() -> Wall {
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// A caller's WebSocket.
struct Caller(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Caller {
    async fn at(url: &str) -> Self {
        let (socket, _) = comes("a socket", connect_async(url)).await.unwrap();
        Self(socket)
    }

    async fn says(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn pushes(&mut self, samples: &[i16]) {
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        loop {
            match comes("an event", self.0.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no event: {other:?}"),
            }
        }
    }

    /// The code and the reason that it is closed with; events before it are passed over.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match comes("a close", self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(_)) => {}
                other => panic!("not closed with a reason: {other:?}"),
            }
        }
    }
}

async fn heard(called: &mut IncomingLine) -> Option<LineInput> {
    comes("what a caller says", called.up.recv()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_speaks_straight_to_its_session_in_the_words_of_a_coordinators_socket() {
    let mut open = Open::with(|_| {}).await;
    let (mut caller, mut called) = open.talk("&sample_rate=16000").await;
    assert_eq!(called.hold, hold(1));
    assert_eq!(caller.hears().await, json!({"type": "session.state_updated", "state": "live"}));
    assert_eq!(caller.hears().await, json!({"type": "agent.state_updated", "state": "idle"}));
    caller.says(json!({"type": "agent.speak", "audio": "AQD+/w==", "event_id": "e"})).await;
    caller.pushes(&[5, 6]).await;
    caller.says(json!({"type": "agent.speak_end", "event_id": "e"})).await;
    caller.says(json!({"type": "sing"})).await;
    assert!(matches!(
        heard(&mut called).await,
        Some(LineInput::Identify(CallerIntroduction { next: 1, after: None, .. }))
    ));
    let speech =
        |event: Option<&str>, rate, samples| LineInput::Speak { event: event.map(str::to_owned), rate, samples };
    assert_eq!(heard(&mut called).await, Some(speech(Some("e"), 24_000, vec![1, -2])));
    assert_eq!(heard(&mut called).await, Some(speech(None, 16_000, vec![5, 6])));
    assert_eq!(heard(&mut called).await, Some(LineInput::SpeakEnd { event: Some("e".to_owned()) }));
    assert_eq!(caller.hears().await["code"], "unknown_type");
    let begun = Some(BegunUtterance { event: Some("e".to_owned()), played_ms: 40 });
    for down in [
        LineOutput::Position { position: EventPosition { fence: Fence(1), number: 3 } },
        LineOutput::Settled { through: 1, begun, of_next_ms: 0 },
        LineOutput::Over { reason: "completed".to_owned() },
    ] {
        called.down.send(down).await.unwrap();
    }
    assert_eq!(caller.hears().await, json!({"type": "session.position", "position": "1-3"}));
    assert_eq!(caller.hears().await, json!({"type": "agent.speak_progress", "event_id": "e", "played_ms": 40}));
    assert_eq!(caller.closed().await, (1000, "the session has ended: completed".to_owned()));

    // It comes back with what it heard last, and may do without the progress.
    let (mut caller, mut called) = open.talk("&after=1-3&progress=false").await;
    let after = Some(EventPosition { fence: Fence(1), number: 3 });
    let Some(LineInput::Identify(who)) = heard(&mut called).await else { panic!("nobody called") };
    assert_eq!(who.after, after);
    let begun = Some(BegunUtterance { event: None, played_ms: 40 });
    for down in [
        LineOutput::Resumed { complete: true },
        LineOutput::Settled { through: 1, begun, of_next_ms: 0 },
        LineOutput::Started { event: None },
    ] {
        called.down.send(down).await.unwrap();
    }
    assert_eq!(caller.hears().await["state"], "live");
    assert_eq!(caller.hears().await, json!({"type": "session.resumed", "complete": true}));
    assert_eq!(caller.hears().await, json!({"type": "agent.speak_started"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_ticket_is_refused_in_a_sentence_and_counted_and_rings_nowhere() {
    let mut open = Open::with(|_| {}).await;
    let base = open.pair.worker().callers().unwrap().to_string();
    let url = |session: Hold, ticket: &str| format!("{base}/v1/sessions/{}/audio?ticket={ticket}", session.session);
    let until = |ms: i64| Ticket::Caller { hold: hold(1), until: Wall(now().0 + ms) }.sign(&secrets());
    let good = until(10_000);
    let stranger = FarmSecrets::parse("the-secret-of-another-farm-than-this-one").unwrap();
    let elsewhere = Hold { worker: WorkerId(2), ..hold(1) };
    let at = good.len() - 8;
    let forged = format!("{}{}{}", &good[..at], if good[at..].starts_with('A') { 'B' } else { 'A' }, &good[at + 1..]);
    for (why, url) in [
        (TicketRefusal::Old, url(hold(1), &until(-3_600_000))),
        (TicketRefusal::TooFarAhead, url(hold(1), &until(3_600_000))),
        (TicketRefusal::OtherSession, url(hold(2), &good)),
        (TicketRefusal::Malformed, url(hold(1), "")),
        (TicketRefusal::Malformed, format!("{base}/v1/sessions/{}/audio", hold(1).session)),
        (TicketRefusal::Forged, url(hold(1), &forged)),
        (TicketRefusal::UnknownKey, url(hold(1), &Ticket::for_caller(hold(1), now()).sign(&stranger))),
        (TicketRefusal::OtherWorker, url(elsewhere, &Ticket::for_caller(elsewhere, now()).sign(&secrets()))),
        (TicketRefusal::OtherPurpose, {
            let challenge = mouthpiece_direct::Challenge([0; 32]);
            url(hold(1), &Ticket::Line { hold: hold(1), challenge }.sign(&secrets()))
        }),
    ] {
        let before = open.refusals(why);
        let refused = comes("a refusal", connect_async(&url)).await.unwrap_err();
        assert!(matches!(refused, SocketError::Http(r) if r.status() == StatusCode::UNAUTHORIZED), "{why}");
        eventually("it is counted", || open.refusals(why) == before + 1).await;
        let told = answered(&url).await;
        assert!(told.contains("application/problem+json") && told.contains(&why.to_string()), "{told}");
        assert!(!told.contains(SECRET), "{told}");
    }
    // Well signed, for a placement that does not run here: whoever takes lines hangs up on it.
    let address = url(hold(1), &Ticket::for_caller(Hold { fence: Fence(7), ..hold(1) }, now()).sign(&secrets()));
    let mut caller = Caller::at(&address).await;
    let called = comes("a line rings", open.calls.next()).await.unwrap();
    assert_eq!(called.hold.fence, Fence(7), "and no other one rang");
    drop(called);
    let (code, reason) = caller.closed().await;
    assert!(code == 1012 && reason.contains("ask for its address again"), "{code} {reason}");
    assert_eq!(open.refusals(TicketRefusal::OtherPlacement), 1);
    for (path, status) in [
        ("/lines", StatusCode::NOT_FOUND),
        ("/", StatusCode::NOT_FOUND),
        (&format!("/v1/sessions/{}/audio?ticket={good}&token=x", hold(1).session), StatusCode::UNPROCESSABLE_ENTITY),
        (&format!("/v1/sessions/{}/audio?ticket={good}&after=7", hold(1).session), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = connect_async(format!("{base}{path}")).await.unwrap_err();
        assert!(matches!(refused, SocketError::Http(r) if r.status() == status), "{path}");
    }
}

/// All that is answered to a request for a WebSocket that is not granted.
async fn answered(url: &str) -> String {
    let (host, path) = url.strip_prefix("ws://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    comes("an answer", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_lets_nobody_come_is_nobodys_address() {
    let pair = pair(Default::default(), Default::default());
    let _calls = pair.worker().calls(WORKER).await.unwrap();
    assert_eq!(pair.coordinator.caller_address(&hold(1), now()).await, None);
    let nobody = Direct::new(Default::default(), secrets(), Arc::<Book>::default(), None, Arc::new(()));
    assert_eq!(nobody.caller_address(&hold(1), now()).await, None, "it is not known");
    assert!(nobody.with_callers(settings(), None).is_err(), "callers come to workers only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_takes_nothing_holds_its_caller_up() {
    const SAID: usize = 300;
    let mut open = Open::with(|s| s.timeouts.room = BOUND).await;
    let (mut caller, mut called) = open.talk("").await;
    let pushed = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&pushed);
    let pushing = tokio::spawn(async move {
        for n in 0..SAID {
            caller.pushes(&vec![n as i16; 50_000]).await;
            counting.fetch_add(1, Ordering::SeqCst);
        }
        caller
    });
    assert!(matches!(heard(&mut called).await, Some(LineInput::Identify(_))));
    eventually("the line fills up", || pushed.load(Ordering::SeqCst) >= WAITING).await;
    for n in 0..SAID {
        let said = pushed.load(Ordering::SeqCst);
        assert!(said <= n + ON_THE_WAY, "{said} were pushed when {n} were taken");
        let Some(LineInput::Speak { samples, .. }) = heard(&mut called).await else { panic!("no speech") };
        assert!(samples.len() == 50_000 && samples[0] == n as i16, "{n}");
    }
    drop(pushing.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn as_many_sockets_as_a_session_may_have() {
    let mut open = Open::with(|_| {}).await;
    let mut talks = Vec::new();
    for _ in 0..8 {
        talks.push(open.talk("").await);
    }
    let refused = connect_async(open.address(hold(1)).await).await.unwrap_err();
    assert!(matches!(refused, SocketError::Http(r) if r.status() == StatusCode::TOO_MANY_REQUESTS));
    talks.pop();
    let address = open.address(hold(1)).await;
    comes("the place is given back", async {
        while connect_async(&address).await.is_err() {
            sleep(10 * MS).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_not_played_goes_along_when_a_session_moves_and_its_caller_is_sent_after_it() {
    let mut open = Open::with(|s| s.timeouts.again = 20 * MS).await;
    // Another worker of the farm, which both know.
    let seen = Arc::<Seen>::default();
    let listener = listen(Default::default(), &seen);
    let there = Hold { worker: WorkerId(2), fence: Fence(2), ..hold(1) };
    let book = Arc::clone(&open.pair.worker_book);
    book.own.lock().unwrap().insert(there.worker, listener.address().to_owned());
    let other = coordinator(Default::default(), Arc::default(), &seen).with_listener(listener);
    let mut calls_there = other.calls(there.worker).await.unwrap();

    let (mut caller, mut called) = open.talk("").await;
    for sample in 1..=3 {
        caller.pushes(&[sample; 2400]).await;
    }
    caller.says(json!({"type": "agent.speak_end", "event_id": "a"})).await;
    for _ in 0..5 {
        heard(&mut called).await;
    }
    let begun = BegunUtterance { event: Some("a".to_owned()), played_ms: 150 };
    let settled = LineOutput::Settled { through: 1, begun: Some(begun.clone()), of_next_ms: 50 };
    called.down.send(settled).await.unwrap();
    let progress = loop {
        let event = caller.hears().await;
        if event["type"] == "agent.speak_progress" {
            break event;
        }
    };
    assert_eq!(progress["played_ms"], 150);
    // The session lets its callers go; for a moment nobody tells where it is.
    drop(called);
    assert_eq!(caller.hears().await, json!({"type": "session.state_updated", "state": "reconnecting"}));
    caller.says(json!({"type": "session.keep_alive"})).await;
    book.places.lock().unwrap().insert(hold(1).session, there);

    let mut called = ring(&mut calls_there).await;
    assert_eq!(called.hold, there);
    let Some(LineInput::Identify(who)) = heard(&mut called).await else { panic!("nobody called") };
    assert_eq!((who.next, who.begun), (2, Some(begun.clone())));
    let rest = |samples| Some(LineInput::Speak { event: None, rate: 24_000, samples });
    assert_eq!(heard(&mut called).await, rest(vec![2; 1200]), "what was played is not said again");
    assert_eq!(heard(&mut called).await, rest(vec![3; 2400]));
    assert_eq!(heard(&mut called).await, Some(LineInput::SpeakEnd { event: Some("a".to_owned()) }));
    called.down.send(LineOutput::Continued { utterance: begun }).await.unwrap();
    let position = LineOutput::Position { position: EventPosition { fence: Fence(2), number: 1 } };
    called.down.send(position).await.unwrap();
    // What it said meanwhile may have come before or after it was not listened to any more.
    let mut taken = 4;
    while let Some(up) = heard(&mut called).await {
        assert_eq!(up, LineInput::KeepAlive { event: None });
        taken += 1;
    }
    drop(called);
    let mut told = Vec::new();
    while told.last().is_none_or(|event: &Value| event["type"] != "session.reconnect") {
        told.push(caller.hears().await);
    }
    let resumed = json!({"type": "agent.speak_resumed", "event_id": "a", "from_ms": 150});
    assert!(told.contains(&resumed), "{told:?}");
    assert!(told.contains(&json!({"type": "session.position", "position": "2-1"})), "{told:?}");
    assert_eq!(told.last().unwrap()["messages_taken"], taken);
    let (code, reason) = caller.closed().await;
    assert!(code == 1012 && reason.contains("another worker"), "{code} {reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_goes_on_nowhere_is_given_up_and_what_is_lost_is_told() {
    let impatient = |s: &mut CallerSettings| (s.timeouts.again, s.timeouts.elsewhere) = (10 * MS, 100 * MS);
    let mut open = Open::with(impatient).await;
    let (mut caller, mut called) = open.talk("").await;
    caller.pushes(&[1; 2400]).await;
    heard(&mut called).await;
    heard(&mut called).await;
    drop(called);
    // It rings where it ran, in vain.
    let hanging_up = async {
        while let Some(line) = open.calls.next().await {
            drop(line);
        }
    };
    let told = async {
        loop {
            let event = caller.hears().await;
            if event["type"] == "agent.speak_lost" {
                return (event, caller.closed().await.0);
            }
        }
    };
    let (lost, code) = tokio::select! {
        told = told => told,
        () = hanging_up => panic!("no more lines"),
    };
    assert_eq!((lost["lost_ms"].as_u64(), code), (Some(100), 1011));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_socket_does_not_stay_open_for_ever() {
    let short = |s: &mut CallerSettings| (s.longest, s.timeouts.ping) = (20 * MS, 10 * MS);
    let mut open = Open::with(short).await;
    let (mut caller, mut called) = open.talk("").await;
    while heard(&mut called).await.is_some() {}
    drop(called);
    let told = loop {
        let event = caller.hears().await;
        if event["type"] == "session.reconnect" {
            break event;
        }
    };
    assert_eq!(told["messages_taken"], 0);
    let (code, reason) = caller.closed().await;
    assert!(code == 1012 && reason.contains("address again"), "{code} {reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_stops_tells_its_callers() {
    let mut open = Open::with(|_| {}).await;
    let (mut caller, _called) = open.talk("").await;
    let (closed, ()) = tokio::join!(caller.closed(), open.pair.worker().send_callers_on(Duration::ZERO));
    assert_eq!(closed.0, 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_come_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, certificate, key) = made(folder.path(), "127.0.0.1");
    let mut pair = pair(Default::default(), Default::default());
    let mut settings = settings();
    settings.url = "wss://127.0.0.1:0".parse().unwrap();
    let tls = ServerTls::from_files(&certificate, &key).unwrap();
    pair.worker = Some(pair.worker.take().unwrap().with_callers(settings, Some(tls)).unwrap());
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let url = pair.coordinator.caller_address(&hold(1), now()).await.unwrap().url;
    let (host, _) = url.strip_prefix("wss://").unwrap().split_once('/').unwrap();
    let stream = TcpStream::connect(host).await.unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&authority).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (mut socket, _) = comes("a socket", tokio_tungstenite::client_async(&url, stream)).await.unwrap();
    let mut called = ring(&mut calls).await;
    socket.send(Message::text(json!({"type": "agent.interrupt"}).to_string())).await.unwrap();
    heard(&mut called).await;
    assert_eq!(heard(&mut called).await, Some(LineInput::Interrupt { event: None }));
    let plain = TcpStream::connect(host).await.unwrap();
    assert!(tokio_tungstenite::client_async(url.replacen("wss", "ws", 1), plain).await.is_err());
}
