//! Whoever does not belong to the farm, on either side.

use crate::net::{Book, SECRET, Seen, WORKER, comes, coordinator, hold, listen, pair, secrets};
use crate::proxy::{Proxy, free};
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_direct::{
    Challenge, DialSettings, Direct, DirectEvent, DirectListener, FarmSecrets, PROTOCOL, Ticket, TicketRefusal,
};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAsk, LiveQuestion};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::lines::{LineError, Lines};
use mouthpiece_ports::questions::QuestionBus;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Raw = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects as a coordinator would, whoever it is; the worker's challenge comes back.
async fn knock(address: &str, path: &str, worker: WorkerId) -> Result<(Raw, Challenge), SocketError> {
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    let text = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
    for (name, value) in [
        ("sec-websocket-protocol", PROTOCOL.to_owned()),
        ("mouthpiece-worker", worker.to_string()),
        ("mouthpiece-challenge", text(&[7; 32])),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (socket, response) = connect_async(request).await?;
    let given = response.headers()["mouthpiece-challenge"].to_str().unwrap();
    let given = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, given).unwrap();
    Ok((socket, Challenge(given.try_into().unwrap())))
}

/// What a worker says to a ticket.
async fn show(mut socket: Raw, ticket: &str) -> String {
    socket.send(Message::text(ticket)).await.unwrap();
    loop {
        match comes("an answer to a ticket", socket.next()).await {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(_)) => {}
            other => panic!("no answer: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_ticket_is_refused_and_counted_and_rings_nowhere() {
    let pair = pair(Default::default(), Default::default());
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let address = pair.book.everybody.lock().unwrap().clone().unwrap();
    let stranger = FarmSecrets::parse("the-secret-of-another-farm-than-this-one").unwrap();
    let other = Hold { worker: WorkerId(2), ..hold(1) };
    let mut old = Challenge([0; 32]);
    type Make<'a> = Box<dyn Fn(Challenge, Challenge) -> String + 'a>;
    let line = |hold, challenge| Ticket::Line { hold, challenge }.sign(&secrets());
    let cases: [(TicketRefusal, Make<'_>); 8] = [
        (TicketRefusal::Malformed, Box::new(|_, _| "let me in".to_owned())),
        (TicketRefusal::UnknownKey, Box::new(|c, _| Ticket::Line { hold: hold(1), challenge: c }.sign(&stranger))),
        (
            TicketRefusal::Forged,
            Box::new(move |c, _| {
                let good = line(hold(1), c);
                let flipped = if good.ends_with('A') { 'E' } else { 'A' };
                let at = good.len() - 8;
                format!("{}{flipped}{}", &good[..at], &good[at + 1..])
            }),
        ),
        (TicketRefusal::OtherWorker, Box::new(move |c, _| line(other, c))),
        (TicketRefusal::OtherConnection, Box::new(move |_, old| line(hold(1), old))),
        (
            TicketRefusal::OtherPurpose,
            Box::new(|c, _| Ticket::Questions { worker: WORKER, challenge: c }.sign(&secrets())),
        ),
        (TicketRefusal::OtherPurpose, Box::new(|_, _| Ticket::for_caller(hold(1), now()).sign(&secrets()))),
        (TicketRefusal::Malformed, Box::new(move |c, _| format!("{}=", line(hold(1), c)))),
    ];
    for (why, make) in cases {
        let before = pair.at_worker.count(DirectEvent::Refused(why));
        let (socket, given) = knock(&address, "/lines", WORKER).await.unwrap();
        assert_eq!(show(socket, &make(given, old)).await, r#"{"type":"ticket"}"#, "{why}");
        assert_eq!(pair.at_worker.count(DirectEvent::Refused(why)), before + 1, "{why}");
        old = given;
    }
    let (socket, given) = knock(&address, "/lines", WORKER).await.unwrap();
    assert_eq!(show(socket, &line(hold(77), given)).await, r#"{"type":"welcome"}"#);
    assert_eq!(comes("a line rings", calls.next()).await.unwrap().hold, hold(77), "and no other one rang");
}

fn now() -> Wall {
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_else_is_served() {
    let pair = pair(Default::default(), Default::default());
    let _calls = pair.worker().calls(WORKER).await.unwrap();
    let address = pair.book.everybody.lock().unwrap().clone().unwrap();
    let caller = format!("/lines/{}?ticket={}", hold(1).session, Ticket::for_caller(hold(1), now()).sign(&secrets()));
    for (path, worker) in
        [("/", WORKER), ("/lines/../x", WORKER), ("/questions/", WORKER), ("/lines", WorkerId(2)), (&caller, WORKER)]
    {
        let refused = knock(&address, path, worker).await.err().unwrap();
        assert!(matches!(refused, SocketError::Http(r) if r.status() == StatusCode::NOT_FOUND), "{path}");
    }
    let refused = connect_async(format!("ws://{address}/lines")).await.unwrap_err();
    assert!(matches!(refused, SocketError::Http(r) if r.status() == StatusCode::BAD_REQUEST));
    let mut plain = TcpStream::connect(&address).await.unwrap();
    plain.write_all(b"GET /lines HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = comes("a plain request has an end", plain.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.1 101"));
    pair.at_worker.comes(DirectEvent::Stranger).await;
}

/// Listens, answers everybody with the same, and writes down what it hears until they hang up.
async fn impostor(answer: &'static str) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener: TcpListener = free().await;
    let address = listener.local_addr().unwrap().to_string();
    let (heard, hears) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            let mut answered = false;
            while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                bytes.extend_from_slice(&chunk[..read]);
                if !answered && bytes.ends_with(b"\r\n\r\n") {
                    answered = true;
                    // Whatever goes wrong here shows in what is heard.
                    let key = String::from_utf8_lossy(&bytes).into_owned();
                    let _ = stream.write_all(answer.replace("ACCEPT", &accept(&key)).as_bytes()).await;
                }
            }
            let _ = heard.send(String::from_utf8_lossy(&bytes).into_owned()).await;
        }
    });
    (address, hears)
}

/// The WebSocket answer to a request's key.
fn accept(request: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| line[18..].trim()));
    key.map(|key| tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())).unwrap_or_default()
}

