//! The thread around the hub, over the real loopback.

use crate::client::Wish;
use crate::loopback::{Caller, PATIENCE, Session, drive, runtime, settings};
use mouthpiece_transport::{
    AudioPacket, LeftWhy, SignalError, StreamEvent, StreamParams, Transport, TransportError, TransportSettings,
};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn wait(what: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < end, "it never came to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_session_over_a_real_socket() {
    for bind in ["127.0.0.1:0", "[::]:0"] {
        let transport =
            Transport::start(TransportSettings { bind: bind.parse().unwrap(), public: false, ..settings() }).unwrap();
        let mut sessions = [Session::open(&transport, 800_000)];
        let mut callers = vec![
            Caller::call(&transport, &sessions[0], 1, Wish::SPEAKER),
            Caller::call(&transport, &sessions[0], 2, Wish::BOTH),
        ];
        callers[0].client.speaks_from = Some(Instant::now());
        drive(&mut sessions, &mut callers, |sessions, callers| {
            let heard = sessions[0].seen.iter().filter(|e| matches!(e, StreamEvent::Microphone { .. })).count();
            heard > 20 && callers.iter().all(|c| c.client.frames.len() > 20 && c.client.sounds.len() > 40)
        });
        for caller in &callers {
            let frames = &caller.client.frames;
            assert!(frames[0].key && frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
        }
        let sent = sessions[0].seen.iter().filter(|e| matches!(e, StreamEvent::Sent { .. })).count();
        assert!(sent >= 20);
        let counts = transport.counts();
        assert_eq!((counts.streams, counts.viewers, counts.joined, counts.dropped), (1, 2, 2, 0));
        assert!(counts.packets_out > 200 && counts.bytes_out > 80_000 && counts.packets_in > 50);
        callers[0].client.hang_up(Instant::now());
        drive(&mut sessions, &mut callers, |sessions, _| {
            sessions[0].seen.contains(&StreamEvent::Left { viewer: 1, why: LeftWhy::HungUp })
        });
        runtime().block_on(transport.stop());
        let end = Instant::now() + PATIENCE;
        while !callers[1].client.closed {
            assert!(Instant::now() < end, "no goodbye came");
            callers[1].work();
        }
    }
}

/// What the network carries is what is paid: the headers of IP and UDP are 28 bytes a packet here.
#[test]
fn each_stream_knows_what_its_viewers_were_sent() {
    let transport = Transport::start(settings()).unwrap();
    let mut sessions = [200_000, 800_000, 800_000].map(|bits| Session::open(&transport, bits));
    let mut callers = vec![
        Caller::call(&transport, &sessions[0], 1, Wish::BOTH),
        Caller::call(&transport, &sessions[1], 2, Wish::BOTH),
        Caller::call(&transport, &sessions[1], 3, Wish::BOTH),
    ];
    drive(&mut sessions, &mut callers, |_, callers| callers.iter().all(|c| c.client.frames.len() > 20));
    // Twenty frames of a kilobyte to one viewer, twenty of four to two.
    let [little, much, nothing] = sessions.each_ref().map(|session| session.stream.sent_bytes());
    assert!(little > 20 * 1000 && much > 2 * 20 * 4000, "{little} and {much}");
    assert_eq!(nothing, 0, "nobody watches");
    drive(&mut sessions, &mut callers, |sessions, _| {
        let counts = transport.counts();
        let sum: u64 = sessions.iter().map(|session| session.stream.sent_bytes()).sum();
        sum == counts.bytes_out + 28 * counts.packets_out
    });
}

#[test]
fn viewers_of_both_families_watch_through_one_socket() {
    let transport = Transport::start(TransportSettings { bind: "[::]:0".parse().unwrap(), ..settings() }).unwrap();
    let mut sessions = [Session::open(&transport, 800_000)];
    // On a machine without IPv6 there is one family, and its viewers are served all the same.
    let sockets = ["127.0.0.1:0", "[::1]:0"].into_iter().filter_map(|from| UdpSocket::bind(from).ok());
    let mut callers: Vec<_> = sockets
        .enumerate()
        .map(|(n, socket)| Caller::call_from(socket, &transport, &sessions[0], n as u128, Wish::BOTH))
        .collect();
    let told = transport.candidates();
    for caller in &callers {
        let own = caller.address();
        assert!(told.iter().any(|addr| addr.is_ipv4() == own.is_ipv4()), "{told:?} has nothing for {own}");
    }
    drive(&mut sessions, &mut callers, |_, callers| callers.iter().all(|c| c.client.frames.len() > 10));
}

#[test]
fn noise_at_the_port_harms_nobody() {
    let transport = Transport::start(settings()).unwrap();
    let mut sessions = [Session::open(&transport, 800_000)];
    let mut callers = [Caller::call(&transport, &sessions[0], 1, Wish::BOTH)];
    drive(&mut sessions, &mut callers, |_, callers| callers[0].client.frames.len() > 5);
    let (port, stop) = (transport.local_addr(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut dice = crate::network::Dice(3);
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..50 {
                    let data: Vec<u8> = (0..dice.roll() % 300).map(|_| dice.roll() as u8).collect();
                    let _ = socket.send_to(&data, port);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let before = callers[0].client.frames.len();
        drive(&mut sessions, &mut callers, |_, callers| {
            callers[0].client.frames.len() > before + 40 && transport.counts().noise > 2000
        });
        stop.store(true, Ordering::Relaxed);
    });
    let frames = &callers[0].client.frames;
    assert!(frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    assert_eq!(transport.counts().viewers, 1);
}

#[test]
fn a_stopped_transport_says_so() {
    let runtime = runtime();
    let transport = Transport::start(settings()).unwrap();
    let session = Session::open(&transport, 800_000);
    let id = session.stream.id();
    let again = transport.clone();
    runtime.block_on(transport.stop());
    assert_eq!(runtime.block_on(again.offer(id, 1, "v=0".to_owned())), Err(SignalError::Stopped));
    assert_eq!(runtime.block_on(again.hang_up(id, 1)), Err(SignalError::Stopped));
    let params = StreamParams { fps: 25, bitrate: [1, 2] };
    assert!(matches!(again.open(params, Box::new(|_| ())), Err(TransportError::Stopped)));
    let packet = AudioPacket { data: bytes::Bytes::new(), pts: Duration::ZERO, captured: Instant::now() };
    assert!(!session.stream.audio(packet));
    assert_eq!(again.counts().dropped, 1);
    runtime.block_on(again.stop());
}

#[test]
fn questions_about_nothing_are_answered() {
    let runtime = runtime();
    let transport = Transport::start(settings()).unwrap();
    let session = Session::open(&transport, 800_000);
    let id = session.stream.id();
    let malformed = runtime.block_on(transport.offer(id, 1, "hello".to_owned()));
    assert!(matches!(malformed, Err(SignalError::Malformed(_))));
    let nobody = runtime.block_on(transport.trickle(id, 1, "x".to_owned(), "a=end-of-candidates".to_owned()));
    assert_eq!(nobody, Err(SignalError::NoViewer));
    drop(session);
    wait(|| transport.counts().streams == 0);
    let gone = runtime.block_on(transport.restart(id, 1, String::new()));
    assert_eq!(gone, Err(SignalError::NoStream));
}

#[test]
fn dropping_everything_frees_the_port() {
    let transport = Transport::start(settings()).unwrap();
    let port = transport.local_addr();
    let session = Session::open(&transport, 800_000);
    drop(transport);
    assert!(UdpSocket::bind(port).is_err(), "the session still holds it");
    drop(session);
    wait(|| UdpSocket::bind(port).is_ok());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap();
    let error = Transport::start(TransportSettings { bind, ..settings() }).unwrap_err();
    assert!(error.to_string().contains(&bind.to_string()), "{error}");
    let elsewhere: IpAddr = "2001:db8::1".parse().unwrap();
    let error = Transport::start(TransportSettings { addresses: vec![elsewhere], ..settings() }).unwrap_err();
    assert!(matches!(error, TransportError::NoAddress { .. }));
}

#[test]
fn a_stun_server_tells_the_public_address() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let stun = Some(format!("localhost:{}", server.local_addr().unwrap().port()));
    let transport = Transport::start(TransportSettings { public: false, stun, ..settings() }).unwrap();
    let mut request = [0; 100];
    // The first request is lost; the second is answered.
    server.recv_from(&mut request).unwrap();
    let (length, from) = server.recv_from(&mut request).unwrap();
    assert_eq!((length, from), (20, transport.local_addr()));
    let mut answer = request[..20].to_vec();
    (answer[0], answer[3]) = (1, 12);
    answer.extend([0, 1, 0, 8, 0, 1, 0x11, 0x22, 203, 0, 113, 77]);
    server.send_to(&answer, from).unwrap();
    let public: SocketAddr = "203.0.113.77:4386".parse().unwrap();
    wait(|| transport.candidates().contains(&public));
    assert_eq!(transport.candidates(), [transport.local_addr(), public]);
}