/// Neither who is called about what, nor anything signed, nor anything after the request.
fn says_nothing(heard: &str, session: &Hold) {
    assert!(
        heard.starts_with("GET /lines HTTP/1.1\r\n") || heard.starts_with("GET /questions HTTP/1.1\r\n"),
        "{heard}"
    );
    assert_eq!(heard.find("\r\n\r\n"), Some(heard.len() - 4), "nothing follows the request: {heard}");
    assert!(!heard.contains(&session.session.to_string()) && !heard.contains(SECRET), "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_impostor_is_told_nothing() {
    const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ACCEPT\r\n";
    let quick = DialSettings { patience: Duration::from_millis(500), ..Default::default() };
    let mut proof = String::new();
    for header in [
        "sec-websocket-protocol: mouthpiece.direct.1",
        "mouthpiece-proof: AAAA",
        "mouthpiece-challenge: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        proof += header;
        proof += "\r\n";
    }
    let cases: [(&'static str, usize); 6] = [
        ("", 0),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 1),
        ("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/lines\r\ncontent-length: 0\r\n\r\n", 1),
        (Box::leak(format!("{UPGRADE}\r\n").into_boxed_str()), 1),
        (Box::leak(format!("{UPGRADE}{proof}\r\n").into_boxed_str()), 1),
        ("SSH-2.0-OpenSSH_9.2\r\n", 1),
    ];
    for (answer, counted) in cases {
        let (address, mut hears) = impostor(answer).await;
        let seen = Arc::<Seen>::default();
        let coordinator = coordinator(quick, Book::of(&address), &seen);
        let refused = coordinator.open(&hold(0xabcdef)).await.err();
        assert!(matches!(refused, Some(LineError::Unavailable(_))), "{answer}: {refused:?}");
        says_nothing(&comes("what was heard", hears.recv()).await.unwrap(), &hold(0xabcdef));
        let ask = LiveAsk { hold: hold(0xabcdef), what: LiveQuestion::Status };
        assert!(coordinator.ask(WORKER, &ask, crate::net::BOUND).await.is_err(), "{answer}");
        says_nothing(&comes("what was heard", hears.recv()).await.unwrap(), &hold(0xabcdef));
        assert_eq!(seen.count(DirectEvent::Impostor), 2 * counted, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_farms_worker_is_an_impostor() {
    let secrets = Arc::new(FarmSecrets::parse("the-secret-of-another-farm-than-this-one").unwrap());
    let listener = DirectListener::open(Default::default(), Arc::clone(&secrets), None, Arc::new(())).unwrap();
    let seen = Arc::<Seen>::default();
    let coordinator = coordinator(Default::default(), Book::of(listener.address()), &seen);
    let theirs = Direct::new(Default::default(), secrets, Arc::<Book>::default(), None, Arc::new(()));
    let theirs = theirs.with_listener(Arc::new(listener));
    let _calls = theirs.calls(WORKER).await.unwrap();
    let refused = coordinator.open(&hold(1)).await.err();
    assert!(matches!(refused, Some(LineError::Unavailable(why)) if why.contains("nothing was said to it")));
    assert_eq!(seen.all(), [DirectEvent::Impostor]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_passes_everything_on_to_the_true_worker_is_an_impostor() {
    let seen = Arc::<Seen>::default();
    let listener = listen(Default::default(), &seen);
    let proxy = Proxy::start(free().await, listener.address().parse().unwrap());
    // Somebody told the farm that the worker is called at the proxy's address.
    let book = Book::of(&proxy.address.to_string());
    let lied_to = coordinator(Default::default(), Arc::clone(&book), &seen);
    let worker = coordinator(Default::default(), Arc::default(), &seen).with_listener(listener);
    let mut calls = worker.calls(WORKER).await.unwrap();
    let refused = lied_to.open(&hold(0xabcdef)).await.err();
    assert!(matches!(refused, Some(LineError::Unavailable(why)) if why.contains("nothing was said to it")));
    says_nothing(&proxy.heard(), &hold(0xabcdef));
    assert_eq!(seen.count(DirectEvent::Impostor), 1);
    // The worker itself is reached where it says that it is.
    let address = calls.address().unwrap();
    book.own.lock().unwrap().insert(WORKER, address);
    let hold = hold(1);
    let (line, called) = tokio::join!(lied_to.open(&hold), calls.next());
    assert!(line.is_ok() && called.unwrap().hold == hold);
}

#[tokio::test]
async fn what_is_no_address_is_not_dialled() {
    let seen = Arc::<Seen>::default();
    for address in ["", "http://127.0.0.1:1/", "user@127.0.0.1:1", "127.0.0.1", "169.254.169.254:80", "0.0.0.0:1"] {
        let coordinator = coordinator(Default::default(), Book::of(address), &seen);
        assert!(matches!(coordinator.open(&hold(1)).await, Err(LineError::Unavailable(_))), "{address}");
    }
    let coordinator = coordinator(Default::default(), Arc::default(), &seen);
    assert!(matches!(coordinator.open(&hold(1)).await, Err(LineError::Unroutable(WORKER))));
}
